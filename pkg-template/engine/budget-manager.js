// @ts-check
import { isThenable, settleLater } from './executor.js';
import { slotOf } from './slots.js';

const GRANTED = 0;
const REFUSED = 1;
const FAILED = 2;

/**
 * @param {number} job
 * @param {number} call
 */
export function budget_may_start(job, call) {
  const slot = slotOf(job);
  const budget = slot.engine.budget;
  if (budget === null) return GRANTED;
  return ask(slot, call, () => budget.canSpend(slot.id));
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} estimate
 * @param {number} call
 */
export function budget_hold(job, step, estimate, call) {
  const slot = slotOf(job);
  const budget = slot.engine.budget;
  if (budget === null) return GRANTED;
  if (holds(budget)) return ask(slot, call, () => budget.reserve(slot.id, estimate, slot.idempotencyKey(step)));
  return ask(slot, call, () => budget.canSpend(slot.id, estimate));
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} actual
 * @param {number} call
 */
export function budget_spent(job, step, actual, call) {
  const slot = slotOf(job);
  const budget = slot.engine.budget;
  if (budget === null) return GRANTED;
  if (holds(budget)) return tell(slot, call, () => budget.settle(slot.id, slot.idempotencyKey(step), actual));
  if (typeof budget.recordSpend !== 'function' || actual === 0) return GRANTED;
  const { id, agent } = slot.stepAt(step);
  return tell(slot, call, () => budget.recordSpend(slot.id, actual, { step: id, agent }));
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} call
 */
export function budget_free(job, step, call) {
  const slot = slotOf(job);
  const budget = slot.engine.budget;
  if (budget === null || !holds(budget)) return GRANTED;
  return tell(slot, call, () => budget.release(slot.id, slot.idempotencyKey(step)));
}

/** @param {number} job */
export function budget_answer(job) {
  const slot = slotOf(job);
  const answer = slot.answer;
  slot.answer = undefined;
  return answer;
}

/** @param {any} budget */
function holds(budget) {
  return ['reserve', 'settle', 'release'].every((method) => typeof budget[method] === 'function');
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} call
 * @param {() => any} question
 */
function ask(slot, call, question) {
  const read = (/** @type {any} */ answer) => {
    if (answer?.success === true) return GRANTED;
    slot.answer = answer;
    if (answer?.success === false) return REFUSED;
    slot.answer = new TypeError('budgetManager must answer { success: true } or { success: false, error }');
    return FAILED;
  };
  const readError = (/** @type {unknown} */ error) => {
    slot.answer = error;
    return FAILED;
  };
  try {
    const answer = question();
    return isThenable(answer) ? settleLater(slot.engine, call, answer, read, readError) : read(answer);
  } catch (error) {
    return readError(error);
  }
}

/**
 * What is said after the fact can't be refused: a failure is logged.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} call
 * @param {() => unknown} message
 */
function tell(slot, call, message) {
  const failed = (/** @type {unknown} */ error) => {
    slot.engine.log('error', `The budget manager failed for job ${JSON.stringify(slot.id)}`, error);
    return GRANTED;
  };
  try {
    const told = message();
    return isThenable(told) ? settleLater(slot.engine, call, told, () => GRANTED, failed) : GRANTED;
  } catch (error) {
    return failed(error);
  }
}
