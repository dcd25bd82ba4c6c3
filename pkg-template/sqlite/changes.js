// @ts-check
import { committedHead, endedAt, numberEvents, revisionOf, splitJob, storedSeq } from '../parts/job-parts.js';
import { JOB_DEPTH, plainCopy } from '../parts/plain.js';
import { eventConflict } from '../parts/store-arguments.js';
import { encodeKey } from './keys.js';

/**
 * Turns jobs and changes into text for the database, before a transaction begins: turning objects into text
 * may run the caller's code, and that must find no lock held.
 *
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobHead} JobHead
 *
 * @typedef {object} Written
 * @property {string} id
 * @property {string | null} status
 * @property {string | null} parentId
 * @property {number | null} ended
 * @property {number} revision
 * @property {string} head
 * @property {string | null} plan null: as it is
 * @property {[string, string | null][]} context null: gone
 * @property {[string, string][]} steps
 * @property {string[]} events
 * @property {(last: number) => number[]} number gives the numbers of the events, after the last one stored
 */

/**
 * @param {Job} job
 * @returns {Written}
 */
export function writeJob(job) {
  const { head, context, history, plan, steps } = splitJob(plainCopy(job, 'job', JOB_DEPTH));
  return {
    ...writeHead(head),
    plan: plan === undefined ? null : JSON.stringify(plan),
    context: writeContext(context, context),
    steps: writeSteps(steps),
    events: history.map((event) => JSON.stringify(event)),
    number: () => numberHistory(history),
  };
}

/**
 * @param {JobChange} change
 * @param {boolean} own whether it is the engine's, and so known to be JSON
 * @returns {Written}
 */
export function writeChange(change, own) {
  const head = committedHead(plainCopy(change.head, 'change.head', JOB_DEPTH), change.expectedRevision + 1);
  const plan = plainCopy(change.plan, 'change.plan', JOB_DEPTH);
  const context = own ? change.context : plainCopy(change.context, 'change.context', JOB_DEPTH);
  const steps = own ? change.steps : plainCopy(change.steps, 'change.steps', JOB_DEPTH);
  const events = own ? change.events : plainCopy(change.events, 'change.events', JOB_DEPTH);
  return {
    ...writeHead(head),
    plan: plan === undefined ? null : JSON.stringify(plan),
    context: writeContext(change.context ?? {}, context ?? {}),
    steps: writeSteps(steps ?? {}),
    events: (events ?? []).map((event) => JSON.stringify(event)),
    number: (last) =>
      numberEvents(events ?? [], last, (seq, stored) => eventConflict(change.jobId, seq, stored)),
  };
}

/** @param {JobHead} head */
function writeHead(head) {
  return {
    id: encodeKey(head.id),
    status: head.status ?? null,
    parentId: head.parentId === undefined ? null : encodeKey(head.parentId),
    ended: endedAt(head),
    revision: revisionOf(head),
    head: JSON.stringify(head),
  };
}

/**
 * @param {object} given what names the keys
 * @param {Record<string, unknown>} values
 * @returns {[string, string | null][]}
 */
function writeContext(given, values) {
  return Object.keys(given).map((key) => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    return [encodeKey(key), value === undefined ? null : JSON.stringify(value)];
  });
}

/**
 * @param {object} steps
 * @returns {[string, string][]}
 */
function writeSteps(steps) {
  return Object.entries(steps).map(([id, state]) => [encodeKey(id), JSON.stringify(state)]);
}

/** @param {JobEvent[]} history */
function numberHistory(history) {
  let last = 0;
  return history.map((event) => {
    last = storedSeq(event?.seq, last);
    return last;
  });
}
