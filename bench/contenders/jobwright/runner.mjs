// @ts-check
import { createOrchestrator } from 'jobwright';

/**
 * @param {import('jobwright').JobStore} store
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @returns {import('../../workloads/plan-of-steps.mjs').Runner}
 */
export function jobwrightRunner(store, { plan, context, permissions, work, emit }) {
  const orchestrator = createOrchestrator({
    store,
    eventBus: { emit },
    agentRegistry: { work },
  });
  return {
    create: async () => {
      const id = await orchestrator.createJob(context, permissions, { plan });
      const started = await orchestrator.startJob(id);
      if (!started.success) throw new Error(started.error);
      return id;
    },
    run: async (id) => {
      const outcome = await orchestrator.runJob(id);
      if (!outcome.success) throw new Error(outcome.error);
      return () => outcome.job;
    },
    read: async (id) => store.getJob(id),
    clear: async () => {
      for (const { id } of (await store.listJobs?.()) ?? []) await store.deleteJob?.(id);
    },
    close: () => orchestrator.close(),
  };
}
