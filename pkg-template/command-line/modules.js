// @ts-check
/** What arguments name: files of plans, modules of agents and tools, JSON. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { validatePlan } from 'jobwright';
import { Failure } from './failure.js';
import { plain, quoted } from './text.js';

/** @typedef {import('jobwright').Plan} Plan */

const MODULE = /\.[cm]?[jt]s$/i;

/**
 * @param {string} file `-` for the standard input
 * @param {string} what it is, as `plan`
 */
export async function readText(file, what) {
  try {
    // At once, a terminal can't be read, nor a pipe into which nobody has written yet. Without a byte order mark, too.
    return await textOf(file === '-' ? process.stdin : createReadStream(file));
  } catch (error) {
    const { code, message } = /** @type {{ code?: string, message: string }} */ (error);
    const why =
      code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : plain(message);
    throw new Failure('unreadable', `The ${what} ${quoted(file)} can't be read: ${why}.`);
  }
}

/**
 * @param {string} text
 * @param {string} what it is, as `--context`
 */
function parse(text, what) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure('invalid_json', `${what} is not JSON: ${plain(/** @type {Error} */ (error).message)}.`);
  }
}

/**
 * A value that is given as JSON, or as `@` and the name of a file with JSON.
 *
 * @param {string} given
 * @param {string} what
 * @returns {Promise<unknown>}
 */
export async function readValue(given, what) {
  if (!given.startsWith('@')) return parse(given, `${what} (${plain(given, 60)})`);
  const file = given.slice(1);
  return parse(await readText(file, `file of ${what}`), `The file ${quoted(file)} of ${what}`);
}

/**
 * @param {string | undefined} given
 * @param {string} what
 * @returns {Promise<Record<string, unknown>>}
 */
export async function readObject(given, what) {
  const value = given === undefined ? {} : await readValue(given, what);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new Failure(
    'invalid_argument',
    `${what}: expected a JSON object, found ${plain(JSON.stringify(value), 60)}.`,
  );
}

/**
 * What a file says is the plan, whatever it is: JSON, or a module with a `plan` or a default export.
 *
 * @param {string} file
 * @returns {Promise<unknown>}
 */
export async function readPlan(file) {
  if (!MODULE.test(file)) return parse(await readText(file, 'plan'), `The plan ${quoted(file)}`);
  const module = await load(file, 'plan');
  return module.plan ?? module.default;
}

/**
 * @param {string} file
 * @returns {Promise<Plan>} one that can be run
 */
export async function loadPlan(file) {
  const plan = await readPlan(file);
  const checked = validatePlan(plan);
  if (checked.success) return /** @type {Plan} */ (plan);
  const problems = checked.errors.map(({ path, message }) => `${path}: ${message}`);
  const more =
    problems.length > 3 ? `; and ${problems.length - 3} more, which "jobwright validate" lists` : '';
  throw new Failure(
    'invalid_plan',
    `The plan ${quoted(file)} can't be run: ${problems.slice(0, 3).join('; ')}${more}.`,
  );
}

/**
 * @param {string} file
 * @param {string} what
 * @returns {Promise<Record<string, any>>}
 */
async function load(file, what) {
  try {
    return await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    const { message = String(error) } = /** @type {Error} */ (error ?? {});
    throw new Failure(
      'unreadable',
      `The module ${quoted(file)} of the ${what} can't be loaded: ${plain(message, 500)}.`,
    );
  }
}

/**
 * Agents, or tools: the members of the default export, and the other exports by their names.
 *
 * @param {string | undefined} file
 * @param {'agents' | 'tools'} what
 * @returns {Promise<Record<string, any>>}
 */
export async function loadParts(file, what) {
  if (file === undefined) return {};
  const { default: standard, ...named } = await load(file, what);
  const listed =
    typeof standard?.list === 'function' && typeof standard.get === 'function'
      ? standard.list().map((/** @type {string} */ name) => [name, standard.get(name)])
      : standard instanceof Map
        ? [...standard]
        : Object.entries(typeof standard === 'object' ? (standard ?? {}) : {});
  const parts = [...listed, ...Object.entries(named)].filter(([, part]) => does(part));
  if (parts.length > 0) return Object.fromEntries(parts);
  throw new Failure(
    'invalid_argument',
    `The module ${quoted(file)} exports no ${what}: expected functions, or objects with "execute", as named exports or as members of the default export.`,
  );
}

/** @param {any} part */
const does = (part) => typeof part === 'function' || typeof part?.execute === 'function';

/**
 * What a plan and the plans of its child jobs need.
 *
 * @param {Plan} plan
 * @param {{ agents: Set<string>, tools: Set<string>, steps: number }} [needs]
 */
export function needsOf(plan, needs = { agents: new Set(), tools: new Set(), steps: 0 }) {
  needs.steps = Math.max(needs.steps, plan.steps.length);
  for (const { agent, job, tools = [] } of plan.steps) {
    if (agent !== undefined) needs.agents.add(agent);
    for (const tool of tools) needs.tools.add(tool);
    if (job !== undefined) needsOf(job.plan, needs);
  }
  return needs;
}

/**
 * @param {Iterable<string>} needed
 * @param {Record<string, unknown>} given
 */
export const missingOf = (needed, given) => [...needed].filter((name) => !Object.hasOwn(given, name));

/**
 * Says before a job begins what it would fail for later.
 *
 * @param {Plan} plan
 * @param {{ agents: Record<string, unknown>, tools: Record<string, unknown> }} parts
 */
export function requireParts(plan, parts) {
  const needs = needsOf(plan);
  for (const what of /** @type {const} */ (['agents', 'tools'])) {
    const missing = missingOf(needs[what], parts[what]);
    if (missing.length === 0) continue;
    const names = missing.slice(0, 20).map(quoted).join(', ');
    const more = missing.length > 20 ? ` and ${missing.length - 20} more` : '';
    const known = Object.keys(parts[what]);
    const given =
      known.length === 0
        ? `give a module with them by --${what}`
        : `--${what} gives ${known.map(quoted).join(', ')}`;
    const code = what === 'agents' ? 'unknown_agent' : 'unknown_tool';
    throw new Failure(code, `The plan needs ${what} that nobody gave: ${names}${more}; ${given}.`);
  }
}
