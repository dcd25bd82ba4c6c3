// @ts-check
import { handover } from '../parts/handover.js';

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

/** What a job has beside what every job has. */
const OWN_KEYS = /** @type {const} */ (['type', 'config', 'parentId']);

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
 * @param {Map<string, unknown> | null} entries
 * @param {any} [target]
 */
function setAll(entries, target = {}) {
  if (entries !== null) for (const [key, value] of entries) setOwn(target, key, value);
  return target;
}

/**
 * What a store that has `commit` is sent: only what changed.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
export function changeToCommit(slot) {
  const { change } = slot;
  const { origin } = change;
  const head = newHead(slot, origin ?? slot.record);
  const context = origin === null ? setAll(change.context) : origin.context;
  /** @type {any} */
  const sent = {
    jobId: slot.id,
    expectedRevision: change.expectedRevision,
    head,
    context,
    events: change.events,
  };
  if (origin?.run?.plan !== undefined) sent.plan = origin.run.plan;
  if (change.steps !== null) sent.steps = setAll(change.steps);
  if (change.fenced && slot.lease !== null) sent.fencingToken = slot.lease;
  return sent;
}

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
  const { change } = slot;
  /** @type {any} */
  const head = {
    id: slot.id,
    status: change.status,
    permissions: change.permissions ?? before.permissions,
    timing: change.timing,
  };
  for (const key of OWN_KEYS) if (before[key] !== undefined) head[key] = before[key];
  /** @type {any} */
  const run = { schema: 1, revision: change.expectedRevision + 1, seq: slot.seq + change.events.length };
  if (hasSteps(before, change)) run.stepsTaken = change.stepsTaken;
  for (const key of HEAD_KEYS) {
    const value = change.run !== null && key in change.run ? change.run[key] : before.run?.[key];
    if (value !== undefined) run[key] = value;
  }
  head.run = run;
  return head;
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
export function keepCommitted({ change, record }, { head }) {
  if (change.origin !== null) return;
  const { plan, steps } = record.run ?? {};
  Object.assign(record, head);
  record.run = { ...head.run };
  if (plan !== undefined) record.run.plan = plan;
  if (steps !== undefined || change.steps !== null) record.run.steps = setAll(change.steps, steps);
  setAll(change.context, record.context);
  const started = change.events.findLast((/** @type {any} */ event) => event.type === 'job_started');
  if (started !== undefined) record.startedSeq = started.seq;
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
  job.history = before.history === undefined ? change.events : [...before.history, ...change.events];
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
  return isBare && Object.keys(job).length === 6
    ? { id, status, context, permissions, history, timing }
    : { ...job };
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
  const { run } = newHead(slot, before);
  const { plan, steps } = before.run ?? {};
  if (plan !== undefined) run.plan = plan;
  if (steps !== undefined || change.steps !== null) run.steps = setAll(change.steps, { ...steps });
  return run;
}
