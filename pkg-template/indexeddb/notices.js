// @ts-check
import { isObject } from '../parts/store-arguments.js';

/**
 * @typedef {import('../index.d.ts').StoreNotice} StoreNotice
 * @typedef {(notice: StoreNotice) => void} Listener
 */

/**
 * Tells other tabs, and other stores of this one, what was written. Without BroadcastChannel nobody is told.
 *
 * @param {string} name of the database
 */
export function createNotices(name) {
  /** @type {Set<{ listener: Listener }>} */
  const watchers = new Set();
  const channel = openChannel(`jobwright:${name}`);
  // A page that is closing, or a store that is closed while a commit is under way, has no channel any more.
  let closed = channel === null;

  channel?.addEventListener('message', ({ data }) => {
    if (isNotice(data)) for (const { listener } of [...watchers]) call(listener, data);
  });

  return {
    /** @param {StoreNotice} notice */
    tell: (notice) => {
      if (!closed) channel?.postMessage(notice);
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
