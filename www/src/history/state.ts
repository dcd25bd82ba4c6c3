/** A job as it was at one moment of its history. */
import type { StepStatus } from './event';

/** One step, or one item of one. Never changed: what happens to it makes another. */
export interface StepNow {
  id: string;
  item: number | undefined;
  status: StepStatus;
  /** How often its agent was called; in its latest round, where it is repeated. */
  attempts: number;
  startedAt: number | undefined;
  finishedAt: number | undefined;
  dueAt: number | undefined;
  agent: string | undefined;
  error: { code: string; message: string } | undefined;
  /** Who approved it. */
  approvedBy: string | undefined;
  /** Why it can't go on without somebody, where it is a job. */
  suspended: string | undefined;
  /** The round it is in, from 1. */
  round: number | undefined;
  /** How many rounds have ended. */
  rounds: number;
  /** The job that it runs. */
  childId: string | undefined;
  /** Of a `forEach`: how many items there are and stand where. */
  items: Items | undefined;
  /** What it cost until now, in all rounds and items. */
  cost: number;
  /** Places of events in the history: its latest; what it was given; what it gave. */
  latest: number;
  inputAt: number | undefined;
  outputAt: number | undefined;
}

export interface Items {
  count: number;
  running: number;
  waiting: number;
  done: number;
  failed: number;
}

export interface Approval {
  id: string;
  step: string;
  item: number | undefined;
  tool: string | undefined;
  /** The place of the event that asks. */
  place: number;
}

export interface JobState {
  /** How many events it is made of. */
  position: number;
  /** When the latest of them happened. */
  time: number | undefined;
  status: 'created' | 'running' | 'paused' | 'completed' | 'failed';
  created: number | undefined;
  started: number | undefined;
  completed: number | undefined;
  permissions: Readonly<Record<string, unknown>> | undefined;
  pause: { reason: string; step: string | undefined; message: string | undefined } | undefined;
  failure: { code: string; message: string; step: string | undefined } | undefined;
  steps: Map<string, StepNow>;
  /** Items of steps by `step[item]`. */
  items: Map<string, StepNow>;
  approvals: Map<string, Approval>;
  /** Sent, and not yet taken by a step. */
  signals: { name: string; place: number }[];
  breakpoints: readonly string[];
  context: Map<string, unknown>;
  stepsTaken: number;
  cost: number;
  paceMs: number | undefined;
  forkedFrom: { jobId: string; afterStep: string } | undefined;
}

/** A step's status as it is shown: what has not begun when the job ends never will, and nobody can approve it any more. */
export function statusOf({ status: job }: JobState, step: StepNow | undefined): string {
  const status = step?.status ?? 'pending';
  const isOver = job === 'completed' || job === 'failed';
  return isOver && (status === 'pending' || status === 'waiting') ? 'not run' : status;
}

export function newState(): JobState {
  return {
    position: 0,
    time: undefined,
    status: 'created',
    created: undefined,
    started: undefined,
    completed: undefined,
    permissions: undefined,
    pause: undefined,
    failure: undefined,
    steps: new Map(),
    items: new Map(),
    approvals: new Map(),
    signals: [],
    breakpoints: [],
    context: new Map(),
    stepsTaken: 0,
    cost: 0,
    paceMs: undefined,
    forkedFrom: undefined,
  };
}

export function copyState(state: JobState): JobState {
  return {
    ...state,
    steps: new Map(state.steps),
    items: new Map(state.items),
    approvals: new Map(state.approvals),
    signals: [...state.signals],
    context: new Map(state.context),
  };
}

/** About how much a copy costs. */
export function sizeOf({ steps, items, approvals, signals, context }: JobState): number {
  return steps.size + items.size + approvals.size + signals.length + context.size;
}

export function newStep(id: string, item?: number): StepNow {
  return {
    id,
    item,
    status: 'pending',
    attempts: 0,
    startedAt: undefined,
    finishedAt: undefined,
    dueAt: undefined,
    agent: undefined,
    error: undefined,
    approvedBy: undefined,
    suspended: undefined,
    round: undefined,
    rounds: 0,
    childId: undefined,
    items: undefined,
    cost: 0,
    latest: -1,
    inputAt: undefined,
    outputAt: undefined,
  };
}

/** What an item of a step is called. */
export function itemId(step: string, item: number): string {
  return `${step}[${item}]`;
}

/** What a fact, a span or a step is about. */
export function keyOf({ step, item }: { step: string; item: number | undefined }): string {
  return item === undefined ? step : itemId(step, item);
}
