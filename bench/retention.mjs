// @ts-check
/** What a step leaves behind, in bytes: in memory, in a SQLite file, and after pruning. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = runInNewContext('gc');

const STEPS = 500;
const JOBS = 8;
/** Characters that an agent's output has. */
const SMALL = 10;
const LARGE = 1_010;

const plan = { steps: Array.from({ length: STEPS }, (_, n) => ({ id: `step ${n}`, agent: 'work' })) };
const permissions = { requireApproval: false, maxSteps: 1_000_000 };

/**
 * @param {import('jobwright').JobStore} store
 * @param {number} size
 */
async function run(store, size) {
  // Not put together of parts that memory holds once.
  const work = () => randomBytes(size / 2).toString('hex');
  const orchestrator = createOrchestrator({ store, agentRegistry: { work } });
  for (let n = 0; n < JOBS; n++) {
    const id = await orchestrator.createJob({}, permissions, { plan });
    await orchestrator.startJob(id);
    const outcome = await orchestrator.runJob(id);
    if (!outcome.success) throw new Error(outcome.error);
  }
  await orchestrator.close();
}

/** @param {number} size @returns {Promise<number>} bytes of heap per step */
async function heapOf(size) {
  const store = createMemoryStore();
  collect();
  const before = process.memoryUsage().heapUsed;
  await run(store, size);
  collect();
  const bytes = process.memoryUsage().heapUsed - before;
  // It is asked for once more, so that it is not collected before.
  if ((await store.listJobs()).length !== JOBS) throw new Error('jobs are missing');
  return bytes / STEPS / JOBS;
}

/**
 * @param {string} path
 * @param {number} size
 */
async function fileOf(path, size) {
  const jobs = await createSqliteStore({ path });
  await run(jobs, size);
  const [{ history = [] } = {}] = [
    (await jobs.getJob((await jobs.listJobs({ limit: 1 }))[0]?.id ?? '')) ?? {},
  ];
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
  const perStep = (/** @type {number} */ bytes) => bytes / STEPS / JOBS;
  return {
    events: history.length / STEPS,
    whole: perStep(whole),
    pruned: perStep(pruned),
    vacuumed: perStep(statSync(path).size),
  };
}

/** @param {string} what @param {number} bytes */
const line = (what, bytes) => console.log(`  ${what.padEnd(58)}${bytes.toFixed(0).padStart(6)}`);

const folder = mkdtempSync(join(tmpdir(), 'jobwright-bench-'));
try {
  await heapOf(SMALL);
  const heap = { small: await heapOf(SMALL), large: await heapOf(LARGE) };
  const small = await fileOf(join(folder, 'small.db'), SMALL);
  const large = await fileOf(join(folder, 'large.db'), LARGE);
  console.log(`\nBytes per step, ${JOBS} jobs of ${STEPS} steps, each with an output of ${SMALL} characters`);
  console.log(`  (${small.events.toFixed(1)} events a step)`);
  line('memory store, heap', heap.small);
  line('SQLite, file', small.whole);
  line('SQLite, file after prune with keepJob', small.pruned);
  line('SQLite, file after prune with keepJob and VACUUM', small.vacuumed);
  console.log('Bytes per character of an output more');
  const more = LARGE - SMALL;
  const each = (/** @type {number} */ a, /** @type {number} */ b) => ((a - b) / more).toFixed(1).padStart(6);
  console.log(`  ${'memory store, heap'.padEnd(58)}${each(heap.large, heap.small)}`);
  console.log(`  ${'SQLite, file'.padEnd(58)}${each(large.whole, small.whole)}`);
  console.log(
    `  ${'SQLite, file after prune with keepJob and VACUUM'.padEnd(58)}${each(large.vacuumed, small.vacuumed)}`,
  );
} finally {
  rmSync(folder, { recursive: true });
}
