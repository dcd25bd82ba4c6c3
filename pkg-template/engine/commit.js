// @ts-check
import { handover, takesNoted } from '../parts/handover.js';
import { wholeEvent } from '../parts/noted-event.js';
import { OwnJob } from './record.js';

/** The parts of `run` that stand in a job's head. */
const HEAD_KEYS = /** @type {const} */ ([
  'approvals',
  'signals',
  'breakpoints',
  'slowPlayMs',
  'paceMs',
  'forkedFrom',
  'sharedBy',
  'treeSteps',
  'account',
  'pause',
  'failure',
]);

/**
 * Sets an own property, whatever its name.
 *
 * @param {any} object
 * @param {string} key
 * @param {unknown} value
 */
function setOwn(object, key, value) {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

/**
 * @param {any} object
 * @param {any} entry
 */
function setEntry(object, entry) {
  setOwn(object, entry[0], entry[1]);
}

/**
 * @param {[string, unknown][] | null} entries
 * @param {any} [target]
 */
function setAll(entries, target = {}) {
  // By number: nothing is made for each of them.
  if (entries !== null) for (let i = 0; i < entries.length; i++) setEntry(target, entries[i]);
  return target;
}

/**
 * What a store that has `commit` is sent: only what changed.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
export function changeToCommit(slot) {
  const { change } = slot;
  const { origin, steps } = change;
  const isNoted = takesNoted.has(slot.engine.store.commit);
  const changed = isNoted ? change.context : setAll(change.context);
  const { expectedRevision } = change;
  const head = newHead(slot, origin ?? slot.record);
  const context = origin === null ? changed : origin.context;
  const events = isNoted ? change.events : wholeEvents(change);
  const sentSteps = steps === null || isNoted ? steps : setAll(steps);
  /** @type {any} */
  const sent =
    sentSteps === null
      ? { jobId: slot.id, expectedRevision, head, context, events }
      : { jobId: slot.id, expectedRevision, head, context, events, steps: sentSteps };
  if (origin?.run?.plan !== undefined) sent.plan = origin.run.plan;
  if (change.fenced && slot.lease !== null) sent.fencingToken = slot.lease;
  return sent;
}

/** @param {import('./change.js').Change} change */
const wholeEvents = ({ events }) => events.map((event) => wholeEvent(event));

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} sent
 */
export function commitChange(slot, sent) {
  handover.change = sent;
  try {
    return slot.engine.store.commit(sent);
  } finally {
    handover.change = null;
  }
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} before
 */
function newHead(slot, before) {
  const { change, id } = slot;
  const { type, config, parentId } = before;
  const { status, timing } = change;
  const permissions = change.permissions ?? before.permissions;
  const run = newHeadRun(slot, before);
  // Most jobs have none of these, and what is made at once takes less room than what grows.
  if (type === undefined && config === undefined && parentId === undefined)
    return { id, status, permissions, timing, run };
  /** @type {any} */
  const head = { id, status, permissions, timing };
  if (type !== undefined) head.type = type;
  if (config !== undefined) head.config = config;
  if (parentId !== undefined) head.parentId = parentId;
  head.run = run;
  return head;
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} before
 */
function newHeadRun({ change, seq: last }, before) {
  const revision = change.expectedRevision + 1;
  const seq = last + change.events.length;
  /** @type {any} */
  const run = hasSteps(before, change)
    ? { schema: 1, revision, seq, stepsTaken: change.stepsTaken }
    : { schema: 1, revision, seq };
  if (change.run === null && isBare(before.run)) return run;
  for (const key of HEAD_KEYS) {
    const value = change.run !== null && key in change.run ? change.run[key] : before.run?.[key];
    if (value !== undefined) run[key] = value;
  }
  return run;
}

/**
 * Is none of `HEAD_KEYS` there? That is so of nearly every job, and asked by name in a tenth of the time.
 *
 * @param {any} run
 */
export function isBare(run) {
  return (
    run === undefined ||
    (run.approvals === undefined &&
      run.signals === undefined &&
      run.breakpoints === undefined &&
      run.slowPlayMs === undefined &&
      run.paceMs === undefined &&
      run.forkedFrom === undefined &&
      run.sharedBy === undefined &&
      run.treeSteps === undefined &&
      run.account === undefined &&
      run.pause === undefined &&
      run.failure === undefined)
  );
}

/**
 * @param {any} before
 * @param {import('./change.js').Change} change
 */
function hasSteps(before, change) {
  return change.steps !== null || before.run?.plan !== undefined || before.run?.stepsTaken !== undefined;
}

/**
 * What was committed is what is at hand.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} sent
 */
export function keepCommitted(slot, { head, plan }) {
  const { change } = slot;
  const { origin } = change;
  if (origin !== null) {
    // Of a job without a plan there is nothing to read again.
    if (plan === undefined) return;
    slot.record = new OwnJob(origin, { ...origin.context });
  }
  const { record } = slot;
  record.status = head.status;
  record.permissions = head.permissions;
  record.timing = head.timing;
  keepRun(record, head.run, change);
  setAll(change.context, record.context);
  for (let i = 0; i < change.events.length; i++) {
    if (change.events[i]?.type === 'job_started') record.startedSeq = change.events[i]?.seq;
  }
}

/**
 * @param {any} record
 * @param {any} run
 * @param {import('./change.js').Change} change
 */
function keepRun(record, run, change) {
  record.run ??= new OwnJob({ run }, {}).run;
  const kept = record.run;
  kept.schema = run.schema;
  kept.revision = run.revision;
  kept.seq = run.seq;
  kept.stepsTaken = run.stepsTaken;
  if (change.run !== null) for (const key of HEAD_KEYS) kept[key] = run[key];
  if (change.steps !== null) kept.steps = setAll(change.steps, kept.steps);
}

/**
 * What a store that takes whole jobs is sent: a new object each time, so that nothing it returned is changed.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
export function jobToSave(slot) {
  const { change } = slot;
  const before = change.origin ?? slot.record;
  const job = copyOf(before);
  job.status = change.status;
  job.timing = change.timing;
  const events = wholeEvents(change);
  job.history = before.history === undefined ? events : [...before.history, ...events];
  if (change.permissions !== undefined) job.permissions = change.permissions;
  if (change.context !== null) job.context = setAll(change.context, { ...before.context });
  const run = newRun(slot, before);
  if (run !== undefined) job.run = run;
  return job;
}

/**
 * A job's fields. To name those that every job has takes a fraction of the time of copying them unseen.
 *
 * @param {any} job
 */
function copyOf(job) {
  const { id, status, context, permissions, history, timing } = job;
  const isBare = permissions !== undefined && history !== undefined && timing !== undefined;
  return isBare && countOf(job) === 6 ? { id, status, context, permissions, history, timing } : { ...job };
}

/**
 * How many fields there are, or more. A list of their names would be made for nothing.
 *
 * @param {any} object
 */
function countOf(object) {
  let count = 0;
  for (const _ in object) count += 1;
  return count;
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} job
 */
export function keepSaved(slot, job) {
  slot.record = job;
  slot.engine.noteLive(job);
}

/**
 * A job that has neither steps nor anything else to remember has no `run`.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} before
 */
function newRun(slot, before) {
  const { change } = slot;
  if (before.run === undefined && change.steps === null && change.run === null) return undefined;
  const run = newHeadRun(slot, before);
  const { plan, steps } = before.run ?? {};
  if (plan !== undefined) run.plan = plan;
  if (steps !== undefined || change.steps !== null) run.steps = setAll(change.steps, { ...steps });
  return run;
}
