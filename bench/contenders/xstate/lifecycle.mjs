// @ts-check
/**
 * A machine for each job, the budget asked in an invoked promise, the snapshot saved after each operation. The actor
 * itself stays in memory: it is not made again from what is stored.
 */
import { createActor, fromPromise, setup, waitFor } from 'xstate';

/** @param {any} deps */
export function createOrchestrator({ store, eventBus, budgetManager, performanceMonitor, generateId }) {
  const emits = (/** @type {string} */ type) => (/** @type {any} */ _, /** @type {any} */ params) =>
    eventBus.emit(type, params);
  const machine = setup({
    types: /** @type {any} */ ({}),
    actors: { canSpend: fromPromise(async ({ input }) => budgetManager.canSpend(input)) },
    actions: {
      started: emits('job_started'),
      paused: emits('job_paused'),
      completed: emits('job_completed'),
      record: ({ context }) =>
        performanceMonitor.recordJobDuration(context.id, Date.now() - context.created, {}),
    },
  }).createMachine({
    initial: 'created',
    context: ({ input }) => ({ id: /** @type {any} */ (input).id, created: Date.now() }),
    states: {
      created: { on: { start: 'starting' } },
      starting: {
        invoke: {
          src: 'canSpend',
          input: ({ context }) => context.id,
          onDone: [
            { guard: ({ event }) => event.output.success, target: 'running', actions: 'started' },
            { target: 'paused' },
          ],
        },
      },
      running: {
        on: {
          pause: { target: 'paused', actions: 'paused' },
          complete: { target: 'completed', actions: 'completed' },
        },
      },
      paused: { on: { start: 'starting' } },
      completed: { type: 'final', entry: 'record' },
    },
  });
  /** @type {Map<string, any>} */
  const actors = new Map();

  /** @param {string} id */
  async function save(id) {
    const snapshot = actors.get(id).getSnapshot();
    await store.saveJob({ id, status: snapshot.value, context: snapshot.context });
    if (snapshot.status === 'done') actors.delete(id);
  }
  /** @param {string} id @param {string} type */
  async function send(id, type) {
    actors.get(id).send({ type });
    await save(id);
  }
  return {
    async createJob() {
      const id = generateId();
      actors.set(id, createActor(machine, { input: { id } }).start());
      await save(id);
      return id;
    },
    /** @param {string} id */
    async startJob(id) {
      actors.get(id).send({ type: 'start' });
      await waitFor(actors.get(id), (snapshot) => snapshot.value !== 'starting');
      await save(id);
    },
    pauseJob: (/** @type {string} */ id) => send(id, 'pause'),
    completeJob: (/** @type {string} */ id) => send(id, 'complete'),
  };
}
