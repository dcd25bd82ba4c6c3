// @ts-check
/** The policy file: which licences are allowed, which need a person, which are denied. */
import { readFileSync } from 'node:fs';
import { Failure, reasonOf } from './failure.mjs';
import { readExpression, VERDICTS } from './licences.mjs';

/**
 * @typedef {import('./licences.mjs').Policy} Policy
 * @typedef {import('./licences.mjs').Verdict} Verdict
 */

/** @param {string} file */
export function readPolicyFile(file) {
  let text;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`The policy ${file} can't be read: ${reasonOf(error)}.`);
  }
  return { text, policy: parsePolicy(text, file) };
}

/**
 * Every entry becomes canonical, so that what is listed is found however a package spells it.
 *
 * @param {string} text
 * @param {string} file for the error message
 * @returns {Policy}
 */
export function parsePolicy(text, file) {
  /** @param {string} what @returns {never} */
  const refuse = (what) => {
    throw new Failure(`The policy ${file} is not valid: ${what}.`);
  };
  const given = parseJson(text, refuse);
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    refuse('it must be an object with the lists "allowed", "review" and "denied"');
  }
  for (const key of Object.keys(given)) {
    if (key !== 'description' && !VERDICTS.some((verdict) => verdict === key)) {
      refuse(`${JSON.stringify(key)} is none of "allowed", "review", "denied" and "description"`);
    }
  }
  if (!VERDICTS.some((verdict) => Object.hasOwn(given, verdict))) {
    refuse('it has none of the lists "allowed", "review" and "denied"');
  }
  /** @type {Map<string, Verdict>} */
  const seen = new Map();
  const read = (/** @type {Verdict} */ verdict) => readList(given[verdict] ?? [], verdict, seen, refuse);
  return { allowed: read('allowed'), review: read('review'), denied: read('denied') };
}

/**
 * @param {string} text
 * @param {(what: string) => never} refuse
 * @returns {any}
 */
function parseJson(text, refuse) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return refuse(`it is not JSON (${/** @type {Error} */ (error).message.replaceAll('\n', ' ')})`);
  }
}

/**
 * @param {unknown} list
 * @param {Verdict} verdict
 * @param {Map<string, Verdict>} seen
 * @param {(what: string) => never} refuse
 */
function readList(list, verdict, seen, refuse) {
  if (!Array.isArray(list)) refuse(`"${verdict}" must be a list of SPDX expressions`);
  const canonical = list.map((/** @type {unknown} */ entry, /** @type {number} */ place) => {
    const text = readEntry(entry, `${verdict}[${place}]`, refuse);
    const other = seen.get(text);
    if (other !== undefined && other !== verdict)
      refuse(`${text} is listed as "${other}" and as "${verdict}"`);
    seen.set(text, verdict);
    return text;
  });
  return [...new Set(canonical)].sort();
}

/**
 * @param {unknown} entry
 * @param {string} place
 * @param {(what: string) => never} refuse
 * @returns {string}
 */
function readEntry(entry, place, refuse) {
  if (typeof entry !== 'string')
    return refuse(`${place} must be an SPDX expression; found ${JSON.stringify(entry)}`);
  if (entry === 'UNLICENSED') return entry;
  try {
    return readExpression(entry).text;
  } catch {
    return refuse(`${place}, ${JSON.stringify(entry)}, is not an SPDX expression`);
  }
}
