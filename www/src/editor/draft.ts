/** What was typed, read: a job that can be made, and what is to be expected of it. */
import { type Plan, type PlanProblem, type PlanSimulation, simulatePlan, validatePlan } from 'jobwright';
import { objectOf } from '../controls/json-field';
import type { Sample } from '../samples';
import type { NewJob } from '../source/source';

export interface Draft {
  plan: string;
  context: string;
  requireApproval: boolean;
  allowTools: boolean;
  maxSteps: number | null;
  budget: number | null;
  slowPlayMs: number | null;
}

export type Checked =
  | { ok: true; job: NewJob; simulation: PlanSimulation }
  | { ok: false; problems: PlanProblem[] };

export function draftOf({ plan, context, permissions, budget, slowPlayMs = 0 }: Sample): Draft {
  return {
    plan: JSON.stringify(plan, null, 2),
    context: JSON.stringify(context, null, 2),
    requireApproval: permissions.requireApproval ?? true,
    allowTools: permissions.allowTools ?? false,
    maxSteps: permissions.maxSteps ?? 10,
    budget: budget ?? null,
    slowPlayMs,
  };
}

export function problemsOfPlan(plan: unknown): PlanProblem[] {
  const checked = validatePlan(plan);
  return checked.success ? [] : checked.errors;
}

export function problemsOfContext(value: unknown): PlanProblem[] {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? [] : [{ path: '', message: 'The context is an object, as {"topic": "tides"}' }];
}

export function check(draft: Draft): Checked {
  const plan = objectOf(draft.plan);
  if (!plan.ok) return { ok: false, problems: [{ path: 'plan', message: plan.problem }] };
  const context = objectOf(draft.context);
  const problems = [
    ...problemsOfPlan(plan.value),
    ...(context.ok ? [] : [{ path: 'context', message: context.problem }]),
    ...wholeNumber('The step limit', draft.maxSteps, true),
    ...wholeNumber('The budget', draft.budget, false),
    ...wholeNumber('Slow play', draft.slowPlayMs, false),
  ];
  if (problems.length > 0 || !context.ok) return { ok: false, problems };
  const permissions = {
    requireApproval: draft.requireApproval,
    allowTools: draft.allowTools,
    maxSteps: draft.maxSteps ?? 0,
  };
  const job: NewJob = {
    plan: plan.value as Plan,
    context: context.value as Record<string, unknown>,
    permissions,
    ...(draft.budget !== null && { budget: draft.budget }),
    ...(draft.slowPlayMs && { slowPlayMs: draft.slowPlayMs }),
  };
  try {
    const { budget } = job;
    const simulation = simulatePlan(job.plan, { permissions, ...(budget !== undefined && { budget }) });
    return { ok: true, job, simulation };
  } catch (error) {
    return { ok: false, problems: [{ path: 'plan', message: (error as Error).message }] };
  }
}

function wholeNumber(name: string, value: number | null, needed: boolean): PlanProblem[] {
  if (value === null || Number.isNaN(value)) {
    return needed ? [{ path: name, message: 'expected a whole number' }] : [];
  }
  return Number.isSafeInteger(value) && value >= 0
    ? []
    : [{ path: name, message: `expected a whole number of at least 0, found ${value}` }];
}
