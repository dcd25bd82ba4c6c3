// @ts-check
/** A step that makes a job of its own for each item of a list, 16 at a time. */
import { timed } from '../harness/rounds.mjs';

/** How many children of a job run side by side. */
export const SIDE_BY_SIDE = 16;

/**
 * @typedef {import('./children.mjs').Wanted} Wanted
 *
 * @typedef {object} Lister
 * @property {() => Promise<void>} clear removes all jobs
 * @property {(items: number[]) => Promise<string>} create makes a job whose step has a child for each item
 * @property {(id: string) => Promise<any[]>} run brings it to its end; gives the children's contexts
 * @property {() => Promise<void>} close
 */

/** @type {Record<string, (wanted: Wanted) => Promise<Lister>>} */
const listers = {
  jobwright: async (wanted) =>
    (await import('../contenders/jobwright/child-steps.mjs')).jobwrightLister(wanted),
  plain: async (wanted) => (await import('../contenders/plain/child-steps.mjs')).plainLister(wanted),
};

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes: { few, many }, rounds }) {
  let calls = 0;
  const work = (/** @type {unknown} */ _, /** @type {{ context: Record<string, any> }} */ { context }) => {
    calls += 1;
    return context.item + 1;
  };
  const plan = { steps: [{ id: 'work', agent: 'work' }] };
  const permissions = { requireApproval: false, maxSteps: 1_000_000 };
  const lister = await /** @type {(wanted: Wanted) => Promise<Lister>} */ (listers[contender])({
    plan,
    permissions,
    work,
  });
  /** @param {number} size @param {number} jobs */
  const times = (size, jobs) => {
    const items = Array.from({ length: size }, (_, item) => item);
    /** @type {any[][]} */
    let found = [];
    /** @type {string[]} */
    let made = [];
    return timed(
      {
        units: size * jobs,
        prepare: async () => {
          await lister.clear();
          [calls, found, made] = [0, [], []];
          for (let n = 0; n < jobs; n++) made.push(await lister.create(items));
        },
        batch: async () => {
          for (const id of made) found.push(await lister.run(id));
        },
        done: () => ({
          calls,
          sums: found.map((contexts) => contexts.reduce((sum, { work }) => sum + work, 0)),
        }),
      },
      {
        contender,
        rounds,
        expected: { calls: size * jobs, sums: Array(jobs).fill((size * (size + 1)) / 2) },
      },
    );
  };
  const found = { 'child of few': await times(few, many / few), 'child of many': await times(many, 1) };
  await lister.close();
  return found;
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'child-steps',
    title: 'a step that has a child job of one step for each of 100 and of 10,000 items, in memory',
    metrics: { 'child of few': 'µs', 'child of many': 'µs' },
    contenders: ['jobwright', 'plain'],
    sizes: { few: 100, many: 10_000 },
    quick: { few: 10, many: 20 },
    perProcess: 2,
    due: [{ metric: 'child of many', over: 'child of few', atMost: 1.3 }],
    measure,
  },
];
