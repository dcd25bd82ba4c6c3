// @ts-check

import { plainCopy } from '../parts/plain.js';
import { jsonForCore } from './json.js';
import { slotOf } from './slots.js';

/**
 * What an expression finds at a path: own members of objects, elements and `length` of arrays and texts.
 *
 * @param {any} value
 * @param {string[]} keys
 */
function follow(value, keys) {
  let found = value;
  for (const key of keys) {
    const text = typeof found === 'string';
    if (text) found = Object(found);
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, key)) return undefined;
    found = text ? whole(found[key]) : found[key];
  }
  return found;
}

/**
 * Half of a surrogate pair, cut out of a text, is U+FFFD, as the core has it.
 *
 * @param {string | number} part of a text
 */
const whole = (part) => (typeof part === 'string' && part >= '\ud800' && part <= '\udfff' ? '\ufffd' : part);

/**
 * A value, with values of the context in places of it.
 *
 * @param {number} job
 * @param {string} text JSON of the value
 * @param {string} places JSON of `[place in the value, path in the context]`
 */
export function context_values(job, text, places) {
  const { context } = slotOf(job).whole;
  const holder = { value: JSON.parse(text) };
  for (const [place, path] of JSON.parse(places)) {
    const [last, ...before] = ['value', ...place].reverse();
    const target = before.reverse().reduce((object, key) => object[key], /** @type {any} */ (holder));
    target[last] = found(context, path);
  }
  return holder.value;
}

/**
 * @param {any} context
 * @param {string[]} path
 */
function found(context, path) {
  try {
    return follow(context, path) ?? null;
  } catch {
    // A getter of the store's own that throws: there is nothing to be had there.
    return null;
  }
}

/**
 * @param {number} job
 * @param {string} paths
 */
export function context_json(job, paths) {
  const { context } = slotOf(job).whole;
  try {
    const found = JSON.parse(paths).map((/** @type {string[]} */ keys) => {
      const value = follow(context, keys);
      return value === undefined ? [] : [plainCopy(value, `context.${keys.join('.')}`)];
    });
    return jsonForCore(found);
  } catch (error) {
    return `!${/** @type {Error} */ (error).message}`;
  }
}

/** @param {string} text */
export function value_from_json(text) {
  return JSON.parse(text);
}
