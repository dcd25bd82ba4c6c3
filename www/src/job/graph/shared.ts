/** What the steps of a graph read, wherever they stand in it. */

import type { JobHead } from 'jobwright';
import { createContext } from 'svelte';
import type { PlanStep } from '../../history';
import type { Moment } from '../moment';

export interface GraphShared {
  readonly moment: Moment;
  readonly selected: string | null;
  /** Those that were set beside the plan's. */
  readonly breakpoints: ReadonlySet<string>;
  readonly canSetBreakpoints: boolean;
  /** A child job as it is now; nothing where it is not known, or another moment is shown. */
  childOf(id: string): JobHead | undefined;
  select(step: string): void;
  toggleBreakpoint(step: string): void;
}

export const [graphShared, shareGraph] = createContext<GraphShared>();

/** The steps of a job: those of its plan, or, where a router named them, those that it named until now. */
export function stepsOf({ history, state }: Moment): PlanStep[] {
  const { plan } = history;
  if (plan.steps.length > 0) return plan.steps;
  let before: string | undefined;
  return [...state.steps.values()].map(({ id, agent }) => {
    const step: PlanStep = {
      ...{ id, agent, kind: 'agent', does: agent ?? '', into: agent ?? id },
      after: before === undefined ? [] : [before],
      ...{ conditional: false, forEach: false, rounds: undefined, breakpoint: false, approval: false },
      ...{ goesOnAfterError: false, maxAttempts: undefined, cost: undefined, whole: {} },
    };
    before = id;
    return step;
  });
}
