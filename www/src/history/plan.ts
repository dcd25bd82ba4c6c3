/** Plans as they are drawn: what can't be read of one is left out. */
import { isRecord, member, numberOf, textOf } from './event';

export type StepKind = 'agent' | 'job' | 'wait' | 'approve';

export interface PlanStep {
  id: string;
  kind: StepKind;
  /** What it does, in a few words. */
  does: string;
  agent: string | undefined;
  /** The steps before it, those that there are. */
  after: string[];
  into: string;
  conditional: boolean;
  forEach: boolean;
  /** How many rounds there may be. */
  rounds: number | undefined;
  breakpoint: boolean;
  approval: boolean;
  goesOnAfterError: boolean;
  maxAttempts: number | undefined;
  /** The estimate of one attempt. */
  cost: number | undefined;
  /** As it stands in the plan. */
  whole: Readonly<Record<string, unknown>>;
}

export interface PlanRead {
  name: string | undefined;
  steps: PlanStep[];
  byId: Map<string, PlanStep>;
}

export const NO_PLAN: PlanRead = Object.freeze({ name: undefined, steps: [], byId: new Map() });

export function readPlan(plan: unknown): PlanRead {
  const list = member(plan, 'steps');
  if (!Array.isArray(list)) return NO_PLAN;
  const steps: PlanStep[] = [];
  const byId = new Map<string, PlanStep>();
  let before: string | undefined;
  for (const given of list) {
    const id = textOf(member(given, 'id'));
    if (!isRecord(given) || id === undefined || byId.has(id)) continue;
    const step = readStep(id, given, before);
    steps.push(step);
    byId.set(id, step);
    before = id;
  }
  for (const step of steps)
    step.after = [...new Set(step.after)].filter((id) => id !== step.id && byId.has(id));
  return { name: textOf(member(plan, 'name')), steps, byId };
}

function readStep(id: string, given: Record<string, unknown>, before: string | undefined): PlanStep {
  const after = member(given, 'after');
  const kind = (['job', 'wait', 'approve'] as const).find((key) => isRecord(member(given, key))) ?? 'agent';
  const repeat = member(given, 'repeat');
  const agent = textOf(member(given, 'agent'));
  return {
    id,
    kind,
    does: doing(kind, agent, given),
    agent,
    after: Array.isArray(after)
      ? after.filter((one): one is string => typeof one === 'string')
      : before === undefined
        ? []
        : [before],
    into: textOf(member(given, 'into')) ?? id,
    conditional: member(given, 'when') !== undefined,
    forEach: member(given, 'forEach') !== undefined,
    rounds: isRecord(repeat) ? (numberOf(member(repeat, 'max')) ?? 0) : undefined,
    breakpoint: member(given, 'breakpoint') === true,
    approval: member(given, 'approval') === true,
    goesOnAfterError: member(given, 'onError') === 'continue',
    maxAttempts: numberOf(member(member(given, 'retry'), 'maxAttempts')),
    cost: numberOf(member(given, 'cost')),
    whole: given,
  };
}

function doing(kind: StepKind, agent: string | undefined, given: Record<string, unknown>): string {
  if (kind === 'job')
    return `job ${textOf(member(member(member(given, 'job'), 'plan'), 'name')) ?? ''}`.trim();
  if (kind === 'approve') return 'asks a person';
  if (kind === 'agent') return agent ?? '';
  const wait = member(given, 'wait');
  const signal = member(wait, 'signal');
  const names = [signal].flat().filter((name) => typeof name === 'string');
  return names.length > 0 ? `waits for ${names.join(' or ')}` : 'waits';
}
