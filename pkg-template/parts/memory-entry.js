// @ts-check
import { committedHead, joinJob, numberEvents, splitJob, storedSeq } from './job-parts.js';
import { withLate } from './late-member.js';
import { copyEvent, NotedEvent, storedPayload } from './noted-event.js';
import { copyOfPairs, eachPair, NO_PAIRS, withoutPair, withPair } from './pairs.js';
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
 * @property {import('./pairs.js').Pairs<unknown>} context
 * @property {(import('./noted-event.js').NotedEvent | JobEvent)[]} events
 * @property {number[] | null} seqs the number each event is stored under, rising; null where each says its own
 * @property {number} lastSeq stays when the history is pruned
 * @property {Plan | undefined} plan
 * @property {import('./pairs.js').Pairs<StepState>} steps
 * @property {import('./memory-lease.js').Lease | null} lease
 * @property {boolean} isShown somebody holds its context and steps as they are now: they are copied before they change
 */

/** Up to so many events, their list is as long as it has to be, where one that is added to makes room for seventeen. */
const FEW = 8;

/**
 * @param {number} order
 * @returns {Entry}
 */
export function createEntry(order) {
  return {
    order,
    head: /** @type {JobHead} */ ({}),
    context: NO_PAIRS,
    events: [],
    seqs: null,
    lastSeq: 0,
    plan: undefined,
    steps: NO_PAIRS,
    lease: null,
    isShown: false,
  };
}

/** @param {Entry} entry */
function unshow(entry) {
  if (!entry.isShown) return;
  entry.context = copyOfPairs(entry.context);
  entry.steps = copyOfPairs(entry.steps);
  entry.isShown = false;
}

/**
 * @param {Entry} entry
 * @param {Job} job a copy that is the store's own
 */
export function replaceEntry(entry, job) {
  const { head, context, history, plan, steps } = splitJob(job);
  entry.head = head;
  entry.context = withEach(NO_PAIRS, context);
  entry.plan = plan;
  entry.steps = withEach(NO_PAIRS, steps);
  forgetEvents(entry);
  entry.lastSeq = 0;
  append(entry, history);
  return entry;
}

/**
 * All of it or, when something can't be stored, nothing.
 *
 * @param {Entry} entry
 * @param {JobChange} change
 * @param {boolean} own whether all of it is the engine's, which keeps it and never changes it again
 */
export function applyChange(entry, change, own) {
  if (own) return applyOwn(entry, change);
  const revision = change.expectedRevision + 1;
  const head = committedHead(plainCopy(change.head, 'change.head', JOB_DEPTH), revision);
  const plan = change.plan === undefined ? entry.plan : plainCopy(change.plan, 'change.plan', JOB_DEPTH);
  const context = plainCopy(change.context, 'change.context', JOB_DEPTH) ?? {};
  const steps = plainCopy(change.steps, 'change.steps', JOB_DEPTH) ?? {};
  const events = plainCopy(change.events, 'change.events', JOB_DEPTH) ?? [];
  // Refuses those that are stored already, before anything has changed.
  numberEvents(events, entry.lastSeq, (seq, last) => eventConflict(change.jobId, seq, last));

  unshow(entry);
  entry.head = head;
  entry.plan = plan;
  for (const key of Object.keys(change.context ?? {})) {
    const value = Object.hasOwn(context, key) ? context[key] : undefined;
    entry.context =
      value === undefined ? withoutPair(entry.context, key) : withPair(entry.context, key, value);
  }
  for (const id of Object.keys(steps)) {
    entry.steps = withPair(entry.steps, id, /** @type {StepState} */ (steps[id]));
  }
  append(entry, events);
  return entry;
}

/**
 * A change of the engine's, which is as it should be.
 *
 * @param {Entry} entry
 * @param {any} change whose context and steps may be lists of keys and values
 */
function applyOwn(entry, { jobId, head, plan, context, steps, events }) {
  let last = entry.lastSeq;
  for (let i = 0; i < events.length; i++) {
    const { seq } = events[i];
    if (Number.isSafeInteger(seq) && seq <= last) throw eventConflict(jobId, seq, last);
    last = storedSeq(seq, last);
  }
  unshow(entry);
  entry.head = head;
  if (plan !== undefined) entry.plan = plan;
  entry.context = withEach(entry.context, context);
  entry.steps = withEach(entry.steps, steps);
  append(entry, events);
  return entry;
}

/**
 * @template T
 * @param {import('./pairs.js').Pairs<T>} pairs
 * @param {[string, any][] | Record<string, any> | null | undefined} more
 */
function withEach(pairs, more) {
  if (more === null || more === undefined) return pairs;
  const entries = Array.isArray(more) ? more : Object.entries(more);
  let all = pairs;
  // By number: nothing is made for each of them.
  for (let i = 0; i < entries.length; i++) all = withEntry(all, entries[i]);
  return all;
}

/**
 * @template T
 * @param {import('./pairs.js').Pairs<T>} pairs
 * @param {any} entry
 */
function withEntry(pairs, entry) {
  return withPair(pairs, entry[0], entry[1]);
}

/**
 * The whole job, as a copy.
 *
 * @param {Omit<Entry, 'lease'>} entry
 * @returns {Job}
 */
export function assembleJob({ head, context, events, plan, steps }) {
  return joinJob({
    head: cloneJson(head),
    context: objectOf(context, cloneJson),
    history: copiesOf(events),
    plan: cloneJson(plan),
    steps: objectOf(steps, cloneJson),
  });
}

/** @param {Entry['events']} events */
const copiesOf = (events) => events.map((event) => copyEvent(event));

/**
 * The whole job as the engine reads it: what it knows the names of, and of each event its number, type and payload.
 *
 * @param {Entry} entry
 */
export function uncopiedJob({ head, context, events, plan, steps }) {
  const { id, status, permissions, timing, type, config, parentId } = head;
  return {
    id,
    status,
    permissions,
    timing,
    type,
    config,
    parentId,
    context: objectOf(context),
    history: events.map(uncopiedEvent),
    run: head.run && uncopiedRun(head.run, plan, steps === NO_PAIRS ? undefined : objectOf(steps)),
  };
}

/**
 * Names all of it: an object that is spread into another has a shape of its own each time, and is slow to read.
 *
 * @param {import('../index.d.ts').RunState} run
 * @param {Plan | undefined} plan
 * @param {Record<string, StepState> | undefined} steps
 */
function uncopiedRun(run, plan, steps) {
  return {
    schema: run.schema,
    revision: run.revision,
    seq: run.seq,
    stepsTaken: run.stepsTaken,
    approvals: run.approvals,
    signals: run.signals,
    breakpoints: run.breakpoints,
    slowPlayMs: run.slowPlayMs,
    paceMs: run.paceMs,
    forkedFrom: run.forkedFrom,
    sharedBy: run.sharedBy,
    treeSteps: run.treeSteps,
    account: run.account,
    pause: run.pause,
    failure: run.failure,
    plan,
    steps,
  };
}

/** @param {Entry['events'][number]} event */
function uncopiedEvent(event) {
  if (!(event instanceof NotedEvent) || event.more === null) return event;
  return { seq: event.seq, type: event.type, payload: storedPayload(event) };
}

/**
 * The job as it is now, to be copied when it is wanted.
 *
 * @param {Entry} entry
 * @returns {import('./handover.js').Snapshot}
 */
export function snapshotOf(entry) {
  entry.isShown = true;
  const now = { ...entry };
  const { length } = entry.events;
  return { status: entry.head.status, read: () => lateJob(now, length) };
}

/**
 * A copy of the job, and of its history and steps when those are read: what most callers want of it is the context. The list
 * of events grows; nothing in it changes.
 *
 * @param {Entry} entry as it was
 * @param {number} length how many events there were
 */
function lateJob(entry, length) {
  const events = () => entry.events.slice(0, length);
  // To copy few takes no longer than to do so late.
  if (length <= FEW) return assembleJob({ ...entry, events: events() });
  const job = withLate(assembleJob({ ...entry, events: [], steps: NO_PAIRS }), 'history', () =>
    copiesOf(events()),
  );
  if (job.run !== undefined && entry.steps !== NO_PAIRS)
    withLate(job.run, 'steps', () => objectOf(entry.steps, cloneJson));
  return job;
}

/**
 * @param {Entry} entry
 * @param {number} afterSeq
 * @param {number} limit
 */
export function eventsAfter({ events, seqs }, afterSeq, limit) {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const seq = /** @type {number} */ (seqs === null ? events[middle]?.seq : seqs[middle]);
    if (seq <= afterSeq) low = middle + 1;
    else high = middle;
  }
  return events.slice(low, low + limit);
}

/** @param {Entry} entry */
export function forgetEvents(entry) {
  entry.events = [];
  entry.seqs = null;
}

/**
 * @param {Entry} entry
 * @param {Entry['events']} events
 */
function append(entry, events) {
  for (let i = 0; i < events.length; i++) {
    const own = events[i]?.seq;
    const seq = storedSeq(own, entry.lastSeq);
    if (seq !== own) entry.seqs ??= [...entry.events, ...events.slice(0, i)].map((event) => event.seq);
    entry.seqs?.push(seq);
    entry.lastSeq = seq;
  }
  if (entry.events.length + events.length <= FEW) entry.events = entry.events.concat(events);
  else for (let i = 0; i < events.length; i++) entry.events.push(/** @type {JobEvent} */ (events[i]));
}

/**
 * @template T
 * @param {import('./pairs.js').Pairs<T>} pairs
 * @param {(value: T) => T} [copy] of each value; default: as it is
 * @returns {Record<string, T>}
 */
function objectOf(pairs, copy = asItIs) {
  /** @type {Record<string, T>} */
  const object = {};
  eachPair(pairs, (name, value) => setOwn(object, name, copy(value)));
  return object;
}

/** @type {<T>(value: T) => T} */
const asItIs = (value) => value;
