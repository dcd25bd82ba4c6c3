// @ts-check
/** What agents did to the world: one line a call, on the disk before the agent answers. */
import { fdatasync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const sync = promisify(fdatasync);

/**
 * Each worker has two files: the lines, numbered from 1, and one byte for each call, written first and on its own, by
 * which the lines are counted.
 *
 * @param {string} folder
 * @param {string} worker
 */
export function openLedger(folder, worker) {
  const lines = openSync(join(folder, `${worker}.lines`), 'a');
  const calls = openSync(join(folder, `${worker}.calls`), 'a');
  let last = 0;

  return {
    /**
     * @param {string} key
     * @param {number} attempt
     * @returns {Promise<string>} a receipt: which line it is
     */
    async enter(key, attempt) {
      last += 1;
      const number = last;
      writeSync(calls, '.');
      writeSync(lines, `${JSON.stringify([number, key, attempt])}\n`);
      await sync(lines);
      return `${worker}#${number}`;
    },
  };
}
