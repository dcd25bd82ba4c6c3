/** A workload whose contenders do all of the work, or less: what the harness has to find out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { timeSteps } from '../../bench/workloads/plan-of-steps.mjs';
import { open } from '../../bench/workloads/steps.mjs';

/** How each of them spoils what plain JavaScript does. */
const cheats = {
  plain: () => ({}),
  'skips an agent': ({ work }) => {
    let calls = 0;
    return { work: (input) => (++calls % 5 === 0 ? (input ?? 0) + 1 : work(input)) };
  },
  'calls an agent twice': ({ work }) => ({ work: (input) => work(work(input) - 1) }),
  'forgets an output': ({ work }) => ({
    work: (input) => (work(input) === 3 ? undefined : (input ?? 0) + 1),
  }),
  'tells nobody': () => ({ emit: () => {} }),
  'keeps less history': () => ({}),
  'stores less than it says': () => ({}),
};

/** How some spoil what comes of it. */
const results = {
  'keeps less history': (runner) => ({
    run: async (id) => {
      const job = await runner.run(id);
      return { ...job, history: job.history.slice(1) };
    },
  }),
  'stores less than it says': (runner) => ({
    read: async (id) => {
      const { s4: _, ...context } = (await runner.read(id)).context;
      return { ...(await runner.read(id)), context };
    },
  }),
};

async function measure({ contender, sizes, rounds }) {
  const spoiled = async (wanted) => {
    const runner = await open.plain({ ...wanted, ...cheats[contender](wanted) });
    return { ...runner, ...results[contender]?.(runner) };
  };
  return { step: await timeSteps(spoiled, { contender, sizes, rounds, tells: true }) };
}

const common = {
  file: import.meta.url,
  metrics: { step: 'µs' },
  sizes: { steps: 5, jobs: 2, batches: 1 },
  quick: {},
  due: [],
  measure,
};

export const workloads = [
  ...Object.keys(cheats).map((name) => ({ ...common, name, title: name, contenders: [name] })),
  {
    ...common,
    name: 'order',
    title: 'three that say when they were measured',
    metrics: { time: 'ms', at: 'ms' },
    contenders: ['jobwright', 'plain', 'other'],
    due: [{ metric: 'time', against: 'plain', atMost: 2 }],
    measure: async () => {
      await sleep(1);
      return { time: [1], at: [Date.now()] };
    },
    perProcess: 1,
  },
];
