// @ts-check
/** What `simulatePlan` says of a plan, and that real runs keep to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createRandom } from '../differential/random.mjs';
import { importPackage } from '../package/installed.mjs';
import { plans } from './generate.mjs';
import { generous, play } from './play.mjs';

const { createBudgetManager, JobwrightError, simulatePlan } = await importPackage();

/** @typedef {import('./play.mjs').Played} Played */

/**
 * What the agents' attempts in all jobs would have cost, had each cost its estimate. The same attempt may be recorded
 * twice: a tool's approval cuts it short, and it is made again.
 *
 * @param {Played} played
 */
function costOf({ jobs }) {
  const attempts = new Map();
  for (const { id, history, run } of jobs) {
    const costs = new Map(run.plan.steps.map((/** @type {any} */ step) => [step.id, step.cost ?? 0]));
    for (const { type, payload } of history) {
      const { step, item, round, attempt } = payload;
      if ((type === 'step_started' || type === 'item_started') && attempt > 0)
        attempts.set(JSON.stringify([id, step, item, round, attempt]), costs.get(step));
    }
  }
  return [...attempts.values()].reduce((sum, cost) => sum + cost, 0);
}

/** @param {Played} played */
function approvalsOf({ jobs, nameOf }) {
  return jobs.flatMap((job) =>
    job.history
      .filter((/** @type {any} */ { type, payload }) => type === 'approval_requested' && !payload.tool)
      .map((/** @type {any} */ { payload }) => nameOf(job, payload.step)),
  );
}

/** @param {Played} played */
const stepsTaken = ({ jobs: [root] }) => root.run?.stepsTaken ?? 0;

/**
 * @param {{ min: number, max: number }} bounds
 * @param {number} found
 * @param {string} what
 */
function assertWithin({ min, max }, found, what) {
  assert.ok(min <= found && found <= max, `${what}: ${found} is not within ${min} and ${max}`);
}

// ---------------------------------------------------------------- what it says

test('bounds, approvals and refusals of a plan', () => {
  const plan = {
    steps: [
      { id: 'draft', agent: 'writer', cost: 3, repeat: { until: { var: 'good' }, max: 3 } },
      { id: 'figures', agent: 'artist', cost: 2, tools: ['draw'], when: { var: 'illustrated' } },
      { id: 'publish', agent: 'publisher', cost: 1, approval: true, retry: { maxAttempts: 2 } },
    ],
  };
  assert.deepStrictEqual(
    simulatePlan(plan, { permissions: { requireApproval: false, maxSteps: 1 }, budget: 5 }),
    {
      steps: { min: 2, max: 3 },
      cost: { min: 4, max: 13 },
      approvals: ['publish'],
      refused: [
        {
          step: 'figures',
          code: 'step_limit',
          message: 'Step limit reached: maxSteps is 1, and as many steps come before it',
        },
        {
          step: 'figures',
          code: 'tools_denied',
          message: 'Step "figures" needs tools (draw), and the job does not allow tools',
        },
        {
          step: 'publish',
          code: 'step_limit',
          message: 'Step limit reached: maxSteps is 1, and as many steps come before it',
        },
      ],
    },
  );
});

test('what is not given is as for createJob', () => {
  const steps = Array.from({ length: 11 }, (_, n) => ({ id: `s${n}`, agent: 'x' }));
  const found = simulatePlan({ steps });
  assert.deepStrictEqual(
    found.approvals,
    steps.map(({ id }) => id),
  );
  assert.deepStrictEqual(
    found.refused.map((/** @type {any} */ { step, code }) => [step, code]),
    [['s10', 'step_limit']],
  );
  for (const options of [null, {}, { permissions: null, budget: null }, { permissions: undefined }]) {
    assert.deepStrictEqual(simulatePlan({ steps }, options), found);
  }
});

test('what was found is the caller’s to keep', () => {
  const first = simulatePlan({ steps: [{ id: 'a', approve: {} }] });
  first.approvals.push('mine');
  assert.deepStrictEqual(simulatePlan({ steps: [] }), {
    steps: { min: 0, max: 0 },
    cost: { min: 0, max: 0 },
    approvals: [],
    refused: [],
  });
  assert.deepStrictEqual(first.approvals, ['a', 'mine']);
});

test('a plan with problems is refused as by createJob', () => {
  for (const plan of [undefined, 7, {}, { steps: [{ id: 'a' }, { id: 'a', agent: 'x' }] }]) {
    assert.throws(
      () => simulatePlan(plan),
      (/** @type {any} */ error) => {
        assert.ok(error instanceof JobwrightError, String(error));
        assert.equal(error.code, 'invalid_plan');
        assert.ok(error.details.length > 0 && error.message.startsWith('Invalid plan: '));
        return true;
      },
    );
  }
});

test('options that are none are refused, with what was found', () => {
  for (const [options, message] of /** @type {[any, string][]} */ ([
    ['all', 'options must be an object; found "all"'],
    [{ budget: -1 }, 'options.budget must be a number of at least 0; found -1'],
    [{ budget: Number.NaN }, 'options.budget must be a number of at least 0; found NaN'],
    [{ budget: Infinity }, 'options.budget must be a number of at least 0; found Infinity'],
    [{ budget: '5' }, 'options.budget must be a number of at least 0; found "5"'],
    [{ permissions: { allowTools: 1 } }, 'permissions.allowTools must be true or false; found 1'],
    [
      { permissions: { maxSteps: 0.5 } },
      'permissions.maxSteps must be a whole number of at least 0; found 0.5',
    ],
  ])) {
    assert.throws(() => simulatePlan({ steps: [] }, options), { code: 'invalid_argument', message });
  }
});

test('ten thousand steps are simulated in a moment', () => {
  const steps = Array.from({ length: 10_000 }, (_, n) => ({ id: `s${n}`, agent: 'x', cost: 1 }));
  const start = performance.now();
  assert.deepStrictEqual(simulatePlan({ steps }).cost, { min: 10_000, max: 10_000 });
  assert.ok(performance.now() - start < 2_000);
});

// ---------------------------------------------------------------- real runs

/**
 * Whole costs, so that sums are exact, and children that are usually made.
 *
 * @param {any} plan
 * @returns {any}
 */
function tamed({ steps, ...plan }) {
  return {
    ...plan,
    steps: steps.map((/** @type {any} */ { cost, job, ...step }) => {
      if (cost !== undefined) step.cost = Math.round(cost);
      if (job === undefined) return step;
      const { context, ...child } = job;
      return { ...step, job: { ...child, plan: tamed(job.plan), ...(context?.if && { context: {} }) } };
    }),
  };
}

/**
 * An agent under every name, that does something else each time, but the same for a seed.
 *
 * @param {number} seed
 * @param {number} failures the share of attempts that fail
 */
function agentsOf(seed, failures) {
  const random = createRandom(seed);
  const agent = async (/** @type {any} */ _input, /** @type {any} */ { signal }) => {
    await Promise.resolve();
    if (random.chance(failures)) {
      throw Object.assign(new Error('no'), { retryable: random.chance(0.8) });
    }
    return random.pick([null, 0, 1, true, false, '', 'text', [], [1, 2, 3], { b: true }, signal.aborted]);
  };
  return { agentRegistry: { get: () => agent }, budgetManager: generous };
}

const anyRun = fc.record({
  plan: plans(fc.stringMatching(/^[a-c]{1,2}$/)).map(tamed),
  seed: fc.nat(),
  failures: fc.constantFrom(0, 0.2, 0.5),
  rejections: fc.constantFrom(0, 0.3),
  permissions: fc.record({ allowTools: fc.boolean(), requireApproval: fc.boolean() }),
  context: fc.constantFrom({}, { a: { b: 1 }, list: [1, 2] }, { a: 1, list: [] }),
});

test('runs that complete are within the bounds, and nobody else is asked', { timeout: 300_000 }, async () => {
  let completed = 0;
  await fc.assert(
    fc.asyncProperty(anyRun, async ({ plan, seed, failures, rejections, permissions, context }) => {
      const limits = { ...permissions, maxSteps: 1_000 };
      const found = simulatePlan(plan, { permissions: limits });
      const random = createRandom(seed);
      const played = await play(plan, {
        deps: agentsOf(seed, failures),
        permissions: limits,
        context,
        approves: () => !random.chance(rejections),
      });
      for (const step of approvalsOf(played)) {
        assert.ok(found.approvals.includes(step), `asked about ${step}; foreseen: ${found.approvals}`);
      }
      assert.ok(costOf(played) <= found.cost.max, 'even runs that fail cost no more');
      if (!played.outcome.success) return;
      completed += 1;
      assertWithin(found.steps, stepsTaken(played), 'steps');
      assertWithin(found.cost, costOf(played), 'cost');
    }),
    { numRuns: 1_500 },
  );
  assert.ok(completed > 300, `only ${completed} runs completed`);
});

// ---------------------------------------------------------------- without freedom

const cost = fc.integer({ min: 0, max: 5 });
const list = fc.array(fc.integer(), { maxLength: 3 });

/**
 * Plans of which each run does the same, as long as nothing is refused.
 *
 * @param {number} depth
 * @returns {fc.Arbitrary<any>}
 */
function rigidPlans(depth) {
  const agent = fc.constant('agent');
  const flags = { approval: fc.boolean(), when: fc.constantFrom(true, { '==': [1, 1] }) };
  const repeat = fc.constant({ until: true, max: 3 });
  const tools = fc.constantFrom([], ['tool']);
  const any = (/** @type {any} */ keys, /** @type {string[]} */ requiredKeys) =>
    fc.record({ ...keys, ...flags }, { requiredKeys });
  const kinds = [
    { weight: 4, arbitrary: any({ agent, cost, tools }, ['agent']) },
    { weight: 1, arbitrary: any({ agent, cost, forEach: list }, ['agent', 'forEach']) },
    { weight: 1, arbitrary: any({ agent, cost, repeat }, ['agent', 'repeat']) },
    { weight: 1, arbitrary: any({ wait: fc.constantFrom({ ms: 5 }, { signal: 'go' }) }, ['wait']) },
    { weight: 1, arbitrary: any({ approve: fc.constant({}) }, ['approve']) },
  ];
  if (depth > 0) {
    const permissions = fc.record(
      {
        allowTools: fc.boolean(),
        requireApproval: fc.boolean(),
        maxSteps: fc.integer({ min: 0, max: 4 }),
      },
      { requiredKeys: [] },
    );
    const job = fc.record(
      { plan: rigidPlans(depth - 1), permissions, budget: fc.integer({ min: 0, max: 12 }) },
      { requiredKeys: ['plan'] },
    );
    kinds.push(
      { weight: 1, arbitrary: any({ job }, ['job']) },
      { weight: 1, arbitrary: any({ job, forEach: list }, ['job', 'forEach']) },
    );
  }
  return fc
    .record({ steps: fc.array(fc.oneof(...kinds), { minLength: 1, maxLength: 4 }), branches: fc.boolean() })
    .map(({ steps, branches }) => ({
      // One at a time: which of two steps side by side meets a limit is nobody's to foresee.
      concurrency: 1,
      steps: steps.map((step, n) => ({
        id: `s${n}`,
        ...step,
        ...(branches && n > 1 && { after: [`s${n - 2}`] }),
      })),
    }));
}

const rigidRun = fc.record({
  plan: rigidPlans(2),
  budget: fc.oneof(fc.constant(10_000), fc.integer({ min: 0, max: 60 })),
  permissions: fc.record({
    allowTools: fc.constantFrom(true, true, false),
    requireApproval: fc.boolean(),
    maxSteps: fc.constantFrom(1_000, 1_000, 3, 5),
  }),
});

/**
 * The steps at which the jobs stand still or failed.
 *
 * @param {Played} played
 */
function stopsOf({ jobs, nameOf }) {
  const stops = jobs.map((job) => [job, job.run?.failure?.step ?? job.run?.pause?.step]);
  return stops.filter(([, step]) => step !== undefined).map(([job, step]) => nameOf(job, step));
}

/**
 * Does one thing come after the other, each once?
 *
 * @param {any} plan
 * @returns {boolean}
 */
const isInARow = ({ steps }) =>
  steps.every(
    (/** @type {any} */ { after, job, forEach }) =>
      after === undefined && (job === undefined || (forEach === undefined && isInARow(job.plan))),
  );

test('without freedom the bounds are the run, and what is refused is where it stops', async () => {
  const ends = { completed: 0, stopped: 0 };
  await fc.assert(
    fc.asyncProperty(rigidRun, async ({ plan, budget, permissions }) => {
      const found = simulatePlan(plan, { permissions, budget });
      const played = await play(plan, {
        deps: {
          agentRegistry: { get: () => () => 'done' },
          budgetManager: createBudgetManager(),
        },
        permissions,
        budget,
      });
      const { outcome } = played;
      assert.deepStrictEqual(
        [found.steps.min, found.cost.min],
        [found.steps.max, found.cost.max],
        'there is no freedom',
      );
      const [first] = found.refused;
      // A child that waits for a person keeps its budget, and whether the next one begins meanwhile depends on the person.
      const isPoor = !outcome.success && (outcome.code ?? 'budget_exceeded') === 'budget_exceeded';
      if (isPoor && found.approvals.length > 0) return;
      assert.equal(outcome.success, first === undefined, JSON.stringify([outcome, found]));
      if (first === undefined) {
        ends.completed += 1;
        assert.equal(stepsTaken(played), found.steps.min);
        assert.equal(costOf(played), found.cost.min);
        assert.deepStrictEqual([...new Set(approvalsOf(played))].sort(), found.approvals.sort());
      } else {
        ends.stopped += 1;
        // The manager's own words have no code.
        const code = outcome.code ?? 'budget_exceeded';
        const shown = JSON.stringify([code, outcome, found.refused]);
        // Which of two branches or children meets a limit first is nobody's to foresee.
        const foreseen = isInARow(plan) ? [first] : found.refused;
        assert.ok(
          foreseen.some((/** @type {any} */ refused) => refused.code === code),
          shown,
        );
        if (!isInARow(plan) || code === 'budget_exceeded') return;
        const isThere = stopsOf(played).some((step) => first.step === step);
        assert.ok(isThere, `${shown} stops at ${stopsOf(played)}`);
      }
    }),
    { numRuns: 1_000 },
  );
  assert.ok(ends.completed > 100 && ends.stopped > 100, JSON.stringify(ends));
});
