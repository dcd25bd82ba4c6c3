// What operations of the orchestrator are given, and tell.

import type { JobStatus, StepState } from './jobs.js';
import type { Orchestrator } from './orchestrator.js';
import type { ReadonlyPlan } from './plans.js';

export interface CreateJobOptions {
  /** The caller's own id makes creating idempotent: for one that exists, `createJob` rejects with code "conflict". */
  id?: string;
  /** Stored with the job: a newer plan never changes a job in flight. */
  plan?: ReadonlyPlan;
  type?: string;
  /** With `shareSteps: true`, the job's `maxSteps` bounds its own steps and those of all its descendants together. */
  config?: Record<string, unknown> & { shareSteps?: boolean };
  parentId?: string;
  /**
   * Allocated from the parent's scope, to which what is left of it returns when the job has ended, or set where the
   * manager has `setBudget`.
   */
  budget?: number;
  /** Milliseconds before each step of this job. */
  slowPlayMs?: number;
}

/** What became of one step. */
export interface StepReport {
  id: string;
  agent?: string;
  status: StepState['status'];
  output?: unknown;
  attempts: number;
  durationMs: number;
}

/** What {@link Orchestrator.health} resolves with. */
export interface Health {
  /** How many jobs have each status. */
  jobs: Record<JobStatus, number>;
  /** The ids of the running jobs that have made no progress for `stalledMs`, and wait for nothing. */
  stalled: string[];
  /**
   * The step that has been running the longest since its first attempt, of the jobs that run here and of those that have
   * done nothing for `stalledMs`. An item of a `forEach` is named as in `files[3]`.
   */
  oldestStep?: { jobId: string; step: string; runningMs: number };
  /** How many jobs' children are followed here. */
  monitors: number;
}

/** Names the request that a person answers. Without `step`, the one that is waiting. */
export interface ApprovalAnswer {
  /** Who answers; recorded. */
  by?: string;
  step?: string;
  /** The id of one of `run.approvals`. */
  approval?: string;
}

/** How to follow a parent's children. Times are in milliseconds. */
export interface MonitorOptions {
  /** Ends the monitoring, and the parent as cancelled. */
  signal?: AbortSignal;
  /** How often the store is asked, whether or not events came. Default: 5,000. */
  pollMs?: number;
  /** How long the children may take together. Default: 1,800,000, half an hour. */
  timeoutMs?: number;
  /** How long the first child may take to appear. Default: 30,000. */
  noChildrenMs?: number;
  /** How many children may fail before their parent does. Default: 0. */
  maxFailedChildren?: number;
}

/** How many children of a job stand where. One that is paused counts as running. */
export interface ChildStats {
  total: number;
  pending: number;
  running: number;
  completed: number;
  failed: number;
  cancelled: number;
  /** "66 pending, 1 running, 41 completed, 0 failed", and how many were cancelled where some were. */
  progressText: string;
  /** "running" while any child has not ended or there is none; then "failed" where any failed, "cancelled" where all were. */
  overallStatus: 'running' | 'completed' | 'failed' | 'cancelled';
}

/** The payload of `parent_job_progress` and `child_job_stats`. */
export interface ChildProgress extends ChildStats {
  jobId: string;
  /**
   * By the children's weights: `config.weight`, 1 where it is no number of at least 0. `fraction` never goes down, and is
   * null where nobody knows: before the first child, and while the parent's own steps may still make more.
   */
  progress: { done: number; total: number; fraction: number | null };
}
