// @ts-check
import { committedHead, endedAt, numberEvents, revisionOf, splitJob, storedSeq } from '../parts/job-parts.js';
import { JOB_DEPTH, plainCopy } from '../parts/plain.js';
import { eventConflict } from '../parts/store-arguments.js';

/**
 * Turns jobs and changes into text for the database, before anything is awaited: what the caller does to its objects
 * afterwards changes nothing, and a transaction need not stay open for it.
 *
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobHead} JobHead
 *
 * @typedef {object} Written
 * @property {JobHead} head
 * @property {number} revision
 * @property {number | null} ended
 * @property {string} text the head
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
  /** @type {<T>(value: T, path: string) => T} */
  const copy = (value, path) => plainCopy(value, path, JOB_DEPTH);
  const head = committedHead(copy(change.head, 'change.head'), change.expectedRevision + 1);
  const plan = copy(change.plan, 'change.plan');
  const context = own ? change.context : copy(change.context, 'change.context');
  const steps = own ? change.steps : copy(change.steps, 'change.steps');
  const events = (own ? change.events : copy(change.events, 'change.events')) ?? [];
  const { jobId } = change;
  const seqs = events.map(({ seq }) => ({ seq }));
  return {
    ...writeHead(head),
    plan: plan === undefined ? null : JSON.stringify(plan),
    context: writeContext(change.context ?? {}, context ?? {}),
    steps: writeSteps(steps ?? {}),
    events: events.map((event) => JSON.stringify(event)),
    number: (last) =>
      numberEvents(/** @type {JobEvent[]} */ (seqs), last, (seq, stored) =>
        eventConflict(jobId, seq, stored),
      ),
  };
}

/** @param {JobHead} head */
function writeHead(head) {
  return { head, revision: revisionOf(head), ended: endedAt(head), text: JSON.stringify(head) };
}

/**
 * @param {object} given what names the keys
 * @param {Record<string, unknown>} values
 * @returns {[string, string | null][]}
 */
function writeContext(given, values) {
  return Object.keys(given).map((key) => {
    const value = Object.hasOwn(values, key) ? values[key] : undefined;
    return [key, value === undefined ? null : JSON.stringify(value)];
  });
}

/**
 * @param {object} steps
 * @returns {[string, string][]}
 */
function writeSteps(steps) {
  return Object.entries(steps).map(([id, state]) => [id, JSON.stringify(state)]);
}

/** @param {JobEvent[]} history */
function numberHistory(history) {
  let last = 0;
  return history.map((event) => {
    last = storedSeq(event?.seq, last);
    return last;
  });
}
