/** How the job went from step to step. */
import type { JobState } from './state';

/**
 * `taken`: the job went this way. `waiting`: it may still. `skipped`: it did not, and will not. An arrow is taken when
 * the step behind it has begun, or has to wait for a person before it does.
 */
export type EdgeState = 'waiting' | 'taken' | 'skipped';

export function edgeState({ steps }: JobState, from: string, to: string): EdgeState {
  const [source, target] = [steps.get(from), steps.get(to)];
  if (target?.status === 'skipped' || (target === undefined && source?.status === 'skipped'))
    return 'skipped';
  if (target === undefined || (target.status === 'pending' && target.startedAt === undefined))
    return 'waiting';
  return source?.status === 'skipped' ? 'skipped' : 'taken';
}
