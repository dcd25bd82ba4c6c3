/** Where the page's jobs are: in this tab, behind a server, or in a file. Everything that is shown goes through this. */
import type {
  Health,
  Job,
  JobEvent,
  JobFilter,
  JobHead,
  JobPermissions,
  JobStatus,
  Outcome,
  Plan,
  ReplayResult,
} from 'jobwright';

/** Something happened to a job, or to all. */
export type Change =
  | { type: 'job'; jobId: string; parentId?: string; status: JobStatus; revision: number }
  | { type: 'control'; paused: boolean }
  /** Nothing is heard of the jobs for now, and why; it is tried again, and "missed" comes when it works. */
  | { type: 'lost'; message: string }
  /** Changes were missed, as after a lost connection: what is shown is read again. */
  | { type: 'missed' };

export interface NewJob {
  id?: string;
  plan: Plan;
  context: Record<string, unknown>;
  permissions: Partial<JobPermissions>;
  budget?: number;
  slowPlayMs?: number;
  /** "parent", with `config.source_type`: it is monitored while it runs. */
  type?: string;
  config?: Record<string, unknown>;
}

/** What the page may do with the jobs. What it may not is not offered, and refused where it is asked for anyway. */
export interface Access {
  /** Jobs may be started, paused, approved and so on. */
  steer: boolean;
  /** Jobs may be made here. */
  create: boolean;
  /** Agents are at hand: a job that is started is run here. Else whoever has its agents runs it. */
  run: boolean;
  /** Values of contexts, inputs and outputs are hidden. */
  redacted: boolean;
}

export interface Budget {
  limit: number;
  spent: number;
  reserved: number;
}

/**
 * Methods answer as the orchestrator's of the same name do, and reject with what says why in a sentence
 * (`error.message`), with a `code` where there is one.
 */
export interface Source {
  readonly home: 'tab' | 'server' | 'file';
  /** What the jobs are of, for people: "this tab", "jobs.db". */
  readonly name: string;
  readonly access: Access;
  /** Milliseconds before each step when this was opened; missing where the browser remembers them. */
  readonly slowPlayMs?: number;

  /** Heads in order of creation. */
  listJobs(filter?: JobFilter): Promise<JobHead[]>;
  getHead(jobId: string): Promise<JobHead | null>;
  getJob(jobId: string): Promise<Job | null>;
  health(): Promise<Health>;
  /** Are all jobs paused? */
  isPaused(): Promise<boolean>;
  /** What is left of a job's money, or null where nobody keeps its account. */
  getBudget(jobId: string): Promise<Budget | null>;
  /** What the job's history holds after `after`, then what comes; ends when the job or the signal does. */
  events(jobId: string, options: { after: number; signal: AbortSignal }): AsyncIterable<JobEvent>;
  /** What happens to jobs from now on, whoever does it; ends with the signal. */
  changes(signal: AbortSignal): AsyncIterable<Change>;

  createJob(job: NewJob): Promise<string>;
  /** Starts a job, and runs it where agents are at hand. Resolves when it is started. */
  startJob(jobId: string): Promise<Outcome>;
  pauseJob(jobId: string): Promise<Outcome>;
  /** Starts a job that is not running, runs one step, and pauses it. */
  stepJob(jobId: string): Promise<Outcome>;
  cancelJob(jobId: string, reason: string): Promise<Outcome>;
  /** Answers yes, and goes on as `startJob` does. */
  approveStep(jobId: string, answer: { approval?: string; step?: string; note?: string }): Promise<Outcome>;
  rejectStep(jobId: string, answer: { approval?: string; step?: string; reason?: string }): Promise<Outcome>;
  signal(jobId: string, name: string, payload: unknown): Promise<Outcome>;
  setBreakpoints(jobId: string, steps: string[]): Promise<Outcome>;
  setPermissions(jobId: string, permissions: Partial<JobPermissions>): Promise<Outcome>;
  setBudget(jobId: string, limit: number): Promise<Outcome>;
  /** Milliseconds before each step, of what is run here. */
  setSlowPlay(ms: number): Promise<void>;
  pauseAll(): Promise<{ paused: string[]; pending: string[] }>;
  startAll(): Promise<{ started: string[]; refused: Record<string, string> }>;
  stopAll(reason: string): Promise<{ stopped: string[] }>;
  forkJob(jobId: string, options: { afterStep: string; context?: Record<string, unknown> }): Promise<string>;
  replayJob(jobId: string): Promise<ReplayResult>;
  /** The text of a run file. */
  exportJob(jobId: string, options: { redact: boolean }): Promise<string>;
}
