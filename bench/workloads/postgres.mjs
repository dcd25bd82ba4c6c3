// @ts-check
/** Jobs of 10 steps on a PostgreSQL server whose commits wait for the disk. */
import { timeSteps } from './plan-of-steps.mjs';

/** @typedef {import('./plan-of-steps.mjs').Wanted} Wanted */
/** @typedef {{ url: string, connections: number }} Given */

/** @type {Record<string, (wanted: Wanted, given: Given) => Promise<any>>} */
const open = {
  jobwright: async (wanted, { url }) => {
    const { createPostgresStore } = await import('jobwright/postgres');
    const { jobwrightRunner } = await import('../contenders/jobwright/runner.mjs');
    const store = await createPostgresStore({ connectionString: url, schema: `bench_${process.pid}` });
    const runner = jobwrightRunner(store, wanted);
    const close = async () => {
      await runner.close?.();
      await store.close();
    };
    return { ...runner, clear: () => {}, close };
  },
  plain: (wanted, given) => plain({}, wanted, given),
  'plain, start and end': (wanted, given) => plain({ saveStart: true }, wanted, given),
  'plain, one statement': (wanted, given) => plain({ oneStatement: true }, wanted, given),
  DBOS: async (wanted, given) => (await import('../contenders/peers/dbos.mjs')).dbosRunner(wanted, given),
  'bullmq on Redis': async (wanted, given) =>
    (await import('../contenders/peers/bullmq.mjs')).bullmqRunner(wanted, given),
};

/**
 * @param {{ saveStart?: boolean, oneStatement?: boolean }} kind
 * @param {Wanted} wanted
 * @param {Given} given
 */
async function plain({ saveStart = false, oneStatement = false }, wanted, { url, connections }) {
  const { postgresStore } = await import('../contenders/plain/postgres.mjs');
  const { plainRunner } = await import('../contenders/plain/runner.mjs');
  return plainRunner(await postgresStore(url, { connections, oneStatement }), wanted, { saveStart });
}

const peers = ['DBOS', 'bullmq on Redis'];

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes, rounds, url }) {
  const runner = /** @type {any} */ (open[contender]);
  const make = (/** @type {Wanted} */ wanted) => runner(wanted, { url, ...sizes });
  return { step: await timeSteps(make, { contender, sizes, rounds, tells: !peers.includes(contender) }) };
}

const common = {
  file: import.meta.url,
  metrics: { step: 'µs' },
  contenders: ['jobwright', 'plain', 'plain, start and end', 'plain, one statement'],
  quick: { jobs: 2, batches: 1, inFlight: 1 },
  perProcess: 2,
  peers,
  server: /** @type {const} */ ('postgres'),
  servers: { 'bullmq on Redis': /** @type {const} */ ('redis') },
  measure,
};

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    ...common,
    name: 'postgres-1',
    title: 'jobs of 10 steps on PostgreSQL, one at a time: running them',
    sizes: { steps: 10, jobs: 50, batches: 5, connections: 10 },
    due: [{ against: 'plain', atMost: 0.6 }],
  },
  {
    ...common,
    name: 'postgres-50',
    title: 'jobs of 10 steps on PostgreSQL, 50 in flight: running them',
    sizes: { steps: 10, jobs: 100, batches: 5, inFlight: 50, connections: 10 },
    due: [{ against: 'plain', atMost: 0.5 }],
  },
];
