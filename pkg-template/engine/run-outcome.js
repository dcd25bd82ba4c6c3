// @ts-check
import { snapshots } from '../parts/handover.js';
import { asMade, INSPECT } from '../parts/late-member.js';
import { jobView, showItems } from './job-view.js';
import { refusal } from './outcome.js';

const LATE = Symbol('late');

// The same for every outcome: making such of its own takes longer than all else that an outcome needs.
const lateJob = {
  enumerable: true,
  configurable: true,
  /** @this {any} */
  get() {
    const late = this[LATE];
    late.job ??= showItems(late.read());
    return late.job;
  },
};

/**
 * What a run that was done gives: the job, as it is now. Where the store can copy it later it is copied when it is first
 * read, for a history can be long and most callers look at the status alone.
 *
 * @param {import('./executor.js').Frame} frame the run
 */
export function outcomeOf({ engine: { store }, slot }) {
  const { id } = /** @type {import('./slots.js').JobSlot} */ (slot);
  try {
    const snapshot = snapshots.get(store.getJob)?.(id);
    return snapshot === undefined || snapshot === null ? readOutcome(store, id) : lateOutcome(snapshot);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** @param {any} store @param {string} jobId */
async function readOutcome(store, jobId) {
  const job = jobView(await store.getJob(jobId));
  // Somebody removed it since, or the store keeps nothing that has ended.
  if (job === null || job === undefined) return refusal('not_found', 'Job not found');
  return { success: true, status: job.status, job };
}

/** @param {import('../parts/handover.js').Snapshot} snapshot */
function lateOutcome({ status, read }) {
  const outcome = { success: true, status };
  Object.defineProperty(outcome, LATE, { value: { read, job: undefined } });
  Object.defineProperty(outcome, 'job', lateJob);
  return Object.defineProperty(outcome, INSPECT, asMade);
}
