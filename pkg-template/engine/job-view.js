// @ts-check
import { snapshots, uncopied } from '../parts/handover.js';
import { changeMember } from '../parts/late-member.js';
import { itemId } from './step-at.js';

/**
 * The job as it is now. Of a store in memory, what is long in it is copied when it is read.
 *
 * @param {any} store
 * @param {string} jobId
 */
export async function readJob(store, jobId) {
  const snapshot = uncopied.has(store.getJob) ? snapshots.get(store.getJob)?.(jobId) : undefined;
  return snapshot ? showItems(snapshot.read()) : jobView(await store.getJob(jobId));
}

/**
 * A job as its caller sees it: as it is stored, and beside it, for a step that is done for each item of a list, where
 * its items stand. What the store gave is not changed.
 *
 * @param {any} job
 */
export function jobView(job) {
  const { plan, steps } = job?.run ?? {};
  const fannedOut = fannedOutOf(idsOf(plan?.steps), steps);
  if (fannedOut.length === 0) return job;
  const seen = { ...steps };
  for (const id of fannedOut) seen[id] = { ...steps[id], items: itemsOf(id, steps) };
  return { ...job, run: { ...job.run, steps: seen } };
}

/**
 * The same of a job that is the caller's: nothing is copied, and what is late in it stays so.
 *
 * @param {any} job
 */
export function showItems(job) {
  const run = job?.run;
  const forItems = idsOf(run?.plan?.steps.filter((/** @type {any} */ { forEach }) => forEach !== undefined));
  if (forItems.length > 0)
    changeMember(run, 'steps', (steps) => {
      for (const id of fannedOutOf(forItems, steps)) steps[id].items = itemsOf(id, steps);
    });
  return job;
}

/**
 * The steps that are done for items, as far as they have begun.
 *
 * @param {string[]} ids
 * @param {any} steps
 */
function fannedOutOf(ids, steps) {
  return steps === undefined ? [] : ids.filter((id) => steps[id]?.fanOut !== undefined);
}

/**
 * @param {any[]} [steps] of a plan
 * @returns {string[]}
 */
const idsOf = (steps = []) => steps.map(({ id }) => id);

/**
 * @param {string} step
 * @param {any} steps
 */
function itemsOf(step, steps) {
  /** @type {Record<number, string>} */
  const items = {};
  for (let item = 0; item < steps[step].fanOut.count; item++) {
    const status = steps[itemId(step, item)]?.status;
    // One that waits, for a retry or a person, is under way.
    if (status !== undefined) items[item] = status === 'waiting' || status === 'pending' ? 'running' : status;
  }
  return items;
}
