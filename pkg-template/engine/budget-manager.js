// @ts-check
import { describe } from '../parts/plain.js';
import { holds, reclaimFor, settleOwed } from './accounts.js';
import { ask } from './executor.js';
import { slotOf } from './slots.js';

// None of this is asked where there is no budget manager.

const GRANTED = 0;
const REFUSED = 1;
const FAILED = 2;

/** @typedef {import('./slots.js').JobSlot} JobSlot */

/** @param {JobSlot} slot */
const canStart = (slot) => slot.engine.budget.canSpend(slot.id);

/**
 * @param {number} job
 * @param {number} call
 */
export function budget_may_start(job, call) {
  return ask(slotOf(job), call, canStart, read, readError);
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} round of the step, from 1
 * @param {number} estimate
 * @param {number} call
 */
export function budget_hold(job, step, round, estimate, call) {
  const slot = slotOf(job);
  const { budget } = slot.engine;
  if (holds(budget))
    return ask(
      slot,
      call,
      () => budget.reserve(slot.id, estimate, slot.idempotencyKey(step, round)),
      read,
      readError,
    );
  return ask(slot, call, () => budget.canSpend(slot.id, estimate), read, readError);
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} round of the step, from 1
 * @param {number} actual
 * @param {number} call
 */
export function budget_spent(job, step, round, actual, call) {
  const slot = slotOf(job);
  const { budget } = slot.engine;
  if (holds(budget))
    return ask(
      slot,
      call,
      () => budget.settle(slot.id, slot.idempotencyKey(step, round), actual),
      told,
      notTold,
    );
  if (typeof budget.recordSpend !== 'function' || actual === 0) return GRANTED;
  const { id, agent } = slot.stepAt(step);
  return ask(slot, call, () => budget.recordSpend(slot.id, actual, { step: id, agent }), counted, notCounted);
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} round of the step, from 1
 * @param {number} call
 */
export function budget_free(job, step, round, call) {
  const slot = slotOf(job);
  const { budget } = slot.engine;
  const { job: child } = slot.stepAt(step);
  if (child !== undefined) {
    // A process that died may have allocated to a job that it did not store.
    const takesBack = child.budget !== undefined && typeof budget.reclaim === 'function';
    return takesBack
      ? ask(slot, call, () => budget.reclaim(slot.idempotencyKey(step, round)), told, notTold)
      : GRANTED;
  }
  if (!holds(budget)) return GRANTED;
  return ask(slot, call, () => budget.release(slot.id, slot.idempotencyKey(step, round)), told, notTold);
}

/**
 * @param {number} job
 * @param {number} call
 */
export function budget_settle_owed(job, call) {
  return ask(slotOf(job), call, settleOwed, told, notTold);
}

/** @param {number} job */
export function budget_reserves(job) {
  const { budget } = slotOf(job).engine;
  return holds(budget) || typeof budget.reclaim === 'function';
}

/**
 * @param {number} job
 * @param {number} call
 */
export function budget_reclaim(job, call) {
  return ask(slotOf(job), call, reclaimFor, told, notTold);
}

/** @param {number} job */
export function budget_answer(job) {
  const slot = slotOf(job);
  const answer = slot.answer;
  slot.answer = undefined;
  return answer;
}

/**
 * @param {JobSlot} slot
 * @param {any} answer
 */
function read(slot, answer) {
  try {
    const success = answer?.success;
    if (success === true) return GRANTED;
    slot.answer = answer;
    if (success === false) return REFUSED;
  } catch (error) {
    return readError(slot, error);
  }
  slot.answer = new TypeError(
    `budgetManager must answer { success: true } or { success: false, error }; found ${describe(answer)}`,
  );
  return FAILED;
}

/**
 * @param {JobSlot} slot
 * @param {unknown} error
 */
function readError(slot, error) {
  slot.answer = error;
  return FAILED;
}

/**
 * @param {JobSlot} slot
 * @param {any} answer
 */
function told(slot, answer) {
  try {
    return answer?.success === false ? notTold(slot, answer.error) : GRANTED;
  } catch (error) {
    return notTold(slot, error);
  }
}

/**
 * What has no key can't be said twice: where the manager failed, nobody knows whether it counted.
 *
 * @param {JobSlot} slot
 * @param {any} answer
 */
function counted(slot, answer) {
  told(slot, answer);
  return GRANTED;
}

/**
 * @param {JobSlot} slot
 * @param {unknown} error
 */
function notCounted(slot, error) {
  notTold(slot, error);
  return GRANTED;
}

/**
 * What is said after the fact can't be refused: a failure is logged.
 *
 * @param {JobSlot} slot
 * @param {unknown} error
 */
function notTold(slot, error) {
  slot.engine.log('error', `The budget manager failed for job ${describe(slot.id)}`, error);
  return FAILED;
}
