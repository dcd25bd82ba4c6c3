// @ts-check
import { JobwrightError } from '../parts/errors.js';

/**
 * What this store needs of a SQLite library. better-sqlite3 and node:sqlite both have just this shape.
 *
 * @typedef {string | number | null} Value
 * @typedef {Record<string, any>} Row
 *
 * @typedef {object} Statement
 * @property {(...values: Value[]) => { changes: number | bigint, lastInsertRowid: number | bigint }} run
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

/** By name, in the order in which they are looked for. */
const LOADERS = { 'better-sqlite3': loadBetterSqlite, 'node:sqlite': loadNodeSqlite };

/** @typedef {keyof typeof LOADERS} DriverName */

export const DRIVERS = /** @type {DriverName[]} */ (Object.keys(LOADERS));

/** @type {Map<string, Promise<OpenDatabase>>} */
const loading = new Map();

/**
 * @param {DriverName} [driver] the one that is there where none is named
 * @returns {Promise<OpenDatabase>} looked for once
 */
export function loadDriver(driver) {
  const names = driver === undefined ? DRIVERS : [driver];
  const key = names.join(' or ');
  const known = loading.get(key);
  if (known !== undefined) return known;
  const found = findDriver(names);
  loading.set(key, found);
  found.catch(() => loading.delete(key));
  return found;
}

/** @param {DriverName[]} names */
async function findDriver(names) {
  const problems = [];
  for (const name of names) {
    try {
      const open = await LOADERS[name]();
      // A library whose binary is of another Node version imports well, and fails when first used.
      open(':memory:').close();
      return open;
    } catch (error) {
      problems.push(error);
    }
  }
  const needs = names.map((name) => HOW[name]).join(' or ');
  const found = names.length > 1 ? 'found neither' : 'did not find it';
  throw new JobwrightError(`jobwright/sqlite needs ${needs}, and ${brokenOne(problems) ?? found}`, {
    code: 'unsupported',
    cause: new AggregateError(problems),
  });
}

const ABSENT = ['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND', 'ERR_UNKNOWN_BUILTIN_MODULE'];

/**
 * A library that is there and can't be used, as one whose binary a bundler left behind: to install it would not help.
 *
 * @param {any[]} problems
 */
function brokenOne(problems) {
  const broken = problems.find((problem) => !ABSENT.includes(problem?.code));
  return broken && `what is there fails: ${String(broken.message).split('\n', 1)[0]}`;
}

/** @type {Record<DriverName, string>} */
const HOW = {
  'better-sqlite3': 'better-sqlite3 ("npm install better-sqlite3")',
  'node:sqlite': 'node:sqlite (Node 22.13 or later)',
};

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
