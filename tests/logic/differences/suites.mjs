// @ts-check
/** Where the community's suites, of which every case passes here, say otherwise than json-logic-engine does. */
import { gives, INVALID, isNull, literal, refused, replace, run } from './replace.mjs';

/** @type {import('./replace.mjs').Difference} */
export const truth = {
  name: 'an empty object is true',
  argument: 'The suites say so; only null, false, 0, "" and [] are false.',
  examples: [{ rule: { '!!': [{}] }, here: gives(true), there: gives(false) }],
  apply(engine) {
    engine.truthy = (/** @type {any} */ value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));
  },
};

/** @type {import('./replace.mjs').Difference} */
export const conjunction = {
  name: '`and` and `or` of nothing are false',
  argument: 'The suites say so.',
  examples: [
    { rule: { and: [] }, here: gives(false), there: gives(null) },
    { rule: { or: [] }, here: gives(false), there: gives(null) },
  ],
  apply(engine) {
    replace(engine, ['and', 'or'], (original) => (args, ...rest) => {
      return Array.isArray(args) && args.length === 0 ? false : original(args, ...rest);
    });
  },
};

const BUILDING = ['map', 'filter', 'reduce'];

/** @type {import('./replace.mjs').Difference} */
export const lists = {
  name: 'an iteration wants a list and an expression',
  argument:
    'The suites say so of `all`, `none` and `some`, and of a literal null in the place of a list or an expression; ' +
    'that either may not be left out follows.',
  examples: [
    { rule: { all: [{ var: 'text' }, true] }, data: { text: 'ab' }, here: refused, there: gives(true) },
    { rule: { none: [{ var: 'nowhere' }, true] }, data: {}, here: refused, there: gives(true) },
    { rule: { map: [null, 1] }, here: refused, there: gives([]) },
    { rule: { map: [[1, 2]] }, here: refused, there: gives([null, null]) },
  ],
  apply(engine) {
    replace(engine, [...BUILDING, 'all', 'none', 'some'], (original, name) => (args, context, above) => {
      if (!Array.isArray(args) || args.length === 0) throw INVALID;
      const [source, body, ...start] = args;
      const begin =
        name === 'reduce' ? start.slice(0, 1).map((rule) => literal(run(engine, rule, context, above))) : [];
      const list = isNull(source)
        ? null
        : listOf(run(engine, source, context, above), BUILDING.includes(name));
      if (!list || (BUILDING.includes(name) && args.length < 2)) throw INVALID;
      if (name !== 'reduce' && BUILDING.includes(name) && isNull(body)) throw INVALID;
      return original([literal(list), body, ...begin], context, above, engine);
    });
  },
};

/** Where another list is made of it, what is false counts as an empty one. @param {any} value @param {boolean} building */
function listOf(value, building) {
  if (Array.isArray(value)) return value;
  return building && !value ? [] : null;
}
