// @ts-check
/** A workflow of steps, and the storage in memory. */
import { loadPeer } from '../../harness/peers.mjs';

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @returns {Promise<import('../../workloads/plan-of-steps.mjs').Runner>}
 */
export async function mastraRunner({ plan, work }) {
  const { createStep, createWorkflow } = await loadPeer('@mastra/core/workflows');
  const { Mastra } = await loadPeer('@mastra/core');
  const { InMemoryStore } = await loadPeer('@mastra/core/storage');
  const { z } = await loadPeer('zod');
  const schemas = { inputSchema: z.number(), outputSchema: z.number() };
  const workflow = createWorkflow({ id: 'steps', ...schemas });
  for (const { id } of plan.steps) {
    const execute = async (/** @type {any} */ { inputData }) => work(inputData);
    workflow.then(createStep({ id, ...schemas, execute }));
  }
  workflow.commit();
  const start = () =>
    new Mastra({ workflows: { steps: workflow }, storage: new InMemoryStore(), logger: false });
  let mastra = start();
  return {
    create: async () => undefined,
    run: async () => {
      const run = await mastra.getWorkflow('steps').createRunAsync();
      const { status, steps, error } = await run.start({ inputData: 0 });
      if (status !== 'success') throw new Error(String(error));
      return { context: Object.fromEntries(plan.steps.map(({ id }) => [id, steps[id].output])) };
    },
    clear: () => {
      mastra = start();
    },
  };
}
