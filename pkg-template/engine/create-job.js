// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { keepsOwn } from '../parts/handover.js';
import { describe, plainCopy } from '../parts/plain.js';
import {
  invalidArgument,
  milliseconds,
  optionalText,
  optionsObject,
  permissionNumbers,
} from './arguments.js';
import { core } from './core.js';
import { endowmentOf } from './endow.js';
import { operate } from './executor.js';
import { newId } from './ids.js';
import { invalidPlan, readPlan } from './plans.js';

/**
 * See `Orchestrator.createJob`. Everything that is given is checked before anything is stored.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {any} initialContext
 * @param {any} permissions
 * @param {any} options
 * @returns {Promise<string>}
 */
export function createJob(engine, initialContext, permissions, options) {
  try {
    const given = optionsObject(options, 'options');
    const numbers = permissionNumbers(permissions);
    numbers.push(
      (given.slowPlayMs ?? null) === null ? Number.NaN : milliseconds(given.slowPlayMs, 'options.slowPlayMs'),
    );
    const id = newJobId(engine, given.id);
    const origin = originOf(engine, id, initialContext, given);
    const endowment = endowmentOf(engine, origin, given.budget);
    // Not enumerable: it goes with the job as far as its commit and is not stored.
    if (endowment !== null) Object.defineProperty(origin, 'endowment', { value: endowment });
    const plan = planOf(engine, given.plan, origin);
    return storeJob(engine, origin, numbers, given.id !== undefined, plan);
  } catch (error) {
    return Promise.reject(error);
  }
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {unknown} given
 * @param {any} origin
 * @returns {number} under which the core keeps the plan
 */
function planOf({ store }, given, origin) {
  if (given === undefined || given === null) return -1;
  const { plan, shared, number, problems } = readPlan(given);
  if (problems.length > 0) throw invalidPlan(problems);
  // A store of the package's own gives nothing away that it keeps.
  origin.run = { ...origin.run, plan: keepsOwn.has(store.commit) ? shared : plan };
  return number;
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {any} origin
 * @param {number[]} numbers
 * @param {boolean} idWasGiven
 * @param {number} plan
 */
function storeJob(engine, origin, numbers, idWasGiven, plan) {
  const { id, parentId } = origin;
  const slot = engine.jobs.enter(id);
  // What it is made of is at hand for who starts it, as far as a revision says that it is still that.
  const keeps = plan >= 0 && engine.commits();
  slot.remembered ||= keeps;
  const parent = parentId === undefined ? null : engine.jobs.enter(parentId);
  if (parent !== null) parent.operations += 1;
  const [allowTools, requireApproval, maxSteps, slowPlayMs] = numbers;
  const begin = (/** @type {number} */ task) => {
    const place = parent?.key ?? -1;
    core.create_job(
      engine.number,
      task,
      slot.key,
      allowTools,
      requireApproval,
      maxSteps,
      slowPlayMs,
      place,
      idWasGiven,
      plan,
      keeps,
    );
    if (plan >= 0) core.drop_plan(plan);
  };
  const errorOf = (/** @type {string} */ code, /** @type {string} */ message) =>
    refused(code, message, id, parentId);
  const created = operate(engine, slot, () => id, begin, origin, [], errorOf);
  return parent === null ? created : created.finally(() => parent.leave());
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {unknown} given
 */
export function newJobId(engine, given) {
  const source = given === undefined ? 'generateId() must answer' : 'options.id must be';
  const id = given ?? (engine.generateId === null ? newId(engine.number) : engine.generateId());
  if (typeof id !== 'string' || id === '')
    throw invalidArgument(`${source} a string that is not empty; found ${describe(id)}`);
  return id;
}

/**
 * What the job is made of, but for what the core decides.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {string} id
 * @param {any} initialContext
 * @param {any} given
 * @returns {any}
 */
export function originOf(engine, id, initialContext, given) {
  /** @type {any} */
  const origin = {
    id,
    status: 'created',
    context: contextOf(engine, initialContext),
    permissions: undefined,
    history: [],
    timing: undefined,
  };
  const type = optionalText(given.type, 'options.type');
  const parentId = optionalText(given.parentId, 'options.parentId');
  if (type !== undefined) origin.type = type;
  if (given.config !== undefined) origin.config = configOf(given.config);
  if (parentId !== undefined) origin.parentId = parentId;
  return origin;
}

/** @param {unknown} given */
function configOf(given) {
  const config = plainCopy(given, 'options.config');
  const { shareSteps } = /** @type {any} */ (config ?? {});
  if (shareSteps === undefined || typeof shareSteps === 'boolean') return config;
  throw invalidArgument(`options.config.shareSteps must be true or false; found ${describe(shareSteps)}`);
}

/**
 * A plain store may keep what JSON can't hold, and the engine never looks into it; a store that has `commit` is
 * promised JSON.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {any} context
 */
function contextOf(engine, context) {
  const given = optionsObject(context, 'The initial context');
  if (Array.isArray(given)) throw invalidArgument('The initial context must be an object; found an array');
  if (engine.commits()) {
    const copy = plainCopy(given, 'context');
    // A Date, a URL and whatever else says by toJSON what it is.
    if (copy !== null && typeof copy === 'object' && !Array.isArray(copy)) return copy;
    throw invalidArgument(`The initial context must be an object; it is ${describe(copy)} as JSON`);
  }
  try {
    return { ...given };
  } catch (error) {
    throw new JobwrightError(`The initial context could not be read: ${describe(error)}`, {
      code: 'invalid_argument',
      cause: error,
    });
  }
}

/**
 * @param {string} code
 * @param {string} error
 * @param {string} id
 * @param {string | undefined} parentId
 */
function refused(code, error, id, parentId) {
  const which = code === 'conflict' ? id : parentId;
  const message = which === undefined ? error : `${error}: ${describe(which)}`;
  return new JobwrightError(message, { code });
}
