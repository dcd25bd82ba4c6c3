// @ts-check
/** Differences in what names lead to: inside a value, and from an iteration to the contexts outside. */
import { splitPath } from 'json-logic-engine';
import { gives, INVALID, refused, replace, run, stumbles } from './replace.mjs';

/** @typedef {import('./replace.mjs').Difference} Difference */

/** Whether keys lead to something by own members alone. @param {any} value @param {any[]} keys */
function owns(value, keys) {
  let found = value;
  for (const key of keys) {
    if (found === null || found === undefined || !Object.hasOwn(Object(found), key)) return false;
    found = found[key];
  }
  return true;
}

/** Whether the first key of a `val` says how far to climb. @param {any} args */
const climbs = (args) => Array.isArray(args) && Array.isArray(args[0]) && args[0].length === 1;

/** The keys of a `val`. @param {any} args */
const keysOf = (args) => (Array.isArray(args) ? args.map(String) : [String(args)]);

/** @type {Difference} */
export const ownMembers = {
  name: 'names lead to own members only',
  argument:
    'What a prototype holds is not data. The length of an empty text is its own, as that of any other.',
  examples: [
    { rule: { var: 'list.constructor.name' }, data: { list: [] }, here: gives(null), there: gives('Array') },
    { rule: { exists: 'toString' }, data: {}, here: gives(false), there: gives(true) },
    {
      rule: { exists: ['text', 'length'] },
      data: { text: 'a' },
      here: gives(true),
      there: stumbles,
    },
    {
      rule: { missing: ['text.length'] },
      data: { text: '' },
      here: gives([]),
      there: gives(['text.length']),
    },
  ],
  apply(engine) {
    replace(engine, ['var'], (original) => (args, context, above) => {
      const [name, otherwise = null] = Array.isArray(args) ? args : [args];
      const outside = typeof name === 'string' && name.startsWith('../') && above.length > 0;
      const whole = name === undefined || name === null || name === '';
      if (!outside && !whole && !owns(context, splitPath(String(name)))) return otherwise;
      return original(args, context, above, engine);
    });
    replace(engine, ['val'], (original) => (args, context, above) => {
      return climbs(args) || owns(context, keysOf(args)) ? original(args, context, above, engine) : null;
    });
    replace(engine, ['exists'], (original) => (args, context, above) => {
      return climbs(args) ? original(args, context, above, engine) : owns(context, keysOf(args));
    });
    replace(engine, ['missing'], () => (names, context) => {
      return names.filter((/** @type {any} */ name) => !owns(context, splitPath(String(name))));
    });
  },
};

/** @type {Difference} */
export const missing = {
  name: '`missing` takes its names in an array too, and `missing_some` only so',
  argument: "The specification's own implementation does; the length of a text is no number of names.",
  examples: [
    { rule: { missing: [['a', 'b']] }, data: { a: 1 }, here: gives(['b']), there: gives([['a', 'b']]) },
    { rule: { missing_some: [1, 'a'] }, data: { a: 1 }, here: refused, there: gives([]) },
  ],
  apply(engine) {
    replace(engine, ['missing'], (original) => (names, ...rest) => {
      return original(Array.isArray(names[0]) ? names[0] : names, ...rest);
    });
    // The original looks for its names by an operator that can't be replaced.
    const { method: absent } = engine.methods.missing;
    replace(engine, ['missing_some'], () => ([needed, names], context, above) => {
      if (!Array.isArray(names)) throw INVALID;
      const lacking = names.length > 0 ? absent([names], context, above, engine) : [];
      return names.length - lacking.length >= needed ? [] : lacking;
    });
  },
};

/**
 * The scope so many levels up: odd ones are about an iteration, even ones are contexts.
 *
 * @param {number} levels
 * @param {any} context
 * @param {any[]} above
 * @returns {{ context: any } | null}
 */
function climb(levels, context, above) {
  if (levels >= 2) return above.length > 0 ? climb(levels - 2, above[1], above[2]) : null;
  if (levels === 0) return { context };
  return above.length > 0 && above[0] ? { context: above[0] } : null;
}

/** @param {any[]} above @returns {number} */
const depth = (above) => (above.length > 0 ? 1 + depth(above[2]) : 0);

/** @type {Difference} */
export const scopes = {
  name: 'names climb alike in every iteration and at every depth',
  argument:
    'There, `all`, `none`, `some` and `reduce` have no index, climbs beyond two contexts find other things, ' +
    'and a list can be a number of levels.',
  examples: [
    { rule: { reduce: [[5, 6], { val: [[1], 'index'] }, 0] }, here: gives(1), there: gives(null) },
    {
      rule: { some: [[5], { '===': [{ val: [[1], 'index'] }, 0] }] },
      here: gives(true),
      there: gives(false),
    },
    {
      rule: { map: [[1], { map: [[2], { map: [[3], { val: [[6], 'a'] }] }] }] },
      data: { a: 7 },
      here: gives([[[7]]]),
      there: gives([[[null]]]),
    },
    { rule: { map: [[1], { val: [[['2']], 'a'] }] }, data: { a: 7 }, here: gives([null]), there: gives([7]) },
  ],
  apply(engine) {
    engine.methods['item of'] = { lazy: true, method: itemOf };
    replace(engine, ['all', 'none', 'some', 'reduce'], indexed);
    replace(engine, ['val', 'exists'], (original, name) => (args, context, above) => {
      if (!climbs(args)) return original(args, context, above, engine);
      const [levels] = args[0];
      const whole = Math.ceil(Math.abs(typeof levels === 'object' && levels ? 0 : levels)) || 0;
      const found = climb(whole, context, above);
      if (!found) return name === 'exists' ? false : null;
      return original(keysOf(args.slice(1)), found.context, [], engine);
    });
    replace(engine, ['var'], (original) => (args, context, above) => {
      const [name, ...otherwise] = Array.isArray(args) ? args : [args];
      const text = Array.isArray(name) ? String(name) : name;
      if (typeof text !== 'string' || !text.startsWith('../') || above.length === 0) {
        return original(args, context, above, engine);
      }
      const [ups] = /^(\.\.\/)*/.exec(text) ?? [''];
      const levels = Math.min(ups.length / 3, 2 * depth(above) + 1);
      const found = climb(levels, context, above);
      return found
        ? original([text.slice(3 * levels), ...otherwise], found.context, [], engine)
        : (otherwise[0] ?? null);
    });
  },
};

/**
 * Goes through the places of a list instead of its items, with a body that knows them: so the original need not say
 * where it is.
 *
 * @param {import('./replace.mjs').Operator} original
 * @param {string} name
 * @returns {import('./replace.mjs').Operator}
 */
function indexed(original, name) {
  return (args, context, above, engine) => {
    if (!Array.isArray(args)) return original(args, context, above, engine);
    const [source, body, ...start] = args;
    const begin = start.slice(0, 1).map((rule) => run(engine, rule, context, above));
    const list = run(engine, source, context, above);
    if (!Array.isArray(list)) return original([{ preserve: list }, body, ...start], context, above, engine);
    const places = list.map((_, index) => index);
    if (name === 'reduce' && begin.length === 0)
      begin.push(...places.splice(0, 1).map((index) => list[index]));
    const each = { 'item of': { list, body, context, above, folds: name === 'reduce' } };
    return original(
      [{ preserve: places }, each, ...begin.map((preserve) => ({ preserve }))],
      context,
      above,
      engine,
    );
  };
}

/** @param {any} iteration @param {any} at @param {any[]} _ @param {any} engine */
function itemOf({ list, body, context, above, folds }, at, _, engine) {
  const index = folds ? at.current : at;
  const item = folds ? { accumulator: at.accumulator, current: list[index] } : list[index];
  return run(engine, body, item, [{ iterator: list, index }, context, above]);
}
