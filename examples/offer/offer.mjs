// @ts-check
/** An offer in its office: a job in a file, and an orchestrator that can be shut down in the evening. */
import { join } from 'node:path';
import { createOrchestrator } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';
import { createAgents } from './agents.mjs';
import { plan } from './plan.mjs';

/** @type {Partial<import('jobwright').JobPermissions>} */
export const permissions = { requireApproval: false };
const OFFER = 'offer-1';

/**
 * Opens the office: makes the offer where there is none yet, and otherwise goes on with it.
 *
 * @param {{ folder: string, clock: import('jobwright').Clock, customer: string }} desk
 */
export async function openOffice({ folder, clock, customer }) {
  const store = await createSqliteStore({ path: join(folder, 'jobs.db') });
  const agentRegistry = createAgents(join(folder, 'outbox'), clock);
  const orchestrator = createOrchestrator({ store, clock, agentRegistry });
  if ((await orchestrator.getJob(OFFER)) === null) {
    await orchestrator.createJob({ customer }, permissions, { id: OFFER, plan });
    await orchestrator.startJob(OFFER);
  }
  await orchestrator.recover();
  const run = orchestrator.runJob(OFFER);
  return {
    /** @param {'accepted' | 'declined'} answer */
    answer: (answer) => orchestrator.signal(OFFER, answer),
    offer: async () => /** @type {import('jobwright').Job} */ (await orchestrator.getJob(OFFER)),

    /** The offer stays as it is, and the time runs on. */
    async close() {
      await orchestrator.close();
      await run;
      await store.close();
    },
  };
}
