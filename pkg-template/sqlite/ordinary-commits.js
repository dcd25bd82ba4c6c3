// @ts-check
import { sqliteCode } from './errors.js';

/**
 * Most commits of the engine's add a row to a job and leave all else of it as it is. That takes one statement, which asks
 * of the job in the file all that any commit asks, so it needs no transaction around it. What is remembered here only
 * tells whether it is worth trying: where it stores nothing, the long way finds out what is the matter.
 *
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('./changes.js').Written} Written
 * @typedef {object} Stored
 * @property {import('./rows.js').WrittenRow[]} added
 * @property {boolean} hasRun whether the job's next row comes after one of its run
 *
 * @typedef {import('./heads.js').WrittenHead & { hasRun: boolean }} Latest `hasRun`: whether the job has rows of its run
 */

/** How many characters all heads have that are remembered. */
const MOST = 1_000_000;

/** @param {{ addFirst: import('./driver.js').Statement, addNext: import('./driver.js').Statement }} sql */
export function ordinaryCommits({ addFirst, addNext }) {
  /** @type {Map<string, Latest>} as they were last written here; oldest first */
  const heads = new Map();
  let size = 0;

  /** @param {string} jobId */
  function forget(jobId) {
    size -= heads.get(jobId)?.text.length ?? 0;
    heads.delete(jobId);
  }

  /**
   * A commit of the engine's that was stored.
   *
   * @param {JobChange} change
   * @param {Written} written
   * @param {boolean} hasRun
   */
  function stored({ jobId, head }, { head: text, ended }, hasRun) {
    forget(jobId);
    if (ended !== null) return;
    heads.set(jobId, { head, text, hasRun });
    size += text.length;
    for (const oldest of heads.keys()) {
      if (size <= MOST) return;
      forget(oldest);
    }
  }

  /**
   * @param {JobChange} change
   * @param {Written} written
   * @param {string | null | undefined} control what the control record has to be; undefined: anything
   * @returns {Stored | null}
   */
  function attempt({ jobId, expectedRevision, fencingToken }, written, control) {
    const { id, head, plan, ended, revision, stepsTaken, numbered } = written;
    const isOrdinary = numbered !== null && plan === null && ended === null && stepsTaken !== null;
    const latest = heads.get(jobId);
    if (!isOrdinary || latest?.text !== head) return null;
    // Null is not asked for, and SQLite has null for NaN.
    if (fencingToken !== undefined && !Number.isSafeInteger(fencingToken)) return null;
    const { firstSeq, lastSeq, change } = numbered;
    const token = fencingToken ?? null;
    const known = control === null ? '' : (control ?? null);
    try {
      (latest.hasRun ? addNext : addFirst).run(
        id,
        head,
        token,
        known,
        expectedRevision,
        firstSeq,
        revision,
        lastSeq,
        stepsTaken,
        change,
      );
    } catch (error) {
      if (sqliteCode(error) === 'SQLITE_MISMATCH') return null;
      throw error;
    }
    return { added: [numbered], hasRun: true };
  }

  return { attempt, stored, forget, latest: (/** @type {string} */ jobId) => heads.get(jobId) };
}
