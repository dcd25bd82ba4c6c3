// @ts-check

/**
 * @typedef {object} ErrorOptions
 * @property {string} [code] what programs look at
 * @property {unknown} [details] what the sentence left out
 * @property {unknown} [cause] the error behind this one
 */

/**
 * The names live on the prototypes and can't be enumerated, as those of the language's own errors.
 *
 * @param {Function} errorClass
 * @param {string} name
 */
function setName(errorClass, name) {
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
}

/**
 * The one error class that the package throws. Expected refusals are outcomes, not errors.
 *
 * `code` says which error it is: `invalid_argument`, `internal`, or one of the outcome codes.
 */
export class JobwrightError extends Error {
  /**
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(message, { code = 'internal', details, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    if (details !== undefined) this.details = details;
  }
}

/** Throw it from an agent or a tool when trying again can't help. `error.retryable === false` says the same. */
export class NonRetryableError extends Error {
  /**
   * @param {string} [message]
   * @param {ErrorOptions} [options]
   */
  constructor(message, { code, details, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryable = false;
    if (code !== undefined) this.code = code;
    if (details !== undefined) this.details = details;
  }
}

/** Thrown by a store's `commit` when somebody else committed first, or now holds the job's lease. */
export class ConflictError extends Error {
  /**
   * @param {string} [message]
   * @param {ErrorOptions} [options]
   */
  constructor(message, { code = 'conflict', details, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    if (details !== undefined) this.details = details;
  }
}

setName(JobwrightError, 'JobwrightError');
setName(NonRetryableError, 'NonRetryableError');
setName(ConflictError, 'ConflictError');
