// @ts-check
import { realpathSync, statSync } from 'node:fs';
import { JobwrightError } from '../parts/errors.js';

/** How seldom it is looked, in milliseconds: a look takes a part of what a commit does. */
const LOOK_MS = 100;

/**
 * A file that was deleted, or put aside for another, is still written to, and SQLite says nothing with a write-ahead log.
 * When the process ends all that is gone, or nobody finds it.
 *
 * @param {string} path of a database that is open
 * @returns {() => void} throws where another file is there now, or none
 */
export function sameFile(path) {
  const file = realPath(path);
  const opened = file === null ? null : identify(file);
  let looked = performance.now();

  return function check() {
    const now = performance.now();
    if (opened === null || now - looked < LOOK_MS) return;
    const found = identify(/** @type {string} */ (file));
    if (found !== null && found !== opened) {
      throw new JobwrightError(
        `The database ${JSON.stringify(path)} was deleted, moved or replaced while it was open, so what is written would be lost: restart with the file in its place`,
        { code: 'internal', details: { path, sqlite: 'SQLITE_READONLY_DBMOVED' } },
      );
    }
    looked = now;
  };
}

/**
 * Where the file is, whatever links and working folders become; null for a database in memory.
 *
 * @param {string} path
 */
function realPath(path) {
  try {
    return path === ':memory:' ? null : realpathSync(path);
  } catch {
    return null;
  }
}

/**
 * @param {string} file
 * @returns {string | null} null where nobody may look
 */
function identify(file) {
  try {
    const { dev, ino } = statSync(file, { throwIfNoEntry: false }) ?? {};
    return `${dev} ${ino}`;
  } catch {
    return null;
  }
}
