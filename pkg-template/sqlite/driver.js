// @ts-check
import { JobwrightError } from '../parts/errors.js';

/**
 * What this store needs of a SQLite library. better-sqlite3 and node:sqlite both have just this shape.
 *
 * @typedef {string | number | null} Value
 * @typedef {Record<string, any>} Row
 *
 * @typedef {object} Statement
 * @property {(...values: Value[]) => { changes: number | bigint }} run
 * @property {(...values: Value[]) => Row | undefined} get
 * @property {(...values: Value[]) => Row[]} all
 *
 * @typedef {object} Database
 * @property {(sql: string) => unknown} exec
 * @property {(sql: string) => Statement} prepare
 * @property {() => unknown} close
 *
 * @typedef {(path: string) => Database} OpenDatabase
 */

/** @type {Promise<OpenDatabase> | undefined} */
let loading;

/** @returns {Promise<OpenDatabase>} the library that is there, looked for once */
export function loadDriver() {
  loading ??= findDriver();
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

async function findDriver() {
  const problems = [];
  for (const load of [loadBetterSqlite, loadNodeSqlite]) {
    try {
      const open = await load();
      // A library whose binary is of another Node version imports well, and fails when first used.
      open(':memory:').close();
      return open;
    } catch (error) {
      problems.push(error);
    }
  }
  throw new JobwrightError(
    'jobwright/sqlite needs better-sqlite3 ("npm install better-sqlite3") or node:sqlite (Node 22.13 or later), and found neither',
    { code: 'unsupported', cause: new AggregateError(problems) },
  );
}

/** @returns {Promise<OpenDatabase>} */
async function loadBetterSqlite() {
  const { default: BetterSqlite } = await import('better-sqlite3');
  return (path) => /** @type {Database} */ (new BetterSqlite(path));
}

/** @returns {Promise<OpenDatabase>} */
async function loadNodeSqlite() {
  // The name is a variable because type checkers and bundlers for Node 20 don't know this module.
  const name = 'node:sqlite';
  const { DatabaseSync } = await import(name);
  return (path) => new DatabaseSync(path);
}
