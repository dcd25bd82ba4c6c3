// @ts-check
/** A machine that spawns a promise for each item, all at once, and puts each output in its place. */
import { assign, createActor, fromPromise, setup, toPromise } from 'xstate';

/**
 * @param {import('../../workloads/fan-out.mjs').Wanted} wanted
 * @returns {import('../../workloads/fan-out.mjs').FanOut}
 */
export function xstateFanOut({ work }) {
  const machine = setup({
    types: /** @type {any} */ ({}),
    actors: {
      work: fromPromise(async ({ input }) => {
        const { item, place } = /** @type {any} */ (input);
        return { place, output: await work(item) };
      }),
    },
  }).createMachine({
    context: ({ input, spawn }) => {
      const { items } = /** @type {any} */ (input);
      for (const [place, item] of items.entries()) spawn('work', { id: `${place}`, input: { item, place } });
      return { outputs: [], left: items.length };
    },
    initial: 'waiting',
    states: {
      waiting: {
        always: { guard: ({ context }) => context.left === 0, target: 'completed' },
        on: {
          'xstate.done.actor.*': {
            // In place: a copy of the list for each item would be quadratic.
            actions: [
              ({ context, event }) => {
                context.outputs[event.output.place] = event.output.output;
              },
              assign({ left: ({ context }) => context.left - 1 }),
            ],
          },
        },
      },
      completed: { type: 'final' },
    },
  });
  return async (items) => {
    const actor = createActor(machine, { input: { items } });
    actor.start();
    await toPromise(actor);
    return actor.getSnapshot().context.outputs;
  };
}
