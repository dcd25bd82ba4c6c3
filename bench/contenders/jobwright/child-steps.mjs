// @ts-check
/** A plan whose one step has a child job for each item of a list. */
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { SIDE_BY_SIDE } from '../../workloads/child-steps.mjs';

/**
 * @param {import('../../workloads/child-steps.mjs').Wanted} wanted
 * @returns {import('../../workloads/child-steps.mjs').Lister}
 */
export function jobwrightLister({ plan, permissions, work }) {
  const store = createMemoryStore();
  const orchestrator = createOrchestrator({ store, agentRegistry: { work } });
  const list = {
    concurrency: SIDE_BY_SIDE,
    steps: [{ id: 'each', forEach: { var: 'items' }, job: { plan } }],
  };
  return {
    async clear() {
      for (const { id } of await store.listJobs()) await store.deleteJob(id);
    },
    async create(items) {
      const id = await orchestrator.createJob({ items }, permissions, { plan: list });
      await orchestrator.startJob(id);
      return id;
    },
    async run(id) {
      const outcome = await orchestrator.runJob(id);
      if (!outcome.success) throw new Error(outcome.error);
      return /** @type {any} */ (outcome.job.context).each;
    },
    close: () => orchestrator.close(),
  };
}
