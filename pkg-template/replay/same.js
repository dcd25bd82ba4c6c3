// @ts-check

/** @typedef {{ expected: unknown, actual: unknown }} Parting where two values part: each as an object of one member */

/** @param {any} value */
const isObject = (value) => value !== null && typeof value === 'object';

/**
 * Are they the same as JSON? A member that is undefined is none.
 *
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
export function same(a, b) {
  if (a === b) return true;
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a)) return a.length === b.length && a.every((item, place) => same(item, b[place]));
  for (const key of Object.keys(a)) if (!same(a[key], own(b, key))) return false;
  for (const key of Object.keys(b)) if (b[key] !== undefined && own(a, key) === undefined) return false;
  return true;
}

/**
 * @param {any} a
 * @param {any} b
 */
function keysOf(a, b) {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

/**
 * @param {any} object
 * @param {string} key
 */
function own(object, key) {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * Where they part, named by the way there.
 *
 * @param {string} path
 * @param {any} expected
 * @param {any} actual
 * @returns {Parting | null}
 */
export function parting(path, expected, actual) {
  if (same(expected, actual)) return null;
  if (isObject(expected) && isObject(actual) && !Array.isArray(expected) && !Array.isArray(actual)) {
    for (const key of keysOf(expected, actual)) {
      const inner = parting(path === '' ? key : `${path}.${key}`, own(expected, key), own(actual, key));
      if (inner !== null) return inner;
    }
  }
  return { expected: { [path]: expected }, actual: { [path]: actual } };
}
