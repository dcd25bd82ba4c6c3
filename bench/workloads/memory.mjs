// @ts-check
/** What jobs take in memory: a million that were created, and 100,000 that run, until they have ended. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * @typedef {object} Holder
 * @property {() => Promise<unknown>} create
 * @property {(work: () => Promise<number>) => Promise<{ ended: Promise<unknown> }>} run a job of one step, of which
 *   `work` is the agent
 * @property {() => Promise<unknown>} clear
 */

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = runInNewContext('gc');

/** In bytes; `all` is with what the engine's own memory takes. */
async function used() {
  for (let n = 0; n < 3; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return { all: heapUsed + external, heap: heapUsed };
}

const plan = { steps: [{ id: 'work', agent: 'work' }] };
const permissions = { requireApproval: false };

/** @type {Record<string, (work: () => Promise<number>) => Promise<any>>} */
const holders = {
  jobwright: async (work) => {
    const { createMemoryStore, createOrchestrator } = await import('jobwright');
    const store = createMemoryStore();
    const orchestrator = createOrchestrator({ store, agentRegistry: { work } });
    return {
      create: () => orchestrator.createJob({}),
      run: async () => {
        const id = await orchestrator.createJob({}, permissions, { plan });
        await orchestrator.startJob(id);
        return orchestrator.runJob(id);
      },
      clear: () => store.prune?.({ endedBefore: Infinity }),
    };
  },
  plain: async (work) => {
    const { createOrchestrator, objectStore } = await import('../contenders/plain/steps.mjs');
    const { randomUUID } = await import('node:crypto');
    const store = objectStore();
    const deps = { store, eventBus: { emit: () => {} }, agents: { work }, generateId: randomUUID };
    const orchestrator = createOrchestrator(deps);
    return {
      create: () => orchestrator.createJob({}, {}, undefined),
      run: async () => {
        const id = await orchestrator.createJob({}, permissions, plan);
        await orchestrator.startJob(id);
        return orchestrator.runJob(id);
      },
      clear: () => store.clear(),
    };
  },
};

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes: { created, running } }) {
  const make = /** @type {NonNullable<(typeof holders)[string]>} */ (holders[contender]);
  return { ...(await whenCreated(make, created)), ...(await whenRunning(make, running)) };
}

/** @param {(typeof holders)[string]} make @param {number} count */
async function whenCreated(make, count) {
  const holder = await make(async () => 1);
  await holder.create();
  const before = await used();
  for (let n = 0; n < count; n++) await holder.create();
  const bytes = (await used()).all - before.all;
  await holder.create();
  return { created: [bytes / count] };
}

/** @param {(typeof holders)[string]} make @param {number} count */
async function whenRunning(make, count) {
  /** @type {(output: number) => void} */
  let open = () => {};
  const gate = new Promise((resolve) => {
    open = resolve;
  });
  let calls = 0;
  const holder = await make(() => {
    calls += 1;
    return gate;
  });
  const before = await used();
  /** @type {Promise<any>[] | null} */
  let runs = [];
  // One after the other up to the call of the agent, as jobs arrive.
  for (let n = 0; n < count; n++) {
    runs.push(holder.run());
    if (n % 100 === 0) while (calls < n) await new Promise((resolve) => setImmediate(resolve));
  }
  while (calls < count) await new Promise((resolve) => setImmediate(resolve));
  const running = (await used()).all - before.all;
  open(1);
  for (const run of runs) {
    const { success, job } = await run;
    if (!success || job.context.work !== 1) throw new Error('a job did not end as it should');
  }
  runs = null;
  await holder.clear();
  const left = await used();
  return {
    running: [running / count],
    'left over': [(left.all - before.all) / count],
    'left over in the heap': [(left.heap - before.heap) / count],
  };
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'memory',
    title:
      '1,000,000 jobs that are created; 100,000 that run, and what is left when they have ended and are removed',
    metrics: {
      created: 'bytes per job',
      running: 'bytes per job',
      'left over': 'bytes per job',
      'left over in the heap': 'bytes per job',
    },
    contenders: ['jobwright', 'plain'],
    sizes: { created: 1_000_000, running: 100_000 },
    quick: { created: 100, running: 100 },
    perProcess: 1,
    mostRepeats: 3,
    flags: ['--max-old-space-size=14000'],
    due: [
      { metric: 'created', against: 'plain', atMost: 1.3 },
      { metric: 'running', against: 'plain', atMost: 1.3 },
      { metric: 'left over', over: 'running', atMost: 0.05 },
    ],
    measure,
  },
];
