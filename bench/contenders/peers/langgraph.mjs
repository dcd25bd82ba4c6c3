// @ts-check
/** A graph with a node and a channel for each step, and the saver that keeps every checkpoint in memory. */
import { loadPeer } from '../../harness/peers.mjs';

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @returns {Promise<import('../../workloads/plan-of-steps.mjs').Runner>}
 */
export async function langgraphRunner({ plan, work }) {
  const { Annotation, END, MemorySaver, START, StateGraph } = await loadPeer('@langchain/langgraph');
  const ids = plan.steps.map(({ id }) => id);
  const channels = Object.fromEntries(ids.map((id) => [id, Annotation()]));
  const graph = new StateGraph(Annotation.Root({ begin: Annotation(), ...channels }));
  for (const [place, id] of ids.entries()) {
    const node = async (/** @type {any} */ state) => ({
      [id]: await work(place === 0 ? undefined : state[ids[place - 1] ?? '']),
    });
    // A node may not have the name of a channel.
    graph.addNode(`node ${id}`, node);
    graph.addEdge(place === 0 ? START : `node ${ids[place - 1]}`, `node ${id}`);
  }
  graph.addEdge(`node ${ids.at(-1)}`, END);
  let last = 0;
  let app = graph.compile({ checkpointer: new MemorySaver() });
  return {
    create: async () => `${++last}`,
    run: async (id) => {
      const options = { configurable: { thread_id: id }, recursionLimit: ids.length + 10 };
      const { begin: _, ...context } = await app.invoke({ begin: true }, options);
      return { context };
    },
    clear: () => {
      app = graph.compile({ checkpointer: new MemorySaver() });
    },
  };
}
