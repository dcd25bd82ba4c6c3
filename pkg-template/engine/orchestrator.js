// @ts-check

import { JobwrightError } from '../parts/errors.js';
import { milliseconds, optionsObject } from './arguments.js';
import { controlOperations } from './control.js';
import { core, needCore } from './core.js';
import { createJob } from './create-job.js';
import { Engine } from './engine.js';
import { operate } from './executor.js';
import { listJobs } from './heads.js';
import { historyOperations } from './histories.js';
import { jobOperations } from './job-operations.js';
import { readJob } from './job-view.js';
import { loaded } from './late.js';
import { monitorOperations } from './monitor.js';
import { open, unusable } from './open.js';

/**
 * @param {() => any} load gives the exports of the module
 */
export function bindOrchestrator(load) {
  return function createOrchestrator(/** @type {any} */ given) {
    needCore(load);
    const deps = given ?? {};
    const engine = new Engine(deps);
    const orchestrator = {
      createJob: (/** @type {any} */ context, /** @type {any} */ permissions, /** @type {any} */ options) =>
        unusable(engine) ?? createJob(engine, context, permissions, options),
      ...jobOperations(engine),
      ...controlOperations(engine),
      ...monitorOperations(engine),
      getJob: (/** @type {any} */ jobId) =>
        open(engine, async () => (await readJob(engine.store, jobId)) ?? null),
      listJobs: (/** @type {any} */ filter) =>
        open(engine, async () => listJobs(engine, optionsObject(filter, 'filter'))),
      events: (/** @type {any} */ jobId, /** @type {any} */ options) => engine.readers.follow(jobId, options),
      ...historyOperations(engine),
      health: () =>
        open(engine, async () => {
          const { health } = await loaded();
          return open(engine, () => health(engine));
        }),
      recover: () => open(engine, () => recover(engine)),
      setSlowPlay: (/** @type {any} */ ms) => engine.setSlowPlay(milliseconds(ms, 'ms')),
      close: () => engine.close(),
      [Symbol.asyncDispose]: () => engine.close(),
    };
    if (engine.slowPlayMs > 0) engine.setSlowPlay(engine.slowPlayMs);
    orchestrator.subscribeToChildStatusChanges();
    return orchestrator;
  };
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
