// @ts-check
/** A workflow with an activity for each step, and the engine that keeps their results in memory. */
import { loadPeer } from '../../harness/peers.mjs';

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @returns {Promise<import('../../workloads/plan-of-steps.mjs').Runner>}
 */
export async function effectRunner({ plan, work }) {
  const { Effect, Layer, ManagedRuntime, Schema } = await loadPeer('effect');
  const { Activity, Workflow, WorkflowEngine } = await loadPeer('effect/workflow');
  const workflow = Workflow.make('steps', {
    payload: { id: Schema.String },
    success: Schema.Record(Schema.String, Schema.Number),
    idempotencyKey: (/** @type {{ id: string }} */ { id }) => id,
  });
  const body = () =>
    Effect.gen(function* () {
      /** @type {Record<string, any>} */
      const context = {};
      /** @type {any} */
      let last;
      for (const { id } of plan.steps) {
        const execute = Effect.promise(async () => work(last));
        last = yield* Activity.make({ name: id, success: Schema.Number, execute });
        context[id] = last;
      }
      return context;
    });
  const start = () =>
    ManagedRuntime.make(Layer.provideMerge(workflow.toLayer(body), WorkflowEngine.layerMemory));
  let runtime = start();
  let last = 0;
  return {
    create: async () => `${++last}`,
    run: async (id) => ({ context: await runtime.runPromise(workflow.execute({ id })) }),
    clear: async () => {
      await runtime.dispose();
      runtime = start();
    },
    close: () => runtime.dispose(),
  };
}
