// A job as it is stored, its events and its steps.

import type { OutcomeCode } from './outcomes.js';
import type { Plan } from './plans.js';

/** The five states of a job. A cancelled job is `failed`, with `run.failure.code` "cancelled". */
export type JobStatus = 'created' | 'running' | 'paused' | 'completed' | 'failed';

/** The five states by name. Frozen. */
export const JOB_STATUS: Readonly<{
  CREATED: 'created';
  RUNNING: 'running';
  PAUSED: 'paused';
  COMPLETED: 'completed';
  FAILED: 'failed';
}>;

/** What a job may do. What `createJob` is not told takes its default. */
export interface JobPermissions {
  /** May agents of this job call tools at all? Default of `createJob`: false. */
  allowTools: boolean;
  /** Must a person approve each step before it runs? Default of `createJob`: true. */
  requireApproval: boolean;
  /**
   * How many steps the job may run in its life. A retry of a step is not another step. Default of `createJob`: 10.
   *
   * @asType integer
   * @minimum 0
   * @maximum 9007199254740991
   */
  maxSteps: number;
}

/** Where an event stands in its job's trace, in the terms of W3C Trace Context. */
export interface TraceContext {
  /** The job's, the same for all its events: 32 hexadecimal digits. */
  traceId: string;
  /** The event's own: 16 hexadecimal digits. */
  spanId: string;
  /** The event that caused this one. Missing where nothing did. */
  parentId?: string;
}

/** One entry of `job.history`, and what the handlers of the bundled event bus receive. */
export interface JobEvent<P = unknown> {
  /** The same as `trace.spanId`. */
  id: string;
  /** 1, 2, 3, ... within the job, without gaps; a cursor for readers. */
  seq: number;
  /** A fact in the past tense, as `step_completed`. */
  type: string;
  payload: P;
  trace: TraceContext;
  meta: {
    /** Unix epoch milliseconds. */
    timestamp: number;
    source: string;
  };
}

/** A job as the store holds it. `C` is the type of its context. */
export interface Job<C extends object = Record<string, unknown>> {
  id: string;
  status: JobStatus;
  /** Shared memory of the steps. The engine never parses it; it only reads the paths a plan names. */
  context: C;
  permissions: JobPermissions;
  /** Every event of the job, in the order of the commits. */
  history: JobEvent[];
  /** Unix epoch milliseconds. */
  timing: { created: number; started?: number; completed?: number };
  /** Only on jobs that were created with it. */
  type?: string;
  /** Only on jobs that were created with it. */
  config?: Record<string, unknown>;
  /** Only on jobs that were created with it. */
  parentId?: string;
  /** Everything the engine itself has to remember. Absent on a job that has never needed it. */
  run?: RunState;
}

/** JSON, stable across releases within a major version, readable by a person in the database. */
export interface RunState {
  /** An unknown schema is refused with a clear error, never guessed at. */
  schema: 1;
  /** Rises by one with every commit; optimistic concurrency. */
  revision: number;
  /** The number of the job's last event. */
  seq: number;
  plan?: Plan;
  /** By step id; an item of a `forEach` stands under its own, as in `files[3]`. */
  steps?: Record<string, StepState>;
  stepsTaken?: number;
  /** Requests that wait for a person. */
  approvals?: ApprovalRequest[];
  /** Sent, not yet consumed. */
  signals?: { name: string; payload: unknown }[];
  breakpoints?: string[];
  /** The job's own pace. */
  slowPlayMs?: number;
  /** The pace of all jobs, as the latest `slow_play_changed` in the job's history has it. */
  paceMs?: number;
  /** The ancestors whose `shareSteps` the job's steps count against, the nearest first. */
  sharedBy?: string[];
  /** With `shareSteps`: how many steps its descendants took, and of the last of them up to which. */
  treeSteps?: { taken: number; last: { job: string; steps: number }[] };
  /**
   * What is settled with the budget manager when the job has ended; `closed` when that was done. `owed`: what it could not
   * be told of steps that ended, by their idempotency keys; without an `amount`, that they cost nothing.
   */
  account?: { allocated?: number; closed?: true; owed?: { key: string; amount?: number }[] };
  forkedFrom?: { jobId: string; afterStep: string };
  /** Why the job is paused. */
  pause?: { reason: PauseReason; step?: string; message?: string };
  /** Why the job failed. */
  failure?: { code: OutcomeCode; message: string; step?: string };
}

/**
 * "parent": the job was paused with the one whose step it is, and goes on with it. "global": it was paused with all
 * others, and `startAll` starts it again.
 */
export type PauseReason = 'user' | 'approval' | 'budget' | 'step_limit' | 'breakpoint' | 'global' | 'parent';

/** One request for a person's approval: of a step, or of one tool call in it. */
export interface ApprovalRequest {
  id: string;
  step: string;
  item?: number;
  /** The tool whose call needs approval; missing where the step itself does. */
  tool?: string;
  args?: unknown;
  agent?: string;
}

export interface StepState {
  /** Of a job that has ended, "pending" and "waiting" say that the step never began. */
  status: 'pending' | 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  /** How often the step's agent was called. */
  attempts: number;
  /** Who approved the step. */
  approvedBy?: string;
  /** Unix epoch milliseconds. */
  startedAt?: number;
  /** Unix epoch milliseconds. */
  finishedAt?: number;
  /** When a timer or a retry is due; Unix epoch milliseconds. */
  dueAt?: number;
  /** Of a `forEach`, by item: those that have begun. `getJob` and `runJob` fill it in. */
  items?: Record<number, 'done' | 'failed' | 'running'>;
  /** Of a `forEach`: how many items there are, and where they stand among the places of the job's steps. */
  fanOut?: { place: number; count: number };
  /** Of a `repeat`. */
  round?: number;
  /** Of a step that is a job. */
  childId?: string;
  error?: { code: OutcomeCode; message: string };
}
