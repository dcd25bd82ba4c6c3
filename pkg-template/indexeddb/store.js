// @ts-check
import { handover } from '../parts/handover.js';
import { describe, plainCopy } from '../parts/plain.js';
import * as check from '../parts/store-arguments.js';
import { writeChange, writeJob } from './changes.js';
import { ended } from './errors.js';
import { createLeases } from './leases.js';
import { listRows } from './lists.js';
import { createNotices } from './notices.js';
import { openDatabase } from './open.js';
import { createPresence } from './presence.js';
import {
  clearParts,
  eventsOf,
  findJob,
  forgetEvents,
  jobOf,
  readEvents,
  readParts,
  removeJob,
  writeParts,
} from './rows.js';
import { ALL } from './schema.js';
import { transactions } from './transaction.js';

/**
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobFilter} JobFilter
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('../index.d.ts').StoreNotice} StoreNotice
 * @typedef {import('./changes.js').Written} Written
 */

/** How many jobs `prune` takes at a time, so that other tabs can write in between. */
const PRUNED_AT_ONCE = 200;

/**
 * A store in the browser's IndexedDB, which the tabs of a site may share.
 *
 * @param {{ name?: string, durability?: 'relaxed' | 'strict' }} [options]
 */
export async function createIndexedDbStore(options) {
  const { name, durability } = checkOptions(options);
  const presence = createPresence(name);
  const notices = createNotices(name);
  const end = () => {
    presence.end();
    notices.close();
  };
  const connection = await openDatabase(name, end).catch((error) => {
    end();
    throw error;
  });
  const { read, write } = transactions(connection, durability);
  const leases = createLeases({ read, write }, presence);

  /** @param {Job} job */
  async function saveJob(job) {
    check.checkJob(job);
    const written = writeJob(job);
    await write(ALL, async (transaction) => {
      const found = await findJob(transaction, written.head.id);
      if (found !== undefined) await clearParts(transaction, found.n);
      await writeParts(transaction, found && { ...found, lastSeq: 0, events: 0, places: 0 }, written);
    });
    notices.tell(noticeOf(written));
  }

  /** @param {JobChange} change */
  async function commit(change) {
    const own = handover.change === change;
    if (!own) check.checkChange(change);
    const { jobId, expectedRevision, fencingToken } = change;
    const written = writeChange(change, own);
    await write(ALL, async (transaction) => {
      const found = await findJob(transaction, jobId);
      const revision = found === undefined ? null : found.revision;
      if ((revision ?? 0) !== expectedRevision) {
        throw check.revisionConflict(jobId, expectedRevision, revision);
      }
      if (fencingToken !== undefined && found?.lease?.token !== fencingToken) {
        throw check.leaseConflict(jobId, fencingToken);
      }
      await writeParts(transaction, found, written);
    });
    notices.tell(noticeOf(written));
  }

  /**
   * @param {string} jobId
   * @returns {Promise<Job | null>}
   */
  async function getJob(jobId) {
    const stored = await read(ALL, (transaction) => readParts(transaction, jobId));
    return stored === null ? null : jobOf(stored);
  }

  /**
   * @param {string} jobId
   * @returns {Promise<JobHead | null>}
   */
  async function getHead(jobId) {
    const found = await read(['jobs'], (transaction) => findJob(transaction, jobId));
    return found === undefined ? null : JSON.parse(found.head);
  }

  /**
   * @param {JobFilter} [filter]
   * @returns {Promise<JobHead[]>}
   */
  async function listJobs(filter) {
    const question = check.readFilter(filter);
    const rows = await read(['jobs'], (transaction) => listRows(transaction, question));
    return rows.map(({ head }) => JSON.parse(head));
  }

  /**
   * @param {string} jobId
   * @param {number} [afterSeq]
   * @param {number} [limit]
   * @returns {Promise<JobEvent[]>}
   */
  async function getEvents(jobId, afterSeq = 0, limit = undefined) {
    if (typeof afterSeq !== 'number' || Number.isNaN(afterSeq)) {
      throw check.invalid(`getEvents: afterSeq: expected a number, found ${describe(afterSeq)}`);
    }
    const most = check.checkLimit(limit, 'getEvents: limit');
    return eventsOf(
      await read(['jobs', 'events'], (transaction) => readEvents(transaction, jobId, afterSeq, most)),
    );
  }

  /** @param {string} jobId */
  async function deleteJob(jobId) {
    const isRemoved = await write(ALL, async (transaction) => {
      const found = await findJob(transaction, jobId);
      if (found !== undefined) await removeJob(transaction, found.n);
      return found !== undefined;
    });
    if (isRemoved) notices.tell({ type: 'missed' });
  }

  /**
   * @param {{ endedBefore: number, keepJob?: boolean }} options
   * @returns {Promise<number>} how many jobs were removed, or lost their history
   */
  async function prune({ endedBefore, keepJob = false }) {
    check.checkTime(endedBefore, 'prune: endedBefore');
    const range = IDBKeyRange.upperBound(endedBefore, true);
    const index = keepJob ? 'endedWithHistory' : 'ended';
    for (let count = 0; ; ) {
      const pruned = await write(ALL, async (transaction) => {
        const rows = await transaction.objectStore('jobs').index(index).getAll(range, PRUNED_AT_ONCE);
        await Promise.all(
          rows.map((row) => (keepJob ? forgetEvents(transaction, row) : removeJob(transaction, row.n))),
        );
        return rows.length;
      });
      count += pruned;
      if (pruned > 0) notices.tell({ type: 'missed' });
      if (pruned < PRUNED_AT_ONCE) return count;
    }
  }

  /** @returns {Promise<{ paused: boolean } | null>} */
  async function getControl() {
    const text = await read(['control'], (transaction) => transaction.objectStore('control').get('control'));
    return text === undefined ? null : JSON.parse(text);
  }

  /** @param {{ paused: boolean }} control */
  async function setControl(control) {
    const text = JSON.stringify(plainCopy(control, 'control'));
    await write(['control'], (transaction) => transaction.objectStore('control').put(text, 'control'));
    notices.tell({ type: 'control' });
  }

  /**
   * @param {(notice: StoreNotice) => void} listener
   * @returns {Promise<() => void>}
   */
  async function watch(listener) {
    if (typeof listener !== 'function') {
      throw check.invalid(`watch: expected a function, found ${describe(listener)}`);
    }
    if (connection.end !== null) throw ended(connection.end, name);
    return notices.watch(listener);
  }

  /** @returns {Promise<void>} */
  async function close() {
    connection.close('closed');
  }

  const jobs = { saveJob, getJob, commit, listJobs, getHead, getEvents, deleteJob, prune };
  return { ...jobs, ...leases, getControl, setControl, watch, close };
}

/**
 * @param {unknown} options
 * @returns {{ name: string, durability: 'relaxed' | 'strict' }}
 */
function checkOptions(options = {}) {
  const place = 'createIndexedDbStore';
  if (!check.isObject(options)) {
    throw check.invalid(`${place}: expected options, found ${describe(options)}`);
  }
  const { name = 'jobwright', durability = 'relaxed' } = options;
  if (typeof name !== 'string' || name === '') {
    throw check.invalid(`${place}: name: expected the name of a database, found ${describe(name)}`);
  }
  if (durability !== 'relaxed' && durability !== 'strict') {
    const found = describe(durability);
    throw check.invalid(`${place}: durability: expected "relaxed" or "strict", found ${found}`);
  }
  return { name, durability };
}

/**
 * @param {Written} written
 * @returns {StoreNotice}
 */
function noticeOf({ head: { id, parentId, status }, revision }) {
  return { type: 'job', jobId: id, ...(parentId !== undefined && { parentId }), status, revision };
}
