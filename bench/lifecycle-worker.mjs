// @ts-check
/** Times the life of jobs with one contender and one kind of store, in a process of its own. */
import { randomUUID } from 'node:crypto';

const [contender, kind, repeats = '7'] = process.argv.slice(2);
/** Jobs live in the store together, and how often as many are made anew in a round. */
const JOBS = 500;
const BATCHES = 40;
const OPERATIONS = 5;

/** @param {boolean} keepHistory */
async function plain(keepHistory) {
  const { createOrchestrator } = await import('./contenders/plain.mjs');
  return { createOrchestrator: (/** @type {any} */ deps) => createOrchestrator(deps, { keepHistory }) };
}

const load = {
  jobwright: () => import('jobwright'),
  plain: () => plain(true),
  'plain, no history': () => plain(false),
}[/** @type {'plain'} */ (contender)];
if (load === undefined) throw new Error(`no contender ${contender}`);
const { createOrchestrator } = /** @type {any} */ (await load());

/** @type {Map<string, any>} */
const jobs = new Map();
const counts = { events: 0, budget: 0, durations: 0 };
const grant = { success: true };

const synchronous = {
  saveJob: (/** @type {any} */ job) => void jobs.set(job.id, job),
  getJob: (/** @type {string} */ id) => jobs.get(id),
};
const asynchronous = {
  saveJob: async (/** @type {any} */ job) => void jobs.set(job.id, job),
  getJob: async (/** @type {string} */ id) => jobs.get(id),
};
const answer = () => {
  counts.budget += 1;
  return grant;
};

const orchestrator = createOrchestrator({
  store: kind === 'sync' ? synchronous : asynchronous,
  eventBus: { emit: () => void counts.events++ },
  budgetManager: { canSpend: kind === 'sync' ? answer : async () => answer() },
  performanceMonitor: { recordJobDuration: () => void counts.durations++ },
  generateId: randomUUID,
});

async function live() {
  const id = await orchestrator.createJob({});
  await orchestrator.startJob(id);
  await orchestrator.pauseJob(id);
  await orchestrator.startJob(id);
  await orchestrator.completeJob(id);
}

async function round() {
  let nanoseconds = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    jobs.clear();
    Object.assign(counts, { events: 0, budget: 0, durations: 0 });
    const from = process.hrtime.bigint();
    for (let n = 0; n < JOBS; n++) await live();
    nanoseconds += Number(process.hrtime.bigint() - from);
    check();
  }
  return nanoseconds / (BATCHES * JOBS * OPERATIONS);
}

/** The work was done: every job completed, every event and budget call made. */
function check() {
  const completed = [...jobs.values()].filter((job) => job.status === 'completed').length;
  const expected = { completed: JOBS, events: 4 * JOBS, budget: 2 * JOBS, durations: JOBS };
  const found = { completed, ...counts };
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(`${contender} did ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  }
}

await round();
await round();
const times = [];
for (let n = 0; n < Number(repeats); n++) times.push(await round());
console.log(JSON.stringify(times));
