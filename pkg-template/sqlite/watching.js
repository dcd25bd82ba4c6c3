// @ts-check
import { revisionOf } from '../parts/job-parts.js';

/**
 * SQLite tells nobody of what others write, but it tells who asks, at the cost of a look into shared memory.
 *
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('../index.d.ts').StoreNotice} StoreNotice
 */

/** How often it is asked, while somebody watches. */
const POLL_MS = 100;

/** @type {StoreNotice} */
export const MISSED = Object.freeze({ type: 'missed' });

/** @param {import('./driver.js').Database} database */
export function watching(database) {
  const version = database.prepare('PRAGMA data_version');
  /** @type {Set<(notice: StoreNotice) => unknown>} */
  const watchers = new Set();
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;
  /** @type {unknown} */
  let seen;

  /** Rises with each commit of another connection, and with none of this one. */
  const read = () => version.get()?.data_version;

  function look() {
    const before = seen;
    try {
      seen = read();
    } catch {
      // Whoever asks this file for jobs is told what is wrong with it.
      return;
    }
    if (seen !== before) tellAll(MISSED);
  }

  /** @param {StoreNotice} notice */
  function tellAll(notice) {
    // What a watcher throws is no business of others.
    for (const watcher of watchers)
      Promise.resolve(notice)
        .then(watcher)
        .catch(() => {});
  }

  /**
   * What this connection wrote, for orchestrators that share the store; one alone knows what it wrote.
   *
   * @param {StoreNotice} notice
   */
  function tell(notice) {
    if (watchers.size > 1) tellAll(notice);
  }

  /**
   * @param {JobHead} head
   * @param {number} [revision] as it is stored
   */
  function tellJob(head, revision = revisionOf(head)) {
    if (watchers.size < 2) return;
    const { id: jobId, status, parentId } = head;
    tellAll({ type: 'job', jobId, status, revision, ...(parentId !== undefined && { parentId }) });
  }

  function end() {
    clearInterval(timer);
    watchers.clear();
  }

  /** @param {(notice: StoreNotice) => void} listener */
  function watch(listener) {
    if (watchers.size === 0) {
      seen = read();
      timer = setInterval(look, POLL_MS);
      // It is work that keeps a process alive, not watching others at theirs.
      timer.unref();
    }
    /** @param {StoreNotice} notice */
    const watcher = (notice) => watchers.has(watcher) && listener(notice);
    watchers.add(watcher);
    return () => {
      if (watchers.delete(watcher) && watchers.size === 0) end();
    };
  }

  return { watch, tell, tellJob, end };
}
