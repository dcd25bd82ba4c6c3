// @ts-check
import { NotedEvent } from '../parts/noted-event.js';
import { cloneJson } from '../parts/plain.js';
import { withItem } from './change.js';
import { changedStep } from './change-steps.js';
import { ITEM_EVENTS, JOB_EVENTS, PAUSE_REASONS, STEP_EVENTS, STEP_STATUSES } from './names.js';
import { codeAt } from './outcome.js';
import { slotOf } from './slots.js';
import { itemId } from './step-at.js';

// The events of a change, as the core tells them: each gets its number, its span and its words here.

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} type
 * @param {any} payload
 * @param {number} cause NaN where there is none
 * @param {string} [source]
 */
function addEvent(slot, type, payload, cause, source = 'jobwright') {
  const { change } = slot;
  const seq = slot.seq + change.events.length + 1;
  const causedBy = Number.isNaN(cause) ? 0 : cause;
  const event = new NotedEvent(seq, type, payload, slot.trace, causedBy, change.now, source);
  change.events = withItem(change.events, event);
}

/**
 * @param {number} job
 * @param {number} kind
 * @param {number} cause
 * @param {number} reason
 */
export function event_of_job(job, kind, cause, reason) {
  const slot = slotOf(job);
  const type = /** @type {string} */ (JOB_EVENTS[kind]);
  addEvent(slot, type, jobPayload(slot, type, reason), cause);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} type
 * @param {number} reason
 */
function jobPayload(slot, type, reason) {
  const jobId = slot.id;
  switch (type) {
    case 'job_completed':
    case 'job_failed':
      return { jobId, status: slot.change.status };
    case 'job_paused':
      return reason < 0 ? { jobId } : pausePayload(slot, PAUSE_REASONS[reason]);
    case 'permissions_changed':
      return { jobId, permissions: { ...slot.change.permissions } };
    case 'breakpoints_changed':
      return { jobId, steps: [...slot.change.run.breakpoints] };
    case 'slow_play_changed':
      return { jobId, ms: slot.change.run.paceMs };
    case 'job_created':
      return beginning(slot);
    default:
      return { jobId };
  }
}

/**
 * Where a limit is shared in a tree, what a replay can't know of the job alone: how many steps of descendants count,
 * or whose limit is reached.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} reason
 */
function pausePayload({ id, change, record }, reason) {
  /** @type {any} */
  const payload = { jobId: id, reason };
  if (reason !== 'step_limit') return payload;
  const { taken } = record.run?.treeSteps ?? {};
  const { message } = change.run.pause;
  if (taken !== undefined) payload.treeSteps = taken;
  if (message !== undefined) payload.message = message;
  return payload;
}

/**
 * What a replay starts from.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
function beginning(slot) {
  const job = slot.change.origin ?? slot.record;
  const permissions = slot.change.permissions ?? job.permissions;
  const plan = job.run?.plan;
  const context = { ...job.context };
  /** @type {any} */
  const payload =
    plan === undefined
      ? { jobId: slot.id, permissions, context }
      : { jobId: slot.id, permissions, context, plan };
  const slowPlayMs = slot.change.run?.slowPlayMs ?? job.run?.slowPlayMs;
  if (slowPlayMs !== undefined) payload.slowPlayMs = slowPlayMs;
  return payload;
}

/**
 * @param {number} job
 * @param {number} kind
 * @param {number} cause
 * @param {number} step
 * @param {number} attempt
 * @param {number} status
 */
export function event_of_step(job, kind, cause, step, attempt, status) {
  addStepEvent(slotOf(job), kind, cause, step, attempt, status);
}

/**
 * An output is in history whole, and on the bus not at all.
 *
 * @param {number} job
 * @param {number} kind
 * @param {number} cause
 * @param {number} step
 * @param {number} attempt
 * @param {number} status
 * @param {unknown} output
 * @param {number} cost
 */
export function event_of_output(job, kind, cause, step, attempt, status, output, cost) {
  const slot = slotOf(job);
  addStepEvent(slot, kind, cause, step, attempt, status);
  keepQuiet(slot, Number.isNaN(cost) ? { output } : { output, cost });
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} kind
 * @param {number} cause
 * @param {number} step
 * @param {number} attempt
 * @param {number} status
 */
function addStepEvent(slot, kind, cause, step, attempt, status) {
  const { id, agent, item } = slot.stepAt(step);
  /** @type {any} */
  const payload =
    agent === undefined
      ? { jobId: slot.id, step: id, attempt, status: STEP_STATUSES[status] }
      : { jobId: slot.id, step: id, agent, attempt, status: STEP_STATUSES[status] };
  if (item !== undefined) payload.item = item;
  const type = (item === undefined ? undefined : ITEM_EVENTS[kind]) ?? STEP_EVENTS[kind];
  addEvent(slot, /** @type {string} */ (type), payload, cause);
  if (slot.record.run?.plan === undefined) keepRouted(slot, id);
}

/**
 * The first event of a step that a router asked for says what it answered.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} id
 */
function keepRouted(slot, id) {
  const { change, record } = slot;
  const before = record.run?.steps?.[id];
  if (before?.seq !== undefined) return;
  if (change.events.slice(0, -1).some((/** @type {any} */ { payload }) => payload.step === id)) return;
  const routed = change.routed?.id === id ? change.routed.answer : before?.routed;
  if (routed !== undefined) keepQuiet(slot, { routed });
}

/** @param {import('./slots.js').JobSlot} slot */
function latest({ change }) {
  return /** @type {NotedEvent} */ (change.events[change.events.length - 1]);
}

/**
 * What is in history and not on the bus.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {Record<string, unknown>} more
 */
function keepQuiet(slot, more) {
  const event = latest(slot);
  event.more = event.more === null ? more : { ...event.more, ...more };
  return event;
}

/**
 * What is in history and on the bus.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {object} more
 */
function say(slot, more) {
  Object.assign(latest(slot).payload, more);
}

/**
 * @param {number} job
 * @param {string} name
 * @param {unknown} payload
 */
export function event_signal(job, name, payload) {
  const slot = slotOf(job);
  addEvent(slot, 'signal_received', { jobId: slot.id, name }, Number.NaN);
  const { seq } = keepQuiet(slot, { payload });
  slot.change.run.signals.push({ name, payload, seq });
}

/**
 * The list of a step that is done for each of its items.
 *
 * @param {number} job
 * @param {unknown[]} items
 */
export function event_items(job, items) {
  const slot = slotOf(job);
  const event = keepQuiet(slot, { items });
  slot.keepList(event.payload.step, items);
}

/**
 * @param {number} job
 * @param {number} round of a step that is repeated, from 1
 */
export function event_round(job, round) {
  say(slotOf(job), { round });
}

/**
 * @param {number} job
 * @param {number} dueAt when a wait is over at the latest; NaN where nothing says
 */
export function event_due(job, dueAt) {
  if (!Number.isNaN(dueAt)) say(slotOf(job), { dueAt });
}

/**
 * What the caller gave is kept for every attempt at the step.
 *
 * @param {number} job
 * @param {unknown} input
 */
export function event_input(job, input) {
  const slot = slotOf(job);
  const event = keepQuiet(slot, { input });
  changedStep(slot, event.payload.step).input = input;
}

/**
 * @param {number} job
 * @param {number} code
 * @param {string} message
 * @param {number} retryAt
 * @param {number} asked how long the agent asked to wait where the plan says less, -1 where it asked for no other attempt
 */
export function event_error(job, code, message, retryAt, asked) {
  const slot = slotOf(job);
  say(slot, { error: { code: codeAt(code).name, message } });
  if (!Number.isNaN(retryAt)) say(slot, { retryAt });
  if (asked === -1) say(slot, { retryable: false });
  else if (!Number.isNaN(asked)) say(slot, { retryAfter: asked });
}

/**
 * The request may be withdrawn with the same commit.
 *
 * @param {number} job
 * @param {string} id
 * @param {number} step
 * @param {number} toolCall
 */
export function event_approval(job, id, step, toolCall) {
  const slot = slotOf(job);
  const { tool, args } = slot.requests.get(step)?.[toolCall] ?? {};
  say(slot, { approval: id });
  if (tool !== undefined) say(slot, { tool, args: cloneJson(args) });
}

/**
 * @param {number} job
 * @param {string} approval
 * @param {string | undefined} by
 * @param {string | undefined} note
 */
export function event_decision(job, approval, by, note) {
  const slot = slotOf(job);
  const event = latest(slot);
  say(slot, { approval });
  if (by !== undefined) say(slot, { by });
  if (note !== undefined) say(slot, { [event.type === 'step_approved' ? 'note' : 'reason']: note });
  const asked = slot.record.run.approvals.find((/** @type {any} */ waiting) => waiting.id === approval);
  if (event.type !== 'step_approved' || asked?.tool === undefined) return;
  const { step, item } = event.payload;
  const state = changedStep(slot, item === undefined ? step : itemId(step, item));
  state.grants = [...(state.grants ?? []), { tool: asked.tool, args: asked.args, by: by ?? 'unknown' }];
}

/**
 * An agent's own event.
 *
 * @param {number} job
 * @param {number} cause
 * @param {{ type: string, payload: unknown, source: string }} emitted
 */
export function event_emitted(job, cause, { type, payload, source }) {
  addEvent(slotOf(job), type, payload, cause, source);
}
