// @ts-check
/** A parent and its children, each a job of its own: a child that ends is counted, and the last one ends the parent. */
import { randomUUID } from 'node:crypto';
import { createOrchestrator, objectStore } from './steps.mjs';

/**
 * @param {import('../../workloads/children.mjs').Wanted} wanted
 * @returns {import('../../workloads/children.mjs').Family}
 */
export function plainFamily({ plan, permissions, work }) {
  const store = objectStore();
  /** @type {(type: string, payload: any) => void} */
  let heard = () => {};
  const eventBus = { emit: (/** @type {string} */ type, /** @type {any} */ payload) => heard(type, payload) };
  const orchestrator = createOrchestrator({ store, eventBus, agents: { work }, generateId: randomUUID });

  /** @param {string} id @param {string} parentId @param {string} status */
  async function count(id, parentId, status) {
    eventBus.emit('job_status_change', { jobId: id, parentId, status });
    if (status === 'running') return;
    const parent = await store.getJob(parentId);
    parent.children[status] += 1;
    await store.saveJob(parent);
    const { total, completed, failed } = parent.children;
    if (completed + failed === total) await orchestrator.runJob(parentId);
  }

  return async (size) => {
    const counted = { total: size, completed: 0, failed: 0 };
    const parent = await orchestrator.createJob({}, permissions, { steps: [] }, { children: counted });
    const children = [];
    for (let n = 0; n < size; n++) {
      children.push(await orchestrator.createJob({ n }, permissions, plan, { parentId: parent }));
    }
    const ended = new Promise((resolve) => {
      heard = (type, { jobId }) => type === 'job_completed' && jobId === parent && resolve(jobId);
    });
    await orchestrator.startJob(parent);
    for (const child of children) {
      await orchestrator.startJob(child);
      await count(child, parent, 'running');
      const { success } = await orchestrator.runJob(child);
      await count(child, parent, success ? 'completed' : 'failed');
    }
    await ended;
    const { status, children: ends } = await store.getJob(parent);
    let sum = 0;
    for (const child of children) sum += (await store.getJob(child)).context.work;
    store.clear();
    return { status, completed: ends.completed, sum };
  };
}
