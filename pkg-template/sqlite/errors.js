// @ts-check
import { ConflictError, JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';

/** SQLite's result codes that a user can do something about. Extended codes begin with these. */
const SENTENCES = {
  SQLITE_BUSY: 'stayed locked by another process for too long',
  SQLITE_LOCKED: 'stayed locked by another connection for too long',
  SQLITE_FULL: 'could not be written: the disk is full',
  SQLITE_READONLY: 'could not be written: it is read-only',
  SQLITE_IOERR_SHMSIZE: 'could not be opened: the disk is full',
  SQLITE_IOERR: 'could not be read or written: the disk reported an error',
  SQLITE_CORRUPT: 'is damaged',
  SQLITE_NOTADB: 'is not a SQLite database',
  SQLITE_CANTOPEN: 'could not be opened, or no log beside it',
};

/** node:sqlite gives numbers where better-sqlite3 gives names. */
const NAMES = new Map([
  [5, 'SQLITE_BUSY'],
  [6, 'SQLITE_LOCKED'],
  [8, 'SQLITE_READONLY'],
  [10, 'SQLITE_IOERR'],
  [11, 'SQLITE_CORRUPT'],
  [13, 'SQLITE_FULL'],
  [14, 'SQLITE_CANTOPEN'],
  [20, 'SQLITE_MISMATCH'],
  [26, 'SQLITE_NOTADB'],
  [4874, 'SQLITE_IOERR_SHMSIZE'],
]);

/**
 * @param {any} error
 * @returns {string | undefined} SQLite's name for it
 */
export function sqliteCode(error) {
  if (typeof error?.errcode === 'number') {
    return NAMES.get(error.errcode) ?? NAMES.get(error.errcode & 0xff) ?? 'SQLITE_ERROR';
  }
  return typeof error?.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : undefined;
}

/**
 * One sentence for people, with SQLite's own error as the cause.
 *
 * @param {unknown} error
 * @param {string} path
 */
export function explain(error, path) {
  if (error instanceof JobwrightError || error instanceof ConflictError) return error;
  const code = sqliteCode(error);
  const known = Object.entries(SENTENCES).find(([name]) => code === name || code?.startsWith(`${name}_`));
  if (known === undefined && code === undefined) return error;
  const sentence = known === undefined ? otherError(error) : known[1];
  return new JobwrightError(`The database ${JSON.stringify(path)} ${sentence}`, {
    code: 'internal',
    details: { path, sqlite: code },
    cause: error,
  });
}

/** @param {any} error */
function otherError(error) {
  return /^no such (table|column)/.test(error.message)
    ? 'has other tables than when it was opened, as after a newer version of jobwright brought it up to date: restart with that version'
    : `failed: ${describe(error)}`;
}

/**
 * @param {string} path
 * @param {string} found
 */
export function damaged(path, found) {
  return new JobwrightError(`The database ${JSON.stringify(path)} is damaged: ${found}`, {
    code: 'internal',
    details: { path, sqlite: 'SQLITE_CORRUPT' },
  });
}

/**
 * The same methods, which say so when the store is closed and explain what SQLite throws.
 *
 * @template {Record<string, (...values: any[]) => unknown>} M
 * @param {M} methods
 * @param {string} path
 * @param {() => boolean} isClosed
 * @param {() => void} checkFile throws where the file is not the one that was opened
 * @returns {M}
 */
export function guard(methods, path, isClosed, checkFile) {
  /** @param {(...values: any[]) => unknown} method */
  const guarded =
    (method) =>
    /** @param {any[]} values */
    (...values) => {
      if (isClosed()) {
        throw new JobwrightError(`The store on ${JSON.stringify(path)} is closed`, { code: 'closed' });
      }
      checkFile();
      try {
        return method(...values);
      } catch (error) {
        throw explain(error, path);
      }
    };
  return /** @type {M} */ (
    Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, guarded(method)]))
  );
}
