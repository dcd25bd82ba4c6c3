// @ts-check
import { core } from './core.js';

/** @typedef {{ name: string, sentence: string }} Code */

/** @type {Code[]} */
const codes = [];
/** @type {Code} */
let described = { name: '', sentence: '' };

/**
 * @param {string} name
 * @param {string} sentence
 */
export function code_described(name, sentence) {
  described = { name, sentence };
}

/**
 * @param {number} code its place in the core's list
 * @returns {Code}
 */
export function codeAt(code) {
  if (codes[code] === undefined) {
    core.describe_code(code);
    codes[code] = described;
  }
  return /** @type {Code} */ (codes[code]);
}

/** @type {Map<string, number>} */
const places = new Map();

/**
 * The place of a code in the core's list.
 *
 * @param {string} name
 */
export function placeOf(name) {
  for (let place = places.size; !places.has(name); place++) places.set(codeAt(place).name, place);
  return /** @type {number} */ (places.get(name));
}

/**
 * A refusal, equal to the specification's `{ success: false, error }`: what is more can't be enumerated.
 *
 * @param {string} code
 * @param {string} error
 * @param {unknown} [details]
 */
export function refusal(code, error, details) {
  const outcome = { success: /** @type {const} */ (false), error };
  Object.defineProperty(outcome, 'code', { value: code });
  if (details !== undefined) Object.defineProperty(outcome, 'details', { value: details });
  return outcome;
}
