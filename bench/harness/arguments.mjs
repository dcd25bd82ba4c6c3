// @ts-check
import { parseArgs } from 'node:util';
import { Failure } from '../../scripts/process.mjs';

const usage = `Usage: npm run bench -- [options]
  --only NAME    only this workload; may be given several times
  --peers        also libraries that are not in the project's lock file; they are installed on demand
  --repeats N    how often each contender is measured, at least (7)
  --quick        tiny sizes, once each: whether everything works; the figures say nothing
  --json FILE    where the figures are written (.cache/bench.json)
  --page FILE    puts the tables into bench/README.md, or another page with the same marks, instead of those that
                 were there for the same workloads
  --list         the names of the workloads`;

/**
 * @typedef {object} Options
 * @property {string[]} only empty: all
 * @property {boolean} peers
 * @property {number} repeats
 * @property {boolean} quick
 * @property {string} [json]
 * @property {string} [page]
 * @property {boolean} list
 */

/**
 * @param {string[]} args
 * @param {string[]} names of all workloads
 * @returns {Options}
 */
export function readArguments(args, names) {
  const { only, peers, repeats, quick, json, page, list } = parse(args);
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new Failure(`There is no workload ${unknown.join(', ')}; there are ${names.join(', ')}`);
  }
  const times = Number(repeats ?? (quick ? 1 : 7));
  if (!Number.isSafeInteger(times) || times < 1) {
    throw new Failure(`--repeats must be a whole number from 1; found ${repeats}`);
  }
  return { only, peers, quick, list, repeats: times, ...(json && { json }), ...(page && { page }) };
}

/** @param {string[]} args */
function parse(args) {
  try {
    const { values } = parseArgs({
      args,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        peers: { type: 'boolean', default: false },
        repeats: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        page: { type: 'string' },
        list: { type: 'boolean', default: false },
      },
    });
    return values;
  } catch (error) {
    throw new Failure(`${/** @type {Error} */ (error).message}\n${usage}`);
  }
}
