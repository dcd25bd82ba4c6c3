// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { invalidArgument } from './arguments.js';
import { readHead } from './heads.js';

/**
 * What a new job's budget takes of the manager, to be done when all else is known to be right, just before the job is
 * stored: what is refused must leave the budgets as they are.
 *
 * @typedef {object} Endowment
 * @property {() => Promise<void>} give
 * @property {() => Promise<void>} notStored says that the job could not be stored, perhaps because it is there already
 */

/**
 * @param {import('./engine.js').Engine} engine
 * @param {{ id: string, parentId?: string, run?: any }} job what it is made of; it is noted there that it has an account
 * @param {unknown} amount
 * @param {{ isRemade: boolean } | null} [step] that makes it; `isRemade`: somebody may have begun to make it before
 * @returns {Endowment | null}
 */
export function endowmentOf(engine, job, amount, step = null) {
  const { id, parentId } = job;
  const { budget } = engine;
  const isChild = parentId !== undefined;
  const knowsParents = isChild && typeof budget?.setParent === 'function';
  if (amount === undefined && !knowsParents) return null;
  if (amount !== undefined) checkBudget(budget, amount, isChild);
  const takesBack = amount !== undefined && isChild && typeof budget.reclaim === 'function';
  if (takesBack) job.run = { ...job.run, account: { allocated: amount } };
  const takeBack = async () => {
    if (!takesBack) return;
    try {
      await budget.reclaim(id);
    } catch (error) {
      engine.log('error', `The budget of job ${describe(id)} could not be taken back`, error);
    }
  };
  const allocate = async () => {
    // What a process that died allocated to a job that it did not store.
    if (step?.isRemade) await takeBack();
    try {
      return await budget.allocate(parentId, id, amount);
    } catch (error) {
      // It may have been allocated before that failed.
      if (step === null) await takeBack();
      throw error;
    }
  };
  return {
    async give() {
      // A child that has no budget of its own spends its nearest ancestor's.
      if (knowsParents) check(await budget.setParent(id, parentId), 'invalid_argument');
      if (amount === undefined) return;
      check(await (isChild ? allocate() : budget.setBudget(id, amount)), 'budget_exceeded');
    },
    // What the job has that somebody else stored under this id is not ours to take back; it returns when that one ends. And
    // the job of a step may be about to be made by whoever runs its parent now. If nobody makes it, what is allocated to it
    // returns when its step is given up.
    async notStored() {
      if (takesBack && (await mayTakeBack(engine, id, step === null))) await takeBack();
    },
  };
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {string} id
 * @param {boolean} ifMissing
 */
async function mayTakeBack(engine, id, ifMissing) {
  try {
    const head = await readHead(engine, id);
    if (head === null || head === undefined) return ifMissing;
    return head.status === 'completed' || head.status === 'failed';
  } catch {
    return ifMissing;
  }
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
