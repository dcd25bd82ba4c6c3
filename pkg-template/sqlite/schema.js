// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { damaged } from './errors.js';
import { moveToCommits } from './to-commits.js';
import { transaction } from './transaction.js';

/** @typedef {import('./driver.js').Database} Database */

/** "jobw", in the file's header: tells our files from those of other programs. */
const APPLICATION_ID = 0x6a6f6277;

/**
 * Jobs that have ended and left something to be settled with the budget manager. SQLite uses the index only for a question
 * that says this in the same words. Most heads need not be read for it; one that is nested deeper than SQLite reads may be
 * of such a job.
 */
export const UNSETTLED = `status IN ('completed', 'failed') AND instr(head, '"account"')
  AND iif(json_valid(head), json_extract(head, '$.run.account') NOT NULL AND json_type(head, '$.run.account.closed') IS NOT 'true', 1)`;

/**
 * From an empty file to the newest schema, in statements and what has to be done between them. A release that changes the
 * schema adds one, and never edits one.
 *
 * Jobs are in parts, so that a commit writes what changed and nothing else: one row of `early_commits` or `run_commits` and,
 * where more of it changes than its numbers, the head. The plan, which may be large, is not beside the head because SQLite
 * writes rows whole. `n` counts jobs in order of creation.
 *
 * @type {(string | ((database: Database) => void))[][]}
 */
const MIGRATIONS = [
  [
    `
  CREATE TABLE jobs (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT,
    parent_id TEXT,
    revision INTEGER NOT NULL,
    ended REAL,
    last_seq INTEGER NOT NULL,
    head TEXT NOT NULL,
    lease_owner TEXT,
    lease_token INTEGER,
    lease_until REAL
  ) STRICT;
  CREATE INDEX jobs_by_status ON jobs (status);
  CREATE INDEX jobs_by_parent ON jobs (parent_id) WHERE parent_id IS NOT NULL;
  CREATE INDEX jobs_by_end ON jobs (ended) WHERE ended IS NOT NULL;

  CREATE TABLE plans (
    job INTEGER PRIMARY KEY,
    plan TEXT NOT NULL
  ) STRICT;

  CREATE TABLE context (
    place INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (job, key)
  ) STRICT;

  CREATE TABLE steps (
    place INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    UNIQUE (job, id)
  ) STRICT;

  CREATE TABLE events (
    job INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (job, seq)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE control (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    last_token INTEGER NOT NULL,
    value TEXT
  ) STRICT;
  INSERT INTO control (one, last_token) VALUES (1, 0);
  `,
  ],
  // Who holds a lease, so that one that has died need not be waited for.
  ['ALTER TABLE jobs ADD COLUMN lease_process TEXT'],
  // Rows without an id of their own may take a quarter of a page, and an event that is larger took a page more.
  [
    `
  CREATE TABLE history (
    place INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event TEXT NOT NULL,
    UNIQUE (job, seq)
  ) STRICT;
  INSERT INTO history (job, seq, event) SELECT job, seq, event FROM events ORDER BY job, seq;
  DROP TABLE events;
  `,
  ],
  // Each page that a commit changes is written whole. So a job's rows lie one after the other in the order of `place`,
  // which is `n` and, in the lower 32 bits, a number that counts them: what finds a row needs no index, which would be
  // another page to write. Nor is the job's own row written while only `revision`, `last_seq` and `steps_taken` change,
  // which its last row of commits has too: whichever has the higher revision says how they stand. Where `steps_taken` of
  // a job is null, these numbers stand in its head; -1 where there is none. Of a job whose history was pruned, events come
  // after `pruned_seq`.
  [
    `
  CREATE TABLE commits (
    place INTEGER PRIMARY KEY,
    revision INTEGER,
    last_seq INTEGER NOT NULL,
    steps_taken INTEGER,
    change TEXT NOT NULL
  ) STRICT;
  ALTER TABLE jobs ADD COLUMN pruned_seq INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE jobs ADD COLUMN steps_taken INTEGER;
  `,
    moveToCommits,
    `
  DROP TABLE context;
  DROP TABLE steps;
  DROP TABLE history;
  `,
  ],
  // The same tables. Events of steps may say what they change beside themselves, which older versions don't know: see
  // told-steps.js.
  [],
  // Rows of a job since it was first leased, and the token of that lease: see job-rows.js. An older version that has the
  // file open would take the others for all of a job; under another name it finds none, and says so.
  [
    `
  ALTER TABLE commits RENAME TO early_commits;
  CREATE TABLE run_commits (
    place INTEGER PRIMARY KEY,
    revision INTEGER,
    last_seq INTEGER NOT NULL,
    steps_taken INTEGER,
    change TEXT NOT NULL
  ) STRICT;
  ALTER TABLE jobs ADD COLUMN first_lease INTEGER;
  `,
  ],
  // `recover` would else read the heads of all jobs that have ended.
  [`CREATE INDEX jobs_unsettled ON jobs (n) WHERE ${UNSETTLED}`],
];

/**
 * Makes the tables in an empty database, brings older ones up to date, and refuses what it doesn't know.
 *
 * @param {Database} database
 * @param {string} path
 */
export function prepareSchema(database, path) {
  const { read, write } = transaction(database);
  // In a transaction, since another process may be making the tables between one question and the next.
  if (read(() => readVersion(database, path)) < MIGRATIONS.length) {
    write(() => {
      // Another process may have been faster.
      const from = readVersion(database, path);
      for (const part of MIGRATIONS.slice(from).flat()) {
        if (typeof part === 'string') database.exec(part);
        else part(database);
      }
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    });
  }
  checkShape(database, path);
}

/**
 * The version says which tables there should be; somebody may have dropped or changed one all the same. SQLite keeps the
 * statements that made them as they were written. What else is there is no harm.
 *
 * @param {Database} database
 * @param {string} path
 */
function checkShape(database, path) {
  const rows = database.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL').all();
  const found = new Set(rows.map(({ sql }) => bare(sql)));
  const missing = statementsLeft().find((statement) => !found.has(bare(statement)));
  if (missing === undefined) return;
  const [what] = missing.split(/ (?:ON|\()/);
  throw damaged(path, `what "${what}" made is not there, or was changed`);
}

/**
 * @param {Database} database
 * @param {string} path
 * @returns {number}
 */
function readVersion(database, path) {
  const application = readNumber(database, 'PRAGMA application_id');
  const version = readNumber(database, 'PRAGMA user_version');
  if (application === APPLICATION_ID) {
    if (version <= MIGRATIONS.length) return version;
    throw new JobwrightError(
      `${JSON.stringify(path)} was written by a newer version of jobwright (schema ${version}; this one knows up to ${MIGRATIONS.length})`,
      { code: 'unsupported', details: { path, schema: version, known: MIGRATIONS.length } },
    );
  }
  if (
    application === 0 &&
    version === 0 &&
    readNumber(database, 'SELECT count(*) FROM sqlite_schema') === 0
  ) {
    return 0;
  }
  throw new JobwrightError(`${JSON.stringify(path)} is a SQLite database, but not one of jobwright's`, {
    code: 'invalid_argument',
    details: { path },
  });
}

/**
 * @param {Database} database
 * @param {string} sql
 */
function readNumber(database, sql) {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}

/** What the migrations have made, and neither dropped nor left as it was: SQLite writes a column more into its table's. */
function statementsLeft() {
  const statements = MIGRATIONS.flat().filter((part) => typeof part === 'string');
  /** @type {Map<string, string>} by the name of a table or an index */
  const made = new Map();
  for (const statement of statements.join(';').split(';')) {
    const [, created = ''] = /^\s*CREATE \w+ (\w+)/.exec(statement) ?? [];
    const [, altered = '', column] = /^\s*ALTER TABLE (\w+) ADD COLUMN (.+)$/.exec(statement) ?? [];
    const [, renamed = '', name = ''] = /^\s*ALTER TABLE (\w+) RENAME TO (\w+)$/.exec(statement) ?? [];
    const [, dropped = ''] = /^\s*DROP TABLE (\w+)/.exec(statement) ?? [];
    if (created !== '') made.set(created, statement.trim());
    if (altered !== '') made.set(altered, `${made.get(altered)}`.replace(/\)([^)]*)$/, `, ${column})$1`));
    if (renamed !== '') made.set(name, `${made.get(renamed)}`.replace(renamed, name));
    made.delete(renamed);
    made.delete(dropped);
  }
  return [...made.values()];
}

/** Without what makes no difference. @param {string} sql */
const bare = (sql) => sql.replace(/[\s"]/g, '');
