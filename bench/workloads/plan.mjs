// @ts-check
/** A plan of 10,000 steps, from its text to the end of its first step. */
import { createMemoryStore, createOrchestrator, validatePlan } from 'jobwright';
import { planOf } from './plan-of-steps.mjs';

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ sizes, rounds }) {
  const { plan, permissions } = planOf(sizes.steps);
  // Each has an id of its own: the plan that was read last is known by its text.
  const fresh = (/** @type {string} */ id) => ({ steps: plan.steps.with(-1, { id, agent: 'work' }) });
  /** @type {{ validatePlan: number[], 'first decision': number[] }} */
  const figures = { validatePlan: [], 'first decision': [] };
  for (let n = -2; n < rounds; n++) {
    const unknown = fresh(`validated ${n}`);
    const text = JSON.stringify(fresh(`run ${n}`));
    const valid = performance.now();
    if (!validatePlan(unknown).success) throw new Error('a plan without problems was refused');
    const validated = performance.now() - valid;
    let calls = 0;
    const work = () => ++calls;
    const orchestrator = createOrchestrator({ store: createMemoryStore(), agentRegistry: { work } });
    const from = performance.now();
    const id = await orchestrator.createJob({}, permissions, { plan: JSON.parse(text) });
    await orchestrator.startJob(id);
    const outcome = await orchestrator.nextStep(id);
    const decided = performance.now() - from;
    if (!outcome.success || calls !== 1) throw new Error(JSON.stringify(outcome));
    await orchestrator.close();
    if (n < 0) continue;
    figures.validatePlan.push(validated);
    figures['first decision'].push(decided);
  }
  return figures;
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'plan-10000',
    title: 'a plan of 10,000 steps: JSON.parse, createJob (which validates it), startJob, nextStep',
    metrics: { 'first decision': 'ms', validatePlan: 'ms' },
    contenders: ['jobwright'],
    sizes: { steps: 10_000 },
    quick: { steps: 100 },
    due: [{ metric: 'first decision', atMost: 50 }],
    measure,
  },
];
