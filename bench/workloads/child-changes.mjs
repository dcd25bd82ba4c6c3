// @ts-check
/** The time of one change of a child, with a parent that counts it: it does not grow with the number of children. */
import { createEventBus, createOrchestrator } from 'jobwright';

const permissions = { requireApproval: false };
const eventBus = createEventBus();
const orchestrator = createOrchestrator({ eventBus });
/** @type {Map<string, any>} what was said last of each parent */
const told = new Map();
eventBus.on('child_job_stats', ({ payload }) => told.set(/** @type {any} */ (payload).jobId, payload));

/** @param {string} parent @param {(stats: any) => boolean} is */
async function until(parent, is) {
  while (!is(told.get(parent))) await new Promise((resolve) => setTimeout(resolve, 5));
}

/**
 * A parent with so many children, which are counted.
 *
 * @param {number} size
 * @returns {Promise<Family>}
 */
async function family(size) {
  const options = { type: 'parent', config: { source_type: 'bench' } };
  const parent = await orchestrator.createJob({}, permissions, options);
  const children = [];
  for (let n = 0; n < size; n++) {
    children.push(await orchestrator.createJob({}, permissions, { parentId: parent }));
  }
  orchestrator.startMonitoring(/** @type {any} */ (await orchestrator.getJob(parent)));
  await until(parent, (stats) => stats?.total === size);
  return { parent, children, completed: 0 };
}

/**
 * @typedef {{ parent: string, children: string[], completed: number }} Family
 * @param {Family} family
 * @param {number} count children that are started and completed: two changes each
 * @returns {Promise<number>} microseconds per change
 */
async function round(family, count) {
  const children = family.children.splice(0, count);
  const from = performance.now();
  for (const child of children) {
    await orchestrator.startJob(child);
    await orchestrator.completeJob(child);
  }
  const milliseconds = performance.now() - from;
  family.completed += children.length;
  // What is counted is right.
  await until(family.parent, ({ completed }) => completed === family.completed);
  return (1_000 * milliseconds) / (2 * count);
}

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ sizes: { families: wanted, count }, rounds }) {
  const families = new Map();
  /** @type {Record<string, number[]>} */
  const figures = Object.fromEntries(Object.keys(wanted).map((name) => [name, []]));
  for (let n = -3; n < rounds; n++) {
    const names = n % 2 === 0 ? Object.keys(wanted) : Object.keys(wanted).toReversed();
    for (const name of names) {
      const known = families.get(name);
      const used = known === undefined || known.children.length <= count ? await family(wanted[name]) : known;
      families.set(name, used);
      const time = await round(used, count);
      if (n >= 0) figures[name]?.push(time);
    }
  }
  await orchestrator.close();
  return figures;
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'child-changes',
    title: 'a change of a child whose parent is monitored and counts 100, 10,000 and 100,000 children',
    metrics: { 'of 100': 'µs', 'of 10,000': 'µs', 'of 100,000': 'µs' },
    contenders: ['jobwright'],
    sizes: { families: { 'of 100': 100, 'of 10,000': 10_000, 'of 100,000': 100_000 }, count: 90 },
    quick: { families: { 'of 100': 3, 'of 10,000': 5, 'of 100,000': 7 }, count: 2 },
    perProcess: 21,
    due: [
      { metric: 'of 10,000', over: 'of 100', atMost: 1.5 },
      { metric: 'of 100,000', over: 'of 100', atMost: 1.5 },
    ],
    measure,
  },
];
