// @ts-check

import { JobwrightError } from '../parts/errors.js';
import { exportJob } from '../replay/export-job.js';
import { forkJob } from '../replay/fork-job.js';
import { replayJob } from '../replay/replay-job.js';
import { storedJob } from '../replay/stored.js';
import { milliseconds, optionsObject } from './arguments.js';
import { bindCore, core } from './core.js';
import { createJob } from './create-job.js';
import { Engine } from './engine.js';
import { operate } from './executor.js';
import { jobOperations } from './job-operations.js';
import { jobView } from './job-view.js';
import { listJobs } from './lists.js';

/**
 * @param {any} wasm the exports of the module
 */
export function bindOrchestrator(wasm) {
  bindCore(wasm);
  return function createOrchestrator(/** @type {any} */ given) {
    const deps = given ?? {};
    const engine = new Engine(deps);
    const load = (/** @type {any} */ jobId) => open(engine, () => storedJob(engine, jobId));
    const orchestrator = {
      createJob: (/** @type {any} */ context, /** @type {any} */ permissions, /** @type {any} */ options) =>
        unusable(engine) ?? createJob(engine, context, permissions, options),
      ...jobOperations(engine),
      getJob: (/** @type {any} */ jobId) =>
        open(engine, async () => jobView(await engine.store.getJob(jobId)) ?? null),
      listJobs: (/** @type {any} */ filter) =>
        open(engine, async () => listJobs(engine, optionsObject(filter, 'filter'))),
      events: (/** @type {any} */ jobId, /** @type {any} */ options) => engine.readers.follow(jobId, options),
      replayJob: (/** @type {any} */ job) => replayJob(load, job),
      exportJob: (/** @type {any} */ jobId, /** @type {any} */ options) =>
        exportJob(() => load(jobId), options),
      forkJob: (/** @type {any} */ jobId, /** @type {any} */ options) =>
        open(engine, () => forkJob(engine, jobId, options)),
      recover: () => open(engine, () => recover(engine)),
      setSlowPlay: (/** @type {any} */ ms) => core.set_slow_play(engine.number, milliseconds(ms, 'ms')),
      close: () => engine.close(),
      [Symbol.asyncDispose]: () => engine.close(),
    };
    if (engine.slowPlayMs > 0) orchestrator.setSlowPlay(engine.slowPlayMs);
    return orchestrator;
  };
}

/**
 * Does something that an orchestrator which was closed can't do any more.
 *
 * @template T
 * @param {Engine} engine
 * @param {() => Promise<T>} act
 * @returns {Promise<T>}
 */
function open(engine, act) {
  return unusable(engine) ?? act();
}

/** @param {Engine} engine */
function unusable({ broken, closed }) {
  if (broken === null && !closed) return null;
  return Promise.reject(broken ?? new JobwrightError('Orchestrator is closed', { code: 'closed' }));
}

/** @param {Engine} engine */
async function recover(engine) {
  const outcome = await operate(
    engine,
    null,
    ({ found = [] }) => ({ resumed: found.map((/** @type {{ id: string }} */ { id }) => id) }),
    (task) => core.recover(engine.number, task),
  );
  if (outcome.success === false) throw new JobwrightError(outcome.error, { code: outcome.code });
  return outcome;
}
