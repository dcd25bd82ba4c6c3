// @ts-check
import { describe } from '../parts/plain.js';
import { readHead } from './heads.js';

/**
 * What a job's head says of what is to be settled with the budget manager when it has ended: what it was allocated, if
 * anything, what the manager could not be told, and whether all is settled.
 *
 * @typedef {{ key: string, amount?: number }} Owed
 * @typedef {{ allocated?: number, owed?: Owed[], closed?: true }} Account
 */

/** A head is written with every commit of its job: a manager that fails at each step must not make it grow for ever. */
const MOST_OWED = 1_000;

/** @param {any} account */
export const isOpen = (account) => account !== undefined && account !== null && account.closed !== true;

/**
 * What a job spends of an allocation of its ancestors' returns to these when it has ended, whether they still live or not.
 *
 * @param {any} run of the parent
 * @returns {Account | undefined} of a child that is allocated nothing
 */
export function accountUnder(run) {
  return run?.account === undefined ? undefined : {};
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {Account} account
 * @param {string} key
 * @param {number} cost NaN where it cost nothing
 * @returns {Account} that owes this too
 */
export function withOwed({ engine, id }, account, key, cost) {
  const { owed = [] } = account;
  if (owed.some((one) => one.key === key)) return account;
  if (owed.length < MOST_OWED) {
    return { ...account, owed: [...owed, Number.isNaN(cost) ? { key } : { key, amount: cost }] };
  }
  const lost = `${describe(key)} of job ${describe(id)}, which owes for ${MOST_OWED} others already`;
  engine.log('error', `The budget manager will not be told again what became of ${lost}`, new Error(lost));
  return account;
}

/**
 * Says again what the budget manager could not be told. What it now was is not owed any more.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
export async function settleOwed({ engine: { budget }, id, record }) {
  const { owed, ...account } = record.run?.account ?? {};
  if (owed === undefined || !holds(budget)) return;
  let told = 0;
  try {
    for (const { key, amount } of owed) {
      checkAnswer(await (amount === undefined ? budget.release(id, key) : budget.settle(id, key, amount)));
      told += 1;
    }
  } finally {
    record.run.account = told < owed.length ? { ...account, owed: owed.slice(told) } : account;
  }
}

/**
 * Can the budget manager hold amounts?
 *
 * @param {any} budget
 */
export function holds(budget) {
  return ['reserve', 'settle', 'release'].every((method) => typeof budget[method] === 'function');
}

/**
 * @param {any} account as a store gave it
 * @returns {string | null} what is wrong with what it owes
 */
export function accountProblem(account) {
  const owed = account?.owed;
  const isAmount = (/** @type {unknown} */ amount) => amount === undefined || typeof amount === 'number';
  const isOwed = (/** @type {any} */ one) => typeof one?.key === 'string' && isAmount(one.amount);
  if (owed === undefined || (Array.isArray(owed) && owed.every(isOwed))) return null;
  return 'run.account.owed is not a list of amounts by key';
}

/**
 * Says what a job that has ended owes, and gives back what it was allocated and did not spend. What comes back to a parent
 * that has ended before it goes on to its own parent.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
export async function reclaimFor(slot) {
  const { engine, id, record } = slot;
  const { budget } = engine;
  await settleOwed(slot);
  if (typeof budget.reclaim !== 'function') return;
  let job = record;
  for (const seen = new Set([id]); job?.run?.account !== undefined; ) {
    if (job.run.account.allocated !== undefined) checkAnswer(await budget.reclaim(job.id));
    const { parentId } = job;
    if (parentId === undefined || seen.has(parentId)) return;
    seen.add(parentId);
    job = await readHead(engine, parentId);
    if (job?.status !== 'completed' && job?.status !== 'failed') return;
  }
}

/** @param {any} answer */
function checkAnswer(answer) {
  if (answer?.success === false) throw new Error(answer.error ?? 'The budget manager refused');
}
