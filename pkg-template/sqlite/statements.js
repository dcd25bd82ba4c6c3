// @ts-check
import { UNSETTLED } from './schema.js';

/** Milliseconds by SQLite's clock, the same for every process on the machine. */
const NOW = "(unixepoch('subsec') * 1000.0)";

/** The places of a job's rows, see job-rows.js. @param {string} key */
export const placesOf = (key) => `BETWEEN ${key} << 32 AND ${key} << 32 | 4294967295`;

/** Jobs with their last row, which says their numbers too: that of `run_commits`, where there is one. */
const JOBS = `jobs
  LEFT JOIN early_commits AS early
    ON early.place = (SELECT max(place) FROM early_commits WHERE place ${placesOf('n')})
  LEFT JOIN run_commits AS late
    ON late.place = (SELECT max(place) FROM run_commits WHERE place ${placesOf('first_lease')})`;

const LATEST = {
  revision: 'coalesce(late.revision, early.revision)',
  seq: 'coalesce(late.last_seq, early.last_seq)',
  steps: 'coalesce(late.steps_taken, early.steps_taken)',
};

/** See heads.js. */
const HEAD = `head, jobs.revision, jobs.last_seq, jobs.steps_taken, ${LATEST.revision} AS latest_revision,
  ${LATEST.seq} AS latest_seq, ${LATEST.steps} AS latest_steps`;

/** What is set in a job's row. */
const NUMBERS = 'revision = ?, last_seq = ?, steps_taken = ?, head = ?';
const PLACE = 'status = ?, parent_id = ?, ended = ?';
const NO_LEASE = 'lease_owner = NULL, lease_process = NULL, lease_token = NULL, lease_until = NULL';

/** Null where there is one. */
const FIRST_OF_RUN = `(SELECT first_lease << 32 | 1
  WHERE NOT EXISTS (SELECT 1 FROM run_commits AS run WHERE run.place = first_lease << 32 | 1))`;

/**
 * The ordinary commit, with all that is asked of it, in one statement: the number of the job's next row, if the job and its
 * last row are as they have to be, and else a text where a number is due, which SQLite refuses (SQLITE_MISMATCH). As
 * `INSERT ... SELECT` it would fill a table in between, since it reads the one it writes. What is null is not asked.
 *
 * @param {{ after: 'early_commits' | 'run_commits', key: string, place: string }} where the table that has the last row, what finds
 *   the job's rows there, and where the new one comes
 */
const ordinaryCommit = ({ after, key, place }) =>
  `INSERT INTO run_commits (place, revision, last_seq, steps_taken, change) VALUES (coalesce((
     SELECT next FROM (
       SELECT ${place} AS next, max(jobs.revision, latest.revision) AS revision, max(jobs.last_seq, latest.last_seq) AS last_seq
       FROM jobs CROSS JOIN ${after} AS latest ON place ${placesOf(key)}
       WHERE id = ? AND head = ? AND jobs.steps_taken NOT NULL AND lease_token IS coalesce(?, lease_token)
         AND coalesce((SELECT value FROM control), '') = coalesce(?, (SELECT value FROM control), '')
       ORDER BY place DESC LIMIT 1
     ) WHERE revision = ? AND last_seq < ?), 'none'), ?, ?, ?, ?)`;

/** @param {import('./driver.js').Database} database */
export function prepareStatements(database) {
  /** @param {string} sql */
  const sql = (sql) => database.prepare(sql);
  return {
    // As few columns as a commit needs: each costs as much as a name to look up in what it answers.
    findJob: sql(
      `SELECT n, first_lease, head, status, parent_id, ended, jobs.steps_taken, lease_token, (SELECT value FROM control) AS control,
         iif(first_lease IS NULL, early.place, late.place) & 4294967295 AS latest_row,
         max(jobs.revision, coalesce(${LATEST.revision}, 0)) AS revision,
         max(jobs.last_seq, coalesce(${LATEST.seq}, 0)) AS last_seq
       FROM ${JOBS} WHERE id = ?`,
    ),
    insertJob: sql(
      `INSERT INTO jobs (id, status, parent_id, ended, revision, last_seq, steps_taken, head)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    // Several, because SQLite writes the indexes of every column that is named, whether it changes or not.
    updateJob: sql(`UPDATE jobs SET ${NUMBERS} WHERE n = ?`),
    moveJob: sql(`UPDATE jobs SET ${NUMBERS}, ${PLACE} WHERE n = ?`),
    endJob: sql(`UPDATE jobs SET ${NUMBERS}, ${PLACE}, ${NO_LEASE} WHERE n = ?`),
    // All rows that it has from now on come into `early_commits`, until it is leased again.
    setPruned: sql('UPDATE jobs SET pruned_seq = ?, first_lease = NULL WHERE n = ?'),
    deleteJob: sql('DELETE FROM jobs WHERE n = ?'),

    setPlan: sql(
      'INSERT INTO plans (job, plan) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET plan = excluded.plan',
    ),
    clearPlan: sql('DELETE FROM plans WHERE job = ?'),
    addFirst: sql(ordinaryCommit({ after: 'early_commits', key: 'n', place: FIRST_OF_RUN })),
    addNext: sql(ordinaryCommit({ after: 'run_commits', key: 'first_lease', place: 'place + 1' })),

    readHead: sql(`SELECT ${HEAD} FROM ${JOBS} WHERE id = ?`),
    readJob: sql(`SELECT n, first_lease, plan, ${HEAD} FROM ${JOBS} LEFT JOIN plans ON job = n WHERE id = ?`),
    findPlace: sql('SELECT n, first_lease FROM jobs WHERE id = ?'),
    endedBefore: sql('SELECT n, first_lease FROM jobs WHERE ended < ? LIMIT ?'),
    endedWithHistory: sql(
      'SELECT n, first_lease, last_seq FROM jobs WHERE ended < ? AND last_seq > pruned_seq LIMIT ?',
    ),

    nextToken: sql('UPDATE control SET last_token = last_token + 1 RETURNING last_token'),
    takeLease: sql(
      `UPDATE jobs SET lease_owner = ?, lease_process = ?, lease_until = ${NOW} + ?,
         lease_token = last_token + 1, first_lease = coalesce(first_lease, last_token + 1)
       FROM control
       WHERE id = ? AND (lease_token IS NULL OR lease_owner = ? OR lease_process = ? OR lease_until <= ${NOW})`,
    ),
    readLease: sql('SELECT lease_process FROM jobs WHERE id = ?'),
    renewLease: sql(`UPDATE jobs SET lease_until = ${NOW} + ? WHERE id = ? AND lease_token = ?`),
    releaseLease: sql(`UPDATE jobs SET ${NO_LEASE} WHERE id = ? AND lease_token = ?`),
    readControl: sql('SELECT value FROM control'),
    setControl: sql('UPDATE control SET value = ?'),
  };
}

/**
 * `listJobs`, one statement for each kind of question.
 *
 * @typedef {{ statuses: string[] | null, parentId: string | null, unsettled: boolean, after: number, limit: number }} Question `limit`: -1 is none
 *
 * @param {import('./driver.js').Database} database
 */
export function prepareLists(database) {
  /** @type {Map<string, import('./driver.js').Statement>} */
  const prepared = new Map();

  /** @param {Question} question */
  return (question) => {
    const { statuses, parentId, unsettled, limit } = question;
    if (unsettled || statuses === null || parentId !== null || statuses.length < 2) return ask(question);
    // Those of one status are in order in its index; those of several SQLite would sort, all of them for each page.
    const found = statuses.flatMap((status) => ask({ ...question, statuses: [status] }));
    found.sort((a, b) => a.n - b.n);
    return limit < 0 ? found : found.slice(0, limit);
  };

  /**
   * @param {Question} question
   * @returns {import('./driver.js').Row[]} see heads.js
   */
  function ask({ statuses, parentId, unsettled, after, limit }) {
    const conditions = ['n > ?'];
    /** @type {(string | number)[]} */
    const values = [after];
    if (parentId !== null) {
      conditions.push('parent_id = ?');
      values.push(parentId);
    }
    if (unsettled) conditions.push(UNSETTLED);
    if (statuses !== null) {
      conditions.push(`status IN (${statuses.map(() => '?').join(', ')})`);
      values.push(...statuses);
    }
    const from = unsettled ? JOBS.replace('jobs', 'jobs INDEXED BY jobs_unsettled') : JOBS;
    const sql = `SELECT n, ${HEAD} FROM ${from} WHERE ${conditions.join(' AND ')} ORDER BY n LIMIT ?`;
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql);
      prepared.set(sql, statement);
    }
    return statement.all(...values, limit);
  }
}
