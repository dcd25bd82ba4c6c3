// @ts-check
/** One job, brought to its end over a store that fails by chance, by processes that die of it or try again. */
import assert from 'node:assert/strict';
import { createRandom } from '../../differential/random.mjs';
import { importPackage } from '../../package/installed.mjs';
import { createQuickClock } from './clock.mjs';
import { anyPlan, createWorker } from './plans.mjs';
import { createTruth, nameOf } from './truth.mjs';

const { createOrchestrator } = await importPackage();
const { faulty } = await importPackage('jobwright/testing');

/** After so many deaths of a run, nothing happens to its store any more. */
const DEATHS = 4;
/** So many operations bring any of these jobs to its end. */
const OPERATIONS = 80;
/** Past the end of any lease. */
const LEASE_MS = 3_600_000;

const KINDS = ['before', 'after', 'delay', 'stale', 'hang'];

/** What is said of a read that is older than what was written here. */
const STALE = /^The store answered with revision \d+ of job "[^"]+", after it had stored \d+$/;

/** What is told on the bus and stands in no history. */
const BUS_ONLY = new Set(['job_status_change', 'parent_job_progress', 'child_job_stats', 'job_stalled']);

/** @typedef {Awaited<ReturnType<typeof anyRun>>} Run */

/** @param {number} seed */
export async function anyRun(seed) {
  const random = createRandom(seed);
  const clock = createQuickClock();
  let passed = 0;
  const truth = createTruth(() => clock.now() + passed);
  const { worker, ledger } = createWorker(createRandom(random.fork()), clock);
  const plan = anyPlan(random);
  const rate = random.pick([0.05, 0.15, 0.3]);
  const id = 'job';
  const counts = { operations: 0, faults: 0, deaths: 0, rejections: 0 };
  /** @type {Map<string, number>} how often each event was told, by job and name */
  const told = new Map();

  /** @param {string} type @param {any} payload */
  function hear(type, payload) {
    if (BUS_ONLY.has(type)) return;
    const name = `${payload.jobId} ${nameOf(type, payload)}`;
    const times = (told.get(name) ?? 0) + 1;
    told.set(name, times);
    const committed = truth.committed(name);
    if (times > committed) problems.push(`${name} was told ${times} times, and committed ${committed}`);
  }
  /** @type {string[]} what handlers find, since what they throw is no business of the engine's */
  const problems = [];

  /** @type {{ life: ReturnType<typeof createLife>, orchestrator: any }[]} */
  const processes = [];

  function createProcess() {
    const isReliable = counts.deaths >= DEATHS;
    const store = faulty(truth.store, {
      seed: random.fork(),
      rate: isReliable ? 0 : rate,
      kinds: random.chance(0.2) ? KINDS : KINDS.slice(0, 4),
      delayMs: 20,
      clock,
    });
    const life = createLife();
    const orchestrator = createOrchestrator({
      store: mortal(store, life),
      eventBus: {
        emit: (/** @type {string} */ type, /** @type {any} */ payload) => life.alive && hear(type, payload),
      },
      agentRegistry: { worker },
      clock,
      logger: {},
    });
    processes.push({ life, orchestrator });
    return { store, life, orchestrator };
  }

  let process = createProcess();

  async function die() {
    counts.deaths += 1;
    counts.faults += process.store.faults.length;
    process.life.alive = false;
    passed += LEASE_MS;
    process = createProcess();
    await attempt(() => process.orchestrator.recover());
  }

  /**
   * @param {() => Promise<any>} operation
   * @returns {Promise<any>} what it answered; undefined where it did not
   */
  async function attempt(operation) {
    counts.operations += 1;
    const { store } = process;
    const { end, value, error } = await clock.endOf(operation());
    if (end === 'value') return value;
    if (end === 'error') {
      counts.rejections += 1;
      if (STALE.test(error.message)) {
        assert.equal(error.code, 'conflict');
      } else {
        assert.equal(error.name, 'FaultError', `not the store's error: ${error.stack}`);
        assert.ok(store.faults.includes(error.fault), 'an error of another process');
      }
    } else {
      assert.ok(
        store.hanging() > 0,
        `nothing moves any more, and nothing hangs; ${JSON.stringify(store.faults)}`,
      );
    }
    // Whether it was done is not known. Somebody tries again, or a process dies of it.
    if (end === 'stuck' || random.chance(0.5)) await die();
    return undefined;
  }

  /** @param {any} job @returns {() => Promise<any>} */
  function chooseOperation(job) {
    const o = process.orchestrator;
    if (job === null) {
      return () => o.createJob({ given: 1 }, { requireApproval: false }, { id, plan });
    }
    const [approval] = job.run.approvals ?? [];
    if (approval !== undefined && random.chance(0.7)) {
      return () => (random.chance(0.85) ? o.approveStep : o.rejectStep)(id, { approval: approval.id });
    }
    if (job.status !== 'running') return () => o.startJob(id);
    if (random.chance(0.05)) return () => o.pauseJob(id);
    if (random.chance(0.02)) return () => o.cancelJob(id, 'enough');
    if (random.chance(0.2)) return () => o.nextStep(id);
    return () => o.runJob(id);
  }

  try {
    await bringToAnEnd();
  } finally {
    counts.faults += process.store.faults.length;
    await bury(processes, clock);
  }
  return { id, plan, truth, ledger, problems, counts };

  async function bringToAnEnd() {
    for (let n = 0; ; n += 1) {
      const job = truth.store.getJob(id);
      if (job !== null && (job.status === 'completed' || job.status === 'failed')) break;
      assert.ok(n < OPERATIONS, `not ended: ${JSON.stringify(job)}`);
      const outcome = await attempt(chooseOperation(job));
      if (outcome?.success && outcome.status === 'completed' && outcome.job !== undefined) {
        assert.equal(truth.store.getHead(id).status, 'completed', 'said to be completed');
      }
      // Somebody else's lease, of before a death or of a call that was answered with a rejection, comes to its end.
      if (outcome?.code === 'conflict') passed += LEASE_MS;
    }
  }
}

/**
 * What a process that has died asked for is done or not, and it does not hear of it, until it is buried.
 *
 * @param {any} store
 * @param {ReturnType<typeof createLife>} life
 */
function mortal(store, life) {
  const { faults, hanging, release, ...methods } = store;
  for (const [name, method] of Object.entries(methods)) {
    /** @param {any[]} args */
    methods[name] = (...args) => {
      const answer = life.alive ? method(...args) : new Promise(() => {});
      if (typeof answer?.then !== 'function') return answer;
      return new Promise((resolve, reject) => {
        if (life.buried) return reject(new Error('buried'));
        life.waiting.add(reject);
        const hear = (/** @type {(answer: any) => void} */ settle) => (/** @type {any} */ said) => {
          if (!life.alive) return;
          life.waiting.delete(reject);
          settle(said);
        };
        answer.then(hear(resolve), hear(reject));
      });
    };
  }
  return methods;
}

function createLife() {
  return { alive: true, buried: false, waiting: /** @type {Set<(error: Error) => void>} */ (new Set()) };
}

/**
 * Twenty thousand runs leave fifty thousand orchestrators behind, and what they hold would not be given back.
 *
 * @param {{ life: ReturnType<typeof createLife>, orchestrator: any }[]} processes
 * @param {ReturnType<typeof createQuickClock>} clock
 */
async function bury(processes, clock) {
  for (const { life, orchestrator } of processes) {
    life.alive = false;
    life.buried = true;
    for (const reject of life.waiting) reject(new Error('buried'));
    await clock.endOf(orchestrator.close());
  }
}
