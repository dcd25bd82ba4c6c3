// @ts-check
/** A workflow whose steps are recorded on PostgreSQL. */
import { loadPeer } from '../../harness/peers.mjs';

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @param {{ url: string }} given
 * @returns {Promise<import('../../workloads/plan-of-steps.mjs').Runner>}
 */
export async function dbosRunner({ plan, work }, { url }) {
  const { DBOS } = await loadPeer('@dbos-inc/dbos-sdk');
  DBOS.setConfig({ name: 'bench', systemDatabaseUrl: url, runAdminServer: false, logLevel: 'error' });
  const body = async () => {
    /** @type {Record<string, any>} */
    const context = {};
    /** @type {any} */
    let last;
    for (const { id } of plan.steps) {
      last = await DBOS.runStep(async () => work(last), { name: id });
      context[id] = last;
    }
    return context;
  };
  const workflow = DBOS.registerWorkflow(body, { name: 'steps' });
  await DBOS.launch();
  return {
    create: async () => undefined,
    run: async () => ({ context: await workflow() }),
    close: () => DBOS.shutdown(),
  };
}
