// @ts-check
/** The time of one change of a child, with a parent that counts it: it does not grow with the number of children. */
import { createEventBus, createOrchestrator } from 'jobwright';

const SIZES = [100, 10_000, 100_000];
/** Children that are started and completed in a round: two changes each. */
const CHILDREN = 90;
const ROUNDS = 21;
const DUE = 1.5;

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
 * @returns {Promise<number>} microseconds per change
 */
async function round(family) {
  const children = family.children.splice(0, CHILDREN);
  const from = performance.now();
  for (const child of children) {
    await orchestrator.startJob(child);
    await orchestrator.completeJob(child);
  }
  const milliseconds = performance.now() - from;
  family.completed += children.length;
  // What is counted is right.
  await until(family.parent, ({ completed }) => completed === family.completed);
  return (1_000 * milliseconds) / (2 * CHILDREN);
}

/** @type {Map<number, Family>} */
const families = new Map();
/** @type {Map<number, number[]>} */
const times = new Map(SIZES.map((size) => [size, []]));
for (let n = -3; n < ROUNDS; n++) {
  for (const size of n % 2 === 0 ? SIZES : SIZES.toReversed()) {
    const known = families.get(size);
    const used = known === undefined || known.children.length <= CHILDREN ? await family(size) : known;
    families.set(size, used);
    const time = await round(used);
    if (n >= 0) times.get(size)?.push(time);
  }
}

/** @param {number[]} values */
const median = (values) => /** @type {number} */ (values.toSorted((a, b) => a - b)[values.length >> 1]);
const medians = SIZES.map((size) => median(times.get(size) ?? []));
console.log(`\nTime per change of a child whose parent is followed, in µs: median of ${ROUNDS} rounds`);
for (const [place, size] of SIZES.entries()) {
  const time = /** @type {number} */ (medians[place]).toFixed(2);
  console.log(`  ${String(size).padStart(7)} children ${time.padStart(8)}`);
}
const ratio = Math.max(...medians) / Math.min(...medians);
console.log(`  the slowest takes ${ratio.toFixed(2)} times as long as the fastest; due: at most ${DUE}`);
await orchestrator.close();
