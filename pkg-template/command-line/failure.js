// @ts-check
/** How commands end. */

/** Exit codes, as docs/command-line.md has them. */
export const EXIT = /** @type {const} */ ({
  ok: 0,
  /** The job failed, or was cancelled. */
  failed: 1,
  /** Arguments, files, plans, agents, drivers: whoever called can set it right. */
  usage: 2,
  /** The job is paused, and somebody has to do something. */
  waiting: 3,
  /** The job is not there, or what was asked is not possible as it stands. */
  refused: 4,
  /** What was checked is not as it should be. */
  check: 5,
  /** The store could not be reached, or failed; or this program did. */
  broken: 6,
  interrupted: 130,
});

/** What is said in one sentence, without a stack: `code` is for programs. */
export class Failure extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} [exit]
   */
  constructor(code, message, exit = EXIT.usage) {
    super(message);
    this.code = code;
    this.exit = exit;
  }
}

/** What errors of the package mean for the exit code; all others are of the store, or internal. */
const EXITS = new Map(
  Object.entries({
    invalid_plan: EXIT.usage,
    invalid_argument: EXIT.usage,
    unsupported: EXIT.usage,
    not_found: EXIT.refused,
    conflict: EXIT.refused,
    closed: EXIT.refused,
    invalid_job: EXIT.refused,
    unknown_step: EXIT.refused,
  }),
);

/**
 * @param {unknown} error
 * @returns {{ code: string, message: string, exit: number }}
 */
export function readError(error) {
  if (error instanceof Failure) return error;
  const { code, message } = /** @type {{ code?: unknown, message?: unknown }} */ (error ?? {});
  const name = typeof code === 'string' && code !== '' ? code : 'internal';
  return { code: name, message: String(message ?? error), exit: EXITS.get(name) ?? EXIT.broken };
}

/**
 * A refusal of the orchestrator, as a failure.
 *
 * @template {{ success: boolean }} T
 * @param {T} outcome
 * @param {string} about what was asked, as `Job "a" can't be paused`
 * @returns {Extract<T, { success: true }>}
 */
export function granted(outcome, about) {
  if (outcome.success) return /** @type {any} */ (outcome);
  const { error, code = 'refused' } = /** @type {{ error?: string, code?: string }} */ (
    /** @type {unknown} */ (outcome)
  );
  throw new Failure(code, `${about}: ${error}.`, EXIT.refused);
}
