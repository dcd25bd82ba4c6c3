// @ts-check
/**
 * What of jobs is shown where values are not: ids, names of steps, agents and tools, statuses, codes, times, counts,
 * costs and limits. Everything else is replaced by what says its type and length; what is not known is not shown.
 */
import { ENGINE_EVENTS } from '../../engine/names.js';

/**
 * @typedef {import('jobwright').Job} Job
 * @typedef {import('jobwright').JobHead} JobHead
 * @typedef {import('jobwright').JobEvent} JobEvent
 */

/** Members that say where something stands, and hold nothing that agents or people gave. */
const HEAD = ['id', 'status', 'permissions', 'timing', 'type', 'parentId'];
const RUN = [
  ...['schema', 'revision', 'seq', 'stepsTaken', 'breakpoints', 'slowPlayMs', 'paceMs'],
  ...['sharedBy', 'treeSteps', 'account', 'forkedFrom'],
];
const STEP_STATE = [
  ...['status', 'attempts', 'startedAt', 'finishedAt', 'dueAt', 'items', 'fanOut', 'round', 'childId', 'seq'],
];
const REQUEST = ['id', 'step', 'item', 'tool', 'agent'];
const EVENT = ['id', 'seq', 'type', 'trace', 'meta'];
const PAYLOAD = [
  ...[
    'jobId',
    'step',
    'agent',
    'attempt',
    'status',
    'item',
    'round',
    'dueAt',
    'cost',
    'retryAt',
    'retryable',
  ],
  ...['retryAfter', 'approval', 'tool', 'ms', 'steps', 'slowPlayMs', 'permissions', 'treeSteps', 'name'],
  ...['code', 'afterStep', 'idleMs'],
];
const PLAN = ['name', 'version', 'concurrency'];
const STEP = [
  ...[
    'id',
    'agent',
    'after',
    'retry',
    'timeoutMs',
    'tools',
    'cost',
    'approval',
    'breakpoint',
    'onError',
    'into',
  ],
  'wait',
];

/** Refusals and errors whose sentences hold no values of a job. */
const PLAIN_CODES = new Set([
  ...[
    'not_found',
    'invalid_transition',
    'not_running',
    'approval_required',
    'step_limit',
    'no_plan',
    'closed',
  ],
  ...['unknown_step', 'conflict', 'globally_paused', 'unsupported', 'redacted'],
  ...['invalid_plan', 'invalid_argument'],
]);

/**
 * @param {unknown} value
 * @returns {any} a text in its place; nothing is worth hiding less than that there is nothing
 */
export function mark(value) {
  if (value === undefined || value === null) return value;
  if (typeof value === 'string') return `[hidden: text, ${value.length} characters]`;
  if (Array.isArray(value)) return `[hidden: list, ${value.length} items]`;
  if (typeof value === 'object') return `[hidden: object, ${Object.keys(value).length} members]`;
  return `[hidden: ${typeof value}]`;
}

/**
 * The members that are kept as they are; those that `special` names by what it gives; marks for all others.
 *
 * @param {any} object
 * @param {string[]} kept
 * @param {Record<string, (value: any) => unknown>} [special]
 * @returns {any}
 */
function only(object, kept, special = {}) {
  if (object === null || typeof object !== 'object' || Array.isArray(object)) return mark(object);
  const shown = Object.entries(object).map(([key, value]) => {
    if (value === undefined || value === null || kept.includes(key)) return [key, value];
    return [key, Object.hasOwn(special, key) ? special[key]?.(value) : mark(value)];
  });
  return Object.fromEntries(shown);
}

/** @param {any} object whose keys are shown */
const members = (object) => only(object, []);

/**
 * @param {any} list
 * @param {(item: any) => unknown} show
 */
const each = (list, show) => (Array.isArray(list) ? list.map(show) : mark(list));

/**
 * @param {any} object
 * @param {(value: any) => unknown} show
 */
const eachMember = (object, show) =>
  object === null || typeof object !== 'object'
    ? mark(object)
    : Object.fromEntries(Object.entries(object).map(([key, value]) => [key, show(value)]));

/** @param {any} problem */
const problem = (problem) => only(problem, ['code', 'step']);

/**
 * A plan keeps its shape; rules, and what agents and people are given, hold values.
 *
 * @param {any} plan
 * @returns {any}
 */
const hidePlan = (plan) => only(plan, PLAN, { steps: (steps) => each(steps, hideStep) });

/** @param {any} step @returns {any} */
const hideStep = (step) =>
  only(step, STEP, {
    approve: (approve) => only(approve, []),
    repeat: (repeat) => only(repeat, ['max']),
    job: (job) => only(job, ['permissions', 'budget'], { plan: hidePlan }),
  });

/** @param {any} run */
const hideRun = (run) =>
  only(run, RUN, {
    plan: hidePlan,
    steps: (steps) => eachMember(steps, (state) => only(state, STEP_STATE, { error: problem })),
    approvals: (requests) => each(requests, (request) => only(request, REQUEST)),
    signals: (signals) => each(signals, (signal) => only(signal, ['name', 'seq'])),
    pause: (pause) => only(pause, ['reason', 'step']),
    failure: problem,
  });

/** @param {any} job @returns {any} a job, or its head */
const hideJob = (job) =>
  only(job, HEAD, {
    context: members,
    config: members,
    run: hideRun,
    history: (history) => each(history, hideEvent),
  });

/** @param {any} event @returns {any} */
function hideEvent(event) {
  const isEngines = ENGINE_EVENTS.has(event?.type);
  /** @param {any} payload */
  const hidePayload = (payload) =>
    only(payload, event.type === 'job_paused' ? [...PAYLOAD, 'reason'] : PAYLOAD, {
      context: members,
      plan: hidePlan,
      items: (items) => each(items, mark),
      error: problem,
      forkedFrom: (origin) => only(origin, ['jobId', 'afterStep']),
    });
  return only(event, EVENT, { payload: isEngines ? hidePayload : mark });
}

/** @param {any} outcome */
function hideOutcome(outcome) {
  if (outcome.success !== false || PLAIN_CODES.has(outcome.code)) return outcome;
  return { success: false, error: mark(outcome.error), code: outcome.code };
}

/** @param {any} result of a replay */
const hideReplay = (result) => {
  const hide = (/** @type {any} */ value) =>
    typeof value?.type === 'string' ? hideEvent(value) : mark(value);
  return result.ok ? result : { ...result, expected: hide(result.expected), actual: hide(result.actual) };
};

/**
 * @param {{ code: string, message: string }} error
 */
const hideError = ({ code, message }) =>
  PLAIN_CODES.has(code) ? { code, message } : { code, message: mark(message) };

/** What every answer goes through. */
export const hiding = {
  /** @param {Job | JobHead | null} job */
  job: (job) => (job === null ? null : hideJob(job)),
  event: hideEvent,
  outcome: hideOutcome,
  replay: hideReplay,
  error: hideError,
  /** @param {Record<string, string>} reasons by job id */
  reasons: members,
};

/** The same where nothing is hidden. @type {typeof hiding} */
export const showing = {
  job: (job) => job,
  event: (event) => event,
  outcome: (outcome) => outcome,
  replay: (result) => result,
  error: (error) => error,
  reasons: (reasons) => reasons,
};
