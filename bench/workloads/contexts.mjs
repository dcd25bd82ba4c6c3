// @ts-check
/** Jobs of 100 steps whose context is small, large and huge. */

import { timeSteps } from './plan-of-steps.mjs';
import { open } from './steps.mjs';

const KB = 1_024;
const SIZES = { '64 KB': 64 * KB, '1 MB': KB * KB, '10 MB': 10 * KB * KB };
const KEYS = 100;

/** @param {number} bytes */
const contextOf = (bytes) =>
  Object.fromEntries(
    Array.from({ length: KEYS }, (_, n) => [`key ${n}`, String(n % 10).repeat(bytes / KEYS)]),
  );

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes, rounds }) {
  const make = /** @type {NonNullable<(typeof open)[string]>} */ (open[contender]);
  // JSON.stringify of ten megabytes at each step takes minutes.
  const tried = Object.entries(SIZES).slice(0, contender === 'plain, JSON copies' ? 1 : undefined);
  /** @type {Record<string, number[]>} */
  const figures = {};
  for (const [name, bytes] of tried) {
    const given = { contender, sizes, rounds, tells: true };
    figures[name] = await timeSteps(make, { ...given, context: contextOf(bytes) });
  }
  return figures;
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'contexts',
    title: 'jobs of 100 steps, in memory, that begin with a context of 64 KB, 1 MB and 10 MB: running them',
    metrics: Object.fromEntries(Object.keys(SIZES).map((name) => [name, 'µs per step'])),
    contenders: ['jobwright', 'plain', 'plain, JSON copies'],
    sizes: { steps: 100, jobs: 5, batches: 6 },
    quick: { steps: 2, jobs: 1, batches: 1 },
    due: ['1 MB', '10 MB'].map((metric) => ({ metric, over: '64 KB', atMost: 1.3 })),
    measure,
  },
];
