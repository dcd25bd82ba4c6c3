// @ts-check

// In the order of the core's codes.
export const JOB_STATUSES = /** @type {const} */ (['created', 'running', 'paused', 'completed', 'failed']);
export const OVERALL_STATUSES = /** @type {const} */ (['running', 'completed', 'failed', 'cancelled']);
export const STEP_STATUSES = /** @type {const} */ ([
  'pending',
  'waiting',
  'running',
  'done',
  'failed',
  'skipped',
]);
export const PAUSE_REASONS = /** @type {const} */ ([
  'approval',
  'budget',
  'step_limit',
  'breakpoint',
  'user',
  'parent',
  'global',
]);

export const JOB_EVENTS = /** @type {const} */ ([
  'job_created',
  'job_started',
  'job_paused',
  'job_completed',
  'job_failed',
  'permissions_changed',
  'breakpoints_changed',
  'slow_play_changed',
]);

export const STEP_EVENTS = /** @type {const} */ ([
  'step_started',
  'step_completed',
  'step_failed',
  'approval_requested',
  'step_approved',
  'step_rejected',
  'step_recovered',
  'late_result_dropped',
  'step_skipped',
  'round_completed',
  'step_suspended',
]);

/** What happens to one item of a step has another name. */
export const ITEM_EVENTS = /** @type {const} */ (['item_started', 'item_completed', 'item_failed']);

/** In history and nowhere else. */
export const HISTORY_ONLY = new Set(['job_created', 'job_forked', 'late_result_dropped']);

/** On the bus, and in no history. */
export const BUS_ONLY = new Set([
  'job_stalled',
  'job_recovered',
  'job_status_change',
  'parent_job_progress',
  'child_job_stats',
]);

/** What only the engine says; an agent's own events have other names. */
export const ENGINE_EVENTS = new Set([
  ...JOB_EVENTS,
  ...STEP_EVENTS,
  ...ITEM_EVENTS,
  ...BUS_ONLY,
  'job_forked',
  'signal_received',
]);
