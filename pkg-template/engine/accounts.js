// @ts-check
import { readHead } from './heads.js';

/**
 * What a job's head says of what is to be settled with the budget manager when it has ended: what it was allocated, if
 * anything, and whether all is settled.
 *
 * @typedef {{ allocated?: number, closed?: true }} Account
 */

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
 * Gives back what a job that has ended was allocated and did not spend. What comes back to a parent that has ended
 * before it goes on to its own parent.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
export async function reclaimFor({ engine, id, record }) {
  const { budget } = engine;
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
