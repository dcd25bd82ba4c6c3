// @ts-check
/** What a step leaves behind, in bytes: in memory, in a SQLite file, and after pruning. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';
import { root } from '../../scripts/process.mjs';

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = runInNewContext('gc');

/** Characters that an agent's output has. */
const SMALL = 10;
const LARGE = 1_010;

/** @typedef {{ steps: number, jobs: number }} Sizes */

/** @param {Sizes} sizes */
const planOf = ({ steps }) => ({
  steps: Array.from({ length: steps }, (_, n) => ({ id: `step ${n}`, agent: 'work' })),
});
const permissions = { requireApproval: false, maxSteps: 1_000_000 };

/**
 * @param {import('jobwright').JobStore} store
 * @param {number} size
 * @param {Sizes} sizes
 */
async function run(store, size, sizes) {
  const plan = planOf(sizes);
  // Not put together of parts that memory holds once.
  const work = () => randomBytes(size / 2).toString('hex');
  const orchestrator = createOrchestrator({ store, agentRegistry: { work } });
  for (let n = 0; n < sizes.jobs; n++) {
    const id = await orchestrator.createJob({}, permissions, { plan });
    await orchestrator.startJob(id);
    const outcome = await orchestrator.runJob(id);
    if (!outcome.success) throw new Error(outcome.error);
  }
  await orchestrator.close();
}

/** @param {number} size @param {Sizes} sizes @returns {Promise<number>} bytes of heap per step */
async function heapOf(size, sizes) {
  const store = createMemoryStore();
  collect();
  const before = process.memoryUsage().heapUsed;
  await run(store, size, sizes);
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  // It is asked for once more, so that it is not collected before.
  if ((await store.listJobs()).length !== sizes.jobs) throw new Error('jobs are missing');
  return bytes / sizes.steps / sizes.jobs;
}

/**
 * @param {string} path
 * @param {number} size
 * @param {Sizes} sizes
 */
async function fileOf(path, size, sizes) {
  const jobs = await createSqliteStore({ path });
  await run(jobs, size, sizes);
  await jobs.close();
  const whole = statSync(path).size;
  const pruning = await createSqliteStore({ path });
  await pruning.prune({ endedBefore: Infinity, keepJob: true });
  await pruning.close();
  const pruned = statSync(path).size;
  const { default: Database } = await import('better-sqlite3');
  const database = new Database(path);
  database.exec('VACUUM');
  database.close();
  const perStep = (/** @type {number} */ bytes) => bytes / sizes.steps / sizes.jobs;
  return {
    whole: perStep(whole),
    pruned: perStep(pruned),
    vacuumed: perStep(statSync(path).size),
  };
}

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ sizes }) {
  const folder = mkdtempSync(join(root, '.cache/bench-'));
  try {
    await heapOf(SMALL, sizes);
    const heap = { small: await heapOf(SMALL, sizes), large: await heapOf(LARGE, sizes) };
    const small = await fileOf(join(folder, 'small.db'), SMALL, sizes);
    const large = await fileOf(join(folder, 'large.db'), LARGE, sizes);
    const more = LARGE - SMALL;
    return {
      'memory store, heap': [heap.small],
      'SQLite, file': [small.whole],
      'SQLite, pruned with keepJob': [small.pruned],
      'SQLite, pruned and VACUUM': [small.vacuumed],
      'memory store, each character more': [(heap.large - heap.small) / more],
      'SQLite, each character more': [(large.whole - small.whole) / more],
      'SQLite, pruned and VACUUM, each character more': [(large.vacuumed - small.vacuumed) / more],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const perStep = [
  'memory store, heap',
  'SQLite, file',
  'SQLite, pruned with keepJob',
  'SQLite, pruned and VACUUM',
];
const perCharacter = [
  'memory store, each character more',
  'SQLite, each character more',
  'SQLite, pruned and VACUUM, each character more',
];

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'retention',
    title:
      'what a step with an output of 10 characters leaves behind, and what each character of an output adds',
    metrics: {
      ...Object.fromEntries(perStep.map((name) => [name, 'bytes per step'])),
      ...Object.fromEntries(perCharacter.map((name) => [name, 'bytes'])),
    },
    contenders: ['jobwright'],
    sizes: { steps: 500, jobs: 8 },
    quick: { steps: 3, jobs: 1 },
    perProcess: 1,
    mostRepeats: 3,
    due: [],
    measure,
  },
];
