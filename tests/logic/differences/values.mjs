// @ts-check
/** Differences in what values are and how they compare. */
import { isDeepStrictEqual } from 'node:util';
import { fails, gives, literal, replace, run, stumbles } from './replace.mjs';

/** @typedef {import('./replace.mjs').Difference} Difference */

/** @type {Difference} */
export const finite = {
  name: 'arithmetic ends in a number or in the error NaN',
  argument: 'JSON has no infinities; dividing by zero is that error in both.',
  examples: [
    { rule: { '*': [1e308, 10] }, here: fails('NaN'), there: gives({ number: 'Infinity' }) },
    { rule: { '-': ['x'] }, here: fails('NaN'), there: gives({ number: 'NaN' }) },
  ],
  apply(engine) {
    replace(engine, ['+', '-', '*', '/', '%'], (original) => (...given) => {
      const result = original(...given);
      if (!Number.isFinite(result)) throw NaN;
      return result;
    });
  },
};

/** @type {Difference} */
export const wholeCharacters = {
  name: 'half of a surrogate pair is U+FFFD',
  argument: 'Results are JSON that can be stored as UTF-8.',
  examples: [
    { rule: { substr: ['😀', 1] }, here: gives('\ufffd'), there: gives('\ude00') },
    { rule: { var: '0' }, data: '😀', here: gives('\ufffd'), there: gives('\ud83d') },
  ],
  apply(engine) {
    replace(engine, ['substr', 'var', 'val'], (original) => (...given) => {
      const result = original(...given);
      return typeof result === 'string' ? Buffer.from(result).toString() : result;
    });
  },
};

/** @type {Difference} */
export const cutting = {
  name: '`substr` cuts the text that `cat` gives, by numbers',
  argument:
    'The suites say it of numbers, and what holds of them holds of anything; "-2" is as negative as -2, as "2" is 2.',
  examples: [
    { rule: { substr: [12345, 1, 2] }, here: gives('23'), there: stumbles },
    { rule: { substr: [null, 0] }, here: gives(''), there: stumbles },
    { rule: { substr: ['12345', 0, '-2'] }, here: gives('123'), there: gives('') },
  ],
  apply(engine) {
    const { method: cat } = engine.methods.cat;
    replace(engine, ['substr'], (original) => ([text, from, length, ...more], ...rest) => {
      const numbers = length < 0 ? [from, Number(length)] : [from, length, ...more];
      return original([cat([text]), ...numbers], ...rest);
    });
  },
};

/** By content, in which 0 and -0 are one. @param {any} a @param {any} b */
const same = (a, b) => isDeepStrictEqual(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));

/** @param {any} value */
const isObject = (value) => typeof value === 'object' && value !== null;

/** @type {Difference} */
export const content = {
  name: '`===`, `!==` and `in` compare arrays and objects by content',
  argument: 'Values that come from JSON have no identity.',
  examples: [
    { rule: { '===': [[1], [1]] }, here: gives(true), there: gives(false) },
    { rule: { in: [[1], { var: '' }] }, data: [[1]], here: gives(true), there: gives(false) },
  ],
  apply(engine) {
    replace(engine, ['===', '!=='], (original, name) => (args, context, above) => {
      if (!Array.isArray(args) || args.length !== 2) return original(args, context, above, engine);
      const [a, b] = args.map((rule) => run(engine, rule, context, above));
      if (isObject(a) && isObject(b)) return same(a, b) === (name === '===');
      return original([literal(a), literal(b)], context, above, engine);
    });
    replace(engine, ['in'], (original) => (args, ...rest) => {
      const [item, list] = args;
      if (isObject(item) && Array.isArray(list))
        return list.some((other) => isObject(other) && same(item, other));
      return original(args, ...rest);
    });
  },
};

/** @type {Difference} */
export const chains = {
  name: 'comparisons of three and more compare each pair as one of two does',
  argument: 'Otherwise three strings are an error where two are not.',
  examples: [
    { rule: { '<': ['a', 'b', 'c'] }, here: gives(true), there: fails('NaN') },
    { rule: { '===': ['a', 'a', 'b'] }, here: gives(false), there: fails('NaN') },
  ],
  apply(engine) {
    const names = ['==', '===', '!=', '!==', '<', '<=', '>', '>='];
    replace(engine, names, (original) => (args, context, above) => {
      if (!Array.isArray(args) || args.length < 3) return original(args, context, above, engine);
      let previous = run(engine, args[0], context, above);
      for (const rule of args.slice(1)) {
        const current = run(engine, rule, context, above);
        if (!original([literal(previous), literal(current)], context, above, engine)) return false;
        previous = current;
      }
      return true;
    });
  },
};
