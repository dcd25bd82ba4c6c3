// @ts-check
import { describe } from '../parts/plain.js';
import { promiseOf } from './executor.js';

/**
 * Checks a value against a Standard Schema (standardschema.dev); gives what the schema makes of it, now or later.
 *
 * @param {any} schema
 * @param {unknown} value
 * @param {(problem: string) => Error} refused
 * @returns {any}
 */
export function checkSchema(schema, value, refused) {
  const standard = schema?.['~standard'];
  if (typeof standard?.validate !== 'function') {
    throw refused(`the schema itself is ${describe(schema)}, which is no Standard Schema`);
  }
  const result = standard.validate(value);
  const readResult = (/** @type {any} */ known) => read(known, refused);
  return promiseOf(result)?.then(readResult) ?? readResult(result);
}

/**
 * @param {any} result
 * @param {(problem: string) => Error} refused
 */
function read(result, refused) {
  if (result?.issues === undefined) return result?.value;
  throw refused(result.issues.map(sentenceOf).join('; '));
}

/** @param {any} issue */
function sentenceOf({ message, path }) {
  if (path === undefined || path.length === 0) return message;
  const keys = path.map((/** @type {any} */ part) => String(part?.key ?? part));
  return `${keys.join('.')}: ${message}`;
}
