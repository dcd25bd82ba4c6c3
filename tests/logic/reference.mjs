// @ts-check
/** npm's json-logic-engine, as it comes or with some of the argued differences, giving outcomes that can be compared. */
import { isDeepStrictEqual } from 'node:util';
import { LogicEngine } from 'json-logic-engine';
import { replace } from './differences/replace.mjs';

/** @typedef {import('./native.mjs').Case} Case */
/** @typedef {import('./native.mjs').Outcome} Outcome */
/** @typedef {import('./differences/replace.mjs').Difference} Difference */

/** The engine counts to the number it is told to climb; this is further than any rule goes here. */
const FURTHEST = 1000;

/**
 * The plain interpreter: what optimises and what compiles rules each agree with it less than this engine does.
 *
 * @param {Difference[]} differences
 * @returns {(given: Case) => Outcome}
 */
export function createReference(differences) {
  const engine = new LogicEngine(undefined, { disableInterpretedOptimization: true });
  replace(
    engine,
    ['val', 'exists'],
    (original) =>
      (args, ...rest) =>
        original(bounded(args), ...rest),
  );
  for (const { apply } of differences) apply(engine);
  return ({ rule, data }) => {
    try {
      return { value: plain(engine.run(rule, data)) };
    } catch (error) {
      return { error: plain(named(error)) };
    }
  };
}

/** @param {any} args of a `val` */
function bounded(args) {
  const climb = Array.isArray(args) && Array.isArray(args[0]) && args[0].length === 1 ? args[0][0] : 0;
  return Math.abs(climb) > FURTHEST ? [[FURTHEST], ...args.slice(1)] : args;
}

/** @param {any} error */
function named(error) {
  if (Number.isNaN(error)) return { type: 'NaN' };
  return error instanceof Error ? { javascript: error.constructor.name } : error;
}

/** As JSON; what JSON would turn into null is told apart. @param {any} value */
function plain(value) {
  const json = JSON.stringify(value, (_, part) =>
    typeof part === 'number' && !Number.isFinite(part) ? { number: String(part) } : part,
  );
  return json === undefined ? { javascript: 'undefined' } : JSON.parse(json);
}

/** @param {Outcome} a @param {Outcome} b */
export const agree = (a, b) => isDeepStrictEqual(a, b);
