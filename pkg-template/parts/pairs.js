// @ts-check
/**
 * Names and their values, as the memory store keeps those of each job: while they are few, a list in which each name is
 * followed by its value, which takes less room than a Map and is as quick to look through; then a Map.
 *
 * @template T
 * @typedef {any[] | Map<string, T>} Pairs
 */

/** So many names and values a list has at most. */
const LONGEST_LIST = 32;

/**
 * None: it stays empty.
 *
 * @type {any[]}
 */
export const NO_PAIRS = [];

/**
 * @template T
 * @param {Pairs<T>} pairs are changed, or given up for what this returns
 * @param {string} name
 * @param {T} value
 * @returns {Pairs<T>}
 */
export function withPair(pairs, name, value) {
  if (!Array.isArray(pairs)) return pairs.set(name, value);
  const place = placeOf(pairs, name);
  if (place >= 0) pairs[place + 1] = value;
  // As long as it has to be: a list that is added to makes room for more.
  else if (pairs.length === 0) return [name, value];
  else if (pairs.length < LONGEST_LIST) pairs.push(name, value);
  else return mapOf(pairs).set(name, value);
  return pairs;
}

/**
 * @template T
 * @param {Pairs<T>} pairs are changed, or given up for what this returns
 * @param {string} name
 * @returns {Pairs<T>}
 */
export function withoutPair(pairs, name) {
  if (Array.isArray(pairs)) {
    const place = placeOf(pairs, name);
    if (place >= 0) pairs.splice(place, 2);
  } else pairs.delete(name);
  return pairs;
}

/**
 * The same, to be changed while these stay as they are.
 *
 * @template T
 * @param {Pairs<T>} pairs
 * @returns {Pairs<T>}
 */
export function copyOfPairs(pairs) {
  if (!Array.isArray(pairs)) return new Map(pairs);
  return pairs.length === 0 ? pairs : pairs.slice();
}

/**
 * @template T
 * @param {Pairs<T>} pairs
 * @param {(name: string, value: T) => void} see
 */
export function eachPair(pairs, see) {
  if (Array.isArray(pairs)) for (let n = 0; n < pairs.length; n += 2) see(pairs[n], pairs[n + 1]);
  else for (const [name, value] of pairs) see(name, value);
}

/**
 * From the end: what has just been added is what changes.
 *
 * @param {any[]} list
 * @param {string} name
 */
function placeOf(list, name) {
  for (let n = list.length - 2; n >= 0; n -= 2) if (list[n] === name) return n;
  return -1;
}

/** @param {any[]} list */
function mapOf(list) {
  const map = new Map();
  for (let n = 0; n < list.length; n += 2) map.set(list[n], list[n + 1]);
  return map;
}
