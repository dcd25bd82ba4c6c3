// @ts-check
/** Steps that wait for a person. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, FREE, LIMIT, setup, started } from './support/setup.mjs';

const STRICT = { ...FREE, requireApproval: true };

/** A job whose step waits for a person. @param {any} [options] @param {any[]} [steps] */
async function waiting(options = { permissions: STRICT }, steps = [{ id: 'one', agent: 'reader' }]) {
  /** @type {any[]} */
  const calls = [];
  const w = setup({
    agentRegistry: {
      reader: (/** @type {any} */ input, /** @type {any} */ c) => {
        calls.push([c.step, input]);
        return `${c.step} read`;
      },
    },
  });
  const id = await started(w, steps, options);
  w.bus.clear();
  const first = await w.nextStep(id, 'given');
  return { ...w, id, first, calls, job: () => w.store.jobs.get(id) };
}

test('a step that needs approval pauses the job and shows itself', LIMIT, async () => {
  const w = await waiting();
  assertRefused(w.first, 'approval_required', 'Approval required');
  const { status, run } = w.job();
  assert.equal(status, 'paused');
  assert.equal(run.pause.reason, 'approval');
  assert.equal(run.pause.step, 'one');
  assert.equal(run.steps.one.status, 'waiting');
  assert.equal(run.approvals.length, 1);
  assert.equal(typeof run.approvals[0].id, 'string');
  assert.deepStrictEqual({ ...run.approvals[0], id: '' }, { id: '', step: 'one', agent: 'reader' });
  assert.deepStrictEqual(w.bus.types(), ['approval_requested', 'job_paused']);
  assert.deepStrictEqual(w.bus.of('job_paused'), [{ jobId: w.id, reason: 'approval' }]);
  assert.equal(w.bus.of('approval_requested')[0].step, 'one');
  assert.deepStrictEqual(w.calls, []);
});

test('approveStep records who, sets the job running, and runs nothing', LIMIT, async () => {
  const w = await waiting();
  w.bus.clear();
  assert.deepStrictEqual(await w.approveStep(w.id, { by: 'Ada', note: 'looks right' }), { success: true });
  assert.equal(w.job().status, 'running');
  assert.equal(w.job().run.steps.one.approvedBy, 'Ada');
  assert.deepStrictEqual(w.job().run.approvals ?? [], []);
  assert.deepStrictEqual(w.bus.types(), ['step_approved', 'job_started']);
  assert.deepStrictEqual(w.bus.of('job_started'), [{ jobId: w.id }]);
  assert.deepStrictEqual(w.calls, []);
  assert.equal((await w.nextStep(w.id, 'given')).status, 'completed');
  assert.deepStrictEqual(w.calls, [['one', 'given']]);
});

test('approveStep without saying who', LIMIT, async () => {
  const w = await waiting();
  assert.deepStrictEqual(await w.approveStep(w.id), { success: true });
  assert.equal((await w.nextStep(w.id)).status, 'completed');
});

test('rejectStep ends the step and the job, code rejected', LIMIT, async () => {
  const w = await waiting();
  w.bus.clear();
  assert.deepStrictEqual(await w.rejectStep(w.id, { by: 'Ada', reason: 'not today' }), { success: true });
  const { status, run } = w.job();
  assert.equal(status, 'failed');
  assert.equal(run.failure.code, 'rejected');
  assert.equal(run.failure.step, 'one');
  assert.match(run.failure.message, /not today/);
  assert.equal(run.steps.one.status, 'failed');
  assert.deepStrictEqual(w.calls, []);
  assert.equal(w.bus.of('step_rejected')[0].step, 'one');
  assert.deepStrictEqual(w.bus.of('job_failed'), [{ jobId: w.id, status: 'failed' }]);
});

test('startJob on a job paused for approval: it runs, and the next step asks again', LIMIT, async () => {
  const w = await waiting();
  assert.deepStrictEqual(await w.startJob(w.id), { success: true });
  assert.equal(w.job().status, 'running');
  assertRefused(await w.nextStep(w.id), 'approval_required', 'Approval required');
  assert.equal(w.job().status, 'paused');
  assert.equal(w.job().run.approvals.length, 1, 'one request, not two');
  assert.deepStrictEqual(w.calls, []);
  await w.approveStep(w.id);
  assert.equal((await w.nextStep(w.id)).status, 'completed');
});

test('approving and rejecting where nothing waits is refused and changes nothing', LIMIT, async () => {
  const w = setup({ agentRegistry: { reader: () => 1 } });
  const id = await started(w, [{ id: 'one', agent: 'reader' }]);
  const before = w.store.jobs.get(id);
  for (const refused of [
    await w.approveStep(id),
    await w.rejectStep(id),
    await w.approveStep(id, { step: 'one' }),
    await w.approveStep(id, { step: 'no such step' }),
  ]) {
    assert.equal(refused.success, false);
    assert.match(refused.error, /\w+ \w+/);
    assert.equal(typeof refused.code, 'string');
    assert.deepStrictEqual(Object.keys(refused), ['success', 'error']);
  }
  assert.deepStrictEqual(w.store.jobs.get(id), before);
});

test('an approval can name its step or its request; a wrong name is refused', LIMIT, async () => {
  for (const by of /** @type {((w: any) => any)[]} */ ([
    () => ({ step: 'one' }),
    (w) => ({ approval: w.job().run.approvals[0].id }),
  ])) {
    const w = await waiting();
    assert.equal((await w.approveStep(w.id, { step: 'two' })).success, false);
    assert.equal((await w.approveStep(w.id, { approval: 'another' })).success, false);
    assert.equal(w.job().status, 'paused');
    assert.deepStrictEqual(await w.approveStep(w.id, by(w)), { success: true });
    assert.equal(w.job().status, 'running');
  }
});

test('`approval: true` on a step asks even where the job does not require it', LIMIT, async () => {
  const steps = [
    { id: 'one', agent: 'reader' },
    { id: 'two', agent: 'reader', approval: true },
  ];
  const w = await waiting({ permissions: FREE }, steps);
  assert.equal(w.first.success, true);
  assertRefused(await w.nextStep(w.id), 'approval_required');
  await w.approveStep(w.id);
  assert.equal((await w.nextStep(w.id)).status, 'completed');
});

test('`approval: false` on a step does not lift what the job requires', LIMIT, async () => {
  const w = await waiting({ permissions: STRICT }, [{ id: 'one', agent: 'reader', approval: false }]);
  assertRefused(w.first, 'approval_required');
});

test('every step asks once, and an approval is for its step alone', LIMIT, async () => {
  const steps = ['one', 'two'].map((id) => ({ id, agent: 'reader', retry: { maxAttempts: 2 } }));
  const w = await waiting({ permissions: STRICT }, steps);
  await w.approveStep(w.id);
  assert.equal((await w.nextStep(w.id)).status, 'running');
  assertRefused(await w.nextStep(w.id), 'approval_required');
  await w.approveStep(w.id);
  assert.equal((await w.nextStep(w.id)).status, 'completed');
});

test('a paused job that waits for approval can be cancelled', LIMIT, async () => {
  const w = await waiting();
  assert.equal((await w.cancelJob(w.id)).success, true);
  assert.equal((await w.approveStep(w.id)).success, false);
  assert.equal(w.job().status, 'failed');
});

test(
  'the budget is asked after the approval, so that nothing is held while a person thinks',
  LIMIT,
  async () => {
    /** @type {any[]} */
    const asked = [];
    const w = setup({
      agentRegistry: { reader: () => 1 },
      budgetManager: {
        canSpend: (/** @type {any[]} */ ...args) => {
          asked.push(args);
          return { success: true };
        },
      },
    });
    const id = await started(w, [{ id: 'one', agent: 'reader', cost: 3 }], { permissions: STRICT });
    asked.length = 0;
    await w.nextStep(id);
    assert.deepStrictEqual(asked, []);
    await w.approveStep(id);
    assert.deepStrictEqual(asked, []);
    await w.nextStep(id);
    assert.deepStrictEqual(asked, [[id, 3]]);
  },
);
