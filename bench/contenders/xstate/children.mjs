// @ts-check
/** A machine that spawns a machine for each child and counts those that are done. */
import { assign, createActor, fromPromise, setup, toPromise } from 'xstate';

/**
 * @param {import('../../workloads/children.mjs').Wanted} wanted
 * @returns {import('../../workloads/children.mjs').Family}
 */
export function xstateFamily({ work }) {
  const child = setup({
    types: /** @type {any} */ ({}),
    actors: {
      work: fromPromise(async ({ input }) => work(undefined, { context: /** @type {any} */ (input) })),
    },
  }).createMachine({
    context: ({ input }) => ({ n: /** @type {any} */ (input).n, work: 0 }),
    initial: 'working',
    states: {
      working: {
        invoke: {
          src: 'work',
          input: ({ context }) => context,
          onDone: { target: 'completed', actions: assign({ work: ({ event }) => event.output }) },
        },
      },
      completed: { type: 'final' },
    },
    output: ({ context }) => context.work,
  });
  const parent = setup({ types: /** @type {any} */ ({}), actors: { child } }).createMachine({
    context: ({ input, spawn }) => {
      const { size } = /** @type {any} */ (input);
      for (let n = 0; n < size; n++) spawn('child', { id: `${n}`, input: { n } });
      return { size, completed: 0, sum: 0 };
    },
    initial: 'waiting',
    states: {
      waiting: {
        always: { guard: ({ context }) => context.completed === context.size, target: 'completed' },
        on: {
          'xstate.done.actor.*': {
            actions: assign({
              completed: ({ context }) => context.completed + 1,
              sum: ({ context, event }) => context.sum + event.output,
            }),
          },
        },
      },
      completed: { type: 'final' },
    },
  });
  return async (size) => {
    const actor = createActor(parent, { input: { size } });
    actor.start();
    await toPromise(actor);
    const { context, value } = actor.getSnapshot();
    return { status: String(value), completed: context.completed, sum: context.sum };
  };
}
