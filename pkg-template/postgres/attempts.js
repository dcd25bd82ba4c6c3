// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { JobwrightError } from '../parts/errors.js';
import { isLost, isUndone, isUnsent, lostError } from './errors.js';

/** How long a store tries to reach its server again: a restart takes seconds. */
export const PATIENCE_MS = 30_000;

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 1_000;

/**
 * Sends a statement again where its connection broke or the server undid it. That may only be done with statements that
 * do the same when done twice.
 *
 * @param {{ heals: boolean, patienceMs: number, isClosed: () => boolean }} options
 */
export function createAttempts({ heals, patienceMs, isClosed }) {
  /**
   * @template T
   * @param {(again: boolean) => Promise<T>} send `again`: whether it may have been done before
   * @param {'read' | 'write'} kind
   * @param {boolean} [sent] whether it may have been done before this
   * @returns {Promise<T>}
   */
  return async function attempt(send, kind, sent = false) {
    let again = sent;
    /** @type {number | undefined} */
    let end;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      try {
        return await send(again);
      } catch (error) {
        if (!isUndone(error) && !isLost(error)) throw error;
        again ||= !isUnsent(error) && !isUndone(error);
        const outcome = kind === 'read' ? null : again ? 'unknown' : 'nothing';
        if (!heals && !isUndone(error)) {
          throw lostError(error, {
            outcome,
            reason: 'and the store was given a single client, which does not connect again as a pg.Pool does',
          });
        }
        end ??= Date.now() + patienceMs;
        if (Date.now() + wait > end) {
          throw lostError(error, {
            outcome,
            reason: `and could not be had again for ${patienceMs / 1_000} seconds`,
          });
        }
        // Up to half as long again, so that many that broke together do not come back together.
        await sleep(wait * (1 + Math.random() / 2));
        if (isClosed()) throw new JobwrightError('The store was closed', { code: 'closed', cause: error });
      }
    }
  };
}
