// @ts-check
import { JobwrightError } from './errors.js';

/** How deep a value may be nested. Far past any real one, and safe on every engine's stack. */
export const MAX_DEPTH = 1_000;

/** How deep a job may be that holds such values. */
export const JOB_DEPTH = MAX_DEPTH + 20;

/** How many values one copy may hold: what shares one part in many places can be endless on paper. */
export const MAX_VALUES = 50_000_000;

// The way from the root to the value at hand. Kept between calls, so that a copy that succeeds allocates
// nothing but the copy; a call made from inside another one (by a getter, say) works above its `base`.
/** @type {object[]} */
const ancestors = [];
/** @type {(string | number)[]} */
const keys = [];
let base = 0;
let mostLevels = MAX_DEPTH;
let values = 0;
/** @type {string | number | undefined} the property being read, where it is not a container's own */
let reading;

/** Marks errors that already say where and what. */
class Refusal extends JobwrightError {}

/**
 * A copy of what JSON can hold, made as JSON makes it: own enumerable string keys, `toJSON` honoured,
 * `undefined` left out of objects and null in arrays, -0 as 0. What JSON would drop or change without a
 * word (functions, symbols, NaN, Map, ...) is refused with a JobwrightError, code `invalid_argument`, that
 * names the place and what was found there. A key `__proto__` is data like any other.
 *
 * @template T
 * @param {T} value
 * @param {string | (() => string)} [path] what to call the root in errors
 * @param {number} [most] how deep it may be
 * @returns {T}
 */
export function plainCopy(value, path = 'value', most = MAX_DEPTH) {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null || value === undefined) {
    return value;
  }
  const outerBase = base;
  const outerValues = values;
  const outerReading = reading;
  const outerMost = mostLevels;
  mostLevels = most;
  base = ancestors.length;
  values = 0;
  reading = undefined;
  try {
    return /** @type {T} */ (copyAt(value, ''));
  } catch (error) {
    if (error instanceof Refusal) throw locate(error.message, path);
    throw locate(`could not be read: ${describe(error)}`, path, error);
  } finally {
    // After a copy that succeeded there is nothing to cut, and setting a length is slow.
    if (ancestors.length !== base) {
      ancestors.length = base;
      keys.length = base;
    }
    base = outerBase;
    values = outerValues;
    reading = outerReading;
    mostLevels = outerMost;
  }
}

/**
 * @param {unknown} value
 * @param {string | number} key
 * @returns {unknown}
 */
function copyAt(value, key) {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw refuse(String(value));
      return value === 0 ? 0 : value;
    case 'object':
      return value === null ? null : copyObject(value, key);
    case 'bigint':
      throw refuse(`the BigInt ${String(value).slice(0, 40)}n`);
    case 'symbol':
      throw refuse('a symbol');
    default:
      throw refuse('a function');
  }
}

/**
 * @param {object} object
 * @param {string | number} key
 */
function copyObject(object, key) {
  if (ancestors.indexOf(object, base) !== -1) throw refuse('a cycle');
  const depth = ancestors.length - base;
  if (depth === mostLevels) throw refuse(`more than ${mostLevels} levels of nesting`);
  ancestors.push(object);
  keys.push(key);
  reading = undefined;
  const toJSON = /** @type {{ toJSON?: unknown }} */ (object).toJSON;
  const copy =
    typeof toJSON === 'function' ? copyConverted(toJSON.call(object, String(key))) : copyContents(object);
  ancestors.pop();
  keys.pop();
  return copy;
}

/**
 * What `toJSON` gave. As in JSON, its own `toJSON` is not asked.
 *
 * @param {unknown} value
 */
function copyConverted(value) {
  if (typeof value !== 'object' || value === null) return copyAt(value, '');
  const last = ancestors.length - 1;
  const at = ancestors.indexOf(value, base);
  if (at !== -1 && at !== last) throw refuse('a cycle');
  ancestors[last] = value;
  return copyContents(value);
}

/** @param {object} object */
function copyContents(object) {
  if (Array.isArray(object)) return copyArray(object);
  const prototype = Object.getPrototypeOf(object);
  if (prototype !== Object.prototype && prototype !== null) {
    const kind = Object.prototype.toString.call(object).slice(8, -1);
    if (kind === 'Number' || kind === 'String' || kind === 'Boolean') return copyAt(object.valueOf(), '');
    if (kind !== 'Object') throw refuse(kind === 'Error' ? describe(object) : `${article(kind)} ${kind}`);
  }
  return copyProperties(/** @type {Record<string, unknown>} */ (object));
}

/** @param {Record<string, unknown>} object */
function copyProperties(object) {
  /** @type {Record<string, unknown>} */
  const copy = {};
  const names = Object.keys(object);
  count(names.length);
  for (let i = 0; i < names.length; i += 1) {
    const name = /** @type {string} */ (names[i]);
    reading = name;
    const given = object[name];
    // Most are, and need no look at what they are.
    const value = typeof given === 'string' ? given : copyAt(given, name);
    if (value !== undefined) setOwn(copy, name, value);
  }
  return copy;
}

/** @param {unknown[]} array */
function copyArray(array) {
  const { length } = array;
  count(length);
  const copy = [];
  for (let i = 0; i < length; i += 1) {
    reading = i;
    const value = copyAt(array[i], i);
    copy.push(value === undefined ? null : value);
  }
  return copy;
}

/**
 * A copy of what is known to be JSON: the same as `plainCopy` gives, at a quarter of the time.
 *
 * @template T
 * @param {T} value
 * @returns {T}
 */
export function cloneJson(value) {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return /** @type {any} */ (value.map(cloneJson));
  return /** @type {any} */ (cloneInto({}, value));
}

/**
 * Puts copies of the members of an object into another. One by one: an object that is spread may have a shape of its own
 * each time, and is slow to read.
 *
 * @template {object} T
 * @param {T} target
 * @param {any} object known to be JSON
 * @returns {T}
 */
export function cloneInto(target, object) {
  const keys = Object.keys(object);
  for (let i = 0; i < keys.length; i += 1) {
    const key = /** @type {string} */ (keys[i]);
    const member = object[key];
    setOwn(/** @type {any} */ (target), key, typeof member === 'object' ? cloneJson(member) : member);
  }
  return target;
}

/**
 * Sets data, whatever the key: assigning to `__proto__` would set a prototype instead.
 *
 * @param {Record<string, unknown>} object
 * @param {string} key
 * @param {unknown} value
 */
export function setOwn(object, key, value) {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[key] = value;
  }
}

/** @param {number} more */
function count(more) {
  values += more;
  if (values > MAX_VALUES) throw refuse(`more than ${MAX_VALUES} values`);
}

/** @param {string} found */
function refuse(found) {
  return new Refusal(`expected a JSON value, found ${found}`);
}

/**
 * @param {string} problem
 * @param {string | (() => string)} root
 * @param {unknown} [cause]
 */
function locate(problem, root, cause) {
  const steps = keys.slice(base + 1);
  if (reading !== undefined) steps.push(reading);
  const path = (typeof root === 'string' ? root : root()) + steps.map(pathPart).join('');
  const shown = path.length > 300 ? `${path.slice(0, 150)} ... ${path.slice(-140)}` : path;
  return new JobwrightError(`${shown}: ${problem}`, { code: 'invalid_argument', details: { path }, cause });
}

/** @param {string | number} key */
function pathPart(key) {
  if (typeof key === 'number') return `[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}

/** @param {string} word */
function article(word) {
  return /^[AEIOU]/.test(word) ? 'an' : 'a';
}

/**
 * A few words about anything at all, even where looking at it throws.
 *
 * @param {unknown} thing
 */
export function describe(thing) {
  try {
    if (thing instanceof Error) return `${thing.name}: ${thing.message}`.slice(0, 200);
    if (typeof thing === 'string') return JSON.stringify(thing).slice(0, 200);
    if (thing instanceof Promise) return 'a promise';
    if (typeof thing === 'object' && thing !== null) return Array.isArray(thing) ? 'an array' : 'an object';
    return typeof thing === 'function' ? 'a function' : String(thing).slice(0, 200);
  } catch {
    return 'something that cannot be described';
  }
}
