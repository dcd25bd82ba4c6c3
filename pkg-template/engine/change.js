// @ts-check
import { withOwed } from './accounts.js';
import { JOB_STATUSES, PAUSE_REASONS } from './names.js';
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

/**
 * @param {number} job
 * @param {number} status
 * @param {number} expectedRevision
 * @param {number} stepsTaken
 * @param {number} created
 * @param {number} started
 * @param {number} completed
 * @param {number} now when it was decided
 * @param {boolean} fenced
 */
export function change_begin(
  job,
  status,
  expectedRevision,
  stepsTaken,
  created,
  started,
  completed,
  now,
  fenced,
) {
  const slot = slotOf(job);
  slot.change = {
    status: JOB_STATUSES[status],
    expectedRevision,
    stepsTaken,
    timing: timingOf(created, started, completed),
    fenced,
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

/**
 * @param {number} created
 * @param {number} started
 * @param {number} completed
 */
function timingOf(created, started, completed) {
  if (Number.isNaN(started)) return Number.isNaN(completed) ? { created } : { created, completed };
  return Number.isNaN(completed) ? { created, started } : { created, started, completed };
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
  const { allocated, owed } = slot.record.run?.account ?? {};
  runOf(slot).account = {
    ...(allocated !== undefined && { allocated }),
    ...(open && owed !== undefined && { owed }),
    ...(!open && { closed: true }),
  };
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} round of the step, from 1
 * @param {number} cost NaN where it cost nothing
 */
export function change_owed(job, step, round, cost) {
  const slot = slotOf(job);
  const run = runOf(slot);
  run.account = withOwed(slot, run.account, slot.idempotencyKey(step, round), cost);
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
