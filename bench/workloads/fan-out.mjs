// @ts-check
/** One step that runs an agent for each of 10,000 items. */
import { timed } from '../harness/rounds.mjs';

/**
 * @typedef {object} Wanted
 * @property {number} concurrency
 * @property {(item: any) => any} work one more than the item
 *
 * @typedef {(items: number[]) => Promise<unknown[]>} FanOut the outputs, in the order of the items
 */

/** @type {Record<string, (wanted: Wanted) => Promise<FanOut>>} */
const fanOuts = {
  jobwright: async (wanted) => (await import('../contenders/jobwright/fan-out.mjs')).jobwrightFanOut(wanted),
  plain: async (wanted) => (await import('../contenders/plain/fan-out.mjs')).plainFanOut(wanted),
  xstate: async (wanted) => (await import('../contenders/xstate/fan-out.mjs')).xstateFanOut(wanted),
  langgraph: async (wanted) => (await import('../contenders/peers/fan-out.mjs')).langgraphFanOut(wanted),
  effect: async (wanted) => (await import('../contenders/peers/fan-out.mjs')).effectFanOut(wanted),
  mastra: async (wanted) => (await import('../contenders/peers/fan-out.mjs')).mastraFanOut(wanted),
};

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes, rounds }) {
  const { items: count, concurrency, warmUpMs } = sizes;
  let calls = 0;
  const work = (/** @type {number} */ item) => {
    calls += 1;
    return item + 1;
  };
  const fanOut = /** @type {FanOut} */ (await fanOuts[contender]?.({ concurrency, work }));
  const items = Array.from({ length: count }, (_, n) => n);
  /** @type {unknown[]} */
  let outputs = [];
  const item = await timed(
    {
      units: count,
      prepare: () => {
        calls = 0;
      },
      batch: async () => {
        outputs = await fanOut(items);
      },
      done: () => ({ calls, right: outputs.filter((output, n) => output === n + 1).length }),
    },
    { contender, rounds, warmUp: 1, warmUpMs, expected: { calls: count, right: count } },
  );
  return { item };
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'fan-out',
    title: 'forEach over 10,000 items, in memory',
    metrics: { item: 'µs' },
    contenders: ['jobwright', 'plain', 'xstate'],
    peers: ['langgraph', 'effect', 'mastra'],
    perProcess: 2,
    sizes: { items: 10_000, concurrency: 8, warmUpMs: 3_000 },
    quick: { items: 20, warmUpMs: 0 },
    due: [{ against: 'libraries', atMost: 0.1 }],
    measure,
  },
];
