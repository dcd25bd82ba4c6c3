// @ts-check
/** A fork shares what was done, goes on by itself, and leaves the job it comes from as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStore, FREE, LIMIT, latch, setup, started } from '../behaviour/support/setup.mjs';
import { jobwright } from '../differential/subject.mjs';

const { createBudgetManager, createMemoryStore, NonRetryableError } = jobwright;

/** Agents that add their step's id to a list of calls, and answer with what they were given and what the context says. */
function world(deps = {}) {
  /** @type {string[]} */
  const calls = [];
  const w = setup({
    agentRegistry: {
      worker: (/** @type {any} */ input, /** @type {any} */ { jobId, step, context }) => {
        calls.push(`${jobId}:${step}`);
        return { input, tone: context.tone ?? null };
      },
    },
    ...deps,
  });
  return { ...w, calls };
}

const worker = (/** @type {string} */ id, more = {}) => ({ id, agent: 'worker', ...more });

for (const [kind, makeStore] of Object.entries({ plain: createStore, bundled: createMemoryStore })) {
  test(
    `${kind} store: what is done is not done again, and what comes after is, with what was changed`,
    LIMIT,
    async () => {
      const w = world({ store: makeStore() });
      const id = await started(w, [worker('draft'), worker('check'), worker('send')], {
        context: { tone: 'warm' },
      });
      await w.runJob(id, { input: 'rust' });
      const origin = structuredClone(await w.getJob(id));
      const fork = await w.forkJob(id, { afterStep: 'draft', context: { tone: 'cool', more: 1 } });
      const made = await w.getJob(fork);
      assert.equal(made.status, 'created');
      assert.deepStrictEqual(made.run.forkedFrom, { jobId: id, afterStep: 'draft' });
      assert.deepStrictEqual(made.context, {
        tone: 'cool',
        more: 1,
        draft: { input: 'rust', tone: 'warm' },
      });
      assert.deepStrictEqual(
        made.history.map((/** @type {any} */ { seq, type, payload }) => [seq, type, payload.jobId]),
        [
          [1, 'job_created', fork],
          [2, 'job_started', fork],
          [3, 'step_started', fork],
          [4, 'step_completed', fork],
          [5, 'job_forked', fork],
        ],
      );
      assert.deepStrictEqual(made.history[0].payload.forkedFrom, { jobId: id, afterStep: 'draft' });
      assert.equal((await w.replayJob(made)).ok, true);

      w.calls.length = 0;
      await w.startJob(fork);
      const { job } = await w.runJob(fork);
      assert.deepStrictEqual(w.calls, [`${fork}:check`, `${fork}:send`]);
      assert.equal(job.context.send.tone, 'cool');
      assert.equal(job.run.stepsTaken, 3);
      assert.deepStrictEqual(await w.replayJob(fork), { ok: true, decisions: 4 });
      assert.deepStrictEqual(await w.getJob(id), origin);
      assert.equal((await w.replayJob(id)).ok, true);
    },
  );
}

test('a fork of a fork', LIMIT, async () => {
  const w = world();
  const id = await started(w, [worker('a'), worker('b'), worker('c')]);
  await w.runJob(id);
  const first = await w.forkJob(id, { afterStep: 'a', context: { tone: 'x' } });
  await w.startJob(first);
  await w.runJob(first);
  const second = await w.forkJob(first, { afterStep: 'b' });
  assert.equal((await w.replayJob(second)).ok, true);
  await w.startJob(second);
  const { job } = await w.runJob(second);
  assert.deepStrictEqual(job.context.b, { input: job.context.a, tone: 'x' });
  assert.deepStrictEqual(job.run.forkedFrom, { jobId: first, afterStep: 'b' });
  assert.equal((await w.replayJob(second)).ok, true);
});

test('a fork behind the last step has nothing left to do', LIMIT, async () => {
  const w = world();
  const id = await started(w, [worker('a'), worker('b')]);
  await w.runJob(id);
  const fork = await w.forkJob(id, { afterStep: 'b' });
  w.calls.length = 0;
  await w.startJob(fork);
  const { status } = await w.runJob(fork);
  assert.deepStrictEqual([status, w.calls], ['completed', []]);
  assert.equal((await w.replayJob(fork)).ok, true);
});

test('a job that failed goes on where it failed, with permissions that suffice', LIMIT, async () => {
  const w = world({ tools: { search: () => 'found' } });
  const permissions = { ...FREE, allowTools: false };
  const id = await started(w, [worker('a'), worker('b', { tools: ['search'] })], { permissions });
  const { status } = await w.runJob(id).then(() => w.getJob(id));
  assert.equal(status, 'failed');
  const fork = await w.forkJob(id, { afterStep: 'a', permissions: { allowTools: true } });
  await w.startJob(fork);
  assert.equal((await w.runJob(fork)).status, 'completed');
  assert.equal((await w.replayJob(fork)).ok, true);
});

test('a fork begins behind a step that a person rejected, where the job went on', LIMIT, async () => {
  const w = world();
  const id = await started(w, [worker('draft', { approval: true, onError: 'continue' }), worker('send')]);
  assert.equal((await w.runJob(id)).code, 'approval_required');
  await w.rejectStep(id);
  assert.equal((await w.runJob(id)).status, 'completed');
  const fork = await w.forkJob(id, { afterStep: 'draft', context: { tone: 'cool' } });
  w.calls.length = 0;
  await w.startJob(fork);
  const { job } = await w.runJob(fork);
  assert.deepStrictEqual([job.status, w.calls], ['completed', [`${fork}:send`]]);
  assert.equal(job.run.steps.draft.error.code, 'rejected');
  assert.deepStrictEqual(
    job.history.map(({ seq }) => seq),
    job.history.map((_, place) => place + 1),
  );
  assert.equal((await w.replayJob(fork)).ok, true);
  assert.equal((await w.replayJob(id)).ok, true);
});

test('what ran beside the step runs anew in the fork', LIMIT, async () => {
  const { promise, open } = latch();
  const w = setup({ agentRegistry: { quick: () => 1, slow: () => promise } });
  const id = await started(w, [
    { id: 'slow', agent: 'slow', after: [] },
    { id: 'quick', agent: 'quick', after: [] },
  ]);
  const running = w.runJob(id);
  while ((await w.getJob(id)).run.steps?.quick?.status !== 'done') await new Promise((r) => setTimeout(r, 1));
  const fork = await w.forkJob(id, { afterStep: 'quick' });
  const { run } = await w.getJob(fork);
  assert.deepStrictEqual([run.steps.slow.status, run.steps.quick.status], ['pending', 'done']);
  open();
  await running;
  await w.startJob(fork);
  assert.equal((await w.runJob(fork)).status, 'completed');
  assert.equal((await w.replayJob(fork)).ok, true);
});

test('a fork begins behind a step that failed or was skipped too, where the job went on', LIMIT, async () => {
  // An agent may say what the engine says of steps that it cuts off.
  const fails = { fail: () => Promise.reject(new NonRetryableError('Job cancelled')), work: () => 1 };
  const w = setup({ agentRegistry: fails });
  const id = await started(w, [
    { id: 'fail', agent: 'fail', onError: 'continue', retry: { maxAttempts: 2 } },
    { id: 'skip', agent: 'work', when: false },
    { id: 'last', agent: 'work' },
  ]);
  await w.runJob(id);
  for (const [afterStep, status] of [
    ['fail', 'failed'],
    ['skip', 'skipped'],
  ]) {
    const fork = await w.forkJob(id, { afterStep });
    const { run } = await w.getJob(fork);
    assert.deepStrictEqual(
      [run.steps[/** @type {string} */ (afterStep)].status, run.steps.last],
      [status, undefined],
    );
    await w.startJob(fork);
    assert.equal((await w.runJob(fork)).status, 'completed');
    assert.equal((await w.replayJob(fork)).ok, true);
  }
});

test('a job without a plan is forked behind what its router asked for', LIMIT, async () => {
  let asked = 0;
  const w = world({ router: () => (++asked % 3 === 0 ? null : { agent: 'worker', input: asked }) });
  const id = await started(w);
  await w.runJob(id);
  const fork = await w.forkJob(id, { afterStep: 'worker#1' });
  asked = 1;
  await w.startJob(fork);
  const { job } = await w.runJob(fork);
  assert.deepStrictEqual(Object.keys(job.run.steps), ['worker#1', 'worker#2']);
  assert.equal((await w.replayJob(fork)).ok, true);
});

test('a fork gets a budget of its own', LIMIT, async () => {
  const budgetManager = createBudgetManager();
  const w = world({ budgetManager });
  const id = await started(w, [worker('a', { cost: 3 }), worker('b', { cost: 3 })], { budget: 10 });
  await w.runJob(id);
  const fork = await w.forkJob(id, { afterStep: 'a', budget: 4 });
  await w.startJob(fork);
  assert.equal((await w.runJob(fork)).status, 'completed');
  assert.deepStrictEqual(await budgetManager.getBudget(fork), { id: fork, limit: 4, spent: 3, reserved: 0 });
});

test('what can not be forked says why, and leaves nothing', LIMIT, async () => {
  const w = world();
  const id = await started(w, [worker('a'), worker('b', { when: false }), { id: 'ask', approve: {} }]);
  await w.runJob(id);
  const failed = await started(w, [{ id: 'fail', agent: 'nobody' }]);
  await w.runJob(failed);
  const beside = { id: 'beside', wait: { signal: 'go' }, onError: 'continue' };
  const cutOff = await started(w, [beside, { id: 'fail', agent: 'nobody', after: [] }]);
  await w.runJob(cutOff);
  const before = [...w.store.jobs.keys()];
  const refusals = [
    ['no such job', { afterStep: 'a' }, 'not_found', /Job not found: "no such job"/],
    [id, { afterStep: 'z' }, 'unknown_step', /has no step "z"/],
    [failed, { afterStep: 'fail' }, 'invalid_argument', /step "fail" .* is failed/],
    [cutOff, { afterStep: 'beside' }, 'invalid_argument', /step "beside" .* is failed/],
    [id, { afterStep: 'ask' }, 'invalid_argument', /step "ask" .* is (waiting|pending)/],
    [id, {}, 'invalid_argument', /options\.afterStep must be a step's id; found undefined/],
    [id, { afterStep: '__proto__' }, 'unknown_step', /has no step "__proto__"/],
    [id, { afterStep: 'a', context: [] }, 'invalid_argument', /options\.context must be an object/],
    [id, { afterStep: 'a', context: { f: () => 1 } }, 'invalid_argument', /options\.context\.f/],
    [id, { afterStep: 'a', permissions: { maxSteps: -1 } }, 'invalid_argument', /maxSteps/],
    [id, { afterStep: 'a', permissions: { maxStep: 1 } }, 'invalid_argument', /Unknown permission "maxStep"/],
    [id, { afterStep: 'a', budget: 3 }, 'invalid_argument', /budget/],
    [undefined, { afterStep: 'a' }, 'not_found', /undefined/],
    [id, null, 'invalid_argument', /options/],
  ];
  for (const [job, options, code, message] of refusals) {
    await assert.rejects(w.forkJob(job, options), { code, message }, JSON.stringify([job, options]));
  }
  assert.deepStrictEqual([...w.store.jobs.keys()], before);
});

test('a history that is not what is decided is not forked', LIMIT, async () => {
  const w = world();
  const id = await started(w, [worker('a'), worker('b')]);
  await w.runJob(id);
  const job = structuredClone(await w.getJob(id));
  job.history[2].payload.step = 'b';
  w.store.jobs.set(id, job);
  await assert.rejects(w.forkJob(id, { afterStep: 'a' }), { code: 'invalid_job', message: /at event 3/ });
});
