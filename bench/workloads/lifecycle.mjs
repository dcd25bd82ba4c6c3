// @ts-check
/** Jobs are created, started, paused, started and completed, over a store in memory. */
import { randomUUID } from 'node:crypto';
import { timed } from '../harness/rounds.mjs';

const OPERATIONS = 5;
const title = 'create, start, pause, start, complete, in memory';
const metrics = { operation: 'µs' };
const sizes = { jobs: 500, batches: 30 };
const quick = { jobs: 5, batches: 1 };
const contenders = ['jobwright', 'plain', 'plain, no history', 'plain, JSON copies', 'xstate'];

/** @type {Record<string, () => Promise<(deps: any) => any>>} */
const makers = {
  jobwright: async () => (await import('jobwright')).createOrchestrator,
  plain: () => plain(true),
  'plain, no history': () => plain(false),
  'plain, JSON copies': () => plain(true),
  xstate: async () => (await import('../contenders/xstate/lifecycle.mjs')).createOrchestrator,
};

/** @param {boolean} keepHistory */
async function plain(keepHistory) {
  const { createOrchestrator } = await import('../contenders/plain/lifecycle.mjs');
  return (/** @type {any} */ deps) => createOrchestrator(deps, { keepHistory });
}

/**
 * @param {boolean} synchronous
 * @param {import('../harness/run.mjs').Task} task
 */
async function measure(synchronous, { contender, sizes: { jobs, batches }, rounds }) {
  const createOrchestrator = await /** @type {any} */ (makers[contender])();
  /** @type {Map<string, any>} */
  const stored = new Map();
  const zero = { events: 0, budget: 0, durations: 0 };
  const counts = { ...zero };
  const grant = { success: true };
  const answer = () => {
    counts.budget += 1;
    return grant;
  };
  const copies = contender === 'plain, JSON copies';
  const save = copies
    ? (/** @type {any} */ job) => void stored.set(job.id, JSON.stringify(job))
    : (/** @type {any} */ job) => void stored.set(job.id, job);
  const get = copies
    ? (/** @type {string} */ id) => JSON.parse(stored.get(id))
    : (/** @type {string} */ id) => stored.get(id);
  const store = synchronous
    ? { saveJob: save, getJob: get }
    : {
        saveJob: async (/** @type {any} */ job) => save(job),
        getJob: async (/** @type {string} */ id) => get(id),
      };
  const orchestrator = createOrchestrator({
    store,
    eventBus: { emit: () => void counts.events++ },
    budgetManager: { canSpend: synchronous ? answer : async () => answer() },
    performanceMonitor: { recordJobDuration: () => void counts.durations++ },
    generateId: randomUUID,
  });
  const live = async () => {
    const id = await orchestrator.createJob({});
    await orchestrator.startJob(id);
    await orchestrator.pauseJob(id);
    await orchestrator.startJob(id);
    await orchestrator.completeJob(id);
  };
  const work = {
    units: jobs * OPERATIONS,
    batches,
    prepare: () => {
      stored.clear();
      Object.assign(counts, zero);
    },
    batch: async () => {
      for (let n = 0; n < jobs; n++) await live();
    },
    done: () => {
      const completed = [...stored.keys()].filter((id) => get(id).status === 'completed').length;
      return { ...counts, completed };
    },
  };
  const expected = { completed: jobs, events: 4 * jobs, budget: 2 * jobs, durations: jobs };
  return { operation: await timed(work, { contender, rounds, expected }) };
}

const common = { file: import.meta.url, metrics, sizes, quick, contenders };

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    ...common,
    name: 'lifecycle-async',
    title: `${title}; a store with async methods`,
    due: [
      { against: 'plain', atMost: 1.5 },
      { against: 'plain, JSON copies', atMost: 0.5 },
    ],
    measure: (task) => measure(false, task),
  },
  {
    ...common,
    name: 'lifecycle-sync',
    title: `${title}; a store with synchronous methods`,
    due: [{ against: 'plain', atMost: 1 }],
    measure: (task) => measure(true, task),
  },
];
