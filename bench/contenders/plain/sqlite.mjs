// @ts-check
/** A store for the plain orchestrator in a SQLite file: what changed of a job, in one transaction. */
import Database from 'better-sqlite3';

const schema = `
  CREATE TABLE jobs (
    id TEXT PRIMARY KEY, status TEXT NOT NULL, next INTEGER NOT NULL, plan TEXT NOT NULL,
    permissions TEXT NOT NULL, context TEXT NOT NULL, timing TEXT NOT NULL, failure TEXT
  ) WITHOUT ROWID;
  CREATE TABLE events (
    job_id TEXT NOT NULL, seq INTEGER NOT NULL, event TEXT NOT NULL, PRIMARY KEY (job_id, seq)
  ) WITHOUT ROWID;
`;

/**
 * @param {string} path
 * @param {'NORMAL' | 'FULL'} synchronous
 */
export function sqliteStore(path, synchronous) {
  const database = new Database(path);
  database.pragma('journal_mode = WAL');
  database.pragma(`synchronous = ${synchronous}`);
  database.exec(schema);
  const insert = database.prepare('INSERT INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  const update = database.prepare(
    'UPDATE jobs SET status = ?, next = ?, context = ?, timing = ?, failure = ? WHERE id = ?',
  );
  const append = database.prepare('INSERT INTO events VALUES (?, ?, ?)');
  const read = database.prepare('SELECT * FROM jobs WHERE id = ?');
  const readEvents = database.prepare('SELECT event FROM events WHERE job_id = ? ORDER BY seq').pluck();
  /** @type {WeakMap<object, number>} how many events of a job's history are stored */
  const stored = new WeakMap();

  const save = database.transaction((/** @type {any} */ job) => {
    const { id, status, next, failure = null } = job;
    const [context, timing] = [JSON.stringify(job.context), JSON.stringify(job.timing)];
    const from = stored.get(job);
    if (from === undefined) {
      const [plan, permissions] = [JSON.stringify(job.plan), JSON.stringify(job.permissions)];
      insert.run(id, status, next, plan, permissions, context, timing, failure);
    } else {
      update.run(status, next, context, timing, failure, id);
    }
    for (const event of job.history.slice(from)) append.run(id, event.seq, JSON.stringify(event));
  });

  return {
    saveJob: async (/** @type {any} */ job) => {
      save(job);
      stored.set(job, job.history.length);
    },
    getJob: async (/** @type {string} */ id) => {
      const row = /** @type {any} */ (read.get(id));
      if (row === undefined) return undefined;
      const job = {
        ...row,
        plan: JSON.parse(row.plan),
        permissions: JSON.parse(row.permissions),
        context: JSON.parse(row.context),
        timing: JSON.parse(row.timing),
        history: readEvents.all(id).map((event) => JSON.parse(String(event))),
      };
      stored.set(job, job.history.length);
      return job;
    },
    clear: () => database.exec('DELETE FROM jobs; DELETE FROM events'),
    close: () => database.close(),
  };
}
