// @ts-check
import { core } from './core.js';

/** @typedef {import('./engine.js').Engine} Engine */

/** @type {(Engine | undefined)[]} */
const engines = [];

/** @param {number} number */
export function engineAt(number) {
  return /** @type {Engine} */ (engines[number]);
}

/**
 * Makes an orchestrator known to the core.
 *
 * @param {Engine} engine
 * @returns {number} its own for ever: one that was closed may still be asked for something
 */
export function keepEngine(engine) {
  const number = engines.push(engine) - 1;
  makeKnown(engine, number);
  return number;
}

/**
 * @param {Engine} engine
 * @param {number} number
 */
function makeKnown({ budget, monitor }, number) {
  core.engine_new(number, budget !== null, monitor !== null);
}

/** @param {number} number of one that was closed and of which nothing is under way */
export function dropEngine(number) {
  core.engine_drop(number);
  engines[number] = undefined;
}

/** Makes all of them known to a new core. */
export function carryOverEngines() {
  for (const [number, engine] of engines.entries()) {
    if (engine === undefined) continue;
    makeKnown(engine, number);
    engine.carryOver();
  }
}
