// @ts-check
/** A parent that is monitored, and children that are created for it. */
import { createEventBus, createMemoryStore, createOrchestrator } from 'jobwright';

/**
 * @param {import('../../workloads/children.mjs').Wanted} wanted
 * @returns {import('../../workloads/children.mjs').Family}
 */
export function jobwrightFamily({ plan, permissions, work }) {
  return async (size) => {
    const eventBus = createEventBus();
    const store = createMemoryStore();
    const orchestrator = createOrchestrator({ store, eventBus, agentRegistry: { work } });
    const parent = await orchestrator.createJob({}, permissions, {
      type: 'parent',
      config: { source_type: 'bench' },
    });
    const children = [];
    for (let n = 0; n < size; n++) {
      children.push(await orchestrator.createJob({ n }, permissions, { parentId: parent, plan }));
    }
    const ended = new Promise((resolve) => {
      eventBus.on('job_completed', ({ payload }) => {
        const { jobId } = /** @type {{ jobId: string }} */ (payload);
        if (jobId === parent) resolve(jobId);
      });
    });
    orchestrator.startMonitoring(/** @type {any} */ (await orchestrator.getJob(parent)));
    for (const child of children) {
      await orchestrator.startJob(child);
      await orchestrator.runJob(child);
    }
    await ended;
    const { completed, overallStatus: status } = await orchestrator.childStats(parent);
    let sum = 0;
    for (const child of children) sum += Number((await orchestrator.getJob(child))?.context.work);
    await orchestrator.close();
    return { status, completed, sum };
  };
}
