// @ts-check

/**
 * Asked for by a statement, it does not wait until what it changed is on the disk. Only a crash of the server undoes
 * such a change, and any later commit that waits takes this one to the disk too: what is done under a lease is never
 * there without it. A lease that is lost so is one that nothing was done under yet.
 */
const UNSYNCED = `set_config('synchronous_commit', 'off', true)`;

/** A crash may undo a step of the sequence, too: who gets the same number again is told apart by chance. */
const TOKENS_A_NUMBER = 65_536;

/**
 * Everything but writing jobs. A job is read in one statement, and so as it was at one moment.
 *
 * @param {string} s the schema, quoted
 * @param {string} channel
 */
export function statementsIn(s, channel) {
  const later = (/** @type {number} */ i) =>
    `clock_timestamp() + make_interval(secs => $${i}::double precision / 1000)`;
  return {
    readHead: `SELECT head FROM ${s}.jobs WHERE id = $1`,
    readJob: `WITH job AS (SELECT n, head FROM ${s}.jobs WHERE id = $1)
      SELECT head, plan FROM job LEFT JOIN ${s}.plans ON job = n
      UNION ALL (SELECT parts, events FROM job JOIN ${s}.commits ON job = n ORDER BY last_seq, place)`,
    readEvents: `SELECT last_seq, events, seqs, before FROM ${s}.commits
      WHERE job = (SELECT n FROM ${s}.jobs WHERE id = $1) AND last_seq > $2 AND events IS NOT NULL
      ORDER BY last_seq, place LIMIT $3`,
    list: `SELECT listed FROM ${s}.list_jobs($1, $2, $3, $4)`,
    deleteJob: `SELECT ${s}.delete_job($1)`,
    prune: `SELECT pruned, last_ended, last_job FROM ${s}.prune_jobs($1, $2, $3, $4, $5)`,

    // The owner itself may take its lease again: the answer to its first asking may have been lost.
    acquireLease: `UPDATE ${s}.jobs
      SET lease_owner = $2, lease_until = ${later(3)},
        lease_token = nextval('${s}.lease_tokens') * ${TOKENS_A_NUMBER} + floor(random() * ${TOKENS_A_NUMBER})::bigint
      WHERE id = $1 AND (lease_token IS NULL OR lease_owner = $2 OR lease_until <= clock_timestamp())
      RETURNING lease_token, ${UNSYNCED}`,
    renewLease: `UPDATE ${s}.jobs SET lease_until = ${later(3)} WHERE id = $1 AND lease_token = $2
      RETURNING n, ${UNSYNCED}`,
    releaseLease: `UPDATE ${s}.jobs SET lease_owner = NULL, lease_token = NULL, lease_until = NULL
      WHERE id = $1 AND lease_token = $2`,

    readControl: `SELECT control, control_number FROM ${s}.store`,
    setControl: `WITH changed AS (UPDATE ${s}.store SET control = $1, control_number = control_number + 1)
      SELECT pg_notify('${channel}', '{"type":"control"}')`,
  };
}
