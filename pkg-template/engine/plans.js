// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { invalidArgument, optionsObject, permissionNumbers } from './arguments.js';
import { core, needCore } from './core.js';
import { textForCore } from './json.js';
import { codeAt } from './outcome.js';
import { badJob, OwnJob } from './record.js';
import { slotOf } from './slots.js';

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

/** The plan without problems that was read last, as JSON: it is validated, made a job of, started and run as the same. */
let known = '';
/** The number under which the core keeps it. */
let knownNumber = -1;
/** @type {any} a copy of it that nobody changes */
let knownCopy;

/** The core does not know it any more. */
export function forgetPlan() {
  known = '';
  knownNumber = -1;
  knownCopy = undefined;
}

/**
 * @param {string} json
 * @returns {number} under which the core keeps the plan for whoever asked, or -1
 */
function numberOf(json) {
  problems = [];
  if (json === known) return core.share_plan(knownNumber);
  text = json;
  const number = core.parse_plan();
  text = '';
  if (number >= 0) {
    if (knownNumber >= 0) core.drop_plan(knownNumber);
    known = json;
    knownCopy = undefined;
    knownNumber = core.share_plan(number);
  }
  return number;
}

/**
 * The copy that nobody changes of the plan that was read last.
 *
 * @param {string} text
 */
function sharedCopy(text) {
  knownCopy ??= JSON.parse(text);
  return knownCopy;
}

/**
 * The plan of a job as the store returned it.
 *
 * @param {number} job
 */
export function plan_of_job(job) {
  const slot = slotOf(job);
  try {
    const { plan } = slot.record.run ?? {};
    if (plan === undefined) return -1;
    if (plan === knownCopy) return core.share_plan(knownNumber);
    const text = JSON.stringify(plan);
    const json = textForCore(text);
    const number = numberOf(json);
    if (number >= 0) {
      // In a record of the engine's own, one plan does for all jobs.
      if (slot.record instanceof OwnJob && json === text) {
        /** @type {any} */ (slot.record.run).plan = sharedCopy(text);
      }
      return number;
    }
    const [first] = problems;
    slot.answer = badJob(slot, `run.plan.${first?.path}: ${first?.message}`);
  } catch (error) {
    slot.answer = badJob(slot, "run can't be read", error);
  }
  return -2;
}

/**
 * Reads a plan: a copy of it and the number under which the core keeps it, or every problem. `shared` is a copy that
 * the next one who reads the same gets too.
 *
 * @param {unknown} plan
 * @returns {{ plan: any, shared: any, number: number, problems: Problem[] }}
 */
export function readPlan(plan) {
  let copy;
  let text;
  try {
    copy = plainCopy(plan === undefined ? null : plan, '');
    if (knownCopy !== undefined && isSame(copy, knownCopy)) {
      problems = [];
      return { plan: copy, shared: knownCopy, number: core.share_plan(knownNumber), problems };
    }
    text = JSON.stringify(copy);
  } catch (error) {
    return { plan: undefined, shared: undefined, number: -1, problems: [notJson(error)] };
  }
  const json = textForCore(text);
  const number = numberOf(json);
  // Plans that differ in halves of surrogate pairs are the same to the core.
  const shared = number >= 0 && json === text ? sharedCopy(text) : copy;
  return { plan: copy, shared, number, problems };
}

/**
 * Are they the same text as JSON? To compare them is quicker than to write one of them out.
 *
 * @param {any} a
 * @param {any} b
 * @returns {boolean}
 */
function isSame(a, b) {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => isSame(item, b[i]));
  }
  const keys = Object.keys(a);
  const others = Object.keys(b);
  for (let i = 0; i < keys.length; i++) {
    const key = /** @type {string} */ (keys[i]);
    if (key !== others[i] || !isSame(a[key], b[key])) return false;
  }
  return keys.length === others.length && !Array.isArray(b);
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

/** @param {() => any} load gives the exports of the module */
export function bindValidatePlan(load) {
  return function validatePlan(/** @type {unknown} */ plan) {
    needCore(load);
    const { number, problems } = readPlan(plan);
    if (number >= 0) core.drop_plan(number);
    return problems.length === 0 ? { success: true } : { success: false, errors: problems };
  };
}

/** @param {() => any} load gives the exports of the module */
export function bindSimulatePlan(load) {
  return function simulatePlan(/** @type {unknown} */ plan, /** @type {unknown} */ options) {
    needCore(load);
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
