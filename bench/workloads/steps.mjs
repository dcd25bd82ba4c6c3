// @ts-check
/** Jobs of 10 and of 100 steps, one after the other, in memory. */
import { createMemoryStore } from 'jobwright';
import { timeSteps } from './plan-of-steps.mjs';

/** @typedef {import('./plan-of-steps.mjs').Wanted} Wanted */

/** @type {Record<string, (wanted: Wanted) => Promise<import('./plan-of-steps.mjs').Runner>>} */
export const open = {
  jobwright: async (wanted) =>
    (await import('../contenders/jobwright/runner.mjs')).jobwrightRunner(createMemoryStore(), wanted),
  plain: (wanted) => plain('objectStore', wanted),
  'plain, JSON copies': (wanted) => plain('jsonStore', wanted),
  xstate: async (wanted) => (await import('../contenders/xstate/runner.mjs')).xstateRunner(wanted),
  langgraph: async (wanted) => (await import('../contenders/peers/langgraph.mjs')).langgraphRunner(wanted),
  effect: async (wanted) => (await import('../contenders/peers/effect.mjs')).effectRunner(wanted),
  mastra: async (wanted) => (await import('../contenders/peers/mastra.mjs')).mastraRunner(wanted),
  'openai agents': async (wanted) =>
    (await import('../contenders/peers/openai-agents.mjs')).openaiAgentsRunner(wanted),
};
const peers = ['langgraph', 'effect', 'mastra', 'openai agents'];

/** @param {'objectStore' | 'jsonStore'} store @param {Wanted} wanted */
async function plain(store, wanted) {
  const stores = await import('../contenders/plain/steps.mjs');
  const { plainRunner } = await import('../contenders/plain/runner.mjs');
  return plainRunner(stores[store](), wanted);
}

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes, rounds }) {
  const tells = contender === 'jobwright' || contender.startsWith('plain');
  const runner = /** @type {(wanted: Wanted) => Promise<any>} */ (open[contender]);
  return { step: await timeSteps(runner, { contender, sizes, rounds, tells }) };
}

const common = {
  file: import.meta.url,
  metrics: { step: 'µs' },
  contenders: ['jobwright', 'plain', 'plain, JSON copies', 'xstate'],
  quick: { jobs: 2, batches: 1 },
  due: [
    { against: 'plain', atMost: 2 },
    { against: 'libraries', atMost: 1 / 8 },
  ],
  measure,
};

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    ...common,
    name: 'steps-10',
    title: 'jobs of 10 steps, in memory: running them',
    sizes: { steps: 10, jobs: 100, batches: 20 },
    peers,
    peerSizes: { jobs: 10, batches: 5 },
  },
  {
    ...common,
    name: 'steps-100',
    title: 'jobs of 100 steps, in memory: running them',
    sizes: { steps: 100, jobs: 20, batches: 10 },
    peers,
    peerSizes: { jobs: 2, batches: 2 },
  },
  {
    ...common,
    name: 'steps-10-later',
    title: 'jobs of 10 steps, in memory, whose agent answers with a promise: running them',
    sizes: { steps: 10, jobs: 100, batches: 20, later: true },
  },
  {
    ...common,
    name: 'jobs-10',
    title: 'jobs of 10 steps, in memory: creating, starting and running them',
    sizes: { steps: 10, jobs: 100, batches: 20, whole: true },
  },
];
