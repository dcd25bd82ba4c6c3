// @ts-check

import { plainCopy } from '../parts/plain.js';
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
    if (typeof found === 'string') found = Object(found);
    if (found === null || typeof found !== 'object' || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}

/**
 * @param {number} job
 * @param {string} path
 */
export function context_value(job, path) {
  try {
    return follow(slotOf(job).record.context, JSON.parse(path)) ?? null;
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
  const { context } = slotOf(job).record;
  try {
    const found = JSON.parse(paths).map((/** @type {string[]} */ keys) => {
      const value = follow(context, keys);
      return value === undefined ? [] : [plainCopy(value, `context.${keys.join('.')}`)];
    });
    return JSON.stringify(found);
  } catch (error) {
    return `!${/** @type {Error} */ (error).message}`;
  }
}

/** @param {string} text */
export function value_from_json(text) {
  return JSON.parse(text);
}
