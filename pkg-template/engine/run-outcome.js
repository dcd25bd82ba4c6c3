// @ts-check
import { snapshots } from '../parts/handover.js';
import { jobView } from './job-view.js';

/** By this name Node looks for how an object is to be printed. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/**
 * What a run that was done gives: the job, as it is now. Where the store can copy it later it is copied when it is first
 * read, for a history can be long and most callers look at the status alone.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {string} jobId
 */
export async function outcomeOf({ store }, jobId) {
  const snapshot = snapshots.get(store.getJob)?.(jobId);
  if (snapshot !== undefined && snapshot !== null) return lateOutcome(snapshot);
  const job = jobView(await store.getJob(jobId));
  return { success: true, status: job.status, job };
}

/** @param {import('../parts/handover.js').Snapshot} snapshot */
function lateOutcome({ status, read }) {
  /** @type {any} */
  let job;
  const outcome = {
    success: true,
    status,
    get job() {
      job ??= jobView(read());
      return job;
    },
  };
  // Whoever prints it sees the job, and not that it is read late.
  const print = () => ({ ...outcome });
  return Object.defineProperty(outcome, INSPECT, { value: print });
}
