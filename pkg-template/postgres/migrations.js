// @ts-check
import { createHash } from 'node:crypto';
import { JobwrightError } from '../parts/errors.js';
import { LOCK_CLASS, listFunction, removeFunctions, writeFunctions } from './functions.js';
import { commitsTable, toCommits } from './to-commits.js';

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

/** The newest schema. */
const VERSION = 2;

/**
 * The newest schema, where there is nothing yet.
 *
 * A job is its head, small and whole, and one row for each commit that changed anything else: the keys of the context
 * and the steps in `parts`, the events in `events`. The job is all of its rows, one after the other. Where `seqs` is
 * null, events have the numbers that they say; one that is null in it comes after `before` and those in front of it. JSON
 * is kept as text: PostgreSQL's own types refuse or change some of it. The plan is apart because PostgreSQL writes rows
 * whole. `n` counts jobs in order of creation.
 *
 * @param {string} s the schema, quoted
 * @param {string} channel
 */
const newest = (s, channel) => `
  CREATE TABLE ${s}.store (
    one integer PRIMARY KEY CHECK (one = 1),
    version integer NOT NULL,
    control text,
    control_number bigint NOT NULL DEFAULT 0
  );
  INSERT INTO ${s}.store (one, version) VALUES (1, ${VERSION});
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
    head text NOT NULL,
    pruned_seq bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 70);
  CREATE INDEX jobs_by_status ON ${s}.jobs (status, n);
  CREATE INDEX jobs_by_parent ON ${s}.jobs (parent_id, n) WHERE parent_id IS NOT NULL;
  CREATE INDEX jobs_by_end ON ${s}.jobs (ended, n) WHERE ended IS NOT NULL;

  CREATE TABLE ${s}.plans (
    job bigint PRIMARY KEY,
    plan text NOT NULL
  );
  ${commitsTable(s)}
  ${writeFunctions(s, channel)}
  ${listFunction(s)}
  ${removeFunctions(s, channel)}`;

/**
 * What brings an older schema to the next one, the first of them to the second. A release that changes the schema adds
 * one, and never edits one but for the functions, which are made anew.
 *
 * @type {((schema: string, channel: string) => string)[]}
 */
const UPGRADES = [
  (s, channel) => `
  ALTER TABLE ${s}.store ADD COLUMN control_number bigint NOT NULL DEFAULT 0;
  ALTER TABLE ${s}.jobs ADD COLUMN pruned_seq bigint NOT NULL DEFAULT 0;
  ${commitsTable(s)}
  ${toCommits(s)}
  ${writeFunctions(s, channel)}
  ${removeFunctions(s, channel)}
  UPDATE ${s}.store SET version = 2;`,
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
    if (version === VERSION) return;
    if (version > VERSION) throw tooNew(schema, version);
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
  ${(from === 0 ? [newest] : UPGRADES.slice(from - 1)).map((make) => make(quoted, channel)).join('\n')}`;
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
  const known = VERSION;
  return new JobwrightError(
    `The schema "${schema}" was written by a newer version of jobwright (schema ${version}; this one knows up to ${known})`,
    { code: 'unsupported', details: { schema, version, known } },
  );
}
