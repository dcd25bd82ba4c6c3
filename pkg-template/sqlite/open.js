// @ts-check
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe } from '../parts/plain.js';
import { invalid } from '../parts/store-arguments.js';
import { DRIVERS, loadDriver } from './driver.js';
import { damaged, explain, sqliteCode } from './errors.js';
import { prepareSchema } from './schema.js';

/** How long a write waits for other processes. Theirs take milliseconds. */
const BUSY_MS = 10_000;

/**
 * @typedef {object} Opened
 * @property {import('./driver.js').Database} database
 * @property {string} path
 * @property {<T>(work: () => T) => T} unsynced what is committed in it need not wait for the disk
 */

/**
 * @param {import('./index.d.ts').SqliteStoreOptions} options
 * @returns {Promise<Opened>}
 */
export async function openDatabase(options) {
  const { path, synchronous = 'NORMAL', check = false, driver } = options ?? {};
  checkPath(path);
  if (typeof check !== 'boolean') {
    throw invalid(`createSqliteStore: check: expected true or false, found ${describe(check)}`);
  }
  if (driver !== undefined && !DRIVERS.includes(driver)) {
    const expected = DRIVERS.map((name) => JSON.stringify(name)).join(' or ');
    throw invalid(`createSqliteStore: driver: expected ${expected}, found ${describe(driver)}`);
  }
  if (synchronous !== 'NORMAL' && synchronous !== 'FULL') {
    throw invalid(
      `createSqliteStore: synchronous: expected "NORMAL" or "FULL", found ${describe(synchronous)}`,
    );
  }
  const open = await loadDriver(driver);
  // Going over to WAL is the one moment at which SQLite does not wait for others, so this does.
  for (const end = Date.now() + BUSY_MS; ; ) {
    try {
      const database = openOnce(open, { path, synchronous, check });
      return { database, path, unsynced: synchronous === 'FULL' ? unsyncedOn(database) : (work) => work() };
    } catch (error) {
      if (!sqliteCode(error)?.startsWith('SQLITE_BUSY') || Date.now() > end) throw explain(error, path);
      await sleep(20);
    }
  }
}

/**
 * After how many pages the log is moved into the file, 16 MB of them. The one who commits waits for the disk then, and
 * pages that many commits change are moved once.
 */
const LOG_PAGES = 4_000;

/**
 * @param {import('./driver.js').OpenDatabase} open
 * @param {{ path: string, synchronous: string, check: boolean }} options
 */
function openOnce(open, { path, synchronous, check }) {
  const database = open(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    prepareSchema(database, path);
    if (check) checkPages(database, path);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    database.exec(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * What moves the log into the file waits for the disk all the same, first for the log and then for the file.
 *
 * @param {import('./driver.js').Database} database where each commit waits for the disk
 * @returns {Opened['unsynced']}
 */
function unsyncedOn(database) {
  return (work) => {
    // Not prepared once: SQLite does this when the statement is prepared, and nothing when it is run.
    database.exec('PRAGMA synchronous = NORMAL');
    try {
      return work();
    } finally {
      database.exec('PRAGMA synchronous = FULL');
    }
  };
}

/**
 * Reads all pages of the file, which takes the longer the larger it is.
 *
 * @param {import('./driver.js').Database} database
 * @param {string} path
 */
function checkPages(database, path) {
  const found = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (found !== 'ok') throw damaged(path, String(found));
}

/** @param {unknown} path */
function checkPath(path) {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw invalid(
      `createSqliteStore: path: expected the name of a file, or ":memory:", found ${describe(path)}`,
    );
  }
  if (path === ':memory:') return;
  const found = kindOf(path);
  if (found === 'folder') throw invalid(`${JSON.stringify(path)} is a folder, not a database file`);
  const folder = dirname(path);
  if (found === 'nothing' && ['nothing', 'file'].includes(kindOf(folder))) {
    throw invalid(`${JSON.stringify(path)} can't be made: there is no folder ${JSON.stringify(folder)}`);
  }
}

/**
 * @param {string} path
 * @returns {'folder' | 'file' | 'nothing' | 'unknown'} unknown where one may not look; SQLite will say why
 */
function kindOf(path) {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = /** @type {{ code?: string }} */ (error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'nothing' : 'unknown';
  }
}
