// Plans, as they are written.

import type { JobPermissions } from './jobs.js';

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
