// What can be known of a plan before it is run.

import type { JobwrightError } from './errors.js';
import type { Job, JobPermissions } from './jobs.js';
import type { OutcomeCode } from './outcomes.js';
import type { ReadonlyPlan } from './plans.js';

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

/**
 * Mermaid text of a plan: a flowchart of its steps, in which child jobs are boxes and a dashed arrow leads to what may be
 * skipped. With a job, its steps are coloured by their status. Throws a {@link JobwrightError}, code
 * "invalid_argument", where the plan or the job can't be drawn.
 *
 * @example
 * console.log(planToMermaid({ steps: [{ id: 'draft', agent: 'writer' }, { id: 'publish', approve: {} }] }));
 */
export function planToMermaid(plan: ReadonlyPlan, job?: Job<object>): string;
