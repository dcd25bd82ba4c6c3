// @ts-check
import { randomUUID } from 'node:crypto';
import { createOrchestrator } from './steps.mjs';

/**
 * @param {any} store
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @param {{ saveStart?: boolean }} [options]
 * @returns {import('../../workloads/plan-of-steps.mjs').Runner}
 */
export function plainRunner(store, { plan, context, permissions, work, emit }, options) {
  const deps = { store, eventBus: { emit }, agents: { work }, generateId: randomUUID };
  const orchestrator = createOrchestrator(deps, options);
  return {
    create: async () => {
      const id = await orchestrator.createJob(context, permissions, plan);
      await orchestrator.startJob(id);
      return id;
    },
    run: async (id) => {
      const outcome = /** @type {any} */ (await orchestrator.runJob(id));
      if (!outcome.success) throw new Error(outcome.error);
      return outcome.job;
    },
    read: (id) => store.getJob(id),
    clear: () => store.clear(),
    close: () => store.close?.(),
  };
}
