// @ts-check
import { isObject } from '../parts/store-arguments.js';

/**
 * @typedef {import('../index.d.ts').StoreNotice} StoreNotice
 * @typedef {(notice: StoreNotice) => void} Listener
 */

/**
 * Tells other tabs, other stores of this one, and who else watches this store, what was written. Without
 * BroadcastChannel only the last.
 *
 * @param {string} name of the database
 */
export function createNotices(name) {
  /** @type {Set<{ listener: Listener }>} */
  const watchers = new Set();
  const channel = openChannel(`jobwright:${name}`);
  // A store may be closed while a commit is under way.
  let closed = false;

  channel?.addEventListener('message', ({ data }) => {
    if (isNotice(data)) tellHere(data);
  });

  /** @param {StoreNotice} notice */
  function tellHere(notice) {
    for (const { listener } of [...watchers]) call(listener, notice);
  }

  return {
    /** @param {StoreNotice} notice */
    tell: (notice) => {
      if (closed) return;
      channel?.postMessage(notice);
      // A channel does not hear itself, and several orchestrators may share a store.
      if (watchers.size > 0) queueMicrotask(() => tellHere(notice));
    },
    /** @param {Listener} listener */
    watch: (listener) => {
      const watcher = { listener };
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
    close: () => {
      closed = true;
      channel?.close();
      // Nothing else will be told: who follows a job asks once more, and hears why the store has ended.
      tellHere({ type: 'missed' });
    },
  };
}

/**
 * @param {string} name
 * @returns {BroadcastChannel | null}
 */
function openChannel(name) {
  try {
    return new globalThis.BroadcastChannel(name);
  } catch {
    return null;
  }
}

/**
 * Anything on the same site can speak on the channel.
 *
 * @param {unknown} data
 * @returns {data is StoreNotice}
 */
function isNotice(data) {
  if (!isObject(data)) return false;
  if (data.type !== 'job') return data.type === 'control' || data.type === 'missed';
  return typeof data.jobId === 'string' && Number.isSafeInteger(data.revision);
}

/**
 * @param {Listener} listener
 * @param {StoreNotice} notice
 */
function call(listener, notice) {
  try {
    listener(notice);
  } catch (error) {
    // Seen as an error that nobody caught, and in nobody's way.
    queueMicrotask(() => {
      throw error;
    });
  }
}
