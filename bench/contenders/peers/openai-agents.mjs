// @ts-check
/** An agent whose model, a script, calls a tool for each step; tracing is off, sessions are not used. */
import { loadPeer } from '../../harness/peers.mjs';

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @returns {Promise<import('../../workloads/plan-of-steps.mjs').Runner>}
 */
export async function openaiAgentsRunner({ plan, work }) {
  const { Agent, Runner, Usage, tool } = await loadPeer('@openai/agents');
  const { z } = await loadPeer('zod');
  const ids = plan.steps.map(({ id }) => id);
  const runner = new Runner({ tracingDisabled: true });

  /** @param {Record<string, number>} context */
  const scripted = (context) => {
    let turn = 0;
    const getResponse = async () => {
      const id = ids[turn++];
      const message = { type: 'message', role: 'assistant', status: 'completed' };
      const call = { type: 'function_call', callId: `${turn}`, name: 'work', status: 'completed' };
      const input = context[ids[turn - 2] ?? ''] ?? 0;
      const output =
        id === undefined
          ? { ...message, content: [{ type: 'output_text', text: 'done' }] }
          : { ...call, arguments: JSON.stringify({ id, input }) };
      return { usage: new Usage(), output: [output] };
    };
    return { getResponse, getStreamedResponse: () => Promise.reject(new Error('not streamed')) };
  };

  return {
    create: async () => undefined,
    run: async () => {
      /** @type {Record<string, number>} */
      const context = {};
      const execute = async (/** @type {{ id: string, input: number }} */ { id, input }) => {
        context[id] = await work(input);
        return String(context[id]);
      };
      const parameters = z.object({ id: z.string(), input: z.number() });
      const tools = [tool({ name: 'work', description: 'does a step', parameters, execute })];
      const agent = new Agent({ name: 'worker', model: scripted(context), tools });
      await runner.run(agent, 'begin', { maxTurns: ids.length + 10 });
      return { context };
    },
  };
}
