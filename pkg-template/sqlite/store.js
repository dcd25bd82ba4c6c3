// @ts-check
import { handover } from '../parts/handover.js';
import { joinJob } from '../parts/job-parts.js';
import { plainCopy, setOwn } from '../parts/plain.js';
import * as check from '../parts/store-arguments.js';
import { writeChange, writeJob } from './changes.js';
import { guard } from './errors.js';
import { decodeKey, encodeKey, lookupKey } from './keys.js';
import { hasEnded, thisProcess } from './lease-holder.js';
import { openDatabase } from './open.js';
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
 */

/** How many jobs `prune` takes at a time, so that other processes can write in between. */
const PRUNED_AT_ONCE = 200;

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
  let closed = false;

  /** @param {Job} job */
  function saveJob(job) {
    check.checkJob(job);
    const written = writeJob(job);
    write(() => {
      const found = sql.findJob.get(written.id);
      if (found !== undefined) clearJob(found.n);
      writeParts(found, written, 0);
    });
  }

  /** @param {JobChange} change */
  function commit(change) {
    const own = handover.change === change;
    if (!own) check.checkChange(change);
    const { jobId, expectedRevision, fencingToken } = change;
    const written = writeChange(change, own);
    write(() => {
      const found = sql.findJob.get(written.id);
      const revision = found === undefined ? null : found.revision;
      if ((revision ?? 0) !== expectedRevision)
        throw check.revisionConflict(jobId, expectedRevision, revision);
      if (fencingToken !== undefined && found?.lease_token !== fencingToken) {
        throw check.leaseConflict(jobId, fencingToken);
      }
      writeParts(found, written, found?.last_seq ?? 0);
    });
  }

  /**
   * @param {Row | undefined} found the job as it is, if it is there
   * @param {Written} written
   * @param {number} last the number of its last event
   */
  function writeParts(found, written, last) {
    const { id, status, parentId, ended, revision, head } = written;
    const seqs = written.number(last);
    const lastSeq = seqs.at(-1) ?? last;
    /** @type {number} */
    let n;
    if (found === undefined) {
      n = sql.insertJob.get(id, status, parentId, ended, revision, lastSeq, head)?.n;
    } else {
      n = found.n;
      sql.updateJob.run(revision, lastSeq, head, n);
      if (found.status !== status || found.parent_id !== parentId || found.ended !== ended) {
        sql.moveJob.run(status, parentId, ended, n);
      }
    }
    if (written.plan !== null) sql.setPlan.run(n, written.plan);
    for (const [key, value] of written.context) {
      if (value === null) sql.dropContext.run(n, key);
      else sql.setContext.run(n, key, value);
    }
    for (const [id, state] of written.steps) sql.setStep.run(n, id, state);
    for (const [i, event] of written.events.entries())
      sql.addEvent.run(n, /** @type {number} */ (seqs[i]), event);
  }

  /** @param {number} n */
  function clearJob(n) {
    sql.clearPlan.run(n);
    sql.clearContext.run(n);
    sql.clearSteps.run(n);
    sql.clearEvents.run(n);
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
        context: readObject(sql.readContext.all(found.n), 'key', 'value'),
        history: readEvents(sql.readHistory.all(found.n)),
        plan: found.plan === null ? undefined : JSON.parse(found.plan),
        steps: readObject(sql.readSteps.all(found.n), 'id', 'state'),
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
    return readEvents(sql.readEvents.all(lookupKey(jobId), afterSeq, most === Infinity ? -1 : most));
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
    const find = keepJob ? sql.endedWithHistory : sql.endedBefore;
    for (let count = 0; ; ) {
      const pruned = write(() => {
        const found = find.all(endedBefore, PRUNED_AT_ONCE);
        for (const { n } of found) {
          if (keepJob) sql.clearEvents.run(n);
          else removeJob(n);
        }
        return found.length;
      });
      count += pruned;
      if (pruned < PRUNED_AT_ONCE) return count;
    }
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
      return sql.nextToken.get()?.last_token;
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
    return Number(sql.renewLease.run(ms, lookupKey(jobId), token).changes) > 0;
  }

  /**
   * @param {string} jobId
   * @param {number} token
   */
  function releaseLease(jobId, token) {
    sql.releaseLease.run(lookupKey(jobId), token);
  }

  /** @returns {{ paused: boolean } | null} */
  function getControl() {
    const value = sql.readControl.get()?.value;
    return typeof value === 'string' ? JSON.parse(value) : null;
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
  return { ...guard(methods, path, () => closed), close };
}

/** @param {Row[]} rows */
function readEvents(rows) {
  return JSON.parse(`[${rows.map(({ event }) => event).join(',')}]`);
}

/**
 * @param {Row[]} rows
 * @param {string} key
 * @param {string} value
 * @returns {Record<string, any>}
 */
function readObject(rows, key, value) {
  /** @type {Record<string, unknown>} */
  const object = {};
  for (const row of rows) setOwn(object, decodeKey(row[key]), JSON.parse(row[value]));
  return object;
}
