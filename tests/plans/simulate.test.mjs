// @ts-check
/** What `simulatePlan` says of a plan, and that real runs keep to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importPackage } from '../package/installed.mjs';

const { createBudgetManager, JobwrightError, simulatePlan } = await importPackage();

/** No approval, tools allowed. */
const free = { requireApproval: false, allowTools: true, maxSteps: 1_000 };

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

/** @param {any} steps */
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

test('ten thousand steps are simulated', () => {
  const steps = Array.from({ length: 10_000 }, (_, n) => ({ id: `s${n}`, agent: 'x', cost: 1 }));
  assert.deepStrictEqual(simulatePlan({ steps }).cost, { min: 10_000, max: 10_000 });
});
