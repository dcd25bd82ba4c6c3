// @ts-check
/** One order: a job that is made once, however often its order is given, and gone on with after a crash. */
import { createOrchestrator } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';
import { createAgents } from './agents.mjs';
import { plan } from './plan.mjs';

/** @type {Partial<import('jobwright').JobPermissions>} */
export const permissions = { requireApproval: false };

/**
 * @typedef {object} Desk
 * @property {string} jobs the file that jobs are kept in
 * @property {import('./shop.mjs').Shop} shop
 * @property {(message: string) => Promise<boolean>} approve
 * @property {() => void} [written] is called after each commit
 */

/**
 * @param {Desk} desk
 * @param {{ order: string, item: string, quantity: number, card: string }} wish
 * @returns {Promise<import('jobwright').Job>} as it ended
 */
export async function buy({ jobs, shop, approve, written = () => {} }, wish) {
  const { order } = wish;
  const store = await createSqliteStore({ path: jobs });
  const commit = (/** @type {import('jobwright').JobChange} */ change) => {
    store.commit(change);
    written();
  };
  const orchestrator = createOrchestrator({ store: { ...store, commit }, agentRegistry: createAgents(shop) });
  const jobOf = async () => /** @type {import('jobwright').Job} */ (await orchestrator.getJob(order));
  try {
    if ((await jobOf()) === null) await orchestrator.createJob(wish, permissions, { id: order, plan });
    if ((await jobOf()).status === 'created') await orchestrator.startJob(order);
    await orchestrator.recover();
    await orchestrator.runJob(order);
    for (let job = await jobOf(); job.status === 'paused'; job = await jobOf()) {
      const { message = '' } = plan.steps.find(({ id }) => id === job.run?.pause?.step)?.approve ?? {};
      const answer = { by: 'the customer' };
      if (await approve(message)) await orchestrator.approveStep(order, answer);
      else await orchestrator.rejectStep(order, answer);
      await orchestrator.runJob(order);
    }
    return await jobOf();
  } finally {
    await orchestrator.close();
    await store.close();
  }
}
