/**
 * jobwright: a deterministic job orchestrator for agent workflows.
 *
 * Units: every time is in milliseconds; every timestamp is Unix epoch milliseconds.
 *
 * @packageDocumentation
 */

declare global {
  interface SymbolConstructor {
    /** For projects whose `lib` is older than `esnext.disposable`: the same as there. */
    readonly asyncDispose: unique symbol;
  }
}

// ---------------------------------------------------------------- jobs

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

// ---------------------------------------------------------------- outcomes

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

// ---------------------------------------------------------------- what the host supplies

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

// ---------------------------------------------------------------- plans

/**
 * What a job does: a list of steps. JSON, so that it can be stored, shown and checked before it runs.
 *
 * @example
 * { "name": "report", "steps": [{ "id": "collect", "agent": "collect" }, { "id": "write", "agent": "write" }] }
 */
export interface Plan {
  /**
   * What people call the plan. The engine does not read it.
   *
   * @example "report"
   */
  name?: string;
  /**
   * Which version of the plan this is. The engine does not read it: a job keeps the plan it was created with.
   *
   * @example 2
   */
  version?: string | number;
  /**
   * How many steps, and how many items of a `forEach`, may run side by side.
   *
   * @default 8
   * @asType integer
   * @minimum 1
   * @maximum 4294967295
   * @example 2
   */
  concurrency?: number;
  /**
   * The steps. Each comes after the one before it in the list, unless its `after` says otherwise.
   *
   * @maxItems 100000
   * @example [{ "id": "draft", "agent": "writer" }, { "id": "send", "agent": "sender" }]
   */
  steps: Step[];
}

/** A plan as it is taken: also one that was declared `as const`, or frozen. */
export type ReadonlyPlan = DeepReadonly<Plan>;

/** The same, of which nothing can be changed. */
export type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** JSON Logic (jsonlogic.com): a rule that is evaluated over the job's context. */
export type JsonLogic = unknown;

/**
 * One step of a plan. It has an `id`, and exactly one of `agent`, `job`, `wait` and `approve`, which says what it does.
 *
 * @example
 * { "id": "draft", "agent": "writer", "input": { "topic": { "var": "topic" } }, "retry": { "maxAttempts": 3 } }
 */
export interface Step {
  /**
   * What the step is called: unique within its plan, and no name that means something to JavaScript's objects.
   *
   * @minLength 1
   * @maxLength 10000
   * @pattern ^(?!(?:__proto__|constructor|prototype)$)
   * @example "draft"
   */
  id: string;

  /**
   * Runs the agent that has this name in the registry. The step's output is the agent's.
   *
   * @minLength 1
   * @maxLength 10000
   * @pattern ^(?!(?:__proto__|constructor|prototype)$)
   * @example "writer"
   */
  agent?: string;
  /**
   * Runs a job of its own, a child of this one, and waits until it has ended. The step's output is the child's context.
   *
   * @example { "plan": { "steps": [{ "id": "pack", "agent": "packer" }] }, "context": { "order": { "var": "order" } } }
   */
  job?: ChildJob;
  /**
   * Waits for some time, or for a signal. The step's output is null, or `{ signal, payload }`.
   *
   * @example { "ms": 60000 }
   * @example { "signal": ["paid", "cancelled"], "timeoutMs": 86400000 }
   */
  wait?: WaitForTime | WaitForSignal;
  /**
   * Waits until a person approves; one who rejects fails the step.
   *
   * @example { "message": "Publish the report?" }
   */
  approve?: ApproveRequest;

  /**
   * The ids of the steps that have to end before this one starts; `[]` starts at once. A step that was skipped has
   * ended too. Default: the step before it in the list.
   *
   * @uniqueItems true
   * @example ["draft", "figures"]
   */
  after?: string[];
  /**
   * The step runs where this gives something truthy, and is skipped otherwise. Default: it runs.
   *
   * @example { ">": [{ "var": "draft.score" }, 0.8] }
   */
  when?: JsonLogic;
  /**
   * What the agent is given. An object whose keys are not one operator is a template: its values are expressions.
   * Default: what `nextStep` or `runJob` was given, for the first step to run; else the output of the step in `after`,
   * or an object of outputs by step id where there are several; within a `forEach`, the item.
   *
   * @example { "topic": { "var": "topic" }, "tone": "dry" }
   */
  input?: JsonLogic;
  /**
   * Gives a list: the step runs once for each of its items, side by side as the plan's `concurrency` allows, and its
   * output is the list of their outputs, in the order of the items. The step's `input` and its job's `context` see the
   * item as `item` and its number, from 0, as `index`. At most 100,000 items. Default: the step runs once.
   *
   * @example { "var": "files" }
   */
  forEach?: JsonLogic;
  /** Runs the step again, until a rule holds. Default: it runs once. */
  repeat?: Repeat;
  /** Makes failed attempts again; within a `forEach`, those of each item. Default: one attempt. */
  retry?: Retry;
  /**
   * How long one attempt may take, in milliseconds; time in which a person thinks does not count. Default: no limit.
   *
   * @minimum 1
   * @example 30000
   */
  timeoutMs?: number;
  /**
   * The tools that this step grants its agent, where the job's permissions allow tools. Default: none.
   *
   * @example ["search", "readFile"]
   */
  tools?: string[];
  /**
   * What the step is expected to cost, in the budget's unit. Default: the agent's `metadata.cost`, else 0.
   *
   * @minimum 0
   * @example 3
   */
  cost?: number;
  /**
   * true: a person has to approve the step, even where the job does not require it.
   *
   * @default false
   * @example true
   */
  approval?: boolean;
  /**
   * true: the job pauses before this step.
   *
   * @default false
   * @example true
   */
  breakpoint?: boolean;
  /**
   * What it means when the step fails for good: "fail" fails the job; "continue" goes on, with null for the output.
   *
   * @default "fail"
   * @example "continue"
   */
  onError?: 'fail' | 'continue';
  /**
   * The key of the job's context that the output is written to. Default: the step's id.
   *
   * @minLength 1
   * @maxLength 10000
   * @pattern ^(?!(?:__proto__|constructor|prototype)$)
   * @example "report"
   */
  into?: string;
}

/** A job that a step runs. */
export interface ChildJob {
  /**
   * What the child job does.
   *
   * @example { "steps": [{ "id": "pack", "agent": "packer" }] }
   */
  plan: Plan;
  /**
   * What the child job may do. It never may more than its parent, whatever stands here. Default: the parent's.
   *
   * @example { "requireApproval": true, "maxSteps": 5 }
   */
  permissions?: Partial<JobPermissions>;
  /**
   * How much of the parent's budget is allocated to the child job, in the budget's unit. What it leaves unspent
   * returns. Default: nothing is allocated, and what the child spends is the parent's.
   *
   * @minimum 0
   * @example 100
   */
  budget?: number;
  /**
   * The context that the child job starts with: a template, as `input` is. Default: `{}`; within a `forEach`,
   * `{ item, index }`.
   *
   * @example { "order": { "var": "order" } }
   */
  context?: JsonLogic;
}

/** Waits for some time. */
export interface WaitForTime {
  /**
   * For how long, in milliseconds. It goes on while the process is down.
   *
   * @minimum 0
   * @example 60000
   */
  ms: number;
}

/** Waits for the first of some signals. */
export interface WaitForSignal {
  /**
   * The signal's name, or several: the first that comes. One that was sent before the step began is kept for it.
   *
   * @example "paid"
   */
  signal: string | string[];
  /**
   * How long to wait at most, in milliseconds: then the step fails, code "timeout". Default: no limit.
   *
   * @minimum 1
   * @example 86400000
   */
  timeoutMs?: number;
}

/** Asks a person. */
export interface ApproveRequest {
  /**
   * What the person is asked.
   *
   * @example "Publish the report?"
   */
  message?: string;
}

/** Runs a step again, until a rule holds. */
export interface Repeat {
  /**
   * Evaluated after each round: truthy ends the step well.
   *
   * @example { ">=": [{ "var": "draft.score" }, 0.8] }
   */
  until: JsonLogic;
  /**
   * How many rounds there may be: the step fails where none of them was the last.
   *
   * @asType integer
   * @minimum 1
   * @maximum 4294967295
   * @example 3
   */
  max: number;
}

/**
 * How failed attempts are made again: after failed attempt n it waits `backoffMs * factor^(n-1)` milliseconds, at most
 * `maxBackoffMs`.
 */
export interface Retry {
  /**
   * How many attempts there may be in all, the first one counted.
   *
   * @asType integer
   * @minimum 1
   * @maximum 4294967295
   * @example 3
   */
  maxAttempts: number;
  /**
   * How long to wait after the first failed attempt, in milliseconds.
   *
   * @default 1000
   * @minimum 0
   * @example 500
   */
  backoffMs?: number;
  /**
   * By how much each wait is longer than the one before it.
   *
   * @default 2
   * @minimum 1
   * @example 1.5
   */
  factor?: number;
  /**
   * How long to wait at most, in milliseconds.
   *
   * @default 60000
   * @minimum 0
   * @example 10000
   */
  maxBackoffMs?: number;
  /**
   * By how much of itself each wait may be shorter, from 0 to 1, so that what failed together is not tried again
   * together. Drawn from the job's id, the step and the attempt: a replay draws the same.
   *
   * @default 0
   * @minimum 0
   * @maximum 1
   * @example 0.5
   */
  jitter?: number;
}

// ---------------------------------------------------------------- the orchestrator

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

/**
 * Runs jobs. Every method works when destructured, and those that refuse answer with an {@link Outcome}.
 *
 * A promise rejects only with what the store rejected with, the same object, or with a {@link JobwrightError}
 * where an argument is not what it should be.
 */
export interface Orchestrator {
  /**
   * Makes a job in state created and resolves with its id. Rejects with a {@link JobwrightError}: `invalid_plan`,
   * `invalid_argument`, `conflict` (the id exists), `not_found` (the parent does not). A parent that has ended is an
   * `invalid_argument`, also where it ends while the job is being stored: then the job is there, and cancelled.
   *
   * @example
   * const jobId = await orchestrator.createJob({ topic: 'rust' }, { requireApproval: false }, { plan });
   */
  createJob<C extends object = Record<string, unknown>>(
    initialContext?: C,
    permissions?: Partial<JobPermissions>,
    options?: CreateJobOptions,
  ): Promise<string>;

  /**
   * Sets a created or paused job running, if the budget agrees; it runs no step. Refuses with `not_found`,
   * `invalid_transition`, or the budget's own object.
   *
   * @example
   * await orchestrator.startJob(jobId); // { success: true }
   */
  startJob(jobId: string): Promise<Outcome>;

  /**
   * Pauses a running job: no further step starts until `startJob`. Refuses with `not_found` or
   * `invalid_transition`.
   *
   * @example
   * await orchestrator.pauseJob(jobId); // { success: true }
   */
  pauseJob(jobId: string): Promise<Outcome>;

  /**
   * Runs the next step of a running job, and completes the job after its last one. Refuses with what stopped it,
   * as `not_running`, `step_limit`, `tools_denied`, `unknown_agent`, `approval_required`, `agent_failed`, or the
   * budget's own object. `step` is null where there was none left to run.
   *
   * @example
   * const outcome = await orchestrator.nextStep(jobId, { topic: 'rust' });
   * if (outcome.success) console.log(outcome.status, outcome.step?.output);
   */
  nextStep(jobId: string, input?: unknown): Promise<Outcome<{ status: JobStatus; step: StepReport | null }>>;

  /**
   * Ends a running job. Refuses with `not_found` or `invalid_transition`.
   *
   * @example
   * await orchestrator.completeJob(jobId);
   */
  completeJob(jobId: string, status?: 'completed' | 'failed'): Promise<Outcome>;

  /**
   * Ends a job that has not ended as failed; the error's message is recorded. Refuses with `not_found` or
   * `invalid_transition`.
   *
   * @example
   * await orchestrator.failJob(jobId, new Error('the source is gone'));
   */
  failJob(jobId: string, error?: unknown): Promise<Outcome>;

  /**
   * Ends a job as failed with code "cancelled", and all its descendants, and aborts the signals of what runs when
   * nothing in the tree can start any more. `results` says by job id what happened, each job before its children. Of a
   * job that was cancelled before, the descendants are cancelled that have not ended, as after a crash. Refuses with
   * `not_found`, or `invalid_transition` where nothing is left to cancel; rejects with what the store failed with first,
   * when all else is cancelled.
   *
   * @example
   * const outcome = await orchestrator.cancelJob(jobId, 'not needed any more');
   */
  cancelJob(
    jobId: string,
    reason?: string,
  ): Promise<Outcome<{ results: Record<string, 'cancelled' | 'already_ended'> }>>;

  /**
   * Answers yes to the request that is waiting, and sets a job that was paused for it running again. Running on is
   * the caller's. Refuses with `not_found`, `unknown_step` or `invalid_transition`.
   *
   * @example
   * await orchestrator.approveStep(jobId, { by: 'ada' });
   * await orchestrator.runJob(jobId);
   */
  approveStep(jobId: string, answer?: ApprovalAnswer & { note?: string }): Promise<Outcome>;

  /**
   * Answers no: the step ends as failed, code "rejected". Refuses as `approveStep` does.
   *
   * @example
   * await orchestrator.rejectStep(jobId, { by: 'ada', reason: 'GPL in a proprietary product' });
   */
  rejectStep(jobId: string, answer?: ApprovalAnswer & { reason?: string }): Promise<Outcome>;

  /**
   * Changes what a job may do from now on; what is not given stays. A child never may do more than its parent: what is
   * taken from a job is taken from its descendants before this resolves, and what is given to a child is no more than
   * its parent has. Refuses with `not_found` or `invalid_transition`; rejects with `invalid_argument` where a value is
   * not one.
   *
   * @example
   * await orchestrator.setPermissions(jobId, { maxSteps: 20 });
   */
  setPermissions(jobId: string, permissions: Partial<JobPermissions>): Promise<Outcome>;

  /**
   * Runs a running job's steps until it ends or can't go on without somebody. Called again on a job that this
   * orchestrator is running, it joins that run. Aborting `signal` stops the run, not the job: attempts in flight finish and are
   * committed, and the job is left paused. Refuses with what stopped the job, as `approval_required`,
   * `step_limit`, `agent_failed`, `timeout`, `rejected`, `cancelled`, `not_running` (a person paused it), `not_found`
   * (also where the store no longer has the job when its run is over), or the budget's own object. `job` is the job as
   * it was then; with the memory store it is copied when it is first read, and its history and steps when those are.
   *
   * @example
   * await orchestrator.startJob(jobId);
   * const outcome = await orchestrator.runJob(jobId);
   * if (outcome.success) console.log(outcome.job.context);
   */
  runJob<C extends object = Record<string, unknown>>(
    jobId: string,
    options?: { input?: unknown; signal?: AbortSignal },
  ): Promise<Outcome<{ status: JobStatus; job: Job<C> }>>;

  /**
   * Live events, of one job, whoever runs it, or of all that this orchestrator works on. With `after`, first what is
   * stored after that number. Ends when the job ends, or when the signal aborts; without a job id, when the signal
   * aborts or the orchestrator closes. Following keeps no process alive.
   *
   * @example
   * for await (const event of orchestrator.events(jobId, { after: 0 })) console.log(event.seq, event.type);
   */
  events(
    jobId?: string,
    options?: { signal?: AbortSignal; after?: number; types?: string[] },
  ): AsyncIterableIterator<JobEvent>;

  /**
   * The job as the store has it, or null.
   *
   * @example
   * const job = await orchestrator.getJob(jobId);
   * console.log(job?.status, job?.timing.completed);
   */
  getJob<C extends object = Record<string, unknown>>(jobId: string): Promise<Job<C> | null>;

  /**
   * Heads in order of creation. On a store that can't list, those of this orchestrator's live jobs.
   *
   * @example
   * const waiting = await orchestrator.listJobs({ status: 'paused', limit: 50 });
   */
  listJobs(filter?: JobFilter): Promise<JobHead[]>;

  /**
   * Pauses every running job of the store, whichever orchestrator runs it, and keeps all from being started until
   * `startAll`: `startJob` answers `globally_paused`. Agents at work finish, and are committed. Each job's history says
   * so, reason "global". On a store without `setControl` it reaches this orchestrator's jobs. Rejects with what the
   * store failed with first; what is still running then pauses before its next step.
   *
   * @example
   * const { paused, pending } = await orchestrator.pauseAll(); // pending: steps are still at work
   */
  pauseAll(): Promise<{ paused: string[]; pending: string[] }>;

  /**
   * Starts what `pauseAll` paused, and nothing else; running the jobs is the caller's. `refused` says why some could not
   * be started, by id.
   *
   * @example
   * const { started, refused } = await orchestrator.startAll();
   * for (const jobId of started) void orchestrator.runJob(jobId);
   */
  startAll(): Promise<{ started: string[]; refused: Record<string, string> }>;

  /**
   * Cancels every job of the store that has not ended, those never started too, as `cancelJob` does. For good.
   *
   * @example
   * const { stopped } = await orchestrator.stopAll('the price list was wrong');
   */
  stopAll(reason?: string): Promise<{ stopped: string[] }>;

  /**
   * Delays each step by so many milliseconds, from now on, of jobs in flight too, but for those that were created with
   * a pace of their own; 0 ends it. Steps side by side begin one after the other. Only what begins is delayed: timers,
   * retries and deadlines are not, and a pause, a cancel and `close` don't wait for it. Each job that is run says so in
   * its history, `slow_play_changed`. Throws a {@link JobwrightError}, code "invalid_argument", where `ms` is no such
   * number.
   *
   * @example
   * orchestrator.setSlowPlay(500);
   */
  setSlowPlay(ms: number): void;

  /**
   * Follows the children of a job of type "parent" (jobs that were created with it as `parentId`) in the background, and
   * ends it when they and all jobs below them have ended. Returns at once.
   *
   * - Takes the whole job, for its `type` and `config`, which must have a `source_type`. A job that can't be monitored
   *   fails, code "invalid_job". What is no job, and options that are none, throw a {@link JobwrightError}.
   * - The job becomes running, and is `completed` when its children have ended; `failed` where more than
   *   `maxFailedChildren` of them failed, where all were cancelled (code "cancelled"), after `timeoutMs` (code "timeout"),
   *   or when the signal aborts (code "cancelled"; its children are left as they are). Without any child after
   *   `noChildrenMs`, it completes.
   * - One that has a plan is not completed before its own steps have ended, however its children do.
   * - What counts is what the store says. Events only make it known earlier, so that none of them may get lost; the store
   *   is asked every `pollMs`. After a crash, monitor the job again: it goes on.
   * - On the bus: `parent_job_progress` and `child_job_stats`, both with a {@link ChildProgress}, at most once in 100 ms,
   *   and once more before the end; and `job_status_change` for every child, `{ jobId, parentId, status, type }`.
   *
   * A parent ends with the last child that it has. Create the next one before the last one ends, as a child that finds
   * more work does, or create them all first, or from a step of the parent's own.
   *
   * @example
   * const parent = await orchestrator.createJob({}, {}, { type: 'parent', config: { source_type: 'crawl' } });
   * for (const page of pages) await orchestrator.createJob({ page }, permissions, { parentId: parent, plan });
   * orchestrator.startMonitoring(await orchestrator.getJob(parent));
   */
  startMonitoring(job: Job<object>, options?: MonitorOptions): void;

  /**
   * Listens for `job_status_change` on the bus, where it has `on`, so that what other processes do is known before the
   * next poll. Payloads of foreign emitters (`job_id`, `parent_id`) are read, and what is no payload is ignored. Done by
   * `createOrchestrator`; doing it again changes nothing.
   */
  subscribeToChildStatusChanges(): void;

  /**
   * How many children of a job stand where, as the store says now. Rejects with a {@link JobwrightError}, code
   * "not_found", for a job that is not stored, and "unsupported" where the store has `commit` and no `listJobs`. A plain
   * store counts the children of jobs that have not ended, as far as this orchestrator knows them.
   *
   * @example
   * const { progressText } = await orchestrator.childStats(parent); // "66 pending, 1 running, 41 completed, 0 failed"
   */
  childStats(parentId: string): Promise<ChildStats>;

  /**
   * Decides again, from the job's history alone, everything that was decided, and compares. No agent is called. With an
   * id, the job is taken from the store; a job that was read before, or edited, may be given itself. Rejects with a
   * {@link JobwrightError}: `not_found`, or `invalid_argument` where the history is no list of plain events.
   *
   * @example
   * const replay = await orchestrator.replayJob(jobId);
   * if (!replay.ok) console.log(`event ${replay.at}`, replay.expected, replay.actual);
   */
  replayJob(job: string | Job<object>): Promise<ReplayResult>;

  /**
   * The lines of a file that {@link verifyRun} checks without this store: a head, then a line of JSON per event. Each
   * holds the SHA-256 of the line before it, the head that of the last.
   *
   * What the plan's rules don't read is replaced by its SHA-256, behind a salt: contexts, inputs, outputs, payloads,
   * names, reasons and messages. Reading rejects as `replayJob` does.
   *
   * @example
   * for await (const line of orchestrator.exportJob(jobId)) file.write(`${line}\n`);
   */
  exportJob(jobId: string, options?: ExportOptions): AsyncIterableIterator<string>;

  /**
   * Makes a new job that shares the past of another, up to the end of a step that the job went on after, and resolves
   * with its id. It is created, as by `createJob`; what is done is not done again, and what comes after is. Its history begins with the
   * shared events, under its own id and trace, and then says that it is a fork.
   *
   * Rejects with a {@link JobwrightError}: `not_found`, `unknown_step`, `invalid_argument` (the step has not ended, or the job with it),
   * `invalid_job` (the history is not what is decided).
   *
   * @example
   * const fork = await orchestrator.forkJob(jobId, { afterStep: 'draft', context: { tone: 'formal' } });
   * await orchestrator.startJob(fork);
   * await orchestrator.runJob(fork);
   */
  forkJob(jobId: string, options: ForkOptions): Promise<string>;

  /**
   * After a crash or a restart, takes over the running jobs that nobody runs, here or elsewhere (where the store has no
   * leases: that this orchestrator does not run), and makes their interrupted steps ready again. Resolves with their
   * ids; running them is the caller's, within `leaseMs`, before others may take them over. Those that a step of a job
   * ran which has ended since are cancelled instead, for that was cut short. Rejects with a {@link JobwrightError}, code
   * "unsupported", where the store has `commit` and no `listJobs`.
   *
   * @example
   * const { resumed } = await orchestrator.recover();
   * await Promise.all(resumed.map((jobId) => orchestrator.runJob(jobId)));
   */
  recover(): Promise<{ resumed: string[] }>;

  /**
   * How the jobs of the store are: how many have each status, which are stalled, which step has been running the
   * longest, and how many jobs are monitored here. Of a job that is found stalled the logger, the performance monitor
   * and the bus (`job_stalled`) are told once, and the bus when it goes on (`job_recovered`); jobs whose agents are at
   * work here are watched for that without being asked.
   *
   * Reads the heads of all jobs, and of the running ones that nobody runs here what they did last. On a store that can't
   * list, this orchestrator's live jobs. Rejects with what the store fails with, or with a {@link JobwrightError}:
   * `unsupported` (the store has `commit` and no `listJobs`), `closed`.
   *
   * @example
   * const { jobs, stalled, oldestStep } = await orchestrator.health();
   * console.log(jobs.running, stalled, oldestStep?.runningMs);
   */
  health(): Promise<Health>;

  /**
   * Sends a signal to a job. It is kept, also while the job is paused, until a `wait` step that names it takes it:
   * once, the first that came first.
   */
  signal(jobId: string, name: string, payload?: unknown): Promise<Outcome>;
  /**
   * The job pauses before the steps of these ids from now on, beside those with `breakpoint` in its plan; `[]` takes
   * them away. `startJob` goes past one.
   */
  setBreakpoints(jobId: string, steps: string[]): Promise<Outcome>;
  /**
   * Ends this orchestrator: the signals of what runs abort, event streams end. Jobs stay
   * as they are, ready for `recover`. Later calls are refused with code "closed".
   *
   * @example
   * await orchestrator.close();
   */
  close(): Promise<void>;

  /**
   * The same as `close`.
   *
   * @example
   * await using orchestrator = createOrchestrator();
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes an orchestrator, at once: the engine is loaded with the package. Throws a TypeError that names the
 * dependency when one is given that can't be used.
 *
 * @example
 * const orchestrator = createOrchestrator({ agentRegistry: { greet: (name) => `Hello ${name}` } });
 */
export function createOrchestrator(deps?: OrchestratorDeps | null): Orchestrator;

/** One thing that is wrong with a plan. */
export interface PlanProblem {
  /** Where in the plan, as `steps[2].after[0]`. */
  path: string;
  /** A sentence. */
  message: string;
}

/**
 * Checks a plan without running it. Never throws.
 *
 * @example
 * const checked = validatePlan({ steps: [] });
 * if (!checked.success) for (const { path, message } of checked.errors) console.error(path, message);
 */
export function validatePlan(plan: unknown): { success: true } | { success: false; errors: PlanProblem[] };

/** No less than `min`, no more than `max`; both are finite. */
export interface Bounds {
  min: number;
  max: number;
}

/** What a plan can take and ask for. A step of a child job is named behind its parent's, as in `pack:label`. */
export interface PlanSimulation {
  /** How many steps count against `maxSteps`; those of child jobs count against their own. */
  steps: Bounds;
  /** What the job and its child jobs cost, in the budget's unit: each attempt the step's `cost`, 0 where it has none. */
  cost: Bounds;
  /** Ids of the steps that a person will or may be asked about, in an order in which they can run. */
  approvals: string[];
  /** The steps that stop the job, fail or never run when it is their turn: why, in the words of a run. */
  refused: { step: string; code: OutcomeCode; message: string }[];
}

/**
 * What a plan can cost and ask for, without running it: bounds for runs that complete and whose agents cost their
 * estimate, every attempt counted. `permissions` are as for `createJob`, with the same defaults; without `budget` there
 * is no limit. Throws a {@link JobwrightError}, code "invalid_plan" or "invalid_argument".
 *
 * What is refused counts in the bounds nevertheless, so that they say which limits would do.
 *
 * @example
 * const { cost, refused } = simulatePlan(plan, { permissions: { requireApproval: false }, budget: 500 });
 * if (refused.length === 0) console.log(`costs from ${cost.min} to ${cost.max}`);
 */
export function simulatePlan(
  plan: ReadonlyPlan,
  options?: { permissions?: Partial<JobPermissions>; budget?: number },
): PlanSimulation;

/** Is a history what is decided: how many of its events are the engine's own decisions, or where the two part first. */
export type ReplayResult =
  | { ok: true; decisions: number }
  | {
      ok: false;
      /** The number of the event, or of the line behind the head; 0 for the head. */
      at: number;
      /** The event that comes next, a sentence that says what could, or what the job comes to in the end. */
      expected: unknown;
      /** What stands there; undefined where nothing does. */
      actual: unknown;
    };

export interface ExportOptions {
  /** Replace what rules don't read by hashes. Default true. */
  redact?: boolean;
  /** What is hashed before each value. Default: random, so that hashes of two files can't be compared. */
  salt?: string;
}

export interface ForkOptions {
  /** The last step that is shared: done, skipped, or failed where the job went on. */
  afterStep: string;
  /** Members that the context gets, beside or instead of those it had. */
  context?: Record<string, unknown>;
  /** What of the permissions changes. */
  permissions?: Partial<JobPermissions>;
  /** Set up with the budget manager for the fork. */
  budget?: number;
}

/**
 * Checks an exported run: its chain of hashes, and every decision once more, from the file alone. Takes the whole text,
 * or its lines, with or without their ends. Rejects with a {@link JobwrightError}, code "invalid_argument", where it is
 * given something else; a file that is no export is a result, `at` 0.
 *
 * The chain finds accidents and careless edits. Against somebody who writes the whole file anew, keep its first line
 * elsewhere.
 *
 * @example
 * const verified = await verifyRun(await readFile('run.jsonl', 'utf8'));
 * if (!verified.ok) console.log(`line ${verified.at + 1}`, verified.expected, verified.actual);
 */
export function verifyRun(lines: Iterable<string> | AsyncIterable<string>): Promise<ReplayResult>;

/**
 * Mermaid text of a plan: a flowchart of its steps, in which child jobs are boxes and a dashed arrow leads to what may be
 * skipped. With a job, its steps are coloured by their status. Throws a {@link JobwrightError}, code
 * "invalid_argument", where the plan or the job can't be drawn.
 *
 * @example
 * console.log(planToMermaid({ steps: [{ id: 'draft', agent: 'writer' }, { id: 'publish', approve: {} }] }));
 */
export function planToMermaid(plan: ReadonlyPlan, job?: Job<object>): string;

// ---------------------------------------------------------------- errors

export interface ErrorOptions {
  code?: string;
  details?: unknown;
  cause?: unknown;
}

/** The one error class that is thrown. Expected refusals are outcomes, not errors. */
export class JobwrightError extends Error {
  constructor(message: string, options?: ErrorOptions);
  readonly code: OutcomeCode | 'internal' | 'invalid_argument';
  readonly details?: unknown;
}

/** Throw it from an agent or tool when trying again can't help. `error.retryable === false` says the same. */
export class NonRetryableError extends Error {
  constructor(message?: string, options?: ErrorOptions);
  readonly retryable: false;
}

/** Thrown by stores from `commit`: somebody else committed first, or holds the job's lease now. */
export class ConflictError extends Error {
  constructor(message?: string, options?: ErrorOptions);
  readonly code: string;
}

// ---------------------------------------------------------------- bundled parts, each usable alone

/**
 * A store that keeps jobs in this process's memory, with revisions and leases as the durable stores have them.
 *
 * @example
 * const orchestrator = createOrchestrator({ store: createMemoryStore() });
 *
 * @param options `now`: the clock that leases go by, in epoch milliseconds. Default: `Date.now`.
 */
export function createMemoryStore(options?: { now?: () => number }): Required<JobStore>;

/** The bundled event bus. */
export interface JobEventBus extends Required<EventBus> {
  /**
   * Tells an event to the handlers of its type, then to those of all, and returns it. `parent` is the trace of what
   * caused it. A handler that throws disturbs nobody.
   *
   * @example
   * bus.emit('report_ready', { path: 'report.md' }, 'reporter');
   */
  emit(type: string, payload: unknown, source?: string, parent?: Partial<TraceContext>): JobEvent;
  /**
   * Calls the handler with each event of this type, until the returned function is called.
   *
   * @example
   * const off = bus.on('job_completed', (event) => console.log(event.payload));
   */
  on(type: string, handler: (event: JobEvent) => unknown): () => void;
  /**
   * Calls the handler with every event, until the returned function is called.
   *
   * @example
   * const off = bus.onAny((event) => console.log(event.type));
   */
  onAny(handler: (event: JobEvent) => unknown): () => void;
}

/**
 * An event bus within this process.
 *
 * @example
 * const eventBus = createEventBus();
 * eventBus.on('step_completed', (event) => console.log(event.payload));
 * const orchestrator = createOrchestrator({ eventBus });
 */
export function createEventBus(options?: { logger?: Logger }): JobEventBus;

/** The bundled budget manager. Amounts are integers in the user's unit; a fraction that was spent counts as a whole one. */
export interface JobBudgetManager extends Required<BudgetManager> {
  /**
   * Sets a scope's limit; what was spent stays spent.
   *
   * @example
   * await budget.setBudget(jobId, 1000);
   */
  setBudget(scopeId: string, limit: number): Promise<{ success: true }>;
  /**
   * What a scope has and has used, or null.
   *
   * @example
   * const left = await budget.getBudget(jobId); // { id, limit: 1000, spent: 40, reserved: 0 }
   */
  getBudget(scopeId: string): Promise<{ id: string; limit: number; spent: number; reserved: number } | null>;
}

/**
 * A budget manager with exact reservations. A scope past its limit is refused ("Budget exceeded"), and so is one
 * that was never given a budget ("No budget found"), unless it is a child: then the nearest ancestor's counts.
 *
 * @example
 * const budgetManager = createBudgetManager();
 * await budgetManager.setBudget('job-1', 1000);
 */
export function createBudgetManager(options?: { store?: object }): JobBudgetManager;

/** Milliseconds, but for `count`. */
export interface DurationStats {
  count: number;
  min: number;
  max: number;
  avg: number;
  p50: number;
  p90: number;
  p99: number;
}

/** The bundled performance monitor. */
export interface JobPerformanceMonitor extends Required<PerformanceMonitor> {
  /**
   * What was recorded so far, by name.
   *
   * @example
   * console.table(monitor.stats());
   */
  stats(): Record<string, DurationStats>;
}

/**
 * A monitor that keeps distributions in bounded memory, however much it records.
 *
 * @example
 * const performanceMonitor = createPerformanceMonitor();
 */
export function createPerformanceMonitor(options?: object): JobPerformanceMonitor;

/** The bundled agent registry. */
export interface JobAgentRegistry {
  get(name: string): Agent | undefined;
  /**
   * Adds an agent, or replaces the one of that name.
   *
   * @example
   * registry.register('greet', (name) => `Hello ${name}`);
   */
  register(name: string, agent: Agent | AgentFn): void;
  /** The names of all agents. */
  list(): string[];
}

/**
 * A registry that agents can be added to while jobs run.
 *
 * @example
 * const agentRegistry = createAgentRegistry({ greet: (name) => `Hello ${name}` });
 */
export function createAgentRegistry(agents?: Record<string, Agent | AgentFn>): JobAgentRegistry;
