// @ts-check
import { createHash } from 'node:crypto';
import { JobwrightError } from '../parts/errors.js';
import { LOCK_CLASS, otherFunctions, writeFunctions } from './functions.js';

/** @typedef {(text: string, values?: unknown[]) => Promise<any[][]>} Query */

/**
 * What a store calls its own in the database.
 *
 * @param {string} schema
 */
export function namesIn(schema) {
  const hash = createHash('sha256').update(schema).digest('hex').slice(0, 16);
  return { quoted: `"${schema}"`, channel: `jobwright_${hash}` };
}

/**
 * From nothing to the newest schema. A release that changes the schema adds one, and never edits one.
 *
 * Jobs are in parts, so that a commit writes what changed and nothing else: the head, small and whole; one row for each
 * key of the context, each step and each event. JSON is kept as text: PostgreSQL's own types refuse or change some of
 * it. The plan is apart because PostgreSQL writes rows whole. `n` counts jobs in order of creation. Where a key is too
 * long for an index, `key` is a hash and `name` the key.
 *
 * @type {((schema: string, channel: string) => string)[]}
 */
const MIGRATIONS = [
  (s, channel) => `
  CREATE TABLE ${s}.store (
    one integer PRIMARY KEY CHECK (one = 1),
    version integer NOT NULL,
    control text
  );
  INSERT INTO ${s}.store (one, version) VALUES (1, 1);
  CREATE SEQUENCE ${s}.lease_tokens;

  CREATE TABLE ${s}.jobs (
    n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    status text COLLATE "C",
    parent_id text COLLATE "C",
    revision bigint NOT NULL,
    ended double precision,
    last_seq bigint NOT NULL,
    marks bigint[] NOT NULL,
    lease_owner text,
    lease_token bigint,
    lease_until timestamptz,
    head text NOT NULL
  ) WITH (fillfactor = 70);
  CREATE INDEX jobs_by_status ON ${s}.jobs (status, n);
  CREATE INDEX jobs_by_parent ON ${s}.jobs (parent_id, n) WHERE parent_id IS NOT NULL;
  CREATE INDEX jobs_by_end ON ${s}.jobs (ended, n) WHERE ended IS NOT NULL;

  CREATE TABLE ${s}.plans (
    job bigint PRIMARY KEY,
    plan text NOT NULL
  );

  CREATE TABLE ${s}.context (
    job bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    name text,
    value text NOT NULL,
    PRIMARY KEY (job, key)
  ) WITH (fillfactor = 80);

  CREATE TABLE ${s}.steps (
    job bigint NOT NULL,
    key text COLLATE "C" NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    name text,
    state text NOT NULL,
    PRIMARY KEY (job, key)
  ) WITH (fillfactor = 80);

  CREATE TABLE ${s}.events (
    job bigint NOT NULL,
    seq bigint NOT NULL,
    event text NOT NULL,
    PRIMARY KEY (job, seq)
  );
  ${writeFunctions(s, channel)}
  ${otherFunctions(s, channel)}`,
];

/** What the server says when another store has changed the schema since this one looked. */
const RACED = 'JW001';

/**
 * Makes the tables where there are none, brings older ones up to date, and refuses what it doesn't know.
 *
 * @param {Query} query
 * @param {string} schema
 */
export async function migrate(query, schema) {
  await checkServer(query);
  for (;;) {
    const version = await readVersion(query, schema);
    if (version === MIGRATIONS.length) return;
    if (version > MIGRATIONS.length) throw tooNew(schema, version);
    try {
      await query(migration(schema, version));
    } catch (error) {
      if (/** @type {any} */ (error)?.code !== RACED) throw error;
    }
  }
}

/**
 * One message with several statements, which the server makes one transaction of: a client that others use too may not
 * be told to begin one.
 *
 * @param {string} schema
 * @param {number} from
 */
function migration(schema, from) {
  const { quoted, channel } = namesIn(schema);
  return `
  SELECT pg_advisory_xact_lock(${LOCK_CLASS}, hashtext('${schema}'));
  DO $guard$
  DECLARE
    version integer := 0;
  BEGIN
    IF to_regclass('${quoted}.store') IS NOT NULL THEN
      EXECUTE 'SELECT version FROM ${quoted}.store' INTO version;
    END IF;
    IF version <> ${from} THEN
      RAISE EXCEPTION 'The schema is at version %', version USING ERRCODE = '${RACED}';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${schema}') THEN
      CREATE SCHEMA ${quoted};
    END IF;
  END
  $guard$;
  ${MIGRATIONS.slice(from)
    .map((make) => make(quoted, channel))
    .join('\n')}
  UPDATE ${quoted}.store SET version = ${MIGRATIONS.length};`;
}

/** @param {Query} query */
async function checkServer(query) {
  const [[encoding, isolation, version] = []] = await query(
    `SELECT current_setting('server_encoding'), current_setting('default_transaction_isolation'),
       current_setting('server_version_num')::integer`,
  );
  if (version < 120_000)
    throw unfit(`The server is of version ${Math.floor(version / 10_000)}; 12 or later is needed`);
  if (encoding !== 'UTF8')
    throw unfit(
      `The database has the encoding ${encoding}, in which not every text can be kept; UTF8 is needed`,
    );
  if (isolation !== 'read committed') {
    throw unfit(
      `The connection's default_transaction_isolation is "${isolation}"; "read committed" is needed`,
    );
  }
}

/**
 * @param {Query} query
 * @param {string} schema
 * @returns {Promise<number>} 0 where there is nothing yet
 */
async function readVersion(query, schema) {
  const { quoted } = namesIn(schema);
  const [[found] = []] = await query('SELECT to_regclass($1) IS NOT NULL', [`${quoted}.store`]);
  if (!found) return 0;
  try {
    const [[version] = []] = await query(`SELECT version FROM ${quoted}.store`);
    return Number(version);
  } catch (error) {
    if (!['42703', '42809'].includes(/** @type {any} */ (error)?.code)) throw error;
    throw new JobwrightError(`The schema ${quoted} holds a table "store" that is not jobwright's`, {
      code: 'invalid_argument',
      details: { schema },
      cause: error,
    });
  }
}

/** @param {string} message */
function unfit(message) {
  return new JobwrightError(message, { code: 'unsupported' });
}

/**
 * @param {string} schema
 * @param {number} version
 */
function tooNew(schema, version) {
  const known = MIGRATIONS.length;
  return new JobwrightError(
    `The schema "${schema}" was written by a newer version of jobwright (schema ${version}; this one knows up to ${known})`,
    { code: 'unsupported', details: { schema, version, known } },
  );
}
