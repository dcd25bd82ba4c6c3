// @ts-check

/** Milliseconds by SQLite's clock, the same for every process on the machine. */
const NOW = "(unixepoch('subsec') * 1000.0)";

/** @param {import('./driver.js').Database} database */
export function prepareStatements(database) {
  /** @param {string} sql */
  const sql = (sql) => database.prepare(sql);
  return {
    findJob: sql(
      'SELECT n, status, parent_id, revision, ended, last_seq, lease_token FROM jobs WHERE id = ?',
    ),
    insertJob: sql(
      'INSERT INTO jobs (id, status, parent_id, ended, revision, last_seq, head) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING n',
    ),
    // Two, because SQLite writes the indexes of every column that is named, whether it changes or not.
    updateJob: sql('UPDATE jobs SET revision = ?, last_seq = ?, head = ? WHERE n = ?'),
    moveJob: sql('UPDATE jobs SET status = ?, parent_id = ?, ended = ? WHERE n = ?'),
    deleteJob: sql('DELETE FROM jobs WHERE n = ?'),

    setPlan: sql(
      'INSERT INTO plans (job, plan) VALUES (?, ?) ON CONFLICT (job) DO UPDATE SET plan = excluded.plan',
    ),
    clearPlan: sql('DELETE FROM plans WHERE job = ?'),
    setContext: sql(
      'INSERT INTO context (job, key, value) VALUES (?, ?, ?) ON CONFLICT (job, key) DO UPDATE SET value = excluded.value',
    ),
    dropContext: sql('DELETE FROM context WHERE job = ? AND key = ?'),
    clearContext: sql('DELETE FROM context WHERE job = ?'),
    setStep: sql(
      'INSERT INTO steps (job, id, state) VALUES (?, ?, ?) ON CONFLICT (job, id) DO UPDATE SET state = excluded.state',
    ),
    clearSteps: sql('DELETE FROM steps WHERE job = ?'),
    addEvent: sql('INSERT INTO history (job, seq, event) VALUES (?, ?, ?)'),
    clearEvents: sql('DELETE FROM history WHERE job = ?'),

    readHead: sql('SELECT head FROM jobs WHERE id = ?'),
    readJob: sql('SELECT n, head, plan FROM jobs LEFT JOIN plans ON job = n WHERE id = ?'),
    readContext: sql('SELECT key, value FROM context WHERE job = ? ORDER BY place'),
    readSteps: sql('SELECT id, state FROM steps WHERE job = ? ORDER BY place'),
    readHistory: sql('SELECT event FROM history WHERE job = ? ORDER BY seq'),
    readEvents: sql(
      'SELECT event FROM history WHERE job = (SELECT n FROM jobs WHERE id = ?) AND seq > ? ORDER BY seq LIMIT ?',
    ),
    endedBefore: sql('SELECT n FROM jobs WHERE ended < ? LIMIT ?'),
    endedWithHistory: sql(
      'SELECT n FROM jobs WHERE ended < ? AND EXISTS (SELECT 1 FROM history WHERE job = jobs.n) LIMIT ?',
    ),

    nextToken: sql('UPDATE control SET last_token = last_token + 1 RETURNING last_token'),
    takeLease: sql(
      `UPDATE jobs SET lease_owner = ?, lease_process = ?, lease_until = ${NOW} + ?,
         lease_token = (SELECT last_token + 1 FROM control)
       WHERE id = ? AND (lease_token IS NULL OR lease_owner = ? OR lease_process = ? OR lease_until <= ${NOW})`,
    ),
    readLease: sql('SELECT lease_process FROM jobs WHERE id = ?'),
    renewLease: sql(`UPDATE jobs SET lease_until = ${NOW} + ? WHERE id = ? AND lease_token = ?`),
    releaseLease: sql(
      'UPDATE jobs SET lease_owner = NULL, lease_process = NULL, lease_token = NULL, lease_until = NULL WHERE id = ? AND lease_token = ?',
    ),
    readControl: sql('SELECT value FROM control'),
    setControl: sql('UPDATE control SET value = ?'),
  };
}

/**
 * `listJobs`, one statement for each kind of question.
 *
 * @param {import('./driver.js').Database} database
 */
export function prepareLists(database) {
  /** @type {Map<string, import('./driver.js').Statement>} */
  const prepared = new Map();

  /**
   * @param {{ statuses: string[] | null, parentId: string | null, after: number, limit: number }} question
   * @returns {string[]} heads, as JSON
   */
  return ({ statuses, parentId, after, limit }) => {
    const conditions = ['n > ?'];
    /** @type {(string | number)[]} */
    const values = [after];
    if (parentId !== null) {
      conditions.push('parent_id = ?');
      values.push(parentId);
    }
    if (statuses !== null) {
      conditions.push(`status IN (${statuses.map(() => '?').join(', ')})`);
      values.push(...statuses);
    }
    const sql = `SELECT head FROM jobs WHERE ${conditions.join(' AND ')} ORDER BY n LIMIT ?`;
    let statement = prepared.get(sql);
    if (statement === undefined) {
      statement = database.prepare(sql);
      prepared.set(sql, statement);
    }
    return statement.all(...values, limit).map(({ head }) => head);
  };
}
