// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { invalidArgument, optionsObject, permissionNumbers } from './arguments.js';
import { bindCore, core } from './core.js';
import { jsonForCore } from './json.js';
import { codeAt } from './outcome.js';

/** @typedef {{ path: string, message: string }} Problem */

let text = '';
/** @type {Problem[]} */
let problems = [];
/** @type {any} */
let simulated;

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
 * @param {number} minSteps
 * @param {number} maxSteps
 * @param {number} minCost
 * @param {number} maxCost
 */
export function simulated_bounds(minSteps, maxSteps, minCost, maxCost) {
  const [steps, cost] = [
    { min: minSteps, max: maxSteps },
    { min: minCost, max: maxCost },
  ];
  simulated = { steps, cost, approvals: [], refused: [] };
}

/** @param {string} step */
export function simulated_approval(step) {
  simulated.approvals.push(step);
}

/**
 * @param {string} step
 * @param {number} code
 * @param {string} message
 */
export function simulated_refusal(step, code, message) {
  simulated.refused.push({ step, code: codeAt(code).name, message });
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

/** @param {any} wasm the exports of the module */
export function bindValidatePlan(wasm) {
  bindCore(wasm);
  return function validatePlan(/** @type {unknown} */ plan) {
    const { number, problems } = readPlan(plan);
    if (number >= 0) core.drop_plan(number);
    return problems.length === 0 ? { success: true } : { success: false, errors: problems };
  };
}

/** @param {any} wasm the exports of the module */
export function bindSimulatePlan(wasm) {
  bindCore(wasm);
  return function simulatePlan(/** @type {unknown} */ plan, /** @type {unknown} */ options) {
    const { permissions, budget } = optionsObject(options, 'options');
    const numbers = permissionNumbers(permissions);
    const { number, problems } = readPlan(plan);
    if (problems.length > 0) throw invalidPlan(problems);
    core.simulate_plan(number, ...numbers, budgetNumber(budget));
    core.drop_plan(number);
    return simulated;
  };
}

/**
 * @param {unknown} budget
 * @returns {number} NaN where none is given
 */
function budgetNumber(budget) {
  if (budget === undefined || budget === null) return Number.NaN;
  if (typeof budget === 'number' && budget >= 0 && budget < Infinity) return budget;
  throw invalidArgument(`options.budget must be a number of at least 0; found ${describe(budget)}`);
}
