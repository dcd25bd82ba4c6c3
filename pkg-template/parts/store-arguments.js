// @ts-check
import { ConflictError, JobwrightError } from './errors.js';
import { describe } from './plain.js';

/**
 * What every bundled store refuses, in the same words.
 *
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobFilter} JobFilter
 * @typedef {import('../index.d.ts').JobStatus} JobStatus
 */

/** @param {string} message */
export function invalid(message) {
  return new JobwrightError(message, { code: 'invalid_argument' });
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @param {unknown} job what `saveJob` was given */
export function checkJob(job) {
  if (!isObject(job)) throw invalid(`saveJob: expected a job, found ${describe(job)}`);
  checkId(job.id, 'saveJob: job.id');
  if (job.context !== undefined && !isObject(job.context)) {
    throw invalid(`saveJob: job.context: expected an object, found ${describe(job.context)}`);
  }
  if (job.history !== undefined && !Array.isArray(job.history)) {
    throw invalid(`saveJob: job.history: expected an array, found ${describe(job.history)}`);
  }
}

/** @param {unknown} change what `commit` was given */
export function checkChange(change) {
  if (!isObject(change)) throw invalid(`commit: expected a change, found ${describe(change)}`);
  checkId(change.jobId, 'commit: change.jobId');
  if (!Number.isSafeInteger(change.expectedRevision)) {
    const found = describe(change.expectedRevision);
    throw invalid(`commit: change.expectedRevision: expected an integer, found ${found}`);
  }
  if (!isObject(change.head))
    throw invalid(`commit: change.head: expected an object, found ${describe(change.head)}`);
  if (change.head.id !== change.jobId) {
    const found = describe(change.head.id);
    throw invalid(`commit: change.head.id: expected ${describe(change.jobId)}, found ${found}`);
  }
  for (const name of ['context', 'steps']) {
    const value = change[name];
    if (value !== undefined && !isObject(value)) {
      throw invalid(`commit: change.${name}: expected an object, found ${describe(value)}`);
    }
  }
  const { events } = change;
  if (events !== undefined && !(Array.isArray(events) && events.every(isObject))) {
    throw invalid(`commit: change.events: expected an array of events, found ${describe(events)}`);
  }
}

/**
 * @param {unknown} id
 * @param {string} name
 */
export function checkId(id, name) {
  if (typeof id !== 'string') throw invalid(`${name}: expected a string, found ${describe(id)}`);
}

/**
 * @param {unknown} limit
 * @param {string} name
 * @returns {number} Infinity where none is given
 */
export function checkLimit(limit, name) {
  if (limit === undefined || limit === null || limit === Infinity) return Infinity;
  if (!Number.isSafeInteger(limit) || Number(limit) < 0) {
    throw invalid(`${name}: expected an integer that is not negative, found ${describe(limit)}`);
  }
  return Number(limit);
}

/**
 * @param {unknown} ms
 * @param {string} name
 */
export function checkMs(ms, name) {
  if (typeof ms !== 'number' || !Number.isFinite(ms) || ms < 0) {
    throw invalid(`${name}: expected milliseconds, found ${describe(ms)}`);
  }
}

/**
 * @param {unknown} time
 * @param {string} name
 */
export function checkTime(time, name) {
  if (typeof time !== 'number' || Number.isNaN(time)) {
    throw invalid(`${name}: expected epoch milliseconds, found ${describe(time)}`);
  }
}

/**
 * @param {JobFilter | undefined} filter
 * @returns {{ statuses: Set<JobStatus> | null, parentId: string | null, unsettled: boolean, limit: number, cursor: string | null }}
 */
export function readFilter(filter) {
  const { status, parentId, unsettled, limit, cursor } = filter ?? {};
  if (parentId !== undefined && parentId !== null) checkId(parentId, 'listJobs: parentId');
  if (cursor !== undefined && cursor !== null) checkId(cursor, 'listJobs: cursor');
  const statuses =
    status === undefined || status === null ? null : new Set(Array.isArray(status) ? status : [status]);
  return {
    statuses,
    parentId: parentId ?? null,
    unsettled: unsettled === true,
    limit: checkLimit(limit, 'listJobs: limit'),
    cursor: cursor ?? null,
  };
}

/** @param {string} cursor */
export function unknownCursor(cursor) {
  return invalid(`listJobs: cursor: there is no job ${describe(cursor)} to go on after`);
}

/**
 * @param {string} jobId
 * @param {number} expected
 * @param {number | null} stored null where there is no such job
 */
export function revisionConflict(jobId, expected, stored) {
  const found = stored === null ? 'there is no such job' : `it is at ${stored}`;
  return new ConflictError(`Job ${describe(jobId)}: expected revision ${expected}, but ${found}`, {
    details: { jobId, expectedRevision: expected, revision: stored },
  });
}

/**
 * @param {string} jobId
 * @param {number} token
 */
export function leaseConflict(jobId, token) {
  return new ConflictError(
    `Job ${describe(jobId)}: the lease with fencing token ${token} is no longer held`,
    {
      details: { jobId, fencingToken: token },
    },
  );
}

/**
 * @param {string} jobId
 * @param {number} seq
 * @param {number} last
 */
export function eventConflict(jobId, seq, last) {
  return new ConflictError(
    `Job ${describe(jobId)}: event ${seq} comes after ${last}, which is stored already`,
    {
      details: { jobId, seq, last },
    },
  );
}

/**
 * The engine relied on it that nothing is paused.
 *
 * @param {string} jobId
 */
export function controlConflict(jobId) {
  const message = `Job ${describe(jobId)}: all jobs were paused, or may run again, since that was last looked at`;
  return new ConflictError(message, { details: { jobId } });
}
