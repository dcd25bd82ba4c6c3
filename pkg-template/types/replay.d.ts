// Histories that are decided again, exported and forked.

import type { JobwrightError } from './errors.js';
import type { JobPermissions } from './jobs.js';

/** Is a history what is decided: how many of its events are the engine's own decisions, or where the two part first. */
export type ReplayResult =
  | { ok: true; decisions: number }
  | {
      ok: false;
      /** The number of the event, or of the line behind the head; 0 for the head. */
      at: number;
      /** The event that comes next, a sentence that says what could, or what the job comes to in the end. */
      expected: unknown;
      /** What stands there; undefined where nothing does. */
      actual: unknown;
    };

export interface ExportOptions {
  /** Replace what rules don't read by hashes. Default true. */
  redact?: boolean;
  /** What is hashed before each value. Default: random, so that hashes of two files can't be compared. */
  salt?: string;
}

export interface ForkOptions {
  /** The last step that is shared: done, skipped, or failed where the job went on. */
  afterStep: string;
  /** Members that the context gets, beside or instead of those it had. */
  context?: Record<string, unknown>;
  /** What of the permissions changes. */
  permissions?: Partial<JobPermissions>;
  /** Set up with the budget manager for the fork. */
  budget?: number;
}

/**
 * Checks an exported run: its chain of hashes, and every decision once more, from the file alone. Takes the whole text,
 * or its lines, with or without their ends. Rejects with a {@link JobwrightError}, code "invalid_argument", where it is
 * given something else; a file that is no export is a result, `at` 0.
 *
 * The chain finds accidents and careless edits. Against somebody who writes the whole file anew, keep its first line
 * elsewhere.
 *
 * @example
 * const verified = await verifyRun(await readFile('run.jsonl', 'utf8'));
 * if (!verified.ok) console.log(`line ${verified.at + 1}`, verified.expected, verified.actual);
 */
export function verifyRun(lines: Iterable<string> | AsyncIterable<string>): Promise<ReplayResult>;
