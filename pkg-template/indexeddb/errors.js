// @ts-check
import { ConflictError, JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';

/** Why a connection can't be used any more. */
export const ENDS = {
  closed: 'The store on %s is closed',
  upgraded:
    'The store on %s was closed because a newer version of jobwright, in another tab, has changed the database: load this page again',
  deleted: 'The store on %s was closed because the database was deleted: open a new store',
  lost: 'The store on %s was closed by the browser, as when site data is cleared or the disk fails: open a new store',
};

/** What a user can do something about. */
const SENTENCES = {
  QuotaExceededError:
    'could not be written: the browser gives this site no more room. Delete or prune jobs that have ended, or free space on the disk',
};

/**
 * @param {string} sentence
 * @param {string} database its name
 */
const naming = (sentence, database) => sentence.replace('%s', () => JSON.stringify(database));

/**
 * @param {keyof typeof ENDS} end
 * @param {string} database
 */
export function ended(end, database) {
  return new JobwrightError(naming(ENDS[end], database), { code: 'closed', details: { name: database } });
}

/**
 * @param {string} sentence
 * @param {string} database
 * @param {unknown} [cause]
 */
export function unsupported(sentence, database, cause) {
  return new JobwrightError(naming(sentence, database), {
    code: 'unsupported',
    details: { name: database },
    cause,
  });
}

/**
 * One sentence for people, with the browser's own error as the cause.
 *
 * @param {any} error
 * @param {string} database
 */
export function explain(error, database) {
  if (error instanceof JobwrightError || error instanceof ConflictError || !isBrowsers(error)) return error;
  const known = Object.entries(SENTENCES).find(([name]) => error.name === name);
  const sentence = known === undefined ? `failed: ${describe(error)}` : known[1];
  return new JobwrightError(naming(`The database %s ${sentence}`, database), {
    code: 'internal',
    details: { name: database, indexedDb: error.name },
    cause: error,
  });
}

/**
 * @param {any} error
 * @returns {boolean} whether it came from the browser and not from a program; quota errors are no DOMException any more
 *   in all of them
 */
export function isBrowsers(error) {
  return error instanceof DOMException || error?.name === 'QuotaExceededError';
}
