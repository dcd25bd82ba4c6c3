// @ts-check
import { needCore } from './core.js';
import { loaded } from './late.js';
import { open } from './open.js';

/**
 * The operations on a job's history.
 *
 * @param {import('./engine.js').Engine} engine
 */
export function historyOperations(engine) {
  const load = (/** @type {any} */ jobId) =>
    open(engine, async () => (await loaded()).storedJob(engine, jobId));
  return {
    /** @param {any} job */
    replayJob: async (job) => (await loaded()).replayJob(load, job),
    /**
     * @param {any} jobId
     * @param {any} [options]
     */
    async *exportJob(jobId, options) {
      const { exportJob } = await loaded();
      yield* exportJob(() => load(jobId), options);
    },
    /**
     * @param {any} jobId
     * @param {any} options
     */
    forkJob: (jobId, options) => open(engine, async () => (await loaded()).forkJob(engine, jobId, options)),
  };
}

/** @param {() => any} load gives the exports of the module */
export function bindVerifyRun(load) {
  return async function verifyRun(/** @type {any} */ lines) {
    needCore(load);
    return (await loaded()).verifyRun(lines);
  };
}
