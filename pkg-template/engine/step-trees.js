// @ts-check
import { accountUnder } from './accounts.js';
import { slotOf } from './slots.js';

/**
 * The steps of its descendants that count against a job's limit, as the job's head holds them.
 *
 * A step is named by its job and by how many steps that has taken with it, so a step that is asked about again (after
 * a crash, or because somebody else committed first) is counted once, for as long as its job is among the last.
 *
 * @typedef {object} TreeSteps
 * @property {number} taken
 * @property {{ job: string, steps: number }[]} last of each of the last jobs that took one, up to which
 */

/** Of how many descendants a job remembers which step was counted last: more seldom run side by side. */
const REMEMBERED = 64;

/**
 * @param {any} run of a job, as a store gave it
 * @returns {string | null} what is wrong with what it says of trees
 */
export function treeProblem({ sharedBy, treeSteps }) {
  const isName = (/** @type {unknown} */ name) => typeof name === 'string';
  const isCount = (/** @type {any} */ count) => Number.isSafeInteger(count) && count >= 0;
  if (sharedBy !== undefined && !(Array.isArray(sharedBy) && sharedBy.every(isName))) {
    return 'run.sharedBy is not a list of ids';
  }
  if (treeSteps === undefined) return null;
  const { taken, last } = treeSteps ?? {};
  const areLast = Array.isArray(last) && last.every((one) => isName(one?.job) && isCount(one.steps));
  return isCount(taken) && areLast ? null : 'run.treeSteps is not what this version of jobwright writes';
}

/**
 * @param {number} parent whose head is at hand
 * @param {any} origin of the child
 */
export function tree_inherit(parent, origin) {
  const { id, config, run } = slotOf(parent).record;
  const above = run?.sharedBy ?? [];
  const sharedBy = config?.shareSteps === true ? [id, ...above] : above;
  const account = origin.run?.account ?? accountUnder(run);
  if (sharedBy.length > 0) origin.run = { ...origin.run, sharedBy };
  if (account !== undefined) origin.run = { ...origin.run, account };
}

/**
 * @param {number} job
 * @param {number} number
 */
export function tree_sharer(job, number) {
  const { engine, id, record } = slotOf(job);
  const ancestor = record.run?.sharedBy?.[number];
  // Only a store that was tampered with has a job above itself, which would wait for its own turn.
  if (ancestor === undefined || ancestor === id) return -1;
  const sharer = engine.jobs.enter(ancestor);
  sharer.operations += 1;
  // What is known of it is compared with the store by its revision, and not read for each step.
  sharer.remembered = true;
  return sharer.key;
}

/** @param {number} job */
export function tree_leave(job) {
  slotOf(job).leave();
}

/**
 * @param {number} sharer
 * @param {number} descendant
 * @param {number} number how many steps that has taken with this one
 */
export function tree_is_counted(sharer, descendant, number) {
  const slot = slotOf(sharer);
  const { id } = slotOf(descendant);
  slot.counting = { job: id, steps: number };
  const last = slot.record.run?.treeSteps?.last ?? [];
  return last.some((/** @type {any} */ { job, steps }) => job === id && steps >= number);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} taken
 * @returns {TreeSteps} with the step that is being counted
 */
export function treeSteps({ record, counting }, taken) {
  const { job, steps } = /** @type {{ job: string, steps: number }} */ (counting);
  const before = record.run?.treeSteps?.last ?? [];
  const others = before.filter((/** @type {any} */ other) => other.job !== job);
  return { taken, last: [...others.slice(1 - REMEMBERED), { job, steps }] };
}
