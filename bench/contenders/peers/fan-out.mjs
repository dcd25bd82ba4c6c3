// @ts-check
/** What each library offers for doing the same with every item of a list. */
import { loadPeer } from '../../harness/peers.mjs';

/**
 * @typedef {import('../../workloads/fan-out.mjs').Wanted} Wanted
 * @typedef {import('../../workloads/fan-out.mjs').FanOut} FanOut
 */

/** An activity for each item. @param {Wanted} wanted @returns {Promise<FanOut>} */
export async function effectFanOut({ concurrency, work }) {
  const { Effect, Layer, ManagedRuntime, Schema } = await loadPeer('effect');
  const { Activity, Workflow, WorkflowEngine } = await loadPeer('effect/workflow');
  const success = Schema.Number;
  const workflow = Workflow.make('items', {
    payload: { id: Schema.String, items: Schema.Array(Schema.Number) },
    success: Schema.Array(Schema.Number),
    idempotencyKey: (/** @type {{ id: string }} */ { id }) => id,
  });
  const one = (/** @type {number} */ item, /** @type {number} */ place) =>
    Activity.make({ name: `item ${place}`, success, execute: Effect.promise(async () => work(item)) });
  const body = (/** @type {any} */ { items }) => Effect.forEach(items, one, { concurrency });
  return async (items) => {
    const layer = Layer.provideMerge(workflow.toLayer(body), WorkflowEngine.layerMemory);
    const runtime = ManagedRuntime.make(layer);
    const outputs = await runtime.runPromise(workflow.execute({ id: 'one', items }));
    await runtime.dispose();
    return outputs;
  };
}

/** A step that is run for each item. @param {Wanted} wanted @returns {Promise<FanOut>} */
export async function mastraFanOut({ concurrency, work }) {
  const { createStep, createWorkflow } = await loadPeer('@mastra/core/workflows');
  const { Mastra } = await loadPeer('@mastra/core');
  const { InMemoryStore } = await loadPeer('@mastra/core/storage');
  const { z } = await loadPeer('zod');
  const list = { inputSchema: z.array(z.number()), outputSchema: z.array(z.number()) };
  const step = createStep({
    id: 'work',
    inputSchema: z.number(),
    outputSchema: z.number(),
    execute: async (/** @type {any} */ { inputData }) => work(inputData),
  });
  const workflow = createWorkflow({ id: 'items', ...list }).foreach(step, { concurrency });
  workflow.commit();
  return async (items) => {
    const storage = new InMemoryStore();
    const mastra = new Mastra({ workflows: { items: workflow }, storage, logger: false });
    const run = await mastra.getWorkflow('items').createRunAsync();
    const { status, result, error } = await run.start({ inputData: items });
    if (status !== 'success') throw new Error(String(error));
    return result;
  };
}

/** A task for each item, in one superstep. @param {Wanted} wanted @returns {Promise<FanOut>} */
export async function langgraphFanOut({ concurrency, work }) {
  const { Annotation, END, MemorySaver, Send, START, StateGraph } = await loadPeer('@langchain/langgraph');
  const state = Annotation.Root({
    items: Annotation(),
    outputs: Annotation({
      reducer: (/** @type {any[]} */ all, /** @type {any[]} */ more) => {
        for (const { place, output } of more) all[place] = output;
        return all;
      },
      default: () => [],
    }),
  });
  const send = (/** @type {{ items: number[] }} */ { items }) =>
    items.map((item, place) => new Send('work', { item, place }));
  const graph = new StateGraph(state)
    .addNode('work', async (/** @type {any} */ { item, place }) => ({
      outputs: [{ place, output: await work(item) }],
    }))
    .addConditionalEdges(START, send)
    .addEdge('work', END)
    .compile({ checkpointer: new MemorySaver() });
  let last = 0;
  return async (items) => {
    const options = { configurable: { thread_id: `${++last}` }, maxConcurrency: concurrency };
    return (await graph.invoke({ items }, options)).outputs;
  };
}
