// @ts-check

/** What the kit's tests say. Small and its own, so that they run under any runner and in browsers. */

/** @param {string} message */
function failure(message) {
  const error = new Error(message);
  error.name = 'AssertionError';
  return error;
}

/**
 * @param {unknown} condition
 * @param {string} message
 * @returns {asserts condition}
 */
export function ok(condition, message) {
  if (!condition) throw failure(message);
}

/**
 * Equal as JSON values: keys may stand in any order, and what is undefined is not there.
 *
 * @param {unknown} actual
 * @param {unknown} expected
 * @param {string} what
 */
export function equal(actual, expected, what) {
  const place = difference(actual, expected, '');
  if (place === null) return;
  throw failure(`${what}${place}: expected ${show(expected)}, found ${show(actual)}`);
}

/**
 * @param {() => unknown} act
 * @param {string} what
 * @param {(error: any) => boolean} [isRight]
 * @returns {Promise<any>} the error
 */
export async function rejects(act, what, isRight = () => true) {
  /** @type {unknown} */
  let error;
  try {
    await act();
  } catch (caught) {
    error = caught;
    if (error instanceof Error && isRight(error)) return error;
    throw failure(`${what}: rejected with another error than expected: ${String(error)}`);
  }
  throw failure(`${what}: expected a rejection`);
}

/** @param {any} error */
export const isConflict = (error) => error.name === 'ConflictError' && error.code === 'conflict';

/** @param {unknown} value */
function show(value) {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)} ...` : text;
}

/**
 * @param {any} actual
 * @param {any} expected
 * @param {string} path
 * @returns {string | null} where the two first differ
 */
function difference(actual, expected, path) {
  if (Object.is(actual, expected)) return null;
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null)
    return path;
  if (Array.isArray(actual) !== Array.isArray(expected) || actual.length !== expected.length) return path;
  for (const key of new Set([...Object.keys(actual), ...Object.keys(expected)])) {
    const found = difference(
      own(actual, key),
      own(expected, key),
      `${path}[${JSON.stringify(key).slice(0, 80)}]`,
    );
    if (found !== null) return found;
  }
  return null;
}

/**
 * @param {any} object
 * @param {string} key
 */
function own(object, key) {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
