// @ts-check
import { spanIdOf } from './ids.js';
import { JOB_EVENTS, JOB_STATUSES, PAUSE_REASONS, STEP_EVENTS, STEP_STATUSES } from './names.js';
import { codeAt } from './outcome.js';
import { slotOf } from './slots.js';

/**
 * What the core decided, as it is told: the parts of a job that the next commit replaces. See store.js.
 *
 * @typedef {object} Change
 * @property {string} status
 * @property {number} expectedRevision
 * @property {number} stepsTaken
 * @property {{ created: number, started?: number, completed?: number }} timing
 * @property {any} origin what a new job is made of; null where the job exists
 * @property {any} permissions
 * @property {Record<string, any> | null} run parts of the head's `run` that changed; undefined takes one away
 * @property {{ id: string, answer: any } | undefined} routed a step that a router asked for
 * @property {Map<string, any> | null} steps
 * @property {Map<string, unknown> | null} context
 * @property {Map<number, unknown> | null} outputs
 * @property {any[]} events
 * @property {any[]} payloads what the bus is told of each event
 * @property {number} now
 */

const BREAKPOINT_PASSED = 1;
const INTERRUPTED = 2;

/**
 * @param {number} job
 * @param {number} status
 * @param {number} expectedRevision
 * @param {number} stepsTaken
 * @param {number} created
 */
export function change_begin(job, status, expectedRevision, stepsTaken, created) {
  const slot = slotOf(job);
  slot.change = {
    status: JOB_STATUSES[status],
    expectedRevision,
    stepsTaken,
    timing: { created },
    origin: null,
    permissions: undefined,
    run: null,
    routed: undefined,
    steps: null,
    context: null,
    outputs: null,
    events: [],
    payloads: [],
    now: slot.engine.now(),
  };
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
 */
export function change_slow_play(job, ms) {
  runOf(slotOf(job)).slowPlayMs = ms;
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
  return { id, step: what.id, agent: what.agent, ...(toolCall < 0 ? undefined : slot.requests[toolCall]) };
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
 */
export function change_step(job, step, status, attempts, seq, startedAt, finishedAt, dueAt, flags) {
  const slot = slotOf(job);
  const { change } = slot;
  const id = stepId(slot, step);
  /** @type {any} */
  const state = { status: STEP_STATUSES[status], attempts };
  if (!Number.isNaN(seq)) state.seq = seq;
  if (!Number.isNaN(startedAt)) state.startedAt = startedAt;
  if (!Number.isNaN(finishedAt)) state.finishedAt = finishedAt;
  if (!Number.isNaN(dueAt)) state.dueAt = dueAt;
  if ((flags & BREAKPOINT_PASSED) !== 0) state.breakpointPassed = true;
  if ((flags & INTERRUPTED) !== 0) state.interrupted = true;
  const before = slot.record?.run?.steps?.[id];
  const routed = change.routed?.id === id ? change.routed.answer : before?.routed;
  if (routed !== undefined) state.routed = routed;
  if (Number.isNaN(finishedAt)) {
    // What only an attempt that is still to come needs.
    if (before?.grants !== undefined) state.grants = before.grants;
    if (before !== undefined && 'input' in before) state.input = before.input;
  }
  change.steps ??= new Map();
  change.steps.set(id, state);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} step
 */
function stepId(slot, step) {
  const plan = slot.record.run?.plan;
  return plan === undefined ? (slot.change.routed?.id ?? slot.routedIdAt(step)) : plan.steps[step].id;
}

/**
 * @param {number} job
 * @param {number} step
 * @param {string} by
 */
export function change_step_approved(job, step, by) {
  const slot = slotOf(job);
  slot.change.steps.get(stepId(slot, step)).approvedBy = by;
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} code
 * @param {string} message
 */
export function change_step_error(job, step, code, message) {
  const slot = slotOf(job);
  slot.change.steps.get(stepId(slot, step)).error = { code: codeAt(code).name, message };
}

/**
 * @param {number} job
 * @param {number} step
 * @param {unknown} value
 */
export function change_context(job, step, value) {
  const slot = slotOf(job);
  const { change } = slot;
  change.context ??= new Map();
  change.context.set(slot.stepAt(step).into, value);
  change.outputs ??= new Map();
  change.outputs.set(step, value);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} type
 * @param {any} payload
 * @param {number} cause
 * @param {string} [source]
 */
function addEvent(slot, type, payload, cause, source = 'jobwright') {
  const { change } = slot;
  const seq = slot.seq + change.events.length + 1;
  const { traceId } = slot;
  const spanId = spanIdOf(traceId, seq);
  const trace = !Number.isNaN(cause)
    ? { traceId, spanId, parentId: spanIdOf(traceId, cause) }
    : { traceId, spanId };
  change.events.push({ id: spanId, seq, type, payload, trace, meta: { timestamp: change.now, source } });
  change.payloads.push(payload);
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
      return reason < 0 ? { jobId } : { jobId, reason: PAUSE_REASONS[reason] };
    case 'permissions_changed':
      return { jobId, permissions: slot.change.permissions };
    case 'job_created':
      return beginning(slot);
    default:
      return { jobId };
  }
}

/**
 * What a replay starts from.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
function beginning(slot) {
  const job = slot.change.origin ?? slot.record;
  const permissions = slot.change.permissions ?? job.permissions;
  /** @type {any} */
  const payload = { jobId: slot.id, permissions, context: { ...job.context } };
  if (job.run?.plan !== undefined) payload.plan = job.run.plan;
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
  const slot = slotOf(job);
  const { id, agent } = slot.stepAt(step);
  const payload = { jobId: slot.id, step: id, agent, attempt, status: STEP_STATUSES[status] };
  addEvent(slot, /** @type {string} */ (STEP_EVENTS[kind]), payload, cause);
}

/** @param {import('./slots.js').JobSlot} slot */
function latest(slot) {
  const { events, payloads } = slot.change;
  return {
    event: events.at(-1),
    set: (/** @type {any} */ payload) => (payloads[payloads.length - 1] = payload),
  };
}

/**
 * What the caller gave is kept for every attempt at the step.
 *
 * @param {number} job
 * @param {unknown} input
 */
export function event_input(job, input) {
  const slot = slotOf(job);
  const { event } = latest(slot);
  event.payload = { ...event.payload, input };
  slot.change.steps.get(event.payload.step).input = input;
}

/**
 * An output is in history whole, and on the bus not at all.
 *
 * @param {number} job
 * @param {unknown} output
 * @param {number} cost
 */
export function event_output(job, output, cost) {
  const { event } = latest(slotOf(job));
  event.payload = { ...event.payload, output };
  if (!Number.isNaN(cost)) event.payload.cost = cost;
}

/**
 * @param {number} job
 * @param {number} code
 * @param {string} message
 * @param {number} retryAt
 */
export function event_error(job, code, message, retryAt) {
  const { event } = latest(slotOf(job));
  event.payload.error = { code: codeAt(code).name, message };
  if (!Number.isNaN(retryAt)) event.payload.retryAt = retryAt;
}

/**
 * @param {number} job
 * @param {number} place in the list of approvals
 */
export function event_approval(job, place) {
  const slot = slotOf(job);
  const { id, tool, args } = slot.change.run.approvals[place];
  const { event } = latest(slot);
  event.payload.approval = id;
  if (tool !== undefined) Object.assign(event.payload, { tool, args });
}

/**
 * @param {number} job
 * @param {string} approval
 * @param {string | undefined} by
 * @param {string | undefined} note
 */
export function event_decision(job, approval, by, note) {
  const slot = slotOf(job);
  const { event } = latest(slot);
  event.payload.approval = approval;
  if (by !== undefined) event.payload.by = by;
  if (note !== undefined) event.payload[event.type === 'step_approved' ? 'note' : 'reason'] = note;
  const asked = slot.record.run.approvals.find((/** @type {any} */ waiting) => waiting.id === approval);
  if (event.type !== 'step_approved' || asked?.tool === undefined) return;
  const state = slot.change.steps.get(event.payload.step);
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
