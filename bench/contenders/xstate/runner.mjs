// @ts-check
/** A machine with a state for each step, which invokes a promise and assigns its output to the context. */
import { assign, createActor, fromPromise, setup, toPromise } from 'xstate';

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @returns {any}
 */
export function machineOf({ plan, context, work }) {
  const ids = plan.steps.map(({ id }) => id);
  const stateOf = (/** @type {string} */ id, /** @type {number} */ place) => ({
    invoke: {
      src: 'work',
      input: (/** @type {any} */ { context: now }) => (place === 0 ? undefined : now[String(ids[place - 1])]),
      onDone: {
        target: ids[place + 1] ?? 'completed',
        actions: assign((/** @type {any} */ { event }) => ({ [id]: event.output })),
      },
    },
  });
  return setup({
    types: /** @type {any} */ ({}),
    actors: { work: fromPromise(async ({ input }) => work(input)) },
  }).createMachine(
    /** @type {any} */ ({
      context: () => ({ ...context }),
      initial: ids[0],
      states: {
        ...Object.fromEntries(ids.map((id, place) => [id, stateOf(id, place)])),
        completed: { type: 'final' },
      },
    }),
  );
}

/**
 * @param {import('../../workloads/plan-of-steps.mjs').Wanted} wanted
 * @returns {import('../../workloads/plan-of-steps.mjs').Runner}
 */
export function xstateRunner(wanted) {
  const machine = machineOf(wanted);
  return {
    create: async () => createActor(machine),
    run: async (actor) => {
      actor.start();
      await toPromise(actor);
      return { context: actor.getSnapshot().context };
    },
  };
}
