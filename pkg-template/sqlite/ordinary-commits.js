// @ts-check
import { sqliteCode } from './errors.js';

/**
 * Most commits add a row to a job and leave all else of it as it is. That takes one statement, which asks of the job in the
 * file all that any commit asks, and so needs no transaction around it. What is remembered here only says whether it is
 * worth trying: of a commit that it does not make nothing has happened, and another way finds out what is the matter.
 *
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('./changes.js').Written} Written
 * @typedef {import('./heads.js').WrittenHead} WrittenHead
 * @typedef {import('./rows.js').WrittenRow} WrittenRow
 */

/** How many characters the heads have together that are remembered. */
const MOST = 1_000_000;

/** @param {Pick<ReturnType<typeof import('./statements.js').prepareStatements>, 'addOrdinary'>} sql */
export function ordinaryCommits({ addOrdinary }) {
  /** @type {Map<string, WrittenHead & { own: boolean }>} as they were last written here; oldest first */
  const latest = new Map();
  let size = 0;

  /** @param {string} jobId */
  function forget(jobId) {
    size -= latest.get(jobId)?.text.length ?? 0;
    latest.delete(jobId);
  }

  /**
   * @param {string} jobId
   * @returns {WrittenHead | undefined} one that nobody changes
   */
  function latestOwn(jobId) {
    const found = latest.get(jobId);
    return found?.own ? found : undefined;
  }

  /**
   * @param {JobChange} change that was stored
   * @param {Written} written
   * @param {boolean} own whether it is the engine's
   */
  function stored({ jobId, head }, { head: text, ended, stepsTaken }, own) {
    forget(jobId);
    if (ended !== null || stepsTaken === null || text.length > MOST) return;
    latest.set(jobId, { head, text, own });
    size += text.length;
    for (const oldest of latest.keys()) {
      if (size <= MOST) return;
      forget(oldest);
    }
  }

  /**
   * @param {JobChange} change
   * @param {Written} written
   * @param {string | null | undefined} control what the control record has to be; undefined: whatever it is
   * @returns {WrittenRow[] | null} what was stored; null: nothing
   */
  function attempt({ jobId, expectedRevision, fencingToken }, written, control) {
    const { id, head, plan, ended, revision, stepsTaken, numbered } = written;
    const isOrdinary = numbered !== null && plan === null && ended === null && stepsTaken !== null;
    if (!isOrdinary || latest.get(jobId)?.text !== head) return null;
    // What is no such number may become null on its way, and then would not be asked for.
    if (fencingToken !== undefined && !Number.isSafeInteger(fencingToken)) return null;
    const { firstSeq, lastSeq, change } = numbered;
    const token = fencingToken ?? null;
    const value = control === undefined ? null : (control ?? '');
    try {
      addOrdinary.run(
        ...[id, head, token, value, expectedRevision, firstSeq],
        ...[revision, lastSeq, stepsTaken, change],
      );
    } catch (error) {
      if (sqliteCode(error) === 'SQLITE_MISMATCH') return null;
      throw error;
    }
    return [numbered];
  }

  return { attempt, latestOwn, stored, forget };
}
