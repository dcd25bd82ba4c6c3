// @ts-check
/** The library that the tests of the SQLite store run on: named, so that none is tested in place of another. */
import { loadDriver } from '../../pkg-template/sqlite/driver.js';
import * as sqlite from '../../pkg-template/sqlite/index.js';

export const driver = /** @type {'better-sqlite3' | 'node:sqlite'} */ (
  process.env.JOBWRIGHT_SQLITE_DRIVER ?? 'better-sqlite3'
);

/** @param {any} [options] */
export const createSqliteStore = (options) =>
  sqlite.createSqliteStore(typeof options === 'object' ? { driver, ...options } : options);

/** @param {string} path */
export const openDatabase = async (path) => (await loadDriver(driver))(path);
