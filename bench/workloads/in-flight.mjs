// @ts-check
/** Jobs of one step that are all run at a time: their agents answer when every one of them has been called. */
import { createMemoryStore } from 'jobwright';
import { jobwrightRunner } from '../contenders/jobwright/runner.mjs';
import { timed } from '../harness/rounds.mjs';
import { planOf } from './plan-of-steps.mjs';

/** @typedef {import('./plan-of-steps.mjs').Wanted} Wanted */
/** @typedef {import('./plan-of-steps.mjs').Runner} Runner */

/** @type {Record<string, (wanted: Wanted) => Promise<Runner>>} */
const open = {
  jobwright: async (wanted) => jobwrightRunner(createMemoryStore(), wanted),
  plain: async (wanted) => {
    const { objectStore } = await import('../contenders/plain/steps.mjs');
    const { plainRunner } = await import('../contenders/plain/runner.mjs');
    return plainRunner(objectStore(), wanted);
  },
};

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes: { few, many }, rounds }) {
  let calls = 0;
  let answer = () => {};
  /** @type {Promise<number>} */
  let answered;
  const work = () => {
    calls += 1;
    return answered;
  };
  const make = /** @type {(wanted: Wanted) => Promise<Runner>} */ (open[contender]);
  const runner = await make({ ...planOf(1), work, emit: () => {} });
  /** @param {number} count @param {number} batches */
  const times = (count, batches) => {
    /** @type {any[]} */
    let ready = [];
    /** @type {any[]} */
    let ends = [];
    return timed(
      {
        units: count,
        batches,
        prepare: async () => {
          await runner.clear?.();
          [calls, ready, ends] = [0, [], []];
          for (let n = 0; n < count; n++) ready.push(await runner.create());
          answered = new Promise((resolve) => {
            answer = () => resolve(1);
          });
        },
        batch: async () => {
          const runs = ready.map((job) => runner.run(job));
          while (calls < count) await new Promise((resolve) => setImmediate(resolve));
          answer();
          ends = await Promise.all(runs);
        },
        done: () => ends.filter((end) => (typeof end === 'function' ? end() : end).context.s0 === 1).length,
      },
      { contender, rounds, expected: count },
    );
  };
  return { 'job of few': await times(few, many / few), 'job of many': await times(many, 1) };
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'in-flight',
    title: '1,000 and 100,000 jobs of one step in memory, all run at a time',
    metrics: { 'job of few': 'µs', 'job of many': 'µs' },
    contenders: ['jobwright', 'plain'],
    sizes: { few: 1_000, many: 100_000 },
    quick: { few: 10, many: 20 },
    flags: ['--max-old-space-size=8192'],
    perProcess: 1,
    due: [],
    measure,
  },
];
