// @ts-check
import { committedHead, joinJob, numberEvents, splitJob, storedSeq } from './job-parts.js';
import { cloneJson, JOB_DEPTH, plainCopy, setOwn } from './plain.js';
import { eventConflict } from './store-arguments.js';

/**
 * One job as the memory store keeps it: in parts, so that a commit touches only what it names.
 *
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('../index.d.ts').Plan} Plan
 * @typedef {import('../index.d.ts').StepState} StepState
 *
 * @typedef {object} Entry
 * @property {number} order counts jobs as they are created
 * @property {JobHead} head
 * @property {Map<string, unknown>} context
 * @property {JobEvent[]} events
 * @property {number[]} seqs the number each event is stored under, rising
 * @property {number} lastSeq stays when the history is pruned
 * @property {Plan | undefined} plan
 * @property {Map<string, StepState>} steps
 * @property {import('./memory-lease.js').Lease | null} lease
 */

/**
 * @param {number} order
 * @returns {Entry}
 */
export function createEntry(order) {
  return {
    order,
    head: /** @type {JobHead} */ ({}),
    context: new Map(),
    events: [],
    seqs: [],
    lastSeq: 0,
    plan: undefined,
    steps: new Map(),
    lease: null,
  };
}

/**
 * @param {Entry} entry
 * @param {Job} job a copy that is the store's own
 */
export function replaceEntry(entry, job) {
  const { head, context, history, plan, steps } = splitJob(job);
  entry.head = head;
  entry.context = new Map(Object.entries(context));
  entry.plan = plan;
  entry.steps = new Map(Object.entries(steps));
  forgetEvents(entry);
  entry.lastSeq = 0;
  for (const event of history) append(entry, event, storedSeq(event?.seq, entry.lastSeq));
  return entry;
}

/**
 * All of it or, when something can't be stored, nothing.
 *
 * @param {Entry} entry
 * @param {JobChange} change
 * @param {boolean} own whether values, steps and events are the engine's and may be kept as they are
 */
export function applyChange(entry, change, own) {
  const revision = change.expectedRevision + 1;
  const head = own
    ? copyOwnHead(change.head, revision)
    : committedHead(plainCopy(change.head, 'change.head', JOB_DEPTH), revision);
  const plan = change.plan === undefined ? entry.plan : plainCopy(change.plan, 'change.plan', JOB_DEPTH);
  const context = own ? change.context : (plainCopy(change.context, 'change.context', JOB_DEPTH) ?? {});
  const steps = own ? change.steps : plainCopy(change.steps, 'change.steps', JOB_DEPTH);
  const events = own ? change.events : (plainCopy(change.events, 'change.events', JOB_DEPTH) ?? []);
  const seqs = numberEvents(events, entry.lastSeq, (seq, last) => eventConflict(change.jobId, seq, last));

  entry.head = head;
  entry.plan = plan;
  for (const key of Object.keys(change.context ?? {})) {
    const value = Object.hasOwn(context, key) ? context[key] : undefined;
    if (value === undefined) entry.context.delete(key);
    else entry.context.set(key, value);
  }
  for (const [id, step] of Object.entries(steps ?? {})) entry.steps.set(id, step);
  for (const [i, event] of events.entries()) append(entry, event, /** @type {number} */ (seqs[i]));
  return entry;
}

/**
 * The whole job, as a copy.
 *
 * @param {Entry} entry
 * @returns {Job}
 */
export function assembleJob({ head, context, events, plan, steps }) {
  return joinJob({
    head: cloneJson(head),
    context: copyMap(context),
    history: cloneJson(events),
    plan: cloneJson(plan),
    steps: copyMap(steps),
  });
}

/**
 * @param {Entry} entry
 * @param {number} afterSeq
 * @param {number} limit
 */
export function eventsAfter({ events, seqs }, afterSeq, limit) {
  let low = 0;
  let high = seqs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (/** @type {number} */ (seqs[middle]) <= afterSeq) low = middle + 1;
    else high = middle;
  }
  return events.slice(low, low + limit);
}

/** @param {Entry} entry */
export function forgetEvents(entry) {
  entry.events = [];
  entry.seqs = [];
}

/**
 * The committed head of the engine's own, at a tenth of the time: what is always there is copied by its shape.
 *
 * @param {JobHead} head
 * @param {number} revision
 * @returns {JobHead}
 */
function copyOwnHead(head, revision) {
  const copy = { ...head, permissions: { ...head.permissions }, timing: { ...head.timing } };
  if (head.config !== undefined) copy.config = cloneJson(head.config);
  /** @type {Record<string, unknown>} */
  const run = { schema: 1, ...head.run, revision };
  for (const key in run) {
    if (typeof run[key] === 'object') run[key] = cloneJson(run[key]);
  }
  copy.run = /** @type {NonNullable<JobHead['run']>} */ (/** @type {unknown} */ (run));
  return copy;
}

/**
 * @param {Entry} entry
 * @param {JobEvent} event
 * @param {number} seq
 */
function append(entry, event, seq) {
  entry.events.push(event);
  entry.seqs.push(seq);
  entry.lastSeq = seq;
}

/**
 * @template T
 * @param {Map<string, T>} map
 * @returns {Record<string, T>}
 */
function copyMap(map) {
  /** @type {Record<string, T>} */
  const copy = {};
  for (const [key, value] of map) setOwn(copy, key, cloneJson(value));
  return copy;
}
