// @ts-check
/** What stops a job on its way: limits, budgets, breakpoints, slow play. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './support/clock.mjs';
import { assertRefused, createBus, FREE, LIMIT, setup, started, within } from './support/setup.mjs';

const TWO = ['one', 'two'].map((id) => ({ id, agent: 'reader' }));

/** @param {any[]} steps @param {any} [options] @param {any} [deps] */
async function running(steps, options = {}, deps = {}) {
  /** @type {string[]} */
  const calls = [];
  const w = setup({
    agentRegistry: { reader: (/** @type {any} */ _, /** @type {any} */ c) => void calls.push(c.step) },
    ...deps,
  });
  const id = await started(w, steps, options);
  w.bus.clear();
  return { ...w, id, calls, job: () => w.store.jobs.get(id) };
}

test('at the step limit the job pauses; setPermissions and startJob go on', LIMIT, async () => {
  const w = await running(TWO, { permissions: { ...FREE, maxSteps: 1 } });
  assert.equal((await w.nextStep(w.id)).status, 'running');
  assertRefused(await w.nextStep(w.id), 'step_limit', 'Step limit reached');
  assert.equal(w.job().status, 'paused');
  assert.equal(w.job().run.pause.reason, 'step_limit');
  assert.deepStrictEqual(w.bus.of('job_paused'), [{ jobId: w.id, reason: 'step_limit' }]);
  await w.startJob(w.id);
  assertRefused(await w.nextStep(w.id), 'step_limit', 'Step limit reached');
  assert.deepStrictEqual(await w.setPermissions(w.id, { maxSteps: 2 }), { success: true });
  assert.deepStrictEqual(w.job().permissions, { ...FREE, maxSteps: 2 });
  await w.startJob(w.id);
  assert.equal((await w.nextStep(w.id)).status, 'completed');
  assert.equal(w.job().run.stepsTaken, 2);
});

test('a limit of exactly the steps of the plan is enough', LIMIT, async () => {
  const w = await running(TWO, { permissions: { ...FREE, maxSteps: 2 } });
  assert.equal((await w.runJob(w.id)).status, 'completed');
});

test('setPermissions changes what is given and keeps the rest', LIMIT, async () => {
  const w = await running(TWO);
  await w.setPermissions(w.id, { allowTools: false });
  assert.deepStrictEqual(w.job().permissions, { ...FREE, allowTools: false });
  await w.setPermissions(w.id, {});
  assert.deepStrictEqual(w.job().permissions, { ...FREE, allowTools: false });
});

test('setPermissions refuses a name that is no permission, and changes nothing', LIMIT, async () => {
  const w = await running(TWO);
  const before = w.job();
  await assert.rejects(w.setPermissions(w.id, /** @type {any} */ ({ allowTool: false, maxSteps: 1 })), {
    code: 'invalid_argument',
    message: 'Unknown permission "allowTool"; there are allowTools, requireApproval, maxSteps',
  });
  assert.deepStrictEqual(w.job(), before);
});

test('a budget that refuses a step pauses the job; its own object is the answer', LIMIT, async () => {
  const own = Object.freeze({ success: false, error: 'Budget exceeded', scope: 'team' });
  let poor = true;
  const canSpend = (/** @type {any} */ _, /** @type {any} */ cost) =>
    cost > 1 && poor ? own : { success: true };
  const w = await running([{ id: 'one', agent: 'reader', cost: 5 }], {}, { budgetManager: { canSpend } });
  assert.equal(await w.nextStep(w.id), own);
  assert.equal(w.job().status, 'paused');
  assert.equal(w.job().run.pause.reason, 'budget');
  assert.deepStrictEqual(w.bus.emitted, [['job_paused', { jobId: w.id, reason: 'budget' }]]);
  assert.deepStrictEqual(w.calls, []);
  assert.equal(w.job().run.stepsTaken ?? 0, 0);
  poor = false;
  await w.startJob(w.id);
  assert.equal((await w.nextStep(w.id)).status, 'completed');
});

test("runJob gives the budget's own object too", LIMIT, async () => {
  const own = { success: false, error: 'Budget exceeded' };
  const w = await running(
    [{ id: 'one', agent: 'reader', cost: 5 }],
    {},
    {
      budgetManager: {
        canSpend: (/** @type {any} */ _, /** @type {any} */ cost) => (cost ? own : { success: true }),
      },
    },
  );
  assert.equal(await w.runJob(w.id), own);
});

test('a breakpoint pauses the job before its step; startJob goes on past it', LIMIT, async () => {
  const w = await running([TWO[0], { ...TWO[1], breakpoint: true }]);
  await w.nextStep(w.id);
  await w.nextStep(w.id);
  assert.deepStrictEqual(w.calls, ['one']);
  assert.equal(w.job().status, 'paused');
  assert.equal(w.job().run.pause.reason, 'breakpoint');
  assert.equal(w.job().run.pause.step, 'two');
  assert.deepStrictEqual(w.bus.of('job_paused'), [{ jobId: w.id, reason: 'breakpoint' }]);
  await w.startJob(w.id);
  assert.equal((await w.nextStep(w.id)).status, 'completed');
  assert.deepStrictEqual(w.calls, ['one', 'two']);
});

test('runJob stops at a breakpoint and goes on after it', LIMIT, async () => {
  const w = await running([{ ...TWO[0], breakpoint: true }, TWO[1]]);
  const stopped = await within(w.runJob(w.id), 'runJob');
  assert.equal(stopped.success, false);
  assert.equal(w.job().run.pause.reason, 'breakpoint');
  await w.startJob(w.id);
  assert.equal((await w.runJob(w.id)).status, 'completed');
  assert.deepStrictEqual(w.calls, ['one', 'two']);
});

// ---------------------------------------------------------------- slow play

test('slow play delays each step', LIMIT, async () => {
  const w = await running(TWO, {}, { slowPlayMs: 500 });
  const run = w.runJob(w.id);
  await w.clock.advance(499);
  assert.deepStrictEqual(w.calls, []);
  await w.clock.advance(1);
  assert.deepStrictEqual(w.calls, ['one']);
  await w.clock.advance(499);
  assert.deepStrictEqual(w.calls, ['one']);
  await w.clock.advance(1);
  assert.equal((await within(run, 'runJob')).status, 'completed');
});

test('setSlowPlay changes the delay while jobs run', LIMIT, async () => {
  const w = await running(TWO, {}, { slowPlayMs: 500 });
  const run = w.runJob(w.id);
  await w.clock.advance(500);
  assert.deepStrictEqual(w.calls, ['one']);
  w.setSlowPlay(0);
  await w.clock.advance(500);
  assert.equal((await within(run, 'runJob')).status, 'completed');
});

test("a job's own slowPlayMs", LIMIT, async () => {
  const w = await running([TWO[0]], { slowPlayMs: 100 });
  const step = w.nextStep(w.id);
  await w.clock.advance(99);
  assert.deepStrictEqual(w.calls, []);
  await w.clock.advance(1);
  assert.equal((await within(step, 'nextStep')).status, 'completed');
});

for (const [name, act, status] of /** @type {[string, (w: any) => Promise<any>, string][]} */ ([
  ['pauseJob', (w) => w.pauseJob(w.id), 'paused'],
  ['cancelJob', (w) => w.cancelJob(w.id), 'failed'],
  ['close', (w) => w.close(), 'running'],
])) {
  test(`slow play gives way at once to ${name}`, LIMIT, async () => {
    const w = await running(TWO, {}, { slowPlayMs: 60_000 });
    const step = w.nextStep(w.id);
    await settle();
    await within(act(w), name);
    const outcome = await within(step, 'nextStep');
    assert.equal(outcome.success, false);
    assert.match(outcome.error, /\w/);
    assert.deepStrictEqual(w.calls, []);
    assert.equal(w.job().status, status);
    await w.clock.advance(120_000);
    assert.deepStrictEqual(w.calls, []);
  });
}

test('a step that slow play gave up is the next one again', LIMIT, async () => {
  const w = await running(TWO, { permissions: { ...FREE, maxSteps: 2 } }, { slowPlayMs: 1000 });
  const step = w.nextStep(w.id);
  await settle();
  await w.pauseJob(w.id);
  await within(step, 'nextStep');
  w.setSlowPlay(0);
  await w.startJob(w.id);
  assert.equal((await w.runJob(w.id)).status, 'completed');
  assert.deepStrictEqual(w.calls, ['one', 'two']);
  assert.equal(w.job().run.stepsTaken, 2);
});

test('an exact budget holds nothing for a step that slow play gave up', LIMIT, async () => {
  /** @type {Map<string, number>} */
  const held = new Map();
  const budgetManager = {
    canSpend: () => ({ success: true }),
    recordSpend() {},
    reserve: (/** @type {any} */ _, /** @type {number} */ amount, /** @type {string} */ key) => {
      held.set(key, amount);
      return { success: true };
    },
    settle: (/** @type {any} */ _, /** @type {string} */ key) => void held.delete(key),
    release: (/** @type {any} */ _, /** @type {string} */ key) => void held.delete(key),
  };
  const w = await running(
    [{ ...TWO[0], cost: 3 }],
    {},
    { budgetManager, slowPlayMs: 1000, eventBus: createBus() },
  );
  const step = w.nextStep(w.id);
  await settle();
  await w.cancelJob(w.id);
  await within(step, 'nextStep');
  await settle();
  assert.equal(held.size, 0);
});
