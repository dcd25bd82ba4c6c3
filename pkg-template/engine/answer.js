// @ts-check
import { JobwrightError, NonRetryableError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { agentNamed } from './agents.js';
import { promiseOf } from './executor.js';
import { checkSchema } from './schema.js';

/** @typedef {import('./attempt.js').Attempt} Attempt */

// How an attempt ended, for the core.
export const DONE = 0;
const DONE_AT_COST = -1;
const FAILED = 1;

/** So many characters are told of an error that is an object without a message. */
const MOST_OF_ERROR = 1_000;

/** An output that its schema refuses. */
class SchemaError extends Error {}

/**
 * @param {Attempt} attempt
 * @param {any} result
 * @returns {number | Promise<number>}
 */
export function succeed(attempt, result) {
  try {
    if (result !== null && typeof result === 'object') {
      if (result.success === false && 'error' in result) {
        takeCost(attempt, result.cost);
        return fail(attempt, result.error);
      }
      if (result.success === true && 'data' in result) {
        takeCost(attempt, result.cost);
        return accept(attempt, result.data);
      }
    }
    return accept(attempt, result);
  } catch (error) {
    return unusable(attempt, error);
  }
}

/**
 * @param {Attempt} attempt
 * @param {unknown} cost
 */
function takeCost(attempt, cost) {
  if (cost === undefined) return;
  if (typeof cost !== 'number' || !(cost >= 0 && cost < Infinity)) {
    throw new TypeError(`cost must be a number of at least 0; found ${describe(cost)}`);
  }
  attempt.cost = cost;
}

/**
 * @param {Attempt} attempt
 * @param {unknown} output
 */
function accept(attempt, output) {
  const schema = agentNamed(attempt.engine, attempt.step.agent)?.metadata?.outputSchema;
  return schema === undefined ? keep(attempt, output) : acceptChecked(attempt, schema, output);
}

/**
 * @param {Attempt} attempt
 * @param {unknown} output
 */
function keep(attempt, output) {
  attempt.output = plainCopy(output, 'output') ?? null;
  return Number.isNaN(attempt.cost) ? DONE : DONE_AT_COST;
}

/**
 * @param {Attempt} attempt
 * @param {unknown} schema
 * @param {unknown} output
 */
function acceptChecked(attempt, schema, output) {
  const refused = (/** @type {string} */ problem) =>
    new SchemaError(`The output does not fit its schema: ${problem}`);
  const checked = checkSchema(schema, output, refused);
  const promise = promiseOf(checked);
  return promise === null
    ? keep(attempt, checked)
    : promise.then((late) => keep(attempt, late)).then(undefined, (error) => unusable(attempt, error));
}

/**
 * @param {Attempt} attempt
 * @param {unknown} error why the output can't be used
 */
function unusable(attempt, error) {
  const message = messageOf(error);
  const known = error instanceof JobwrightError || error instanceof TypeError || error instanceof SchemaError;
  attempt.error = {
    code: 'invalid_output',
    message: known ? message : `The output can't be read: ${message}`,
    retryAfter: Number.NaN,
  };
  return FAILED;
}

/**
 * @param {Attempt} attempt
 * @param {any} error
 */
export function fail(attempt, error) {
  const message = messageOf(error) || `Agent ${describe(attempt.step.agent)} failed without saying why`;
  attempt.error = { code: 'agent_failed', message, retryAfter: waitOf(error) };
  return FAILED;
}

/**
 * How long to wait before another attempt: -1 where none can help, NaN where the error doesn't say.
 *
 * @param {any} error
 */
function waitOf(error) {
  try {
    if (error instanceof NonRetryableError || error?.retryable === false) return -1;
    const wait = error?.retryAfter;
    return typeof wait === 'number' && wait >= 0 && wait < Infinity ? wait : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/**
 * What an error says, whatever was thrown.
 *
 * @param {any} error
 * @returns {string}
 */
export function messageOf(error) {
  try {
    if (typeof error === 'string') return error;
    if (typeof error?.message === 'string') return error.message;
    // An answer of somebody's API mostly: it says why in words of its own.
    const json = typeof error === 'object' ? (JSON.stringify(error) ?? '{}') : '{}';
    return json === '{}' ? describe(error) : json.slice(0, MOST_OF_ERROR);
  } catch {
    return 'an error that could not be read';
  }
}
