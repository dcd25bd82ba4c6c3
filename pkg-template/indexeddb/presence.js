// @ts-check
import { newTraceId } from '../parts/ids.js';

/**
 * How others see that a store is still there: it holds a Web Lock, which the browser takes from a tab that is closed,
 * reloaded or has crashed. Where there are no Web Locks, nothing is known of others, and they count as there.
 *
 * @param {string} name of the database
 */
export function createPresence(name) {
  /** @type {LockManager | undefined} */
  const locks = globalThis.navigator?.locks;
  const own = `jobwright:${name}:${newTraceId()}`;
  /** @type {Promise<string | null> | undefined} */
  let held;
  /** @type {(value?: unknown) => void} */
  let end = () => {};
  const ended = new Promise((resolve) => {
    end = resolve;
  });

  /** @returns {Promise<string | null>} the lock's name, or null where it could not be had */
  function hold() {
    if (locks === undefined) return Promise.resolve(null);
    held ??= new Promise((resolve) => {
      locks
        .request(own, () => {
          resolve(own);
          return ended;
        })
        .catch(() => resolve(null));
    });
    return held;
  }

  /**
   * @param {string | null} other
   * @returns {Promise<boolean>}
   */
  async function isGone(other) {
    if (locks === undefined || other === null || other === own) return false;
    try {
      // Shared, so that two who ask at the same time don't take each other for the owner.
      return await locks.request(other, { mode: 'shared', ifAvailable: true }, (lock) => lock !== null);
    } catch {
      return false;
    }
  }

  return { hold, isGone, end };
}
