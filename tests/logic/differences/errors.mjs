// @ts-check
/** Differences in errors, in limits, and in which operators there are. */
import { fails, gives, INVALID, refused, replace, stumbles } from './replace.mjs';

/** @typedef {import('./replace.mjs').Difference} Difference */

/** @type {Difference} */
export const invalid = {
  name: 'wrong arguments are one error',
  argument: 'What JavaScript stumbles over is `Invalid Arguments`, as other wrong arguments are in both.',
  examples: [
    { rule: { in: [1, 2] }, here: refused, there: stumbles },
    { rule: { reduce: [[], 1] }, here: refused, there: stumbles },
  ],
  apply(engine) {
    replace(engine, Object.keys(engine.methods), (original) => (...given) => {
      try {
        return original(...given);
      } catch (error) {
        throw error instanceof Error ? INVALID : error;
      }
    });
  },
};

/** @type {Difference} */
export const thrown = {
  name: 'errors keep their form',
  argument:
    'What is thrown is an object, also where it was null; what leaves a `try` is what was thrown in it.',
  examples: [
    { rule: { throw: null }, here: fails(null), there: { error: null } },
    {
      rule: { try: [{ '+': ['x'] }] },
      here: fails('NaN'),
      there: { error: { message: 'NaN' } },
    },
    { rule: { try: [] }, here: refused, there: { error: { javascript: 'undefined' } } },
  ],
  apply(engine) {
    replace(
      engine,
      ['throw'],
      (original) =>
        (args, ...rest) =>
          original([args[0] ?? { type: null }], ...rest),
    );
    replace(engine, ['try'], (original) => (args, ...rest) => {
      if (Array.isArray(args) && args.length === 0) throw INVALID;
      try {
        return original(args, ...rest);
      } catch (/** @type {any} */ error) {
        throw error?.message === 'NaN' ? NaN : error;
      }
    });
  },
};

/** @type {Difference} */
export const accumulators = {
  name: 'an accumulator may nest',
  argument:
    'What an evaluation takes is bounded by its steps and by the depth of values, wherever they are made.',
  examples: [
    {
      rule: { reduce: [[1], [[{ var: 'current' }]], 0] },
      here: gives([[1]]),
      there: fails('Exceeded Allowed Depth'),
    },
  ],
  apply(engine) {
    engine.options.maxDepth = Number.POSITIVE_INFINITY;
  },
};

/** @type {Difference} */
export const logging = {
  name: '`log` passes its argument through',
  argument: 'The specification has it; json-logic-engine does not.',
  examples: [
    { rule: { log: ['a'] }, here: gives('a'), there: { error: { type: 'Unknown Operator', key: 'log' } } },
  ],
  apply(engine) {
    engine.methods.log = { method: (/** @type {any[]} */ [value = null]) => value };
  },
};
