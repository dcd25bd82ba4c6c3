// @ts-check
import { handover, keepsOwn, snapshots, takesNoted, uncopied, unpausedOf } from './handover.js';
import { endedAt, revisionOf } from './job-parts.js';
import {
  applyChange,
  assembleJob,
  createEntry,
  eventsAfter,
  forgetEvents,
  replaceEntry,
  snapshotOf,
  uncopiedJob,
} from './memory-entry.js';
import { acquire, checkFence, release, renew } from './memory-lease.js';
import { copyEvent } from './noted-event.js';
import { OrderedList } from './ordered.js';
import { cloneJson, JOB_DEPTH, plainCopy } from './plain.js';
import * as check from './store-arguments.js';

/**
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobFilter} JobFilter
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('../index.d.ts').StoreNotice} StoreNotice
 * @typedef {import('./memory-entry.js').Entry} Entry
 */

/**
 * A store that lives as long as the process does. Everything a JobStore can do, at the cost of what changed.
 *
 * Nothing is shared with the caller: what goes in and what comes out are copies, as if through JSON.
 * Every method answers at once, without a promise. What can't be stored is refused with a JobwrightError
 * that names the place, and then nothing has changed.
 *
 * @param {{ now?: () => number }} [options] `now`: the clock that leases go by
 */
export function createMemoryStore({ now = Date.now } = {}) {
  /** @type {Map<string, Entry>} */
  const jobs = new Map();
  /** @type {OrderedList<Entry>} */
  const inOrder = new OrderedList();
  /** @type {Map<string, OrderedList<Entry>>} */
  const children = new Map();
  let created = 0;
  let lastToken = 0;
  /** @type {{ paused: boolean } | null} */
  let control = null;
  /** @type {Set<(notice: StoreNotice) => unknown>} */
  const watchers = new Set();

  /** @type {StoreNotice[]} */
  let untold = [];

  /** @param {StoreNotice} notice */
  function tell(notice) {
    if (watchers.size === 0) return;
    untold.push(notice);
    // Later, so that who writes waits for nobody.
    if (untold.length === 1) queueMicrotask(tellAll);
  }

  function tellAll() {
    const notices = untold;
    untold = [];
    for (const notice of notices) {
      for (const watcher of watchers) {
        try {
          /** @type {any} */ (watcher({ ...notice }))?.then?.(undefined, () => {});
        } catch {
          // What a watcher throws is no business of others.
        }
      }
    }
  }

  /** @param {Entry} entry */
  function tellJob({ head }) {
    if (watchers.size === 0) return;
    const { id: jobId, status, parentId } = head;
    tell({
      type: 'job',
      jobId,
      status,
      revision: revisionOf(head),
      ...(parentId !== undefined && { parentId }),
    });
  }

  /** @param {Entry} entry */
  function link(entry) {
    const { parentId } = entry.head;
    if (parentId === undefined) return;
    let siblings = children.get(parentId);
    if (siblings === undefined) {
      siblings = new OrderedList();
      children.set(parentId, siblings);
    }
    siblings.insert(entry);
  }

  /**
   * @param {Entry} entry
   * @param {string | undefined} parentId
   */
  function unlink(entry, parentId) {
    if (parentId === undefined) return;
    const siblings = children.get(parentId);
    if (siblings === undefined) return;
    siblings.remove(entry);
    if (siblings.isEmpty) children.delete(parentId);
  }

  /** @param {Entry} entry */
  function add(entry) {
    jobs.set(entry.head.id, entry);
    inOrder.insert(entry);
    link(entry);
    tellJob(entry);
  }

  /**
   * @param {Entry} entry
   * @param {string | undefined} oldParentId
   */
  function changed(entry, oldParentId) {
    if (entry.head.parentId !== oldParentId) {
      unlink(entry, oldParentId);
      link(entry);
    }
    tellJob(entry);
  }

  /** @param {Job} job */
  function saveJob(job) {
    check.checkJob(job);
    const copy = plainCopy(job, 'job', JOB_DEPTH);
    const entry = jobs.get(copy.id);
    if (entry === undefined) {
      created += 1;
      add(replaceEntry(createEntry(created), copy));
    } else {
      const { parentId } = entry.head;
      replaceEntry(entry, copy);
      changed(entry, parentId);
    }
  }

  /** @param {JobChange} change */
  function commit(change) {
    const own = handover.change === change;
    if (!own) check.checkChange(change);
    const entry = jobs.get(change.jobId);
    const revision = entry === undefined ? null : revisionOf(entry.head);
    if ((revision ?? 0) !== change.expectedRevision) {
      throw check.revisionConflict(change.jobId, change.expectedRevision, revision);
    }
    if (change.fencingToken !== undefined) checkFence(change.jobId, entry, change.fencingToken);
    if (entry === undefined) {
      const made = applyChange(createEntry(created + 1), change, own);
      created += 1;
      add(made);
    } else {
      const { parentId } = entry.head;
      applyChange(entry, change, own);
      changed(entry, parentId);
    }
  }

  takesNoted.add(commit);
  keepsOwn.add(commit);

  /**
   * @param {string} jobId
   * @returns {Job | null}
   */
  function getJob(jobId) {
    const entry = jobs.get(jobId);
    return entry === undefined ? null : assembleJob(entry);
  }
  uncopied.set(getJob, (jobId) => {
    const entry = jobs.get(jobId);
    return entry === undefined ? null : uncopiedJob(entry);
  });
  snapshots.set(getJob, (jobId) => {
    const entry = jobs.get(jobId);
    return entry === undefined ? null : snapshotOf(entry);
  });

  /**
   * @param {string} jobId
   * @returns {JobHead | null}
   */
  function getHead(jobId) {
    const entry = jobs.get(jobId);
    return entry === undefined ? null : cloneJson(entry.head);
  }
  uncopied.set(getHead, (jobId) => jobs.get(jobId)?.head ?? null);

  /**
   * @param {JobFilter} [filter]
   * @returns {JobHead[]}
   */
  function listJobs(filter) {
    return headsOf(filter).map((head) => cloneJson(head));
  }
  uncopied.set(listJobs, headsOf);

  /** @param {JobFilter} [filter] */
  function headsOf(filter) {
    const { statuses, parentId, limit, cursor } = check.readFilter(filter);
    const list = parentId === null ? inOrder : children.get(parentId);
    const after = cursor === null ? undefined : jobs.get(cursor);
    if (cursor !== null && after === undefined) throw check.unknownCursor(cursor);
    /** @type {JobHead[]} */
    const heads = [];
    if (limit === 0) return heads;
    list?.each(({ head }) => {
      if (statuses === null || statuses.has(head.status)) heads.push(head);
      return heads.length < limit;
    }, after?.order);
    return heads;
  }

  /**
   * @param {string} jobId
   * @param {number} [afterSeq]
   * @param {number} [limit]
   * @returns {JobEvent[]}
   */
  function getEvents(jobId, afterSeq = 0, limit = undefined) {
    const most = check.checkLimit(limit, 'getEvents: limit');
    const entry = jobs.get(jobId);
    return entry === undefined ? [] : eventsAfter(entry, afterSeq, most).map((event) => copyEvent(event));
  }

  /** @param {string} jobId */
  function deleteJob(jobId) {
    const entry = jobs.get(jobId);
    if (entry === undefined) return;
    jobs.delete(jobId);
    inOrder.remove(entry);
    unlink(entry, entry.head.parentId);
    tell({ type: 'missed' });
  }

  /**
   * @param {{ endedBefore: number, keepJob?: boolean }} options
   * @returns {number} how many jobs were removed, or lost their history
   */
  function prune({ endedBefore, keepJob = false }) {
    check.checkTime(endedBefore, 'prune: endedBefore');
    /** @type {Entry[]} */
    const ended = [];
    for (const entry of jobs.values()) {
      const at = endedAt(entry.head);
      if (at !== null && at < endedBefore && !(keepJob && entry.events.length === 0)) ended.push(entry);
    }
    for (const entry of ended) {
      if (keepJob) forgetEvents(entry);
      else deleteJob(entry.head.id);
    }
    return ended.length;
  }

  /**
   * @param {string} jobId
   * @param {string} owner
   * @param {number} ms
   * @returns {number | null} a fencing token, higher than any before
   */
  function acquireLease(jobId, owner, ms) {
    check.checkMs(ms, 'acquireLease: ms');
    const token = acquire(jobs.get(jobId), owner, lastToken + 1, now(), ms);
    if (token !== null) lastToken = token;
    return token;
  }

  /**
   * @param {string} jobId
   * @param {number} token
   * @param {number} ms
   */
  function renewLease(jobId, token, ms) {
    check.checkMs(ms, 'renewLease: ms');
    return renew(jobs.get(jobId), token, now(), ms);
  }

  /**
   * @param {string} jobId
   * @param {number} token
   */
  function releaseLease(jobId, token) {
    release(jobs.get(jobId), token);
  }

  function getControl() {
    return control === null ? null : cloneJson(control);
  }
  unpausedOf.set(getControl, () => control?.paused !== true);

  /** @param {{ paused: boolean }} value */
  function setControl(value) {
    control = plainCopy(value, 'control');
    tell({ type: 'control' });
  }

  /** @param {(notice: StoreNotice) => void} listener */
  function watch(listener) {
    /** @param {StoreNotice} notice */
    const watcher = (notice) => watchers.has(watcher) && listener(notice);
    watchers.add(watcher);
    return () => void watchers.delete(watcher);
  }

  return {
    saveJob,
    getJob,
    commit,
    listJobs,
    getHead,
    getEvents,
    deleteJob,
    prune,
    acquireLease,
    renewLease,
    releaseLease,
    getControl,
    setControl,
    watch,
  };
}
