// @ts-check
/** The agents: each call is entered in the ledger, under its idempotency key, before it answers. */
import { setTimeout as sleep } from 'node:timers/promises';
import { costOf, durationOf, failuresOf } from './costs.mjs';

/**
 * @param {{ enter: (key: string, attempt: number) => Promise<string> }} ledger
 * @param {() => void} called is told of each call that is in the ledger and not answered yet
 * @returns {Record<string, import('jobwright').AgentFn>}
 */
export function createAgents(ledger, called) {
  /** @param {import('jobwright').AgentContext} context */
  async function act({ idempotencyKey: key, attempt }) {
    const receipt = await ledger.enter(key, attempt);
    called();
    await sleep(durationOf(key));
    return receipt;
  }

  return {
    work: async (_, context) => {
      const receipt = await act(context);
      return { success: true, data: { receipt }, cost: costOf(context.idempotencyKey) };
    },
    flaky: async (_, context) => {
      const receipt = await act(context);
      const { attempt, idempotencyKey: key } = context;
      if (attempt <= failuresOf(key)) throw new Error(`attempt ${attempt} fails`);
      return { success: true, data: { receipt }, cost: costOf(key) };
    },
    // Of a step that is repeated, the key ends with the number of the round.
    draft: async (_, context) => {
      const receipt = await act(context);
      const round = Number(context.idempotencyKey.split(':').at(-1));
      return { success: true, data: { receipt, round }, cost: costOf(context.idempotencyKey) };
    },
  };
}
