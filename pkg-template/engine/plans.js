// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { plainCopy } from '../parts/plain.js';
import { core } from './core.js';
import { jsonForCore } from './json.js';

/** @typedef {{ path: string, message: string }} Problem */

let text = '';
/** @type {Problem[]} */
let problems = [];

export function plan_text() {
  return text;
}

/**
 * @param {string} path
 * @param {string} message
 */
export function plan_problem(path, message) {
  problems.push({ path, message });
}

/**
 * Reads a plan: a copy of it and the number under which the core keeps it, or every problem.
 *
 * @param {unknown} plan
 * @returns {{ plan: any, number: number, problems: Problem[] }}
 */
export function readPlan(plan) {
  problems = [];
  let copy;
  try {
    copy = plainCopy(plan === undefined ? null : plan, '');
    text = jsonForCore(copy);
  } catch (error) {
    return { plan: undefined, number: -1, problems: [notJson(error)] };
  }
  const number = core.parse_plan();
  text = '';
  return { plan: copy, number, problems };
}

/**
 * @param {any} error
 * @returns {Problem}
 */
function notJson(error) {
  return { path: '', message: `a plan must be JSON: ${error.message}` };
}

/** @param {Problem[]} found */
export function invalidPlan(found) {
  const [first] = found;
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : '';
  const where = first?.path ? `${first.path}: ` : '';
  return new JobwrightError(`Invalid plan: ${where}${first?.message}${more}`, {
    code: 'invalid_plan',
    details: found,
  });
}
