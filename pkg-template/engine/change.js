// @ts-check
import { JOB_STATUSES, PAUSE_REASONS, STEP_STATUSES } from './names.js';
import { codeAt } from './outcome.js';
import { slotOf } from './slots.js';
import { treeSteps } from './step-trees.js';

/**
 * What the core decided, as it is told: the parts of a job that the next commit replaces. See store.js.
 *
 * @typedef {object} Change
 * @property {string} status
 * @property {number} expectedRevision
 * @property {number} stepsTaken
 * @property {{ created: number, started?: number, completed?: number }} timing
 * @property {boolean} fenced made under the job's lease
 * @property {any} origin what a new job is made of; null where the job exists
 * @property {any} permissions
 * @property {Record<string, any> | null} run parts of the head's `run` that changed; undefined takes one away
 * @property {{ id: string, answer: any } | undefined} routed a step that a router asked for
 * @property {[string, any][] | null} steps by id; each once
 * @property {[string, unknown][] | null} context by key
 * @property {[number, unknown][] | null} outputs by place
 * @property {import('../parts/noted-event.js').NotedEvent[]} events
 * @property {number} now
 */

/** @type {any[]} */
const NONE = [];

/**
 * A list with one thing more, for lists that hardly ever get more than two: to push makes room for seventeen.
 *
 * @template T
 * @param {T[] | null} list
 * @param {T} item
 * @returns {T[]}
 */
export function withItem(list, item) {
  if (list === null || list.length === 0) return [item];
  if (list.length === 1) return [/** @type {T} */ (list[0]), item];
  list.push(item);
  return list;
}

const BREAKPOINT_PASSED = 1;
const INTERRUPTED = 2;
const ROUND_ENDED = 4;

/**
 * @param {number} job
 * @param {number} status
 * @param {number} expectedRevision
 * @param {number} stepsTaken
 * @param {number} created
 * @param {number} now when it was decided
 */
export function change_begin(job, status, expectedRevision, stepsTaken, created, now) {
  const slot = slotOf(job);
  slot.change = {
    status: JOB_STATUSES[status],
    expectedRevision,
    stepsTaken,
    timing: { created },
    fenced: false,
    origin: null,
    permissions: undefined,
    run: null,
    routed: undefined,
    steps: null,
    context: null,
    outputs: null,
    events: NONE,
    now,
  };
}

/** @param {number} job */
export function change_fenced(job) {
  slotOf(job).change.fenced = true;
}

/**
 * @param {number} job
 * @param {any} origin what a new job is made of
 */
export function change_origin(job, origin) {
  slotOf(job).change.origin = origin;
}

/**
 * @param {number} job
 * @param {number} started
 * @param {number} completed
 */
export function change_times(job, started, completed) {
  const { timing } = slotOf(job).change;
  if (!Number.isNaN(started)) timing.started = started;
  if (!Number.isNaN(completed)) timing.completed = completed;
}

/**
 * @param {number} job
 * @param {boolean} allowTools
 * @param {boolean} requireApproval
 * @param {number} maxSteps
 */
export function change_permissions(job, allowTools, requireApproval, maxSteps) {
  slotOf(job).change.permissions = { allowTools, requireApproval, maxSteps };
}

/** @param {import('./slots.js').JobSlot} slot */
function runOf(slot) {
  slot.change.run ??= {};
  return slot.change.run;
}

/**
 * @param {number} job
 * @param {number} reason
 * @param {number} step
 * @param {string | undefined} message
 */
export function change_pause(job, reason, step, message) {
  const slot = slotOf(job);
  /** @type {any} */
  const pause = reason < 0 ? undefined : { reason: PAUSE_REASONS[reason] };
  if (pause !== undefined && step >= 0) pause.step = slot.stepAt(step).id;
  if (pause !== undefined && message !== undefined) pause.message = message;
  runOf(slot).pause = pause;
}

/**
 * @param {number} job
 * @param {number} code
 * @param {string} message
 * @param {number} step
 */
export function change_failure(job, code, message, step) {
  const slot = slotOf(job);
  /** @type {any} */
  const failure = { code: codeAt(code).name, message };
  if (step >= 0) failure.step = slot.stepAt(step).id;
  runOf(slot).failure = failure;
}

/**
 * @param {number} job
 * @param {number} ms
 * @param {boolean} own the job's own pace, or that of all jobs
 */
export function change_slow_play(job, ms, own) {
  runOf(slotOf(job))[own ? 'slowPlayMs' : 'paceMs'] = ms;
}

/**
 * @param {number} job
 * @param {number} taken
 */
export function change_tree_steps(job, taken) {
  const slot = slotOf(job);
  runOf(slot).treeSteps = treeSteps(slot, taken);
}

/**
 * @param {number} job
 * @param {boolean} open
 */
export function change_account(job, open) {
  const slot = slotOf(job);
  const { allocated } = slot.record.run?.account ?? {};
  runOf(slot).account = { ...(allocated !== undefined && { allocated }), ...(!open && { closed: true }) };
}

/** @param {number} job */
export function change_approvals(job) {
  runOf(slotOf(job)).approvals = [];
}

/**
 * @param {number} job
 * @param {string} id
 * @param {number} step
 * @param {number} toolCall
 */
export function change_approval(job, id, step, toolCall) {
  const slot = slotOf(job);
  const waiting = slot.record?.run?.approvals?.find((/** @type {any} */ approval) => approval.id === id);
  slot.change.run.approvals.push(waiting ?? newApproval(slot, id, step, toolCall));
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} id
 * @param {number} step
 * @param {number} toolCall
 */
function newApproval(slot, id, step, toolCall) {
  const what = slot.stepAt(step);
  /** @type {any} */
  const approval = { id, step: what.id };
  if (what.item !== undefined) approval.item = what.item;
  if (what.agent !== undefined) approval.agent = what.agent;
  if (what.approve?.message !== undefined) approval.message = what.approve.message;
  return toolCall < 0 ? approval : Object.assign(approval, slot.requests.get(step)?.[toolCall]);
}

/** @param {number} job */
export function change_signals(job) {
  runOf(slotOf(job)).signals = [];
}

/**
 * A signal that was there before; one that comes with this commit is added by its event.
 *
 * @param {number} job
 * @param {number} seq
 */
export function change_signal(job, seq) {
  const slot = slotOf(job);
  const kept = slot.record.run?.signals?.find((/** @type {any} */ signal) => signal.seq === seq);
  if (kept !== undefined) slot.change.run.signals.push(kept);
}

/** @param {number} job */
export function change_breakpoints(job) {
  runOf(slotOf(job)).breakpoints = [];
}

/**
 * @param {number} job
 * @param {number} step
 */
export function change_breakpoint(job, step) {
  const slot = slotOf(job);
  slot.change.run.breakpoints.push(slot.stepAt(step).id);
}

/**
 * @param {number} job
 * @param {number} step
 * @param {string} id
 */
export function change_routed(job, step, id) {
  const slot = slotOf(job);
  if (slot.routedIdAt(step) !== undefined) return;
  slot.routedIds?.push(id);
  slot.change.routed = { id, answer: slot.routing };
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} status
 * @param {number} attempts
 * @param {number} seq
 * @param {number} startedAt
 * @param {number} finishedAt
 * @param {number} dueAt
 * @param {number} flags
 * @param {number} round how many have ended
 */
export function change_step(job, step, status, attempts, seq, startedAt, finishedAt, dueAt, flags, round) {
  const slot = slotOf(job);
  const { change } = slot;
  const id = stepId(slot, step);
  const state = newState(STEP_STATUSES[status], attempts, seq, startedAt, finishedAt);
  if (!Number.isNaN(dueAt)) state.dueAt = dueAt;
  if ((flags & BREAKPOINT_PASSED) !== 0) state.breakpointPassed = true;
  if ((flags & INTERRUPTED) !== 0) state.interrupted = true;
  if ((flags & ROUND_ENDED) !== 0) state.roundEnded = true;
  if (round > 0) state.round = round;
  const childId = childOf(slot, step, startedAt, (flags & ROUND_ENDED) !== 0 ? round : round + 1);
  if (childId !== undefined) state.childId = childId;
  const before = slot.record?.run?.steps?.[id];
  if (childId !== undefined) noteRemade(slot, childId, before);
  const routed = change.routed?.id === id ? change.routed.answer : before?.routed;
  if (routed !== undefined) state.routed = routed;
  if (Number.isNaN(finishedAt)) {
    // What only an attempt that is still to come needs.
    if (Array.isArray(before?.grants)) state.grants = before.grants;
    if (before !== undefined && 'input' in before) state.input = before.input;
  }
  change.steps = withItem(change.steps, [id, state]);
}

/**
 * What every state of a step begins with. The two shapes that most have are made at once: an object that grows takes
 * twice the room.
 *
 * @param {any} status
 * @param {number} attempts
 * @param {number} seq
 * @param {number} startedAt
 * @param {number} finishedAt
 * @returns {any}
 */
function newState(status, attempts, seq, startedAt, finishedAt) {
  const hasBegun = !Number.isNaN(seq) && !Number.isNaN(startedAt);
  if (hasBegun && Number.isNaN(finishedAt)) return { status, attempts, seq, startedAt };
  if (hasBegun) return { status, attempts, seq, startedAt, finishedAt };
  /** @type {any} */
  const state = { status, attempts };
  if (!Number.isNaN(seq)) state.seq = seq;
  if (!Number.isNaN(startedAt)) state.startedAt = startedAt;
  if (!Number.isNaN(finishedAt)) state.finishedAt = finishedAt;
  return state;
}

/**
 * What the change says of a step, which it was told last or not long before.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} id
 */
export function changedStep({ change }, id) {
  return change.steps.findLast((/** @type {[string, any]} */ [changed]) => changed === id)[1];
}

/**
 * The step that was told just now.
 *
 * @param {number} job
 */
function latestStep(job) {
  return slotOf(job).change.steps.at(-1)[1];
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} step
 */
function stepId(slot, step) {
  const plan = slot.record.run?.plan;
  return plan === undefined ? (slot.change.routed?.id ?? slot.routedIdAt(step)) : slot.stateIdAt(step);
}

/**
 * The job that a step runs, once it has begun.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} step
 * @param {number} startedAt
 * @param {number} round
 */
function childOf(slot, step, startedAt, round) {
  if (Number.isNaN(startedAt) || slot.record.run?.plan === undefined) return undefined;
  const { job, forEach, item } = slot.stepAt(step);
  const isDone = job !== undefined && (forEach === undefined || item !== undefined);
  return isDone ? slot.idempotencyKey(step, round) : undefined;
}

/**
 * A step that was under way when a process died may have allocated to its job and not stored it.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} childId
 * @param {any} before
 */
function noteRemade(slot, childId, before) {
  if (before?.interrupted === true || before?.status === 'running') {
    slot.remade ??= new Set();
    slot.remade.add(childId);
  }
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} first
 * @param {number} count
 */
export function change_fan_out(job, step, first, count) {
  const slot = slotOf(job);
  slot.keepFanOut(step, first, count);
  latestStep(job).fanOut = { place: first, count };
}

/**
 * @param {number} job
 * @param {string} by
 */
export function change_step_approved(job, by) {
  latestStep(job).approvedBy = by;
}

/**
 * @param {number} job
 * @param {number} code
 * @param {string} message
 */
export function change_step_error(job, code, message) {
  latestStep(job).error = { code: codeAt(code).name, message };
}

/**
 * @param {number} job
 * @param {number} step
 * @param {unknown} value
 */
export function change_context(job, step, value) {
  const slot = slotOf(job);
  const { change } = slot;
  const { into, item } = slot.stepAt(step);
  if (item === undefined) change.context = withItem(change.context, [into, value]);
  change.outputs = withItem(change.outputs, [step, value]);
}
