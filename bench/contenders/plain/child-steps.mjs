// @ts-check
/** A job that makes and runs another for each item of a list, so many side by side, and keeps what they gave. */
import { randomUUID } from 'node:crypto';
import { SIDE_BY_SIDE } from '../../workloads/child-steps.mjs';
import { createOrchestrator, objectStore } from './steps.mjs';

/**
 * @param {import('../../workloads/child-steps.mjs').Wanted} wanted
 * @returns {import('../../workloads/child-steps.mjs').Lister}
 */
export function plainLister({ plan, permissions, work }) {
  const store = objectStore();
  const eventBus = { emit: () => {} };

  /** @param {unknown[]} items @param {{ jobId: string }} of */
  async function each(items, { jobId }) {
    /** @type {any[]} */
    const contexts = [];
    const list = items.entries();
    const lane = async () => {
      for (const [index, item] of list) {
        const child = await orchestrator.createJob({ item, index }, permissions, plan, { parentId: jobId });
        await orchestrator.startJob(child);
        const outcome = await orchestrator.runJob(child);
        if (!outcome.success) throw new Error(outcome.error);
        contexts[index] = outcome.job.context;
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
    return contexts;
  }

  const agents = {
    work,
    each: (/** @type {any} */ _, /** @type {any} */ job) => each(job.context.items, job),
  };
  const orchestrator = createOrchestrator({ store, eventBus, agents, generateId: randomUUID });
  return {
    async clear() {
      store.clear();
    },
    async create(items) {
      const id = await orchestrator.createJob({ items }, permissions, {
        steps: [{ id: 'each', agent: 'each' }],
      });
      await orchestrator.startJob(id);
      return id;
    },
    async run(id) {
      const { success, error, job } = await orchestrator.runJob(id);
      if (!success) throw new Error(error);
      return job.context.each;
    },
    async close() {},
  };
}
