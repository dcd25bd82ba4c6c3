// @ts-check
/** Jobs of 10 steps in a SQLite file with a write-ahead log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/process.mjs';
import { timeSteps } from './plan-of-steps.mjs';

/** @typedef {import('./plan-of-steps.mjs').Wanted} Wanted */
/** @typedef {'NORMAL' | 'FULL'} Synchronous */

/** @type {Record<string, (wanted: Wanted, path: string, synchronous: Synchronous) => Promise<any>>} */
const open = {
  jobwright: async (wanted, path, synchronous) => {
    const { createSqliteStore } = await import('jobwright/sqlite');
    const { jobwrightRunner } = await import('../contenders/jobwright/runner.mjs');
    const store = await createSqliteStore({ path, synchronous });
    return jobwrightRunner(store, wanted);
  },
  plain: (wanted, path, synchronous) => plain(false, wanted, path, synchronous),
  'plain, start and end': (wanted, path, synchronous) => plain(true, wanted, path, synchronous),
  xstate: async (wanted, path, synchronous) =>
    (await import('../contenders/xstate/sqlite.mjs')).xstateRunner(wanted, path, synchronous),
};

/** @param {boolean} saveStart @param {Wanted} wanted @param {string} path @param {Synchronous} synchronous */
async function plain(saveStart, wanted, path, synchronous) {
  const { sqliteStore } = await import('../contenders/plain/sqlite.mjs');
  const { plainRunner } = await import('../contenders/plain/runner.mjs');
  return plainRunner(sqliteStore(path, synchronous), wanted, { saveStart });
}

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes, rounds }) {
  // Not where temporary files are: that may be memory, which no commit waits for.
  const folder = mkdtempSync(join(root, '.cache/bench-'));
  try {
    const runner = /** @type {any} */ (open[contender]);
    const make = (/** @type {Wanted} */ wanted) => runner(wanted, join(folder, 'jobs.db'), sizes.synchronous);
    const tells = contender !== 'xstate';
    return { step: await timeSteps(make, { contender, sizes, rounds, tells }) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const common = {
  file: import.meta.url,
  metrics: { step: 'µs' },
  contenders: ['jobwright', 'plain', 'plain, start and end', 'xstate'],
  quick: { jobs: 2, batches: 1 },
  perProcess: 2,
  due: [
    { against: 'plain', atMost: 0.7 },
    { against: 'libraries', atMost: 1 },
  ],
  measure,
};

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    ...common,
    name: 'sqlite-normal',
    title: 'jobs of 10 steps on SQLite, WAL, synchronous = NORMAL: running them',
    sizes: { steps: 10, jobs: 50, batches: 20, synchronous: 'NORMAL' },
  },
  {
    ...common,
    name: 'sqlite-full',
    title: 'jobs of 10 steps on SQLite, WAL, synchronous = FULL: running them',
    sizes: { steps: 10, jobs: 50, batches: 10, synchronous: 'FULL' },
  },
];
