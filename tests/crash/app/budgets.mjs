// @ts-check
/** Budgets in a SQLite file that all workers share. */
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { createBudgetManager } from 'jobwright';

/** How long a call waits for those of other processes, in milliseconds; one of them may have been stopped. */
const PATIENCE = 30_000;

const METHODS = /** @type {const} */ ([
  'canSpend',
  'recordSpend',
  'allocate',
  'reserve',
  'settle',
  'release',
  'setBudget',
  'setParent',
  'reclaim',
  'getBudget',
]);

/**
 * The bundled manager wants its store for itself, so each call is a transaction in which nobody else writes. One that
 * dies in it has done nothing.
 *
 * @param {string} path
 */
export function openBudgets(path) {
  const database = new Database(path, { timeout: 0 });
  // Going over to WAL and making the table wait for nobody: the first to open the file is alone.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
  database.exec('CREATE TABLE IF NOT EXISTS budgets (key TEXT PRIMARY KEY, value TEXT NOT NULL)');
  const read = database.prepare('SELECT value FROM budgets WHERE key = ?').pluck();
  const write = database.prepare('INSERT OR REPLACE INTO budgets VALUES (?, ?)');
  const store = {
    get: (/** @type {string} */ key) => {
      const value = read.get(key);
      return value === undefined ? undefined : JSON.parse(String(value));
    },
    set: (/** @type {string} */ key, /** @type {object} */ value) =>
      void write.run(key, JSON.stringify(value)),
  };
  /** @type {any} */
  const manager = createBudgetManager({ store });
  /** @type {Promise<unknown>} */
  let turn = Promise.resolve();

  /**
   * @param {string} method
   * @param {unknown[]} args
   */
  async function call(method, args) {
    await begin(database);
    try {
      const answer = await manager[method](...args);
      database.exec('COMMIT');
      return answer;
    } catch (error) {
      database.exec('ROLLBACK');
      throw error;
    }
  }

  /** @param {string} method */
  const taking =
    (method) =>
    /** @param {unknown[]} args */
    (...args) => {
      const mine = turn.then(() => call(method, args));
      turn = mine.catch(() => undefined);
      return mine;
    };
  const methods = Object.fromEntries(METHODS.map((method) => [method, taking(method)]));
  const shared = /** @type {import('jobwright').JobBudgetManager} */ (/** @type {unknown} */ (methods));
  return { ...shared, close: () => turn.then(() => void database.close()) };
}

/** @param {import('better-sqlite3').Database} database */
async function begin(database) {
  for (const end = Date.now() + PATIENCE; ; await sleep(2)) {
    try {
      database.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      const { code = '' } = /** @type {{ code?: string }} */ (error);
      if (!code.startsWith('SQLITE_BUSY') || Date.now() > end) throw error;
    }
  }
}
