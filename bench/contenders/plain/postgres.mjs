// @ts-check
/** A store for the plain orchestrator on PostgreSQL: what changed of a job, in one transaction. */
import pg from 'pg';

const schema = `
  DROP TABLE IF EXISTS plain_jobs, plain_events;
  CREATE TABLE plain_jobs (
    id TEXT PRIMARY KEY, status TEXT NOT NULL, next INTEGER NOT NULL, plan JSONB NOT NULL,
    permissions JSONB NOT NULL, context JSONB NOT NULL, timing JSONB NOT NULL, failure TEXT
  );
  CREATE TABLE plain_events (
    job_id TEXT NOT NULL, seq INTEGER NOT NULL, event JSONB NOT NULL, PRIMARY KEY (job_id, seq)
  );
`;
const insert = 'INSERT INTO plain_jobs VALUES ($1, $2, $3, $4, $5, $6, $7, $8)';
const update =
  'UPDATE plain_jobs SET status = $2, next = $3, context = $4, timing = $5, failure = $6 WHERE id = $1';
const append = `INSERT INTO plain_events
  SELECT $1, (event ->> 'seq')::integer, event FROM jsonb_array_elements($2::jsonb) AS event`;
const appendAlso = append.replace('$2', '$7');
const read = 'SELECT * FROM plain_jobs WHERE id = $1';
const readEvents = 'SELECT event FROM plain_events WHERE job_id = $1 ORDER BY seq';

/**
 * @param {string} connectionString
 * @param {{ connections: number, oneStatement: boolean }} options `oneStatement`: an update and its events are sent
 *   as one prepared statement, which is a transaction of its own, instead of between BEGIN and COMMIT
 */
export async function postgresStore(connectionString, { connections, oneStatement }) {
  const pool = new pg.Pool({ connectionString, max: connections });
  await pool.query(schema);
  /** @type {WeakMap<object, number>} how many events of a job's history are stored */
  const stored = new WeakMap();

  /** @param {any} job @param {string} events */
  const change = ({ id, status, next, context, timing, failure = null }, events) => [
    ...[id, status, next, JSON.stringify(context), JSON.stringify(timing), failure],
    events,
  ];

  /** @param {any} job @param {string} events */
  async function inTransaction(job, events) {
    const client = await pool.connect();
    try {
      await client.query('BEGIN');
      if (stored.has(job)) {
        await client.query(update, change(job, events).slice(0, -1));
      } else {
        const { id, status, next, plan, permissions, context, timing, failure = null } = job;
        await client.query(insert, [id, status, next, plan, permissions, context, timing, failure]);
      }
      await client.query(append, [job.id, events]);
      await client.query('COMMIT');
    } catch (error) {
      await client.query('ROLLBACK');
      throw error;
    } finally {
      client.release();
    }
  }

  return {
    saveJob: async (/** @type {any} */ job) => {
      const events = JSON.stringify(job.history.slice(stored.get(job)));
      if (oneStatement && stored.has(job)) {
        const text = `WITH changed AS (${update}) ${appendAlso}`;
        await pool.query({ name: 'save', text, values: change(job, events) });
      } else {
        await inTransaction(job, events);
      }
      stored.set(job, job.history.length);
    },
    getJob: async (/** @type {string} */ id) => {
      const [jobs, events] = await Promise.all([pool.query(read, [id]), pool.query(readEvents, [id])]);
      if (jobs.rows[0] === undefined) return undefined;
      const job = { ...jobs.rows[0], history: events.rows.map(({ event }) => event) };
      stored.set(job, job.history.length);
      return job;
    },
    clear: () => {},
    close: () => pool.end(),
  };
}
