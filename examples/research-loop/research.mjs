// @ts-check
/** One piece of research: a job from the question to the answer that was published, or not. */
import { createOrchestrator } from 'jobwright';
import { agents, createTools } from './agents.mjs';
import { plan } from './plan.mjs';

/** @type {Partial<import('jobwright').JobPermissions>} */
export const permissions = { allowTools: true, requireApproval: false };

/**
 * @typedef {object} Desk
 * @property {string} question
 * @property {string} sources a folder of Markdown files
 * @property {string} answer the file that the answer is written to
 * @property {import('jobwright').EventBus} [eventBus] is told of what happens, in the rounds too
 * @property {import('jobwright').JobStore} [store] default: what is researched is forgotten in the end
 * @property {(job: import('jobwright').Job) => Promise<boolean>} approve shows a person what is about to be published
 */

/**
 * @param {Desk} desk
 * @returns {Promise<import('jobwright').Job>} as it ended
 */
export async function research(desk) {
  const { question, eventBus, store } = desk;
  const orchestrator = createOrchestrator({
    agentRegistry: agents,
    tools: createTools(desk),
    eventBus,
    store,
  });
  const jobOf = async (/** @type {string} */ id) =>
    /** @type {import('jobwright').Job} */ (await orchestrator.getJob(id));
  try {
    const jobId = await orchestrator.createJob({ question }, permissions, { plan });
    await orchestrator.startJob(jobId);
    const outcome = await orchestrator.runJob(jobId);
    if (!outcome.success && outcome.code === 'approval_required') {
      const answer = { by: 'the reader' };
      if (await desk.approve(await jobOf(jobId))) await orchestrator.approveStep(jobId, answer);
      else await orchestrator.rejectStep(jobId, answer);
      await orchestrator.runJob(jobId);
    }
    return await jobOf(jobId);
  } finally {
    await orchestrator.close();
  }
}
