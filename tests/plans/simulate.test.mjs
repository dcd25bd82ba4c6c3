// @ts-check
/** What `simulatePlan` says of a plan. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importPackage } from '../package/installed.mjs';

const { JobwrightError, simulatePlan } = await importPackage();

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
