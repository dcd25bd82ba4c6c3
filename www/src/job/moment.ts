import type { History, JobState } from '../history';

/** The job at one moment of its history: what all views show. Another object whenever anything changes. */
export interface Moment {
  history: History;
  state: JobState;
  /** How many events have happened. */
  position: number;
  /** When it was; while the job is followed live and runs, the time goes on. */
  time: number | undefined;
  /** Is it what is known now, or a moment before? */
  live: boolean;
}

export const VIEWS = ['graph', 'timeline', 'trace', 'context', 'log', 'budget', 'children'] as const;
export type View = (typeof VIEWS)[number];
