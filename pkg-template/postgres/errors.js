// @ts-check
import { ConflictError, JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';

/** What a person can do something about, by the beginning of PostgreSQL's code. */
const SENTENCES = Object.entries({
  28: 'refused the user or the password',
  '3D000': 'has no database of that name',
  42501: 'lacks a permission',
  53100: 'has no room left on its disk',
  53200: 'has no memory left',
  53300: 'has no connection left to give',
  57014: 'stopped a statement that took too long, or that somebody canceled',
  25006: 'can only be read from, as a standby can',
  '55P03': 'waited too long for a lock',
  '42P07': 'has something else in the schema where the tables of the store should be',
  '42P01': 'has lost tables of the store',
  42883: 'has lost functions of the store',
  '3F000': 'has lost the schema of the store',
});

/** What pg says without a code where there is no connection, or it broke. */
const NO_CONNECTION =
  /^(timeout exceeded when trying to connect|Client has encountered a connection|Client was closed)/;
const BROKEN = /^(timeout expired|Connection terminated|Query read timeout|Client network socket)/;

/** @type {WeakSet<object>} the errors of connections that could not be made, over which nothing was sent */
const unmade = new WeakSet();

/**
 * @param {any} error of making a connection
 * @returns {never}
 */
export function unsent(error) {
  if (typeof error === 'object' && error !== null) unmade.add(error);
  throw error;
}

/**
 * @param {any} error
 * @returns {boolean} whether a statement failed with its connection, so that another connection may help
 */
export function isLost(error) {
  const code = codeOf(error);
  if (NO_CONNECTION.test(messageOf(error)) || /^(08|57P0[1-5]|53300)/.test(code)) return true;
  return error?.syscall !== undefined || /^E[A-Z]+$/.test(code) || BROKEN.test(messageOf(error));
}

/**
 * @param {any} error of a connection that was lost
 * @returns {boolean} whether nothing was sent over it
 */
export function isUnsent(error) {
  return unmade.has(error) || NO_CONNECTION.test(messageOf(error));
}

/**
 * @param {unknown} error
 * @returns {boolean} whether the server undid a statement that met others, and trying again helps
 */
export function isUndone(error) {
  return ['40001', '40P01'].includes(codeOf(error));
}

/** @param {any} error */
export function codeOf(error) {
  return typeof error?.code === 'string' ? error.code : '';
}

/** @param {any} error */
function messageOf(error) {
  return typeof error?.message === 'string' ? error.message : '';
}

/**
 * One sentence for people, with pg's own error as the cause. A password is in neither.
 *
 * @param {any} error
 * @param {string} schema
 * @param {string | undefined} password
 */
export function explain(error, schema, password) {
  if (error instanceof JobwrightError || error instanceof ConflictError) return error;
  const code = codeOf(error);
  const sentence = SENTENCES.find(([start]) => code.startsWith(start))?.[1];
  const problem = sentence ?? (isLost(error) ? 'could not be reached' : 'refused');
  const hides = password !== undefined && password !== '' && describe(error).includes(password);
  const said = hides ? '' : ` (${describe(error)})`;
  return new JobwrightError(`PostgreSQL ${problem}${said}; the store is in the schema "${schema}"`, {
    code: 'internal',
    details: { schema, ...(code === '' ? {} : { postgres: code }) },
    cause: hides ? undefined : error,
  });
}

/**
 * What is said when no connection could be had for too long.
 *
 * @param {unknown} error
 * @param {object} about
 * @param {'unknown' | 'nothing' | null} about.outcome of a write: whether it may have been stored; null where it was none
 * @param {string} about.reason
 */
export function lostError(error, { outcome, reason }) {
  const result = {
    unknown: '; whether this write was stored is unknown',
    nothing: '; nothing was written',
    none: '',
  }[outcome ?? 'none'];
  return new JobwrightError(`The connection to PostgreSQL is gone, ${reason}${result}`, {
    code: 'internal',
    details: outcome === null ? undefined : { outcome },
    cause: error,
  });
}

/**
 * @param {string} jobId
 * @param {number} expected
 * @param {number | null} stored
 */
export function unknownOutcome(jobId, expected, stored) {
  return new JobwrightError(
    `Job ${describe(jobId)}: the connection broke in a commit to revision ${expected}, and the job has gone on to revision ${stored} since; whether this commit was stored is unknown`,
    {
      code: 'internal',
      details: { outcome: 'unknown', jobId, expectedRevision: expected, revision: stored },
    },
  );
}
