// @ts-check

import { describe, plainCopy } from '../parts/plain.js';
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
 * The context that a step sees; an item of it sees itself and its number too.
 *
 * @param {number} job
 * @param {number} step -1 where it is for no step
 */
function contextOf(job, step) {
  const slot = slotOf(job);
  const { context } = slot.whole;
  const index = step < 0 ? undefined : slot.stepAt(step).item;
  return index === undefined ? context : { ...context, item: slot.itemAt(step), index };
}

/**
 * A value, with values of the context in places of it.
 *
 * @param {number} job
 * @param {number} step
 * @param {string} text JSON of the value
 * @param {string} places JSON of `[place in the value, path in the context]`
 */
export function context_values(job, step, text, places) {
  const context = contextOf(job, step);
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
 * @param {number} step
 * @param {string} paths
 */
export function context_json(job, step, paths) {
  try {
    const context = contextOf(job, step);
    const found = JSON.parse(paths).map((/** @type {string[]} */ keys) => {
      const value = follow(context, keys);
      return value === undefined ? [] : [plainCopy(value, `context.${keys.join('.')}`)];
    });
    return jsonForCore(found);
  } catch (error) {
    return `!${/** @type {Error} */ (error).message}`;
  }
}

/**
 * Takes what an expression gives as the list that a step is done for.
 *
 * @param {number} job
 * @param {unknown} given
 * @returns {number} its length, -1 where it is no list
 */
export function list_take(job, given) {
  const slot = slotOf(job);
  try {
    if (!Array.isArray(given)) throw new TypeError(`it gives ${describe(given)}, which is not a list`);
    slot.answer = plainCopy(given, 'it');
    return given.length;
  } catch (error) {
    slot.answer = /** @type {Error} */ (error).message;
    return -1;
  }
}

/** @param {number} job */
export function list_taken(job) {
  const slot = slotOf(job);
  const { answer } = slot;
  slot.answer = undefined;
  return answer;
}

/** @param {string} text */
export function value_from_json(text) {
  return JSON.parse(text);
}
