// @ts-check
/** A job that is at work in one orchestrator, and others on the same store. */
import { latch, setup, started } from './setup.mjs';

export const QUIET = { warn() {}, error() {} };
export const PLAN = [
  { id: 'one', agent: 'work' },
  { id: 'two', agent: 'work' },
];

/** An agent that waits, at its first call, until it is let go. */
export function gatedAgent() {
  const [reached, gate] = [latch(), latch()];
  /** @type {any[]} */
  const calls = [];
  const work = async (/** @type {any} */ _, /** @type {any} */ { step, idempotencyKey, signal }) => {
    calls.push({ step, idempotencyKey, signal });
    if (calls.length === 1) {
      reached.open();
      await gate.promise;
    }
    return `${step} done`;
  };
  return { work, calls, reached: reached.promise, open: gate.open };
}

/** A running job whose first step is at work in an orchestrator. @param {any} store @param {any} [deps] */
export async function running(store, deps) {
  const agent = gatedAgent();
  const first = setup({ store, agentRegistry: { work: agent.work }, logger: QUIET, ...deps });
  const id = await started(first, PLAN);
  const run = first.runJob(id);
  await agent.reached;
  return { id, first, run, agent };
}

/** @param {any} store */
export const another = (store, deps = {}) =>
  setup({ store, agentRegistry: { work: () => 'done elsewhere' }, logger: QUIET, ...deps });
