// @ts-check
import { joinJob } from './job-parts.js';
import { cloneJson } from './plain.js';

/**
 * What this process has written of jobs that it made, so that who ran one to its end need not read it to see it.
 *
 * @typedef {import('../index.d.ts').JobHead} JobHead
 */

/**
 * @template R what a row of a commit is
 * @typedef {object} KeptJob
 * @property {JobHead} head nobody changes it
 * @property {string | null} plan as JSON
 * @property {R[]} rows all of the job
 * @property {number} size about how many characters it has
 */

/** How many characters are kept of one job, and of all; what is larger, or older, is read when it is wanted. */
const MOST_OF_JOB = 1_000_000;
const MOST_OF_ALL = 4_000_000;

/**
 * @template R
 * @param {(jobId: string, rows: R[]) => Pick<import('./job-parts.js').JobParts, 'context' | 'steps' | 'history'>} joinRows
 * @param {(row: R) => number} sizeOf
 */
export function keepJobs(joinRows, sizeOf) {
  /** @type {Map<string, KeptJob<R>>} those that were written last are last */
  const kept = new Map();

  let size = 0;

  /** @param {string} jobId */
  function forget(jobId) {
    size -= kept.get(jobId)?.size ?? 0;
    kept.delete(jobId);
  }

  /**
   * A commit of the engine's that was stored.
   *
   * @param {import('../index.d.ts').JobChange} change
   * @param {{ headSize: number, plan: string | null, rows: R[] }} written the plan as JSON, where it was written
   */
  function committed({ jobId, expectedRevision, head }, { headSize, plan, rows }) {
    const before = kept.get(jobId);
    forget(jobId);
    /** @type {KeptJob<R>} */
    let job;
    if (expectedRevision === 0) job = { head, plan: null, rows: [], size: headSize };
    // What somebody else committed is not here, and a job that was deleted may have been made anew.
    else if (before === undefined || !isNext(before.head, head)) return;
    else job = before;
    job.head = head;
    job.plan = plan ?? job.plan;
    for (const row of rows) job.rows.push(row);
    job.size += rows.reduce((sum, row) => sum + sizeOf(row), plan?.length ?? 0);
    if (job.size > MOST_OF_JOB) return;
    kept.set(jobId, job);
    size += job.size;
    for (const oldest of kept.keys()) {
      if (size <= MOST_OF_ALL) return;
      forget(oldest);
    }
  }

  /**
   * The job, if it has ended here: others may have changed it until then. It is told once.
   *
   * @param {string} jobId
   * @returns {import('./handover.js').Snapshot | null}
   */
  function snapshot(jobId) {
    const job = kept.get(jobId);
    if (job === undefined) return null;
    const { head, plan, rows } = job;
    if (head.status !== 'completed' && head.status !== 'failed') return null;
    forget(jobId);
    const read = () =>
      joinJob({
        head: cloneJson(head),
        plan: plan === null ? undefined : JSON.parse(plan),
        ...joinRows(jobId, rows),
      });
    return { status: head.status, read };
  }

  return { committed, forget, snapshot };
}

/** @param {JobHead} before @param {JobHead} head */
function isNext({ timing, run }, head) {
  return Number(run?.revision) + 1 === head.run?.revision && timing?.created === head.timing?.created;
}
