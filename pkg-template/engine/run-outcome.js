// @ts-check
import { snapshots } from '../parts/handover.js';
import { withLate } from '../parts/late-member.js';
import { readJob, showItems } from './job-view.js';
import { refusal } from './outcome.js';

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
  const job = await readJob(store, jobId);
  // Somebody removed it since, or the store keeps nothing that has ended.
  if (job === null || job === undefined) return refusal('not_found', 'Job not found');
  return { success: true, status: job.status, job };
}

/** @param {import('../parts/handover.js').Snapshot} snapshot */
function lateOutcome({ status, read }) {
  return withLate({ success: true, status }, 'job', () => showItems(read()));
}
