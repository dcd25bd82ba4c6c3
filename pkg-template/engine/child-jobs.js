// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { invalidArgument } from './arguments.js';
import { originOf } from './create-job.js';
import { endowmentOf } from './endow.js';
import { ask } from './executor.js';
import { readHead } from './heads.js';
import { tellHead } from './record.js';
import { slotOf } from './slots.js';

/** @typedef {import('./slots.js').JobSlot} JobSlot */

const MISSING = -1;
const FAILED = -2;

/** @param {number} job */
export function job_id(job) {
  return slotOf(job).id;
}

/**
 * The job that a step runs: its id is the step's idempotency key.
 *
 * @param {number} parent
 * @param {number} step
 */
export function child_enter(parent, step) {
  const { engine } = slotOf(parent);
  const child = engine.jobs.enter(slotOf(parent).idempotencyKey(step));
  child.operations += 1;
  child.drivers += 1;
  child.remembered = true;
  return child.key;
}

/** @param {number} child */
export function child_leave(child) {
  const slot = slotOf(child);
  slot.stopDriving();
  slot.leave();
}

/**
 * What the child of a step is made of.
 *
 * @param {number} parent
 * @param {number} step
 * @param {number} child
 * @param {unknown} context undefined for the usual one
 */
export function child_origin(parent, step, child, context) {
  const [slot, of] = [slotOf(child), slotOf(parent)];
  const { engine, id } = slot;
  try {
    const { job, item } = of.stepAt(step);
    const usual = item === undefined ? {} : { item: of.itemAt(step), index: item };
    const origin = originOf(engine, id, childContext(context === undefined ? usual : context), {
      parentId: of.id,
    });
    origin.run = { plan: job?.plan };
    Object.defineProperty(origin, 'endowment', {
      value: endowmentOf(engine, origin, job?.budget, { isRemade: of.remade?.delete(id) === true }),
    });
    return origin;
  } catch (error) {
    slot.answer = error;
    return undefined;
  }
}

/** @param {unknown} context */
function childContext(context) {
  if (context !== null && typeof context === 'object' && !Array.isArray(context)) return context;
  throw invalidArgument(`The child job's context must be an object; found ${describe(context)}`);
}

/** @param {number} job */
export function child_problem(job) {
  const slot = slotOf(job);
  const { message } = /** @type {Error} */ (slot.answer);
  slot.answer = undefined;
  return message;
}

/**
 * @param {number} job
 * @param {number} parent
 */
export function child_is_of(job, parent) {
  return slotOf(job).record?.parentId === slotOf(parent).id;
}

/** @param {number} job a child, which has the id that the step which made it gave it */
export function child_of_step(job) {
  const { id, record } = slotOf(job);
  return id.startsWith(`${record?.parentId}:`);
}

/**
 * Did the step fail that made a child?
 *
 * @param {number} job
 * @param {number} call
 */
export function child_given_up(job, call) {
  const slot = slotOf(job);
  const { store } = slot.engine;
  const { parentId } = slot.record;
  const look = () => store.getJob(parentId);
  return ask(slot, call, look, (_, parent) => readGivenUp(slot, parent), parentFailed);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} parent
 */
function readGivenUp(slot, parent) {
  try {
    const states = /** @type {any[]} */ (Object.values(parent?.run?.steps ?? {}));
    return states.some(({ childId, status }) => childId === slot.id && status === 'failed') ? 1 : 0;
  } catch (error) {
    return parentFailed(slot, error);
  }
}

/** @param {number} job */
export function child_context(job) {
  const slot = slotOf(job);
  try {
    return plainCopy(slot.whole.context, 'output');
  } catch (error) {
    slot.answer = error;
    return undefined;
  }
}

/** @param {unknown} error of the store's, or the budget manager's words as createJob rejects with them */
export function budget_refusal(error) {
  return error instanceof JobwrightError && error.code === 'budget_exceeded' ? error.details : undefined;
}

/**
 * @param {number} job
 * @param {number} call
 */
export function parent_load(job, call) {
  const slot = slotOf(job);
  // Of a job that was just made nothing is at hand but what it was made of.
  const { parentId } = slot.outbox?.origin ?? slot.record;
  const look = () => readHead(slot.engine, parentId);
  return ask(slot, call, look, (_, head) => readParent(slot, parentId, head), parentFailed);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {string} parentId
 * @param {any} head
 */
function readParent(slot, parentId, head) {
  if (head === null || head === undefined) return MISSING;
  try {
    return tellHead(parentId, head);
  } catch (error) {
    return parentFailed(slot, error);
  }
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {unknown} error
 */
function parentFailed(slot, error) {
  slot.answer = error;
  return FAILED;
}

/** @param {number} job */
export function parent_error(job) {
  return slotOf(job).answer;
}
