// @ts-check
import { handover, snapshots, takesNoted, unpausedOf } from '../parts/handover.js';
import { endedAt, joinJob, numberEvents } from '../parts/job-parts.js';
import { keepJobs } from '../parts/kept-jobs.js';
import { plainCopy } from '../parts/plain.js';
import * as check from '../parts/store-arguments.js';
import { writeChange, writeJob } from './changes.js';
import { unknownOutcome } from './errors.js';
import { encodeKey, lookupId } from './keys.js';
import { openStore } from './open.js';
import { eventsAfter, joinRows } from './rows.js';

/**
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobFilter} JobFilter
 * @typedef {import('../index.d.ts').JobHead} JobHead
 */

/** How many jobs `prune` takes at a time, so that what it locks is free again soon. */
const PRUNED_AT_ONCE = 200;
/** How many rows of a job `getEvents` reads at a time. */
const ROWS_AT_ONCE = 1_000;
/** No lease is longer, and no number of milliseconds past what the server's times can hold. */
const LONGEST_LEASE_MS = 1e14;

/**
 * A store in a PostgreSQL database, which many processes on many machines may share.
 *
 * @param {import('./open.js').Options} options
 */
export async function createPostgresStore(options) {
  const { read, change, write, watch, close, guard } = await openStore(options);
  /** @type {number | null} which number the control record had when it was last read, if nothing was paused then */
  let unpaused = null;
  /** @type {Map<string, number>} tokens of leases that were given back with a commit, until somebody asks for that */
  const givenBack = new Map();
  const kept = keepJobs(joinRows, ([parts, events]) => (parts?.length ?? 0) + (events?.length ?? 0));

  /** @param {Job} job */
  async function saveJob(job) {
    check.checkJob(job);
    const written = writeJob(job);
    kept.forget(job.id);
    while ((await write(written, null)).outcome === 'again');
  }

  /** @param {JobChange} change */
  async function commit(change) {
    const own = handover.change === change;
    if (!own) check.checkChange(change);
    const { jobId, expectedRevision, fencingToken } = change;
    if (fencingToken !== undefined && !Number.isSafeInteger(fencingToken)) {
      throw check.leaseConflict(jobId, fencingToken);
    }
    const written = writeChange(change, own);
    // What makes a job runs nothing, and its conflicts are about its id.
    const control = own && expectedRevision > 0 ? unpaused : null;
    for (;;) {
      const { outcome, stored } = await write(written, control);
      if (outcome === 'done') {
        if (fencingToken !== undefined && endedAt(change.head) !== null) givenBack.set(jobId, fencingToken);
        if (own) kept.committed(change, written);
        else kept.forget(jobId);
        return;
      }
      if (outcome === 'control') {
        unpaused = null;
        throw check.controlConflict(jobId);
      }
      if (outcome === 'revision') throw check.revisionConflict(jobId, expectedRevision, stored);
      if (outcome === 'lease') throw check.leaseConflict(jobId, Number(fencingToken));
      if (outcome === 'unknown') throw unknownOutcome(jobId, expectedRevision, stored);
      // Throws, unless the job was made or changed while the server looked, and then it is asked again.
      numberEvents(written.events, Number(stored), (seq, last) => check.eventConflict(jobId, seq, last));
    }
  }

  /**
   * @param {string} jobId
   * @returns {Promise<Job | null>}
   */
  async function getJob(jobId) {
    const [first, ...rows] = await read('readJob', [lookupId(jobId)]);
    if (first === undefined) return null;
    const [head, plan] = first;
    return joinJob({
      head: JSON.parse(head),
      plan: plan === null ? undefined : JSON.parse(plan),
      ...joinRows(jobId, rows),
    });
  }

  /**
   * @param {string} jobId
   * @returns {Promise<JobHead | null>}
   */
  async function getHead(jobId) {
    const [row] = await read('readHead', [lookupId(jobId)]);
    return row === undefined ? null : JSON.parse(row[0]);
  }

  /**
   * @param {JobFilter} [filter]
   * @returns {Promise<JobHead[]>}
   */
  async function listJobs(filter) {
    const { statuses, parentId, limit, cursor } = check.readFilter(filter);
    const rows = await read('list', [
      statuses === null ? null : [...statuses].filter((status) => typeof status === 'string').map(encodeKey),
      lookupId(parentId),
      lookupId(cursor),
      limit === Infinity ? null : limit,
    ]);
    return rows.map(([head]) => {
      if (head === null) throw check.unknownCursor(/** @type {string} */ (cursor));
      return JSON.parse(head);
    });
  }

  /**
   * @param {string} jobId
   * @param {number} [afterSeq]
   * @param {number} [limit]
   * @returns {Promise<JobEvent[]>}
   */
  async function getEvents(jobId, afterSeq = 0, limit = undefined) {
    const most = check.checkLimit(limit, 'getEvents: limit');
    check.checkTime(afterSeq, 'getEvents: afterSeq');
    // Whole, because an index of whole numbers is not used for others.
    const after = Math.max(0, Math.min(Math.floor(afterSeq), Number.MAX_SAFE_INTEGER));
    /** @type {JobEvent[]} */
    const events = [];
    for (let seq = after; events.length < most; ) {
      const rows = await read('readEvents', [lookupId(jobId), seq, Math.min(most, ROWS_AT_ONCE)]);
      for (const row of rows) for (const event of eventsAfter(jobId, row, after)) events.push(event);
      if (rows.length < ROWS_AT_ONCE) break;
      seq = Number(rows.at(-1)?.[0]);
    }
    return events.length > most ? events.slice(0, most) : events;
  }

  /** @param {string} jobId */
  async function deleteJob(jobId) {
    await change('deleteJob', [lookupId(jobId)]);
    kept.forget(jobId);
  }

  /**
   * @param {{ endedBefore: number, keepJob?: boolean }} options
   * @returns {Promise<number>} how many jobs were removed, or lost their history
   */
  async function prune({ endedBefore, keepJob = false }) {
    check.checkTime(endedBefore, 'prune: endedBefore');
    let ended = -Infinity;
    let job = 0;
    for (let count = 0; ; ) {
      const values = [endedBefore, Boolean(keepJob), PRUNED_AT_ONCE, ended, job];
      const [[pruned, ...last] = []] = await change('prune', values);
      count += Number(pruned);
      if (Number(pruned) < PRUNED_AT_ONCE) return count;
      [ended, job] = /** @type {[number, number]} */ (last.map(Number));
    }
  }

  /**
   * @param {string} jobId
   * @param {string} owner
   * @param {number} ms
   * @returns {Promise<number | null>} a fencing token, higher than any before
   */
  async function acquireLease(jobId, owner, ms) {
    check.checkId(owner, 'acquireLease: owner');
    check.checkMs(ms, 'acquireLease: ms');
    const values = [lookupId(jobId), encodeKey(owner), Math.min(ms, LONGEST_LEASE_MS)];
    const [row] = await change('acquireLease', values);
    return row === undefined ? null : Number(row[0]);
  }

  /**
   * @param {string} jobId
   * @param {number} token
   * @param {number} ms
   * @returns {Promise<boolean>}
   */
  async function renewLease(jobId, token, ms) {
    check.checkMs(ms, 'renewLease: ms');
    if (!Number.isSafeInteger(token)) return false;
    // Nobody else has it either, and who asks has not given it back yet.
    if (givenBack.get(jobId) === token) return true;
    const values = [lookupId(jobId), token, Math.min(ms, LONGEST_LEASE_MS)];
    return (await change('renewLease', values)).length > 0;
  }

  /**
   * @param {string} jobId
   * @param {number} token
   */
  async function releaseLease(jobId, token) {
    if (givenBack.get(jobId) === token) givenBack.delete(jobId);
    else if (Number.isSafeInteger(token)) await change('releaseLease', [lookupId(jobId), token]);
  }

  /** @returns {Promise<{ paused: boolean } | null>} */
  async function getControl() {
    const [[value, number] = []] = await read('readControl', []);
    const control = typeof value === 'string' ? JSON.parse(value) : null;
    unpaused = control?.paused === true ? null : Number(number);
    return control;
  }

  /** @param {{ paused: boolean }} control */
  async function setControl(control) {
    await change('setControl', [JSON.stringify(plainCopy(control, 'control'))]);
  }

  const methods = {
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
  const guarded = guard(methods);
  takesNoted.add(guarded.commit);
  snapshots.set(guarded.getJob, kept.snapshot);
  unpausedOf.set(guarded.getControl, () => unpaused !== null);
  return { ...guarded, close };
}
