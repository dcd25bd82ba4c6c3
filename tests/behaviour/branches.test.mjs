// @ts-check
/** Steps side by side, joins, conditions, and failures that a plan goes on after. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './support/clock.mjs';
import { assertRefused, LIMIT, latch, setup, started, within } from './support/setup.mjs';

const step = (/** @type {string} */ id, /** @type {any} */ more = {}) => ({ id, agent: 'work', ...more });

/** An agent whose attempts wait until a test lets them go, each by its step's id. */
function gated() {
  /** @type {Map<string, (output: any) => void>} */
  const open = new Map();
  /** @type {string[]} */
  const begun = [];
  const agent = (/** @type {any} */ input, /** @type {any} */ context) => {
    begun.push(context.step);
    return new Promise((resolve, reject) => {
      open.set(context.step, (output) =>
        output instanceof Error ? reject(output) : resolve(output ?? input),
      );
    });
  };
  const letGo = async (/** @type {string} */ id, /** @type {any} */ output = id) => {
    open.get(id)?.(output);
    open.delete(id);
    await settle();
  };
  return { agent, begun, letGo };
}

/** @param {any[]} steps @param {any} [plan] */
async function running(steps, plan = {}) {
  const gate = gated();
  const w = setup({ agentRegistry: { work: gate.agent } });
  const id = await w.createJob({}, { requireApproval: false, maxSteps: 100 }, { plan: { ...plan, steps } });
  await w.startJob(id);
  const run = w.runJob(id);
  await settle();
  return { ...w, ...gate, id, run, job: () => w.store.jobs.get(id) };
}

test('steps that wait for nothing run side by side, and a join gets the outputs of all', LIMIT, async () => {
  const w = await running([
    step('left', { after: [] }),
    step('right', { after: [] }),
    step('join', { after: ['right', 'left'] }),
  ]);
  assert.deepStrictEqual(w.begun, ['left', 'right']);
  await w.letGo('right', 'r');
  assert.deepStrictEqual(w.begun, ['left', 'right'], 'the join waits for both');
  await w.letGo('left', 'l');
  assert.deepStrictEqual(w.begun, ['left', 'right', 'join']);
  await w.letGo('join', null);
  const { job, status } = await within(w.run, 'runJob');
  assert.equal(status, 'completed');
  assert.deepStrictEqual(job.context, { right: 'r', left: 'l', join: { right: 'r', left: 'l' } });
});

test('no more steps run at once than the plan allows, the first in plan order first', LIMIT, async () => {
  const steps = ['a', 'b', 'c', 'd', 'e'].map((id) => step(id, { after: [] }));
  const w = await running(steps, { concurrency: 2 });
  assert.deepStrictEqual(w.begun, ['a', 'b']);
  await w.letGo('b');
  assert.deepStrictEqual(w.begun, ['a', 'b', 'c']);
  for (const id of ['a', 'c', 'd', 'e']) await w.letGo(id);
  assert.equal((await within(w.run, 'runJob')).status, 'completed');
  assert.deepStrictEqual(w.begun, ['a', 'b', 'c', 'd', 'e']);
});

test('eight steps run at once where the plan does not say', LIMIT, async () => {
  const ids = Array.from({ length: 10 }, (_, n) => `s${n}`);
  const w = await running(ids.map((id) => step(id, { after: [] })));
  assert.equal(w.begun.length, 8);
  for (const id of ids) await w.letGo(id);
  assert.equal((await within(w.run, 'runJob')).status, 'completed');
});

test('nextStep runs one step of several that are ready, in plan order', LIMIT, async () => {
  const w = setup({ agentRegistry: { work: (/** @type {any} */ _, /** @type {any} */ c) => c.step } });
  const id = await started(w, [
    step('x', { after: ['y'] }),
    step('y', { after: [] }),
    step('z', { after: [] }),
  ]);
  const ran = [];
  for (let n = 0; n < 3; n++) ran.push((await w.nextStep(id)).step.id);
  assert.deepStrictEqual(ran, ['y', 'x', 'z']);
  assert.equal(w.store.jobs.get(id).status, 'completed');
});

test('nextStep stays with its step through a retry, though another is ready', LIMIT, async () => {
  /** @type {string[]} */
  const calls = [];
  const work = (/** @type {any} */ _, /** @type {any} */ { step: id, attempt }) => {
    calls.push(id);
    if (id === 'a' && attempt === 1) throw new Error('not yet');
    return id;
  };
  const w = setup({ agentRegistry: { work } });
  const id = await started(w, [
    step('a', { after: [], retry: { maxAttempts: 2, backoffMs: 50 } }),
    step('b', { after: [] }),
  ]);
  const next = w.nextStep(id);
  await w.clock.advance(50);
  assert.equal((await within(next, 'nextStep')).step.id, 'a');
  assert.deepStrictEqual(calls, ['a', 'a']);
});

test('in a run, others go on while a step waits for its retry', LIMIT, async () => {
  /** @type {string[]} */
  const calls = [];
  const work = (/** @type {any} */ _, /** @type {any} */ { step: id, attempt }) => {
    calls.push(id);
    if (id === 'a' && attempt === 1) throw new Error('not yet');
    return id;
  };
  const w = setup({ agentRegistry: { work } });
  const id = await started(w, [
    step('a', { after: [], retry: { maxAttempts: 2, backoffMs: 1000 } }),
    step('b', { after: [] }),
    step('c', { after: ['b'] }),
  ]);
  const run = w.runJob(id);
  await settle();
  assert.deepStrictEqual(calls, ['a', 'b', 'c']);
  await w.clock.advance(1000);
  assert.equal((await within(run, 'runJob')).status, 'completed');
  assert.deepStrictEqual(calls, ['a', 'b', 'c', 'a']);
});

test(
  'a step whose condition is falsy is skipped, and what comes after it runs with null',
  LIMIT,
  async () => {
    const work = (/** @type {any} */ input, /** @type {any} */ c) =>
      c.step === 'ask' ? { ok: false } : { input };
    const w = setup({ agentRegistry: { work } });
    const id = await started(w, [
      step('ask'),
      step('only', { when: { var: 'ask.ok' } }),
      step('not', { when: { '!': { var: 'ask.ok' } }, after: ['ask'] }),
      step('last', { after: ['only'] }),
    ]);
    const { job, status } = await w.runJob(id);
    assert.equal(status, 'completed');
    assert.deepStrictEqual(job.context, {
      ask: { ok: false },
      not: { input: { ok: false } },
      last: { input: null },
    });
    assert.equal(job.run.steps.only.status, 'skipped');
    assert.equal(job.run.stepsTaken, 3, 'a skipped step does not count');
    assert.deepStrictEqual(w.bus.of('step_skipped'), [
      { jobId: id, step: 'only', agent: 'work', attempt: 0, status: 'skipped' },
    ]);
  },
);

test('a job whose last steps are skipped completes, and nextStep says that nothing ran', LIMIT, async () => {
  const w = setup({ agentRegistry: { work: () => 1 } });
  const id = await started(w, [step('a', { when: false }), step('b', { when: null })]);
  assert.deepStrictEqual(await w.nextStep(id), { success: true, status: 'completed', step: null });
});

test('a condition that reads what nests too deep says so', LIMIT, async () => {
  const nested = (/** @type {number} */ depth) => {
    let value = /** @type {any} */ (1);
    for (let level = 0; level < depth; level++) value = [value];
    return value;
  };
  for (const [depth, problem] of [
    [125, null],
    [126, /The "when" of step "b" can't be computed: The context could not be read: values nested too deep/],
  ]) {
    const w = setup({ agentRegistry: { work: () => nested(Number(depth)) } });
    const id = await started(w, [step('a'), step('b', { when: { '!!': { var: 'a' } } })]);
    const outcome = await w.runJob(id);
    if (problem === null) assert.equal(outcome.success, true);
    else assertRefused(outcome, 'agent_failed', /** @type {RegExp} */ (problem));
  }
});

test('a condition that can not be computed fails its step with a sentence', LIMIT, async () => {
  const w = setup({ agentRegistry: { work: () => 'text' } });
  const id = await started(w, [step('a'), step('b', { when: { '+': [{ var: 'a' }, 1] } })]);
  const outcome = await w.runJob(id);
  assertRefused(outcome, 'agent_failed', /The "when" of step "b" can't be computed: /);
  assert.equal(w.store.jobs.get(id).status, 'failed');
});

test('after a failure that a plan goes on after, null stands under the key of the step', LIMIT, async () => {
  const work = (/** @type {any} */ input, /** @type {any} */ c) => {
    if (c.step === 'b') throw new Error('no luck');
    return { input };
  };
  const w = setup({ agentRegistry: { work } });
  const id = await started(w, [step('a'), step('b', { onError: 'continue', into: 'luck' }), step('c')]);
  const { job, status } = await w.runJob(id);
  assert.equal(status, 'completed');
  assert.deepStrictEqual(job.context, { a: { input: null }, luck: null, c: { input: null } });
  const { status: ended, error } = job.run.steps.b;
  assert.deepStrictEqual(
    { ended, error },
    { ended: 'failed', error: { code: 'agent_failed', message: 'no luck' } },
  );
});

test('nextStep reports a failed step that the plan goes on after', LIMIT, async () => {
  const work = () => {
    throw new Error('no luck');
  };
  const w = setup({ agentRegistry: { work } });
  const id = await started(w, [step('a', { onError: 'continue' }), step('b', { when: false })]);
  const { success, status, step: ran } = await w.nextStep(id);
  assert.deepStrictEqual([success, status, ran.id, ran.status], [true, 'running', 'a', 'failed']);
});

test('when a step fails for good, the others under way are aborted and end as cancelled', LIMIT, async () => {
  /** @type {AbortSignal[]} */
  const signals = [];
  const fails = latch();
  const work = async (/** @type {any} */ _, /** @type {any} */ c) => {
    signals.push(c.signal);
    if (c.step === 'bad') await fails.opened;
    else await new Promise(() => {});
    throw new Error('for good');
  };
  const w = setup({ agentRegistry: { work } });
  const id = await started(w, [step('other', { after: [] }), step('bad', { after: [] })]);
  const run = w.runJob(id);
  await settle();
  fails.open();
  assertRefused(await within(run, 'runJob'), 'agent_failed', /for good/);
  const { steps } = w.store.jobs.get(id).run;
  assert.deepStrictEqual([steps.other.status, steps.other.error.code], ['failed', 'cancelled']);
  assert.equal(signals[0]?.aborted, true);
});

test('a pause lets what runs finish, and nothing new begins', LIMIT, async () => {
  const w = await running([step('a', { after: [] }), step('b', { after: [] }), step('c', { after: ['a'] })]);
  await w.pauseJob(w.id);
  await w.letGo('a');
  assert.deepStrictEqual(w.begun, ['a', 'b']);
  await w.letGo('b');
  assertRefused(await within(w.run, 'runJob'), 'not_running', 'Job paused');
  assert.deepStrictEqual(w.job().context, { a: 'a', b: 'b' });
  await w.startJob(w.id);
  const again = w.runJob(w.id);
  await settle();
  await w.letGo('c');
  assert.equal((await within(again, 'runJob')).status, 'completed');
});

test('a job pauses for an approval only when nothing else can run', LIMIT, async () => {
  const w = await running([
    step('send', { after: [], approval: true }),
    step('a', { after: [] }),
    step('b', { after: ['a'] }),
  ]);
  assert.deepStrictEqual([w.begun, w.job().status], [['a'], 'running']);
  assert.equal(w.job().run.approvals.length, 1);
  await w.letGo('a');
  assert.deepStrictEqual(w.begun, ['a', 'b']);
  await w.letGo('b');
  assertRefused(await within(w.run, 'runJob'), 'approval_required', 'Approval required');
  assert.equal(w.job().status, 'paused');
});

test('what is approved in the middle of a run begins at once', LIMIT, async () => {
  const w = await running([step('send', { after: [], approval: true }), step('a', { after: [] })]);
  await w.approveStep(w.id, { by: 'Ada' });
  await settle();
  assert.deepStrictEqual(w.begun, ['a', 'send']);
  await w.letGo('a');
  await w.letGo('send');
  assert.equal((await within(w.run, 'runJob')).status, 'completed');
});

test('several approvals wait at once, and each answers for itself', LIMIT, async () => {
  const w = await running([
    step('a', { after: [], approval: true }),
    step('b', { after: [], approval: true }),
  ]);
  assertRefused(await within(w.run, 'runJob'), 'approval_required', 'Approval required');
  assertRefused(await w.approveStep(w.id), 'invalid_transition', /Several approvals are waiting/);
  assert.equal((await w.approveStep(w.id, { step: 'b' })).success, true);
  const again = w.runJob(w.id);
  await settle();
  assert.deepStrictEqual(w.begun, ['b']);
  await w.letGo('b');
  assertRefused(await within(again, 'runJob'), 'approval_required', 'Approval required');
  assert.deepStrictEqual(
    w.job().run.approvals.map((/** @type {any} */ { step: id }) => id),
    ['a'],
  );
});

test(
  'a step that is an approval shows its message, waits for a person, and gives who it was',
  LIMIT,
  async () => {
    const w = setup({ agentRegistry: { work: (/** @type {any} */ input) => input } });
    const plan = { steps: [{ id: 'ok', approve: { message: 'Publish it?' } }, step('next')] };
    const id = await w.createJob({}, { requireApproval: false, maxSteps: 1 }, { plan });
    await w.startJob(id);
    assertRefused(await w.runJob(id), 'approval_required', 'Approval required');
    const [{ step: which, message, agent }] = w.store.jobs.get(id).run.approvals;
    assert.deepStrictEqual([which, message, agent], ['ok', 'Publish it?', undefined]);
    await w.approveStep(id, { by: 'Ada' });
    const { job, status } = await w.runJob(id);
    assert.equal(status, 'completed');
    assert.deepStrictEqual(job.context, { ok: { by: 'Ada' }, next: { by: 'Ada' } });
    assert.equal(job.run.stepsTaken, 1, 'a person does not count as a step');
  },
);

test('a rejected step fails, and its plan decides what that means', LIMIT, async () => {
  const w = setup({ agentRegistry: { work: (/** @type {any} */ input) => ({ input }) } });
  const id = await started(w, [{ id: 'ok', approve: {}, onError: 'continue' }, step('next')]);
  assertRefused(await w.runJob(id), 'approval_required', 'Approval required');
  assert.equal((await w.rejectStep(id, { by: 'Ada', reason: 'too early' })).success, true);
  const { job, status } = await w.runJob(id);
  assert.equal(status, 'completed');
  assert.deepStrictEqual(job.context, { ok: null, next: { input: null } });
  assert.deepStrictEqual(job.run.steps.ok.error, { code: 'rejected', message: 'too early' });
});
