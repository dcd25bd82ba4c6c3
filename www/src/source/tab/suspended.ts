/**
 * Which running jobs stand still here, because a child of theirs is paused. To run them again before the child goes on
 * would change nothing but their history.
 */
import type { JobHead } from 'jobwright';
import type { Change } from '../source';

export interface Suspended {
  has(jobId: string): boolean;
  /** A run of the job came to its end, and the job did not; these are paused meanwhile. */
  add(jobId: string, paused: JobHead[]): void;
  /** What happens to a job. One that was paused and is not any more may wake those above it. */
  hear(change: Change): void;
}

export function createSuspended(): Suspended {
  const suspended = new Set<string>();
  const paused = new Set<string>();

  return {
    has: (jobId) => suspended.has(jobId),
    add: (jobId, heads) => {
      suspended.add(jobId);
      for (const { id } of heads) paused.add(id);
    },
    hear: (change) => {
      if (change.type === 'missed') suspended.clear();
      if (change.type !== 'job') return;
      const { jobId, status } = change;
      if (status === 'paused') paused.add(jobId);
      // Whose child it is, and who stands still above that, a run of each finds out.
      else if (paused.delete(jobId)) suspended.clear();
    },
  };
}
