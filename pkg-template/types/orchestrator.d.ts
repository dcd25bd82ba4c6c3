// The orchestrator.

import type { JobwrightError } from './errors.js';
import type { JobFilter, JobHead, OrchestratorDeps } from './host.js';
import type { Job, JobEvent, JobPermissions, JobStatus } from './jobs.js';
import type {
  ApprovalAnswer,
  ChildProgress,
  ChildStats,
  CreateJobOptions,
  Health,
  MonitorOptions,
  StepReport,
} from './operations.js';
import type { Outcome } from './outcomes.js';
import type { ExportOptions, ForkOptions, ReplayResult, verifyRun } from './replay.js';

declare global {
  interface SymbolConstructor {
    /** For projects whose `lib` is older than `esnext.disposable`: the same as there. */
    readonly asyncDispose: unique symbol;
  }
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
