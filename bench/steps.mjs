// @ts-check
/** The time per step of a run, in plans of 10 to 10,000 steps: it does not grow with what was done before. */
import { createOrchestrator, validatePlan } from 'jobwright';

const SIZES = [10, 100, 1_000, 10_000];
/** Steps that are run of each size in a round. */
const STEPS = 10_000;
const ROUNDS = 5;
const DUE = 1.3;

const orchestrator = createOrchestrator({ agentRegistry: { work: () => 1 } });
const permissions = { requireApproval: false, maxSteps: 1_000_000 };

/** @param {number} size */
const planOf = (size) => ({
  steps: Array.from({ length: size }, (_, n) => ({ id: `s${n}`, agent: 'work' })),
});

/** @param {number} size @returns {Promise<number>} microseconds per step */
async function round(size) {
  let milliseconds = 0;
  for (let steps = 0; steps < STEPS; steps += size) {
    const id = await orchestrator.createJob({}, permissions, { plan: planOf(size) });
    await orchestrator.startJob(id);
    const from = performance.now();
    const outcome = await orchestrator.runJob(id);
    milliseconds += performance.now() - from;
    if (!outcome.success) throw new Error(`${size} steps: ${outcome.error}`);
  }
  return (1_000 * milliseconds) / STEPS;
}

/** @param {number[]} values */
const median = (values) => /** @type {number} */ (values.toSorted((a, b) => a - b)[values.length >> 1]);

/** @type {Map<number, number[]>} */
const times = new Map(SIZES.map((size) => [size, []]));
for (const size of SIZES) await round(size);
for (let n = 0; n < ROUNDS; n++) for (const size of SIZES) times.get(size)?.push(await round(size));

console.log(`\nTime per step of a run, memory store, in µs: median of ${ROUNDS} rounds`);
const medians = SIZES.map((size) => median(times.get(size) ?? []));
for (const [place, size] of SIZES.entries()) {
  console.log(
    `  ${String(size).padStart(6)} steps ${/** @type {number} */ (medians[place]).toFixed(1).padStart(8)}`,
  );
}
const [ten, last] = /** @type {[number, number]} */ ([medians[0], medians.at(-1)]);
console.log(
  `  10,000 steps take ${(last / ten).toFixed(2)} times as long, each, as 10; due: at most ${DUE}`,
  `(${(last / Math.min(...medians)).toFixed(2)} times as long as the fastest of these)`,
);

const plan = planOf(10_000);
const from = performance.now();
if (!validatePlan(plan).success) throw new Error('a plan without problems was refused');
const id = await orchestrator.createJob({}, permissions, { plan });
await orchestrator.startJob(id);
console.log(
  `  to validate, create and start 10,000 steps: ${(performance.now() - from).toFixed(0)} ms; due: under 1,000`,
);
await orchestrator.close();
