// The errors that are thrown.

import type { OutcomeCode } from './outcomes.js';

export interface ErrorOptions {
  code?: string;
  details?: unknown;
  cause?: unknown;
}

/** The one error class that is thrown. Expected refusals are outcomes, not errors. */
export class JobwrightError extends Error {
  constructor(message: string, options?: ErrorOptions);
  readonly code: OutcomeCode | 'internal' | 'invalid_argument';
  readonly details?: unknown;
}

/** Throw it from an agent or tool when trying again can't help. `error.retryable === false` says the same. */
export class NonRetryableError extends Error {
  constructor(message?: string, options?: ErrorOptions);
  readonly retryable: false;
}

/** Thrown by stores from `commit`: somebody else committed first, or holds the job's lease now. */
export class ConflictError extends Error {
  constructor(message?: string, options?: ErrorOptions);
  readonly code: string;
}
