// @ts-check
import { itemId } from './step-at.js';

/**
 * A job as its caller sees it: as it is stored, and beside it, for a step that is done for each item of a list, where
 * its items stand. What the store gave is not changed.
 *
 * @param {any} job
 */
export function jobView(job) {
  const fannedOut = fannedOutOf(job);
  if (fannedOut.length === 0) return job;
  const { steps } = job.run;
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
  for (const id of fannedOutOf(job)) job.run.steps[id].items = itemsOf(id, job.run.steps);
  return job;
}

/**
 * The steps that are done for items, as far as they have begun.
 *
 * @param {any} job
 * @returns {string[]}
 */
function fannedOutOf(job) {
  const { plan, steps } = job?.run ?? {};
  if (plan === undefined || steps === undefined) return [];
  const ids = plan.steps.map((/** @type {any} */ { id }) => id);
  return ids.filter((/** @type {string} */ id) => steps[id]?.fanOut !== undefined);
}

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
