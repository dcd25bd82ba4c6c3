// @ts-check
/** A parent with many children in memory, each a job of its own with one step. */
import { timed } from '../harness/rounds.mjs';

/**
 * @typedef {object} Wanted
 * @property {{ steps: { id: string, agent: string }[] }} plan of a child
 * @property {{ requireApproval: boolean, maxSteps: number }} permissions
 * @property {(input: unknown, job: { context: Record<string, any> }) => number} work one more than the child's `n`
 *
 * @typedef {(size: number) => Promise<{ status: string, completed: number, sum: number }>} Family
 *   makes a parent with so many children, runs them, and waits until the parent has ended; `sum` is of their results
 */

/** @type {Record<string, (wanted: Wanted) => Promise<Family>>} */
const families = {
  jobwright: async (wanted) => (await import('../contenders/jobwright/children.mjs')).jobwrightFamily(wanted),
  plain: async (wanted) => (await import('../contenders/plain/children.mjs')).plainFamily(wanted),
  xstate: async (wanted) => (await import('../contenders/xstate/children.mjs')).xstateFamily(wanted),
};

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ contender, sizes, rounds }) {
  let calls = 0;
  const work = (/** @type {unknown} */ _, /** @type {{ context: Record<string, any> }} */ { context }) => {
    calls += 1;
    return context.n + 1;
  };
  const plan = { steps: [{ id: 'work', agent: 'work' }] };
  const permissions = { requireApproval: false, maxSteps: 1_000_000 };
  const family = await families[contender]?.({ plan, permissions, work });
  /** @param {number} size @param {number} warmUp */
  const times = (size, warmUp) => {
    /** @type {any} */
    let found;
    return timed(
      {
        units: size,
        prepare: () => {
          calls = 0;
        },
        batch: async () => {
          found = await family?.(size);
        },
        done: () => ({ ...found, calls }),
      },
      {
        contender,
        rounds,
        warmUp,
        expected: { status: 'completed', completed: size, sum: (size * (size + 1)) / 2, calls: size },
      },
    );
  };
  // As many rounds as it takes until neither contender gets any quicker.
  const few = { 'child of few': await times(sizes.few, 15) };
  // What xstate does with so many takes minutes.
  return contender === 'xstate' ? few : { ...few, 'child of many': await times(sizes.many, 0) };
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'children',
    title: 'a parent with 1,000 and with 100,000 children, in memory: creating and running all',
    metrics: { 'child of few': 'µs', 'child of many': 'µs' },
    contenders: ['jobwright', 'plain', 'xstate'],
    sizes: { few: 1_000, many: 100_000 },
    quick: { few: 10, many: 20 },
    flags: ['--max-old-space-size=8192'],
    perProcess: 2,
    due: [
      { metric: 'child of few', against: 'plain', atMost: 2 },
      { metric: 'child of many', over: 'child of few', atMost: 1.3 },
    ],
    measure,
  },
];
