// @ts-check
import { handover, snapshots, takesNoted, unpausedOf } from '../parts/handover.js';
import { joinJob } from '../parts/job-parts.js';
import { keepJobs } from '../parts/kept-jobs.js';
import { plainCopy } from '../parts/plain.js';
import * as check from '../parts/store-arguments.js';
import { writeChange, writeJob } from './changes.js';
import { guard } from './errors.js';
import { storedHead } from './heads.js';
import { jobRows } from './job-rows.js';
import { encodeKey, lookupKey } from './keys.js';
import { storeLeases } from './leases.js';
import { openDatabase } from './open.js';
import { ordinaryCommits } from './ordinary-commits.js';
import { joinRows, withoutEvents } from './rows.js';
import { sameFile } from './same-file.js';
import { prepareLists, prepareStatements } from './statements.js';
import { transaction } from './transaction.js';
import { MISSED, watching } from './watching.js';

/**
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobFilter} JobFilter
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('./changes.js').Written} Written
 * @typedef {import('./driver.js').Row} Row
 */

/** How many jobs `prune` takes at a time, so that other processes can write in between; fewer, where it writes them anew. */
const PRUNED_AT_ONCE = 200;
const FOLDED_AT_ONCE = 20;

/**
 * A store in one SQLite file, which several processes of a machine may share.
 *
 * @param {import('./index.d.ts').SqliteStoreOptions} options
 */
export async function createSqliteStore(options) {
  const { database, path, unsynced } = await openDatabase(options);
  const sql = prepareStatements(database);
  const list = prepareLists(database);
  const { read, write } = transaction(database);
  const { watch, tell, tellJob, end } = watching(database);
  /** @type {string | null | undefined} what the control record was when it was last read, if nothing was paused then */
  let unpaused;
  const leases = storeLeases(sql, write, unsynced);
  const ordinary = ordinaryCommits(sql);
  const rows = jobRows(database);
  const kept = keepJobs(joinRows, ({ change }) => change.length);
  let closed = false;

  /** @param {Job} job */
  function saveJob(job) {
    check.checkJob(job);
    const written = writeJob(job);
    forget(job.id);
    write(() => {
      const found = sql.findJob.get(written.id);
      if (found !== undefined) {
        clearJob(found);
        sql.setPruned.run(0, found.n);
      }
      writeParts(found && { ...found, first_lease: null, latest_row: 0, last_seq: 0 }, written);
    });
    tellJob(job);
  }

  /** @param {string} jobId */
  function forget(jobId) {
    kept.forget(jobId);
    ordinary.forget(jobId);
  }

  /** @param {JobChange} change */
  function commit(change) {
    const own = handover.change === change;
    if (!own) check.checkChange(change);
    const { jobId } = change;
    const written = writeChange(change, own, ordinary.latest(jobId));
    const attempted = own ? ordinary.attempt(change, written, unpaused) : null;
    const { added, hasRun } = attempted ?? commitAny(change, written, own);
    tellJob(change.head, change.expectedRevision + 1);
    if (!own) return forget(jobId);
    ordinary.stored(change, written, hasRun);
    kept.committed(change, { headSize: written.head.length, plan: written.plan, rows: added });
  }

  /**
   * @param {JobChange} change
   * @param {Written} written
   * @param {boolean} own
   */
  function commitAny({ jobId, expectedRevision, fencingToken }, written, own) {
    const endsLease = fencingToken !== undefined && written.ended !== null;
    const stored = write(() => {
      const found = sql.findJob.get(written.id);
      const revision = found === undefined ? null : found.revision;
      if ((revision ?? 0) !== expectedRevision)
        throw check.revisionConflict(jobId, expectedRevision, revision);
      // Who had the lease of a job that has ended, and gave it back with that, may still say what became of its budget.
      const isFreeAtEnd = found?.lease_token === null && found.ended !== null;
      if (fencingToken !== undefined && found?.lease_token !== fencingToken && !isFreeAtEnd) {
        throw check.leaseConflict(jobId, fencingToken);
      }
      if (own && found !== undefined && unpaused !== undefined && found.control !== unpaused) {
        unpaused = undefined;
        throw check.controlConflict(jobId);
      }
      return writeParts(found, written, endsLease);
    });
    if (endsLease) leases.givenBack(jobId, fencingToken);
    return stored;
  }

  /**
   * @param {Row | undefined} found the job as it is, if it is there
   * @param {Written} written
   * @param {boolean} [endsLease]
   * @returns {import('./ordinary-commits.js').Stored}
   */
  function writeParts(found, written, endsLease = false) {
    const { id, status, parentId, ended, revision, stepsTaken, head } = written;
    const last = found?.last_seq ?? 0;
    const added = written.rows(last);
    const lastSeq = added.at(-1)?.lastSeq ?? last;
    /** @type {import('./job-rows.js').Place} */
    let place;
    if (found === undefined) {
      const made = sql.insertJob.run(id, status, parentId, ended, revision, lastSeq, stepsTaken, head);
      place = { n: Number(made.lastInsertRowid), first_lease: null };
    } else {
      place = { n: found.n, first_lease: found.first_lease };
      const isInRow = added.length > 0 && stepsTaken !== null && found.steps_taken !== null;
      const numbers = /** @type {const} */ ([revision, lastSeq, stepsTaken, head]);
      if (endsLease) sql.endJob.run(...numbers, status, parentId, ended, found.n);
      else if (found.status !== status || found.parent_id !== parentId || found.ended !== ended)
        sql.moveJob.run(...numbers, status, parentId, ended, found.n);
      // A job that has ended says itself how it stands.
      else if (!isInRow || ended !== null || found.head !== head) sql.updateJob.run(...numbers, found.n);
    }
    if (written.plan !== null) sql.setPlan.run(place.n, written.plan);
    rows.add(place, added, { count: found?.latest_row ?? 0, revision, stepsTaken });
    return { added, hasRun: place.first_lease !== null };
  }

  /** @param {import('./job-rows.js').Place} job */
  function clearJob(job) {
    sql.clearPlan.run(job.n);
    rows.clear(job);
  }

  /**
   * @param {string} jobId
   * @returns {Job | null}
   */
  function getJob(jobId) {
    return read(() => {
      const found = sql.readJob.get(lookupKey(jobId));
      if (found === undefined) return null;
      return joinJob({
        head: storedHead(found),
        plan: found.plan === null ? undefined : JSON.parse(found.plan),
        ...joinRows(jobId, rows.read(found)),
      });
    });
  }

  /**
   * @param {string} jobId
   * @returns {JobHead | null}
   */
  function getHead(jobId) {
    const found = sql.readHead.get(lookupKey(jobId));
    return found === undefined ? null : storedHead(found);
  }

  /**
   * @param {JobFilter} [filter]
   * @returns {JobHead[]}
   */
  function listJobs(filter) {
    const { statuses, parentId, unsettled, limit, cursor } = check.readFilter(filter);
    return read(() => {
      const after = cursor === null ? undefined : sql.findJob.get(encodeKey(cursor));
      if (cursor !== null && after === undefined) throw check.unknownCursor(cursor);
      const found = list({
        statuses: statuses === null ? null : [...statuses],
        parentId: parentId === null ? null : encodeKey(parentId),
        unsettled,
        after: after?.n ?? 0,
        limit: limit === Infinity ? -1 : limit,
      });
      return found.map(storedHead);
    });
  }

  /**
   * @param {string} jobId
   * @param {number} [afterSeq]
   * @param {number} [limit]
   * @returns {JobEvent[]}
   */
  function getEvents(jobId, afterSeq = 0, limit = undefined) {
    const most = check.checkLimit(limit, 'getEvents: limit');
    return read(() => {
      const found = sql.findPlace.get(lookupKey(jobId));
      return found === undefined ? [] : rows.events(jobId, found, { afterSeq, most });
    });
  }

  /** @param {string} jobId */
  function deleteJob(jobId) {
    write(() => {
      const found = sql.findJob.get(lookupKey(jobId));
      if (found !== undefined) removeJob(found);
    });
    forget(jobId);
    tell(MISSED);
  }

  /** @param {import('./job-rows.js').Place} job */
  function removeJob(job) {
    clearJob(job);
    sql.deleteJob.run(job.n);
  }

  /**
   * @param {{ endedBefore: number, keepJob?: boolean }} options
   * @returns {number} how many jobs were removed, or lost their history
   */
  function prune({ endedBefore, keepJob = false }) {
    check.checkTime(endedBefore, 'prune: endedBefore');
    const atOnce = keepJob ? FOLDED_AT_ONCE : PRUNED_AT_ONCE;
    for (let count = 0; ; ) {
      const pruned = write(() => {
        const found = (keepJob ? sql.endedWithHistory : sql.endedBefore).all(endedBefore, atOnce);
        for (const job of found) {
          if (keepJob) forgetEvents(job);
          else removeJob(job);
        }
        return found.length;
      });
      count += pruned;
      if (pruned > 0) tell(MISSED);
      if (pruned < atOnce) return count;
    }
  }

  /** @param {Row} job */
  function forgetEvents(job) {
    const whole = withoutEvents(rows.read(job));
    rows.clear(job);
    // Of a job that has ended its own row says how it stands.
    rows.add({ n: job.n, first_lease: null }, whole, { count: 0, revision: null, stepsTaken: null });
    sql.setPruned.run(job.last_seq, job.n);
  }

  /** @returns {{ paused: boolean } | null} */
  function getControl() {
    const value = sql.readControl.get()?.value;
    const control = typeof value === 'string' ? JSON.parse(value) : null;
    unpaused = control?.paused === true ? undefined : value;
    return control;
  }

  /** @param {{ paused: boolean }} control */
  function setControl(control) {
    sql.setControl.run(JSON.stringify(plainCopy(control, 'control')));
    tell({ type: 'control' });
  }

  /** @returns {Promise<void>} */
  async function close() {
    if (closed) return;
    closed = true;
    end();
    database.close();
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
    acquireLease: leases.acquireLease,
    renewLease: leases.renewLease,
    releaseLease: leases.releaseLease,
    getControl,
    setControl,
    watch,
  };
  const guarded = guard(methods, path, () => closed, sameFile(path));
  takesNoted.add(guarded.commit);
  snapshots.set(guarded.getJob, kept.snapshot);
  unpausedOf.set(guarded.getControl, () => !closed && unpaused !== undefined);
  return { ...guarded, close };
}
