// @ts-check
/** One check: a job from the folder to the report. */
import { createOrchestrator } from 'jobwright';
import { agents } from './agents.mjs';
import { plan } from './plan.mjs';

/** @type {Partial<import('jobwright').JobPermissions>} */
export const permissions = { requireApproval: false };

/**
 * @typedef {object} Result
 * @property {number} pages
 * @property {number} links
 * @property {import('./agents.mjs').DeadLink[]} dead
 * @property {string[]} unread
 */

/**
 * @param {{ folder: string, report: string }} desk
 * @returns {Promise<import('jobwright').Job<{ files: string[], result: Result }>>} as it ended
 */
export async function checkLinks({ folder, report }) {
  const orchestrator = createOrchestrator({ agentRegistry: agents });
  try {
    const jobId = await orchestrator.createJob({ folder, report }, permissions, { plan });
    await orchestrator.startJob(jobId);
    const outcome = await orchestrator.runJob(jobId);
    if (!outcome.success) throw new Error(outcome.error);
    return /** @type {import('jobwright').Job<any>} */ (outcome.job);
  } finally {
    await orchestrator.close();
  }
}
