// @ts-check
import { handover, unpausedOf } from '../parts/handover.js';
import { joinJob } from '../parts/job-parts.js';
import { plainCopy } from '../parts/plain.js';
import * as check from '../parts/store-arguments.js';
import { writeChange, writeJob } from './changes.js';
import { guard } from './errors.js';
import { encodeKey, lookupKey } from './keys.js';
import { hasEnded, thisProcess } from './lease-holder.js';
import { openDatabase } from './open.js';
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
  const { database, path } = await openDatabase(options);
  const sql = prepareStatements(database);
  const list = prepareLists(database);
  const { read, write } = transaction(database);
  const { watch, end } = watching(database);
  /** @type {string | null | undefined} what the control record was when it was last read, if nothing was paused then */
  let unpaused;
  /** @type {Map<string, number>} tokens of leases that were given back with a commit, until somebody asks for that */
  const givenBack = new Map();
  let closed = false;

  /** @param {Job} job */
  function saveJob(job) {
    check.checkJob(job);
    const written = writeJob(job);
    write(() => {
      const found = sql.findJob.get(written.id);
      if (found !== undefined) {
        clearJob(found.n);
        sql.setPruned.run(0, found.n);
      }
      writeParts(found, written, 0);
    });
  }

  /** @param {JobChange} change */
  function commit(change) {
    const own = handover.change === change;
    if (!own) check.checkChange(change);
    const { jobId, expectedRevision, fencingToken } = change;
    const written = writeChange(change, own);
    const endsLease = fencingToken !== undefined && written.ended !== null;
    write(() => {
      const found = sql.findJob.get(written.id);
      const revision = found === undefined ? null : found.revision;
      if ((revision ?? 0) !== expectedRevision)
        throw check.revisionConflict(jobId, expectedRevision, revision);
      if (fencingToken !== undefined && found?.lease_token !== fencingToken && !isFreeAtEnd(found)) {
        throw check.leaseConflict(jobId, fencingToken);
      }
      if (own && found !== undefined && unpaused !== undefined && found.control !== unpaused) {
        unpaused = undefined;
        throw check.controlConflict(jobId);
      }
      const n = writeParts(found, written, found?.last_seq ?? 0);
      if (endsLease) sql.giveBack.run(n);
    });
    if (endsLease) givenBack.set(jobId, fencingToken);
  }

  /**
   * @param {Row | undefined} found the job as it is, if it is there
   * @param {Written} written
   * @param {number} last the number of its last event
   */
  function writeParts(found, written, last) {
    const { id, status, parentId, ended, revision, head } = written;
    const rows = written.rows(last);
    const lastSeq = rows.at(-1)?.lastSeq ?? last;
    /** @type {number} */
    let n;
    if (found === undefined) {
      const made = sql.insertJob.run(id, status, parentId, ended, revision, lastSeq, head);
      n = Number(made.lastInsertRowid);
    } else {
      n = found.n;
      sql.updateJob.run(revision, lastSeq, head, n);
      if (found.status !== status || found.parent_id !== parentId || found.ended !== ended) {
        sql.moveJob.run(status, parentId, ended, n);
      }
    }
    if (written.plan !== null) sql.setPlan.run(n, written.plan);
    addRows(n, rows);
    return n;
  }

  /**
   * @param {number} n
   * @param {WrittenRow[]} rows
   */
  function addRows(n, rows) {
    for (const { lastSeq, change } of rows) sql.addRow.run(n, lastSeq, change);
  }

  /** @param {number} n */
  function clearJob(n) {
    sql.clearPlan.run(n);
    sql.clearRows.run(n);
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
        head: JSON.parse(found.head),
        plan: found.plan === null ? undefined : JSON.parse(found.plan),
        ...joinRows(sql.readRows.all(found.n)),
      });
    });
  }

  /**
   * @param {string} jobId
   * @returns {JobHead | null}
   */
  function getHead(jobId) {
    const found = sql.readHead.get(lookupKey(jobId));
    return found === undefined ? null : JSON.parse(found.head);
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
      const heads = list({
        statuses: statuses === null ? null : [...statuses],
        parentId: parentId === null ? null : encodeKey(parentId),
        after: after?.n ?? 0,
        limit: limit === Infinity ? -1 : limit,
      });
      return heads.map((head) => JSON.parse(head));
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
      // Of rows with the same last event only the first has events.
      for (let seq = afterSeq; events.length < most; ) {
        const rows = sql.readRowsAfter.all(found.n, seq, Math.min(most, ROWS_AT_ONCE));
        for (const row of rows) for (const event of eventsAfter(row, afterSeq)) events.push(event);
        const last = rows.at(-1);
        if (last === undefined) break;
        seq = last.last_seq;
      }
      return events.length > most ? events.slice(0, most) : events;
    });
  }

  /** @param {string} jobId */
  function deleteJob(jobId) {
    write(() => {
      const found = sql.findJob.get(lookupKey(jobId));
      if (found !== undefined) removeJob(found.n);
    });
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
    const rows = withoutEvents(sql.readRows.all(n));
    sql.clearRows.run(n);
    addRows(n, rows);
    sql.setPruned.run(lastSeq, n);
  }

  /**
   * @param {string} jobId
   * @param {string} owner
   * @param {number} ms
   * @returns {number | null} a fencing token, higher than any before
   */
  function acquireLease(jobId, owner, ms) {
    check.checkId(owner, 'acquireLease: owner');
    check.checkMs(ms, 'acquireLease: ms');
    const id = lookupKey(jobId);
    /** @param {string | null} dead the process from which it may be taken */
    const take = (dead) => Number(sql.takeLease.run(owner, thisProcess(), ms, id, owner, dead).changes) > 0;
    return write(() => {
      if (!take(null)) {
        const holder = sql.readLease.get(id)?.lease_process;
        if (!hasEnded(holder) || !take(holder)) return null;
      }
      sql.nextToken.run();
      return sql.readToken.get()?.last_token;
    });
  }

  /**
   * @param {string} jobId
   * @param {number} token
   * @param {number} ms
   * @returns {boolean}
   */
  function renewLease(jobId, token, ms) {
    check.checkMs(ms, 'renewLease: ms');
    // Nobody else has it either, and who asks has not given it back yet.
    if (givenBack.get(jobId) === token) return true;
    return Number(sql.renewLease.run(ms, lookupKey(jobId), token).changes) > 0;
  }

  /**
   * @param {string} jobId
   * @param {number} token
   */
  function releaseLease(jobId, token) {
    if (givenBack.get(jobId) === token) givenBack.delete(jobId);
    else sql.releaseLease.run(lookupKey(jobId), token);
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
    acquireLease,
    renewLease,
    releaseLease,
    getControl,
    setControl,
    watch,
  };
  const guarded = guard(methods, path, () => closed);
  unpausedOf.set(guarded.getControl, () => !closed && unpaused !== undefined);
  return { ...guarded, close };
}

/**
 * Has the job ended, and was its lease given back with that? Who had it may still say what became of its budget.
 *
 * @param {Row | undefined} found
 */
const isFreeAtEnd = (found) => found !== undefined && found.lease_token === null && found.ended !== null;
