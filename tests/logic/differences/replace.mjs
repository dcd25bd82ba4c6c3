// @ts-check
/** How a difference is told to json-logic-engine: operators are replaced by others that call the original. */

/** @typedef {(args: any, context: any, above: any[], engine: any) => any} Operator */

/** @typedef {{ value: any } | { error: any }} Outcome */

/**
 * @typedef {object} Difference
 * @property {string} name
 * @property {string} argument why it is so here
 * @property {{ rule: any, data?: any, here: Outcome, there: Outcome }[]} examples
 * @property {(engine: any) => void} apply makes json-logic-engine behave as it is here
 */

/** @type {any} */
export const INVALID = { type: 'Invalid Arguments' };

/** @param {any} value @returns {Outcome} */
export const gives = (value) => ({ value });
/** @param {any} type @returns {Outcome} */
export const fails = (type) => ({ error: { type } });
export const refused = fails(INVALID.type);
/** What a mistake of the engine's own comes out as. */
export const stumbles = { error: { javascript: 'TypeError' } };

/**
 * Replaces operators, whether they are given their arguments evaluated or as they are written.
 *
 * @param {any} engine
 * @param {string[]} names
 * @param {(original: Operator, name: string) => Operator} make
 */
export function replace(engine, names, make) {
  for (const name of names) {
    const current = engine.methods[name];
    const parts = typeof current === 'function' ? { method: current } : current;
    engine.methods[name] = { ...parts, method: make(parts.method, name) };
  }
}

/** A value as a rule that gives it. @param {any} value */
export const literal = (value) => ({ preserve: value });

/** Whether a rule is nothing but null. @param {any} rule */
export const isNull = (rule) => rule === null || (typeof rule === 'object' && rule.preserve === null);

/** Evaluates a rule where an operator stands. @param {any} engine @param {any} rule @param {any} context @param {any[]} above */
export const run = (engine, rule, context, above) => engine.run(rule, context, { above });
