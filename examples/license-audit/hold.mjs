// @ts-check
/** One audit at a time works with a store: two would both go on with the same job. */
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { Failure } from './failure.mjs';

/**
 * @param {string} file holds the process's number while it runs
 * @returns {() => void} gives it back
 */
export function hold(file) {
  if (!take(file)) {
    const owner = Number(readFileSync(file, 'utf8'));
    if (isAlive(owner)) {
      throw new Failure(
        `Another audit is running here (process ${owner}); wait for it, or stop it and start again.`,
      );
    }
    // Its owner was killed.
    rmSync(file, { force: true });
    if (!take(file)) throw new Failure('Another audit was started here at the same moment; wait for it.');
  }
  return () => rmSync(file, { force: true });
}

/** @param {string} file */
function take(file) {
  try {
    const descriptor = openSync(file, 'wx');
    writeSync(descriptor, String(process.pid));
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * A number that is now our own was another's before it was killed, as happens in containers.
 *
 * @param {number} owner
 */
function isAlive(owner) {
  if (!Number.isSafeInteger(owner) || owner <= 0 || owner === process.pid) return false;
  try {
    process.kill(owner, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
