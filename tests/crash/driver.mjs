// @ts-check
/**
 * The crash test on one store: makes jobs, approves what waits for a person, kills workers and restarts the server
 * until all have ended, and then checks what is stored.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createRandom } from '../differential/random.mjs';
import { consumerDir, importPackage } from '../package/installed.mjs';
import { createFleet } from './fleet.mjs';
import { inspect } from './inspect.mjs';
import { budgetOf, creating, drawJob, ROOT } from './jobs.mjs';
import { KINDS } from './places.mjs';

/**
 * @typedef {import('./jobs.mjs').CrashJob} CrashJob
 * @typedef {import('./places.mjs').Place} Place
 *
 * @typedef {object} Options
 * @property {string} kind of store
 * @property {number} jobs
 * @property {number} kills at least so many
 * @property {number} restarts of the server, where the store has one
 * @property {number} seed
 * @property {number} [workers]
 * @property {number} [stopEvery] which of the workers that follow each other are stopped for longer than a lease
 * @property {number} [stuckMs] how long no job may end
 * @property {boolean} [isCareless] whether the workers' store is broken, which has to be found
 * @property {(line: string) => void} [report]
 *
 * @typedef {object} World
 * @property {any} orchestrator
 * @property {any} store
 * @property {ReturnType<typeof import('./app/budgets.mjs').openBudgets>} budgets
 * @property {ReturnType<typeof createFleet>} fleet
 * @property {Place} place
 * @property {string} folder
 * @property {CrashJob[]} jobs
 * @property {string[]} problems
 */

/** How many jobs are open at a time: more than the workers can do at once. */
const OPEN = 9;
const POLL_MS = 60;
const app = join(dirname(fileURLToPath(import.meta.url)), 'app');

/** @param {Options} options */
export async function crashTest(options) {
  const { kind, seed, report = () => {} } = options;
  const { leaseMs, begin } = KINDS[kind] ?? missing(kind);
  // Beside an installed package, so that the workers import it as users do.
  const folder = mkdtempSync(join(consumerDir, 'crash-'));
  cpSync(app, folder, { recursive: true });
  mkdirSync(join(folder, 'ledger'));
  const clear = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', clear);
  // A server on its own keeps no process alive, also not while its end is waited for.
  const alive = setInterval(() => {}, 1_000);
  const place = await begin(folder);
  try {
    const world = await open(options, { folder, place, leaseMs });
    const abandon = () => world.fleet.abandon();
    // Before the folder goes.
    process.prependOnceListener('exit', abandon);
    try {
      const start = Date.now();
      const restarts = await drive(world, options, report);
      const seconds = (Date.now() - start) / 1000;
      await world.fleet.end();
      const found = await inspect(world);
      const problems = [...world.problems, ...world.fleet.problems, ...found.problems];
      const { counts, logged } = world.fleet;
      return { kind, seed, seconds, jobs: options.jobs, ...counts, restarts, ...found, problems, logged };
    } finally {
      process.removeListener('exit', abandon);
      world.fleet.abandon();
      await world.orchestrator.close();
      await world.store.close();
      await world.budgets.close();
    }
  } finally {
    await place.stop();
    clearInterval(alive);
    process.removeListener('exit', clear);
    clear();
  }
}

/**
 * @param {string} kind
 * @returns {never}
 */
function missing(kind) {
  throw new Error(`no store ${JSON.stringify(kind)}: expected one of ${Object.keys(KINDS).join(', ')}`);
}

/**
 * @param {Options} options
 * @param {{ folder: string, place: Place, leaseMs: number }} made
 * @returns {Promise<World>}
 */
async function open(
  { kind, jobs: count, kills, seed, workers = 3, stopEvery = 25, isCareless = false },
  made,
) {
  const { folder, place, leaseMs } = made;
  const load = (/** @type {string} */ file) => import(pathToFileURL(join(folder, file)).href);
  const [{ createOrchestrator }, { openBudgets }, { openStore }] = await Promise.all([
    importPackage(),
    load('budgets.mjs'),
    load('stores.mjs'),
  ]);
  const random = createRandom(seed);
  const jobs = Array.from({ length: count }, (_, number) => drawJob(number + 1, random));
  const budgets = openBudgets(join(folder, 'budgets.db'));
  const store = await openStore(kind, place.where);
  const logger = { warn() {}, error() {} };
  const orchestrator = createOrchestrator({ store, budgetManager: budgets, logger });
  const limit = jobs.reduce((sum, job) => sum + budgetOf(job), 0);
  const permissions = { requireApproval: false, maxSteps: 1_000 };
  await orchestrator.createJob({}, permissions, { id: ROOT, type: 'all', budget: limit });
  const file = join(folder, 'worker.mjs');
  const settings = { kind, where: place.where, folder, isCareless };
  const fleet = createFleet({
    file,
    settings,
    size: workers,
    seed: random.fork(),
    kills,
    leaseMs,
    stopEvery,
  });
  return { orchestrator, store, budgets, fleet, place, folder, jobs, problems: [] };
}

/**
 * Until all jobs have ended. Jobs are made as kills go on, the last one after the last kill, so that none is in vain.
 *
 * @param {World} world
 * @param {Options} options
 * @param {(line: string) => void} report
 * @returns {Promise<number>} how often the server was restarted
 */
async function drive(world, options, report) {
  const { jobs, fleet, problems } = world;
  const { kills, restarts, stuckMs = 300_000 } = options;
  const random = createRandom(options.seed + 1);
  /** @type {Set<string>} */
  const live = new Set();
  const done = { made: 0, ended: 0, restarts: 0, at: Date.now() };
  for (let reported = Date.now(); done.ended < jobs.length; await sleep(POLL_MS)) {
    const killed = Math.min(1, fleet.counts.kills / kills);
    const allowed =
      killed < 1 ? Math.min(jobs.length - 1, Math.floor(jobs.length * killed) + OPEN) : jobs.length;
    const room = Math.min(allowed - done.made, OPEN - live.size);
    for (const job of jobs.slice(done.made, done.made + Math.max(0, room))) {
      await world.orchestrator.createJob(...creating(job));
      live.add(job.id);
      done.made += 1;
    }
    const before = done.ended;
    for (const id of await endedOf(world, live)) done.ended += Number(live.delete(id));
    if (done.ended > before) done.at = Date.now();
    await answer(world);
    await checkLimit(world);
    if (world.place.restart && done.restarts < Math.floor(restarts * killed)) {
      await world.place.restart(done.restarts % 2 === 0 ? 'fast' : 'immediate');
      done.restarts += 1;
      await sleep(random.below(200));
      await patiently(() => world.store.getHead(ROOT));
    }
    if (problems.length + fleet.problems.length > 0) break;
    if (Date.now() - done.at > stuckMs) {
      problems.push(`no job has ended for ${stuckMs} ms: ${await states(world, live)}`);
      break;
    }
    if (Date.now() - reported > 10_000) {
      reported = Date.now();
      report(`${options.kind}: ${done.ended} of ${jobs.length} jobs, ${fleet.counts.kills} kills`);
    }
  }
  return done.restarts;
}

/**
 * @param {World} world
 * @param {Set<string>} live
 */
async function endedOf({ store }, live) {
  const heads = await patiently(() => Promise.all([...live].map((id) => store.getHead(id))));
  return heads.filter(({ status }) => ['completed', 'failed'].includes(status)).map(({ id }) => id);
}

/**
 * Answers what waits for a person, from this process. A job that was paused by anything else is a mistake.
 *
 * @param {World} world
 */
async function answer({ orchestrator, problems }) {
  const paused = await patiently(() => orchestrator.listJobs({ status: 'paused' }));
  for (const { id, run } of paused) {
    const { reason, message } = run.pause ?? {};
    if (reason !== 'approval') {
      problems.push(`${id} is paused: ${reason} ${message ?? ''}`);
      return;
    }
    for (const { id: approval } of run.approvals ?? []) {
      await patiently(() => orchestrator.approveStep(id, { approval, by: 'the driver' }));
    }
  }
}

/** @param {World} world */
async function checkLimit({ budgets, problems }) {
  const { limit, spent, reserved } = (await budgets.getBudget(ROOT)) ?? { limit: 0, spent: 0, reserved: 1 };
  if (spent + reserved > limit) problems.push(`the budget is exceeded: ${spent} + ${reserved} of ${limit}`);
}

/**
 * A store whose server was restarted may answer with an error once.
 *
 * @template T
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
async function patiently(act) {
  for (const end = Date.now() + 20_000; ; await sleep(50)) {
    try {
      return await act();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

/**
 * @param {World} world
 * @param {Set<string>} live
 */
async function states({ store }, live) {
  const jobs = await Promise.all([...live].map((id) => store.getJob(id)));
  return JSON.stringify(
    jobs.map(({ id, status, run, history }) => ({ id, status, pause: run.pause, last: history.slice(-3) })),
  );
}
