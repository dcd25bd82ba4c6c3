// @ts-check
import { createMemoryStore, createOrchestrator } from 'jobwright';

/**
 * @param {import('../../workloads/fan-out.mjs').Wanted} wanted
 * @returns {import('../../workloads/fan-out.mjs').FanOut}
 */
export function jobwrightFanOut({ concurrency, work }) {
  const plan = { concurrency, steps: [{ id: 'work', agent: 'work', forEach: { var: 'items' } }] };
  return async (items) => {
    const orchestrator = createOrchestrator({ store: createMemoryStore(), agentRegistry: { work } });
    const id = await orchestrator.createJob({ items }, { requireApproval: false }, { plan });
    await orchestrator.startJob(id);
    const outcome = await orchestrator.runJob(id);
    await orchestrator.close();
    if (!outcome.success) throw new Error(outcome.error);
    return /** @type {unknown[]} */ (outcome.job.context.work);
  };
}
