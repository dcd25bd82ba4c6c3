// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { invalidArgument } from './arguments.js';

/**
 * What a new job's budget takes of the manager, to be done when all else is known to be right, just before the job is
 * stored: what is refused must leave the budgets as they are.
 *
 * @typedef {object} Endowment
 * @property {() => Promise<void>} give
 * @property {() => Promise<void>} takeBack where the job could not be stored
 */

/**
 * @param {import('./engine.js').Engine} engine
 * @param {{ id: string, parentId?: string, run?: any }} job what it is made of; it is noted there that it has an account
 * @param {unknown} amount
 * @param {boolean} [isRemade] somebody may have begun to make this job before
 * @returns {Endowment | null}
 */
export function endowmentOf(engine, job, amount, isRemade = false) {
  const { id, parentId } = job;
  const { budget } = engine;
  const isChild = parentId !== undefined;
  const knowsParents = isChild && typeof budget?.setParent === 'function';
  if (amount === undefined && !knowsParents) return null;
  if (amount !== undefined) checkBudget(budget, amount, isChild);
  if (amount !== undefined && isChild && typeof budget.reclaim === 'function') {
    job.run = { ...job.run, account: { allocated: amount } };
  }
  const takeBack = async () => {
    if (!isChild || amount === undefined || typeof budget.reclaim !== 'function') return;
    try {
      await budget.reclaim(id);
    } catch (error) {
      engine.log('error', `The budget of job ${describe(id)} could not be taken back`, error);
    }
  };
  const allocate = async () => {
    // What a process that died allocated to a job that it did not store.
    if (isRemade) await takeBack();
    try {
      return await budget.allocate(parentId, id, amount);
    } catch (error) {
      // It may have been allocated before that failed.
      await takeBack();
      throw error;
    }
  };
  return {
    takeBack,
    async give() {
      // A child that has no budget of its own spends its nearest ancestor's.
      if (knowsParents) check(await budget.setParent(id, parentId), 'invalid_argument');
      if (amount === undefined) return;
      check(await (isChild ? allocate() : budget.setBudget(id, amount)), 'budget_exceeded');
    },
  };
}

/**
 * @param {any} budget
 * @param {unknown} amount
 * @param {boolean} isChild
 */
function checkBudget(budget, amount, isChild) {
  if (typeof amount !== 'number' || !(amount >= 0 && amount < Infinity)) {
    throw invalidArgument(`options.budget must be a number of at least 0; found ${describe(amount)}`);
  }
  if (budget === null) throw invalidArgument('options.budget needs a budgetManager');
  if (!isChild && typeof budget.setBudget !== 'function') {
    throw invalidArgument('options.budget needs a budgetManager that has setBudget');
  }
  if (isChild && typeof budget.allocate !== 'function') {
    throw invalidArgument('options.budget of a child job needs a budgetManager that has allocate');
  }
}

/**
 * @param {any} answer
 * @param {string} code
 */
function check(answer, code) {
  if (answer?.success !== false) return;
  throw new JobwrightError(answer.error ?? 'Budget exceeded', { code, details: answer });
}
