// What the host supplies: where jobs are kept, who hears of them, and who does the work.

import type { ConflictError } from './errors.js';
import type { Job, JobEvent, JobPermissions, JobStatus, RunState, StepState, TraceContext } from './jobs.js';
import type { Plan } from './plans.js';

/** A value, or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/**
 * Where jobs are kept. Two methods are enough.
 *
 * A store that has `commit` is sent only what changed, and must apply it atomically or not at all.
 *
 * @example
 * const jobs = new Map();
 * const store = { saveJob: (job) => void jobs.set(job.id, job), getJob: (id) => jobs.get(id) ?? null };
 */
export interface JobStore {
  /** Keeps the job as it is now. What it rejects with, the caller of the operation gets; nothing has changed then. */
  saveJob(job: Job): Awaitable<unknown>;
  /** The job, or null. Nothing that it returns is changed. */
  getJob(jobId: string): Awaitable<Job | null | undefined>;
  /** Heads in order of creation; `cursor` is the last id of the page before; no limit means all. */
  listJobs?(filter?: JobFilter): Awaitable<JobHead[]>;
  getHead?(jobId: string): Awaitable<JobHead | null>;
  /** Resolves with a fencing token, or null where another owner holds the lease. `ms`: milliseconds. */
  acquireLease?(jobId: string, owner: string, ms: number): Awaitable<number | null>;
  renewLease?(jobId: string, token: number, ms: number): Awaitable<boolean>;
  releaseLease?(jobId: string, token: number): Awaitable<unknown>;
  /** Shared by every orchestrator on the store. */
  getControl?(): Awaitable<{ paused: boolean } | null>;
  setControl?(control: { paused: boolean }): Awaitable<unknown>;
  /** Events numbered after `afterSeq`, at most `limit` of them. */
  getEvents?(jobId: string, afterSeq: number, limit: number): Awaitable<JobEvent[]>;
  deleteJob?(jobId: string): Awaitable<unknown>;
  /** Removes jobs that ended before `endedBefore`, or only their history with `keepJob`. Resolves with how many. */
  prune?(options: { endedBefore: number; keepJob?: boolean }): Awaitable<number>;
  /** Rejects with a {@link ConflictError} when `expectedRevision` is not the stored one. */
  commit?(change: JobChange): Awaitable<unknown>;
  /**
   * Tells, until the function that it resolves with is called, what others change in the store: other processes, other
   * tabs, other stores opened on the same data. What this store itself was asked to change may be told too; without
   * that, orchestrators that share the store hear of each other late. It only makes early what is otherwise found by
   * asking, so a notice may come twice, late, or out of order.
   */
  watch?(listener: (notice: StoreNotice) => void): Awaitable<() => Awaitable<unknown>>;
}

/**
 * What a store tells its watchers. `job`: a job was written, and `revision` is its new one. `control`: what `getControl`
 * answers has changed. `missed`: anything may have changed, as after a broken connection.
 */
export type StoreNotice =
  | { type: 'job'; jobId: string; parentId?: string; status: JobStatus; revision: number }
  | { type: 'control' }
  | { type: 'missed' };

/** What one commit changes. */
export interface JobChange {
  jobId: string;
  /** 0 for a new job; the stored `run.revision` becomes this plus one. */
  expectedRevision: number;
  /** Of the lease this commit is made under; a stale one is refused with a {@link ConflictError}. */
  fencingToken?: number;
  /** Always whole, always small. */
  head: JobHead;
  /** Once, when the job is created. */
  plan?: Plan;
  /** Only those that changed. */
  steps?: Record<string, StepState>;
  /** Top-level keys that changed. */
  context: Record<string, unknown>;
  /** To append. */
  events: JobEvent[];
}

/** A job without what grows: context, history, plan, steps. */
export type JobHead = Omit<Job, 'context' | 'history' | 'run'> & { run?: Omit<RunState, 'plan' | 'steps'> };

/** Which jobs to list. What is not given does not restrict. */
export interface JobFilter {
  status?: JobStatus | JobStatus[];
  parentId?: string;
  /** Ended, and its budget is not settled. May be ignored. */
  unsettled?: boolean;
  limit?: number;
  /** The last id of the page before. */
  cursor?: string;
}

/** Is told what happens. `emit` is not awaited, and what it throws never fails the operation that emitted. */
export interface EventBus {
  emit(type: string, payload: unknown): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: foreign buses hand their handlers what they like
  on?(type: string, handler: (event: any) => unknown): unknown;
}

/** Says whether a job may spend. Amounts are in the user's unit: tokens, cents, energy. */
export interface BudgetManager {
  canSpend(scopeId: string, estimatedCost?: number): Awaitable<{ success: boolean; error?: string }>;
  recordSpend?(scopeId: string, amount: number, metadata?: object): Awaitable<unknown>;
  allocate?(
    fromScopeId: string,
    toScopeId: string,
    amount: number,
  ): Awaitable<{ success: boolean; error?: string }>;
  /** Holds an amount before a step. Used for steps, with `settle` and `release`, when all three exist. */
  reserve?(scopeId: string, amount: number, key: string): Awaitable<{ success: boolean; error?: string }>;
  /** Replaces what was held by the step's actual cost. */
  settle?(scopeId: string, key: string, actual: number): Awaitable<unknown>;
  /** Gives back what was held for a step that never ran. A key that holds nothing does no harm. */
  release?(scopeId: string, key: string): Awaitable<unknown>;
  /** Sets a scope's limit: a job's that is created with `budget` and has no parent. */
  setBudget?(scopeId: string, limit: number): Awaitable<unknown>;
  /** Says whose child a scope is, before it is stored. */
  setParent?(childScopeId: string, parentScopeId: string): Awaitable<unknown>;
  /**
   * Gives back to the parent what a child was allocated and has neither spent nor reserved: asked when the child has
   * ended or was not stored, and again by `recover` where it failed or a crash came between. Twice must do no harm.
   */
  reclaim?(childScopeId: string): Awaitable<unknown>;
}

/** Is told how long jobs and steps took, in milliseconds. */
export interface PerformanceMonitor {
  /** Once per job that ends. */
  recordJobDuration(jobId: string, durationMs: number, tags: { status: JobStatus }): unknown;
  /**
   * Once per step: tags are `{ jobId, step, agent, status }`. And when a job is found stalled, status "stalled": how
   * long its step has been running until now.
   */
  recordLatency?(durationMs: number, tags?: object): unknown;
}

/** A Map, a plain object, or anything with `get(name)`: in a plain object no agent can be called `get`. */
export type AgentRegistry =
  | { get(name: string): Agent | AgentFn | null | undefined }
  | Record<string, Agent | AgentFn>;

/** What an agent may answer instead of its plain output. */
export type AgentResult<O> =
  | O
  | { success: true; data: O; cost?: number }
  | { success: false; error: unknown };

/**
 * Does one step. Agents run at least once: after a crash, again with the same `idempotencyKey`.
 *
 * @example
 * const summarise = {
 *   metadata: { description: 'Sums a text up', cost: 3 },
 *   async execute(input, { signal }) {
 *     return await model.complete(`Sum up: ${input}`, { signal });
 *   },
 * };
 */
// biome-ignore lint/suspicious/noExplicitAny: an agent that says nothing of its types takes and gives anything
export interface Agent<I = any, O = any, C extends object = Record<string, unknown>> {
  metadata?: {
    name?: string;
    description?: string;
    version?: string;
    /** zod, valibot, arktype, or anything that keeps to Standard Schema. */
    inputSchema?: StandardSchema;
    /** What it refuses fails the step with code "invalid_output". */
    outputSchema?: StandardSchema;
    /** Estimate, in the budget's unit. */
    cost?: number;
  };
  execute(input: I, context: AgentContext<C>): Awaitable<AgentResult<O>>;
}

/** An agent that is only its `execute`. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export type AgentFn<I = any, O = any, C extends object = Record<string, unknown>> = Agent<I, O, C>['execute'];

/** See standardschema.dev. */
export interface StandardSchema {
  // biome-ignore lint/suspicious/noExplicitAny: each library has its own result type
  readonly '~standard': { validate(value: unknown): any };
}

/** What an agent gets beside its input. */
export interface AgentContext<C extends object = Record<string, unknown>> {
  readonly jobId: string;
  readonly step: string;
  /** Which item of a `forEach` it is, from 0. */
  readonly item?: number;
  /** From 1. */
  readonly attempt: number;
  /** The same for every attempt at the same step, item and round of the same job; give it to services that must not act twice. */
  readonly idempotencyKey: string;
  /** The job's context, read-only. */
  readonly context: Readonly<C>;
  /** A frozen copy. */
  readonly permissions: Readonly<JobPermissions>;
  /** Fires on cancel, timeout and close. */
  readonly signal: AbortSignal;
  readonly trace: TraceContext;
  /**
   * The one way to a tool. Rejects with an error whose `code` is "tools_denied" unless the job allows tools and
   * the step grants this one, and "approval_required" where a person has to agree first: the step then runs again.
   *
   * @example
   * const text = await callTool('readFile', { path: 'package.json' });
   */
  callTool(name: string, args?: unknown): Promise<unknown>;
  /**
   * Records an event in the job's history and sends it on the bus, with this step as its cause.
   *
   * @example
   * emit('progress', { done: 40, of: 120 });
   */
  emit(type: string, payload?: unknown): void;
}

/** Something an agent may call, where the job allows tools and the step grants it. */
export interface Tool {
  description?: string;
  inputSchema?: StandardSchema;
  /** Does this call need a person? Beside the job's `requireApproval`. */
  // biome-ignore lint/suspicious/noExplicitAny: the tool knows its arguments
  needsApproval?: boolean | ((args: any, context: AgentContext) => Awaitable<boolean>);
  // biome-ignore lint/suspicious/noExplicitAny: the tool knows its arguments
  execute(args: any, context: AgentContext): unknown;
}

/** What a router decides: an agent's name, the same with more said, or null when the job is done. */
export type Route = string | { agent: string; input?: unknown; tools?: string[]; cost?: number } | null;

export interface Logger {
  debug?(...args: unknown[]): void;
  info?(...args: unknown[]): void;
  warn?(...args: unknown[]): void;
  error?(...args: unknown[]): void;
}

export interface Clock {
  /** Unix epoch milliseconds. */
  now(): number;
  /** Milliseconds. Ends early, with a rejection, when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What an orchestrator works on. Everything has a default, and null counts as not given. */
export interface OrchestratorDeps {
  /** Default: the bundled in-memory store. */
  store?: JobStore | null;
  /** Default: the bundled bus. */
  eventBus?: EventBus | null;
  /** Default: no limit. */
  budgetManager?: BudgetManager | null;
  performanceMonitor?: PerformanceMonitor | null;
  agentRegistry?: AgentRegistry | null;
  tools?: Record<string, Tool | Tool['execute']> | null;
  /** Routes jobs without a plan. Its answers are recorded. */
  router?: ((job: Readonly<Job>, input: unknown) => Awaitable<Route>) | null;
  /** Default: UUIDs made by the engine. */
  generateId?: (() => string) | null;
  /** Default: `Date.now` and `setTimeout`. */
  clock?: Clock | null;
  /** Milliseconds before each step. Default: 0. */
  slowPlayMs?: number | null;
  /**
   * After how many milliseconds without progress a running job is found stalled, unless it waits for a timer, a signal,
   * a person or another job. Default: 300,000.
   */
  stalledMs?: number | null;
  /**
   * For how many milliseconds a job that is run here is reserved for this orchestrator, from each renewal on: how long
   * others wait before they take up what a dead one left. Renewed three times in that time, by the store's clock; stores
   * with leases only. Default: 30,000.
   */
  leaseMs?: number | null;
  logger?: Logger | null;
}
