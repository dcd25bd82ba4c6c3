// @ts-check
import { withItem } from './change.js';
import { STEP_STATUSES } from './names.js';
import { codeAt } from './outcome.js';
import { slotOf } from './slots.js';

// What a change says of steps, and what they gave.

const BREAKPOINT_PASSED = 1;
const INTERRUPTED = 2;
const ROUND_ENDED = 4;

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
