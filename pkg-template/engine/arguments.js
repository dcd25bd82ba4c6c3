// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';

/**
 * @param {string} message
 */
export function invalidArgument(message) {
  return new JobwrightError(message, { code: 'invalid_argument' });
}

/**
 * @param {any} options
 * @param {string} name
 */
export function optionsObject(options, name) {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object')
    throw invalidArgument(`${name} must be an object; found ${describe(options)}`);
  return options;
}

/**
 * @param {unknown} text
 * @param {string} name
 * @returns {string | undefined}
 */
export function optionalText(text, name) {
  if (text === undefined || text === null) return undefined;
  if (typeof text !== 'string') throw invalidArgument(`${name} must be a string; found ${describe(text)}`);
  return text;
}

/**
 * @param {any} signal
 * @returns {AbortSignal | undefined}
 */
export function optionalSignal(signal) {
  if (signal === undefined || signal === null) return undefined;
  if (typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function') return signal;
  throw invalidArgument(`signal must be an AbortSignal; found ${describe(signal)}`);
}

/**
 * @param {unknown} ms
 * @param {string} name
 * @returns {number}
 */
export function milliseconds(ms, name) {
  if (typeof ms !== 'number' || !(ms >= 0 && ms < Infinity)) {
    throw invalidArgument(`${name} must be a number of milliseconds of at least 0; found ${describe(ms)}`);
  }
  return ms;
}

const FLAGS = /** @type {const} */ (['allowTools', 'requireApproval']);

/**
 * Permissions as the core takes them: flags are 1, 0 or -1 where nothing is given, a number likewise NaN.
 *
 * @param {any} permissions
 * @returns {number[]} allowTools, requireApproval, maxSteps
 */
export function permissionNumbers(permissions) {
  if (permissions === undefined || permissions === null) return [-1, -1, Number.NaN];
  const given = optionsObject(permissions, 'permissions');
  const [allowTools, requireApproval] = FLAGS.map((name) => {
    const flag = given[name];
    if (flag === undefined) return -1;
    if (typeof flag !== 'boolean')
      throw invalidArgument(`permissions.${name} must be true or false; found ${describe(flag)}`);
    return flag ? 1 : 0;
  });
  const { maxSteps } = given;
  if (maxSteps !== undefined && !(Number.isSafeInteger(maxSteps) && maxSteps >= 0)) {
    throw invalidArgument(
      `permissions.maxSteps must be a whole number of at least 0; found ${describe(maxSteps)}`,
    );
  }
  return [
    /** @type {number} */ (allowTools),
    /** @type {number} */ (requireApproval),
    maxSteps ?? Number.NaN,
  ];
}

const PERMISSIONS = [...FLAGS, 'maxSteps'];

/**
 * Changes to permissions. A name that is none would change nothing and be answered with success, so that whoever took
 * something away would believe it gone.
 *
 * @param {any} permissions
 * @returns {number[]} as `permissionNumbers`
 */
export function changeNumbers(permissions) {
  const numbers = permissionNumbers(permissions);
  const unknown = Object.keys(permissions ?? {}).find((name) => !PERMISSIONS.includes(name));
  if (unknown === undefined) return numbers;
  throw invalidArgument(`Unknown permission ${describe(unknown)}; there are ${PERMISSIONS.join(', ')}`);
}
