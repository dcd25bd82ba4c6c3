// @ts-check

/** @type {(import('./engine.js').Engine | undefined)[]} */
const engines = [];

/** @param {number} number */
export function engineAt(number) {
  return /** @type {import('./engine.js').Engine} */ (engines[number]);
}

/**
 * @param {number} number
 * @param {import('./engine.js').Engine} engine
 */
export function keepEngine(number, engine) {
  engines[number] = engine;
}

/** @param {number} number of one that was closed and of which nothing is under way */
export function dropEngine(number) {
  engines[number] = undefined;
}
