// What operations answer.

/**
 * What an operation answers. Expected refusals are values, not exceptions: `error` is a sentence for people,
 * `code` is for programs.
 *
 * `code` and `details` are not enumerable, so a refusal is deep-equal to `{ success: false, error }`. Where the
 * budget manager refuses, its own object is returned as it is, the same reference.
 *
 * @example
 * const outcome = await orchestrator.startJob(jobId);
 * if (!outcome.success) console.error(outcome.code, outcome.error);
 */
// biome-ignore lint/complexity/noBannedTypes: an outcome that carries nothing more
export type Outcome<T extends object = {}> = ({ success: true } & T) | Refusal;

/** The answer of an operation that changed nothing, or that could not go on. */
export interface Refusal {
  success: false;
  /** A sentence for people. */
  error: string;
  /** For programs. Not enumerable. A refusal of your own budget manager has it where that gave it one. */
  readonly code: OutcomeCode;
  /** Not enumerable. */
  readonly details?: unknown;
}

/** Why an operation was refused, or why a job failed. */
export type OutcomeCode =
  /** "Job not found" */
  | 'not_found'
  /** "Invalid state transition"; from `pauseJob` "Only running jobs can be paused" */
  | 'invalid_transition'
  /** "Job not running" */
  | 'not_running'
  | 'budget_exceeded'
  /** "Approval required" */
  | 'approval_required'
  /** A person rejected the step. */
  | 'rejected'
  /** "Step limit reached" */
  | 'step_limit'
  | 'tools_denied'
  | 'no_plan'
  | 'invalid_plan'
  | 'unknown_agent'
  | 'unknown_step'
  | 'agent_failed'
  | 'timeout'
  | 'cancelled'
  | 'invalid_output'
  /** Another process committed first, and trying again did not help. */
  | 'conflict'
  /** The orchestrator was closed, or failed internally. */
  | 'closed'
  | 'globally_paused'
  /** Not a job that can be monitored. */
  | 'invalid_job'
  /** The store, or where this runs, lacks what this call needs. */
  | 'unsupported';
