// @ts-check
import { handover, snapshots, takesNoted, unpausedOf } from '../parts/handover.js';
import { joinJob } from '../parts/job-parts.js';
import { keepJobs } from '../parts/kept-jobs.js';
import { plainCopy } from '../parts/plain.js';
import * as check from '../parts/store-arguments.js';
import { writeChange, writeJob } from './changes.js';
import { guard } from './errors.js';
import { storedHead } from './heads.js';
import { encodeKey, lookupKey } from './keys.js';
import { storeLeases } from './leases.js';
import { openDatabase } from './open.js';
import { ordinaryCommits } from './ordinary-commits.js';
import { eventsAfter, joinRows, withoutEvents } from './rows.js';
import { prepareLists, prepareStatements } from './statements.js';
import { transaction } from './transaction.js';
import { watching } from './watching.js';

/**
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobFilter} JobFilter
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('./changes.js').Written} Written
 * @typedef {import('./driver.js').Row} Row
 * @typedef {import('./rows.js').WrittenRow} WrittenRow
 */

/** How many jobs `prune` takes at a time, so that other processes can write in between; fewer, where it writes them anew. */
const PRUNED_AT_ONCE = 200;
const FOLDED_AT_ONCE = 20;

/** How many rows of a job `getEvents` reads at a time. */
const ROWS_AT_ONCE = 200;

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
  const { watch, end } = watching(database);
  /** @type {string | null | undefined} what the control record was when it was last read, if nothing was paused then */
  let unpaused;
  const leases = storeLeases(sql, write, unsynced);
  const ordinary = ordinaryCommits(sql);
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
        clearJob(found.n);
        sql.setPruned.run(0, found.n);
      }
      writeParts(found, written, 0, 0);
    });
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
    const rows = (own && ordinary.attempt(change, written, unpaused)) || commitAny(change, written, own);
    if (!own) return forget(jobId);
    ordinary.stored(change, written);
    kept.committed(change, { headSize: written.head.length, plan: written.plan, rows });
  }

  /**
   * @param {JobChange} change
   * @param {Written} written
   * @param {boolean} own
   */
  function commitAny({ jobId, expectedRevision, fencingToken }, written, own) {
    const endsLease = fencingToken !== undefined && written.ended !== null;
    const rows = write(() => {
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
      return writeParts(found, written, found?.last_seq ?? 0, found?.latest_row ?? 0, endsLease);
    });
    if (endsLease) leases.givenBack(jobId, fencingToken);
    return rows;
  }

  /**
   * @param {Row | undefined} found the job as it is, if it is there
   * @param {Written} written
   * @param {number} last the number of its last event
   * @param {number} count how many rows it has
   * @param {boolean} [endsLease]
   */
  function writeParts(found, written, last, count, endsLease = false) {
    const { id, status, parentId, ended, revision, stepsTaken, head } = written;
    const rows = written.rows(last);
    const lastSeq = rows.at(-1)?.lastSeq ?? last;
    /** @type {number} */
    let n;
    if (found === undefined) {
      const made = sql.insertJob.run(id, status, parentId, ended, revision, lastSeq, stepsTaken, head);
      n = Number(made.lastInsertRowid);
    } else {
      n = found.n;
      const isInRow = count > 0 && rows.length > 0 && stepsTaken !== null && found.steps_taken !== null;
      const numbers = /** @type {const} */ ([revision, lastSeq, stepsTaken, head]);
      if (endsLease) sql.endJob.run(...numbers, status, parentId, ended, n);
      else if (found.status !== status || found.parent_id !== parentId || found.ended !== ended)
        sql.moveJob.run(...numbers, status, parentId, ended, n);
      // A job that has ended says itself how it stands.
      else if (!isInRow || ended !== null || found.head !== head) sql.updateJob.run(...numbers, n);
    }
    if (written.plan !== null) sql.setPlan.run(n, written.plan);
    addRows(n, rows, { count, revision, stepsTaken });
    return rows;
  }

  /**
   * @param {number} n
   * @param {WrittenRow[]} rows
   * @param {{ count: number, revision: number | null, stepsTaken: number | null }} after what how many rows, and how the
   *   job stands with them
   */
  function addRows(n, rows, { count, revision, stepsTaken }) {
    let place = count;
    for (const { lastSeq, change } of rows) {
      place += 1;
      sql.addRow.run(n, place, revision, lastSeq, stepsTaken, change);
    }
  }

  /** @param {number} n */
  function clearJob(n) {
    sql.clearPlan.run(n);
    sql.clearRows.run(n, n);
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
        ...joinRows(jobId, sql.readRows.all(found.n, found.n)),
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
    const { statuses, parentId, limit, cursor } = check.readFilter(filter);
    return read(() => {
      const after = cursor === null ? undefined : sql.findJob.get(encodeKey(cursor));
      if (cursor !== null && after === undefined) throw check.unknownCursor(cursor);
      const found = list({
        statuses: statuses === null ? null : [...statuses],
        parentId: parentId === null ? null : encodeKey(parentId),
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
      /** @type {JobEvent[]} */
      const events = [];
      const found = sql.findJob.get(lookupKey(jobId));
      if (found === undefined) return events;
      const { n, latest_row: count } = found;
      for (let row = firstRowAfter(n, count, afterSeq); row <= count && events.length < most; ) {
        const rows = sql.readRowsFrom.all(n, row, n, Math.min(most, ROWS_AT_ONCE));
        for (const each of rows) for (const event of eventsAfter(jobId, each, afterSeq)) events.push(event);
        row += rows.length;
      }
      return events.length > most ? events.slice(0, most) : events;
    });
  }

  /**
   * The first row of a job with an event after one, by halves: its rows are counted from 1 without a gap.
   *
   * @param {number} n
   * @param {number | null} count how many rows it has
   * @param {number} afterSeq
   */
  function firstRowAfter(n, count, afterSeq) {
    let from = 1;
    for (let to = (count ?? 0) + 1; from < to; ) {
      const middle = Math.floor((from + to) / 2);
      if (sql.readSeq.get(n, middle)?.last_seq > afterSeq) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** @param {string} jobId */
  function deleteJob(jobId) {
    write(() => {
      const found = sql.findJob.get(lookupKey(jobId));
      if (found !== undefined) removeJob(found.n);
    });
    forget(jobId);
  }

  /** @param {number} n */
  function removeJob(n) {
    clearJob(n);
    sql.deleteJob.run(n);
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
        for (const { n, last_seq: lastSeq } of found) {
          if (keepJob) forgetEvents(n, lastSeq);
          else removeJob(n);
        }
        return found.length;
      });
      count += pruned;
      if (pruned < atOnce) return count;
    }
  }

  /**
   * @param {number} n
   * @param {number} lastSeq
   */
  function forgetEvents(n, lastSeq) {
    const rows = withoutEvents(sql.readRows.all(n, n));
    sql.clearRows.run(n, n);
    // Of a job that has ended its own row says how it stands.
    addRows(n, rows, { count: 0, revision: null, stepsTaken: null });
    sql.setPruned.run(lastSeq, n);
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
  const guarded = guard(methods, path, () => closed);
  takesNoted.add(guarded.commit);
  snapshots.set(guarded.getJob, kept.snapshot);
  unpausedOf.set(guarded.getControl, () => !closed && unpaused !== undefined);
  return { ...guarded, close };
}
