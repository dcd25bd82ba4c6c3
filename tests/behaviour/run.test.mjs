// @ts-check
/** runJob, with a plan and with a router. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './support/clock.mjs';
import { assertRefused, created, FREE, LIMIT, latch, setup, started, within } from './support/setup.mjs';

const THREE = ['one', 'two', 'three'].map((id) => ({ id, agent: 'reader' }));

/** @param {any} [deps] */
function world(deps = {}) {
  /** @type {any[]} */
  const calls = [];
  const reader = (/** @type {any} */ input, /** @type {any} */ c) => {
    calls.push([c.step, input]);
    return `${c.step} read`;
  };
  return { ...setup({ agentRegistry: { reader }, ...deps }), calls };
}

test('runJob runs a plan to its end and gives the job', LIMIT, async () => {
  const w = world();
  const id = await started(w, THREE);
  const outcome = await w.runJob(id, { input: 'given' });
  assert.deepStrictEqual(Object.keys(outcome).sort(), ['job', 'status', 'success']);
  assert.equal(outcome.success, true);
  assert.equal(outcome.status, 'completed');
  assert.deepStrictEqual(outcome.job, w.store.jobs.get(id));
  assert.deepStrictEqual(w.calls, [
    ['one', 'given'],
    ['two', 'one read'],
    ['three', 'two read'],
  ]);
  assert.equal(outcome.job.run.stepsTaken, 3);
});

test('in a run, one step’s end and the next one’s start are a single commit', LIMIT, async () => {
  const w = world();
  const id = await started(w, THREE);
  const before = w.store.saved.length;
  await w.runJob(id);
  assert.equal(w.store.saved.length - before, 4);
});

for (const [code, make] of /** @type {[string, (j: any) => void][]} */ ([
  ['approval_required', (j) => Object.assign(j.permissions, { requireApproval: true })],
  ['step_limit', (j) => Object.assign(j.permissions, { maxSteps: 1 })],
  ['tools_denied', (j) => Object.assign(j.steps[1], { tools: ['x'] })],
  ['unknown_agent', (j) => Object.assign(j.steps[1], { agent: 'nobody' })],
  ['agent_failed', (j) => Object.assign(j.steps[1], { agent: 'broken' })],
])) {
  test(`runJob stopped by ${code} says so, as nextStep would`, LIMIT, async () => {
    const broken = () => Promise.reject(new Error('no'));
    const w = setup({ agentRegistry: { reader: () => 1, broken } });
    const j = { permissions: { ...FREE, allowTools: false }, steps: structuredClone(THREE) };
    make(j);
    const id = await started(w, j.steps, { permissions: j.permissions });
    assertRefused(await within(w.runJob(id), 'runJob'), code);
  });
}

test('runJob on a job in any other state', LIMIT, async () => {
  const w = world();
  const fresh = await created(w, THREE);
  assertRefused(await within(w.runJob(fresh), 'runJob'), 'not_running', 'Job not running');
  const paused = await started(w, THREE);
  await w.pauseJob(paused);
  assertRefused(await within(w.runJob(paused), 'runJob'), 'not_running', 'Job paused');
  const cancelled = await started(w, THREE);
  await w.cancelJob(cancelled);
  assertRefused(await within(w.runJob(cancelled), 'runJob'), 'cancelled');
  const done = await started(w, THREE);
  await w.completeJob(done);
  assert.equal((await within(w.runJob(done), 'runJob')).status, 'completed');
  assert.deepStrictEqual(w.calls, []);
});

test('pausing in the middle of a run: the step ends, and the run says "Job paused"', LIMIT, async () => {
  const work = latch();
  const w = setup({ agentRegistry: { reader: () => work.promise } });
  const id = await started(w, THREE);
  const run = w.runJob(id);
  await settle();
  await w.pauseJob(id);
  work.open('read');
  assertRefused(await within(run, 'runJob'), 'not_running', 'Job paused');
  const job = w.store.jobs.get(id);
  assert.equal(job.run.steps.one.status, 'done');
  assert.equal(job.run.steps.two?.status ?? 'pending', 'pending');
  await w.startJob(id);
  assert.equal((await w.runJob(id)).status, 'completed');
});

test('cancelling in the middle of a run', LIMIT, async () => {
  const w = setup({ agentRegistry: { reader: () => new Promise(() => {}) } });
  const id = await started(w, THREE);
  const run = w.runJob(id);
  await settle();
  assert.equal((await w.cancelJob(id)).success, true);
  assertRefused(await within(run, 'runJob'), 'cancelled');
  assert.equal(w.store.jobs.get(id).run.steps.one.status, 'failed');
});

test('runJob called again on a job that runs joins that run', LIMIT, async () => {
  const w = world();
  const id = await started(w, THREE);
  const outcomes = await Promise.all([w.runJob(id), w.runJob(id), w.runJob(id)]);
  for (const outcome of outcomes) assert.equal(outcome.status, 'completed');
  assert.equal(w.calls.length, 3);
});

test(
  'aborting the signal of a run stops the run: attempts finish and the job is left paused',
  LIMIT,
  async () => {
    const work = latch();
    /** @type {any} */
    let signal;
    const w = setup({
      agentRegistry: {
        reader: (/** @type {any} */ _, /** @type {any} */ c) => {
          signal = c.signal;
          return work.promise;
        },
      },
    });
    const id = await started(w, THREE);
    const abort = new AbortController();
    const run = w.runJob(id, { signal: abort.signal });
    await settle();
    abort.abort();
    await settle();
    assert.equal(signal.aborted, false, "the attempt's own signal");
    work.open('read');
    const outcome = await within(run, 'runJob');
    assert.equal(outcome.success, false);
    const job = w.store.jobs.get(id);
    assert.equal(job.status, 'paused');
    assert.equal(job.run.pause.reason, 'user');
    assert.equal(job.context.one, 'read');
    assert.equal(job.run.steps.two?.status ?? 'pending', 'pending');
  },
);

test('a signal that has fired before the run: no step runs', LIMIT, async () => {
  const w = world();
  const id = await started(w, THREE);
  const outcome = await within(w.runJob(id, { signal: AbortSignal.abort() }), 'runJob');
  assert.equal(outcome.success, false);
  assert.deepStrictEqual(w.calls, []);
});

test('a signal that an agent fires in a run that never waits: no further step runs', LIMIT, async () => {
  const jobs = new Map();
  const store = {
    saveJob: (/** @type {any} */ job) => void jobs.set(job.id, job),
    getJob: (/** @type {string} */ id) => jobs.get(id) ?? null,
  };
  const controller = new AbortController();
  /** @type {string[]} */
  const ran = [];
  const reader = (/** @type {any} */ _, /** @type {any} */ { step }) => {
    ran.push(step);
    controller.abort();
  };
  const w = setup({ store, agentRegistry: { reader } });
  const id = await started(w, THREE);
  assertRefused(await w.runJob(id, { signal: controller.signal }), 'not_running', 'Job paused');
  assert.deepStrictEqual(ran, ['one']);
  assert.equal(jobs.get(id).status, 'paused');
});

test('a signal that is none is refused before anything runs', LIMIT, async () => {
  const w = world();
  const id = await started(w, THREE);
  for (const signal of /** @type {any[]} */ ([5, 'stop', {}, { aborted: false }])) {
    await assert.rejects(w.runJob(id, { signal }), { code: 'invalid_argument', message: /^signal must be/ });
    assert.throws(() => w.events(id, { signal }), { code: 'invalid_argument', message: /^signal must be/ });
  }
  for (const types of /** @type {any[]} */ (['job_started', 5, [5]])) {
    assert.throws(() => w.events(id, { types }), { code: 'invalid_argument', message: /^types must be/ });
  }
  assert.deepStrictEqual(w.calls, []);
});

test('a run waits through a retry', LIMIT, async () => {
  let n = 0;
  const flaky = () => {
    if (++n === 1) throw new Error('again');
    return 'ok';
  };
  const w = setup({ agentRegistry: { flaky } });
  const id = await started(w, [{ id: 'one', agent: 'flaky', retry: { maxAttempts: 2, backoffMs: 1000 } }]);
  const run = w.runJob(id);
  await w.clock.advance(999);
  assert.equal(n, 1);
  await w.clock.advance(1);
  assert.equal((await within(run, 'runJob')).status, 'completed');
});

test('many jobs run side by side', LIMIT, async () => {
  const w = world();
  const ids = await Promise.all(Array.from({ length: 50 }, () => started(w, THREE)));
  const outcomes = await Promise.all(ids.map((id) => w.runJob(id, { input: id })));
  assert.ok(outcomes.every((outcome) => outcome.status === 'completed'));
  assert.deepStrictEqual(
    outcomes.map((outcome) => outcome.job.id),
    ids,
  );
  assert.equal(w.calls.length, 150);
});

test('a plan without steps completes at once', LIMIT, async () => {
  const w = world();
  let id;
  try {
    id = await started(w, []);
  } catch (error) {
    assert.equal(/** @type {any} */ (error).code, 'invalid_plan');
    return;
  }
  if (w.store.jobs.get(id).status === 'running') await w.runJob(id);
  assert.equal(w.store.jobs.get(id).status, 'completed');
});

// ---------------------------------------------------------------- routers

test('a job without a plan goes where its router says, until null', LIMIT, async () => {
  const answers = ['reader', { agent: 'reader', input: 'own input', cost: 2 }, null];
  /** @type {any[]} */
  const asked = [];
  const w = world({
    router(/** @type {any} */ job, /** @type {any} */ input) {
      asked.push([job.id, job.status, input]);
      return answers.shift();
    },
  });
  const id = await started(w);
  const first = await w.nextStep(id, 'given');
  assert.equal(first.status, 'running');
  assert.equal(first.step.agent, 'reader');
  const second = await w.nextStep(id, 'given');
  assert.notEqual(second.step.id, first.step.id);
  assert.deepStrictEqual(await w.nextStep(id, 'given'), { success: true, status: 'completed', step: null });
  assert.deepStrictEqual(asked, Array(3).fill([id, 'running', 'given']));
  assert.deepStrictEqual(
    w.calls.map((/** @type {any[]} */ [, input]) => input),
    ['given', 'own input'],
  );
  assert.equal(w.store.jobs.get(id).run.stepsTaken, 2);
  const types = w.store.jobs.get(id).history.map((/** @type {any} */ event) => event.type);
  assert.ok(types.indexOf('job_created') < types.indexOf('step_started'), 'it begins with its first step');
  assert.ok(types.includes('job_created'));
});

test('an asynchronous router under runJob', LIMIT, async () => {
  let n = 0;
  const w = world({ router: async () => (n++ < 3 ? 'reader' : null) });
  const id = await started(w);
  assert.equal((await within(w.runJob(id, { input: 1 }), 'runJob')).status, 'completed');
  assert.equal(w.calls.length, 3);
});

test("a router's tools must be allowed, its agent known", LIMIT, async () => {
  for (const [answer, code] of [
    [{ agent: 'reader', tools: ['x'] }, 'tools_denied'],
    ['nobody', 'unknown_agent'],
  ]) {
    const w = world({ router: () => answer });
    const id = await started(w, undefined, { permissions: { ...FREE, allowTools: false } });
    assertRefused(await w.nextStep(id), /** @type {string} */ (code));
    assert.equal(w.store.jobs.get(id).status, 'failed');
  }
});

test("a router's answer is recorded: after an approval it is not asked again", LIMIT, async () => {
  let asked = 0;
  const w = world({ router: () => (asked++ < 1 ? 'reader' : null) });
  const id = await started(w, undefined, { permissions: { ...FREE, requireApproval: true } });
  assertRefused(await w.nextStep(id, 'given'), 'approval_required');
  await w.approveStep(id);
  assert.equal((await w.nextStep(id, 'given')).step.agent, 'reader');
  assert.equal(asked, 1);
});

test('the step limit comes before the router', LIMIT, async () => {
  let asked = 0;
  const w = world({
    router: () => {
      asked++;
      return 'reader';
    },
  });
  const id = await started(w, undefined, { permissions: { ...FREE, maxSteps: 1 } });
  await w.nextStep(id);
  assertRefused(await w.nextStep(id), 'step_limit', 'Step limit reached');
  assert.equal(asked, 1);
});

test(
  'a router that throws: its error reaches the caller or fails the step, and the job can go on or has ended',
  LIMIT,
  async () => {
    const error = new Error('lost');
    const w = world({ router: () => Promise.reject(error) });
    const id = await started(w);
    const outcome = await w
      .nextStep(id)
      .catch((/** @type {any} */ thrown) => ({ success: false, error: thrown.message }));
    assert.equal(outcome.success, false);
    assert.match(outcome.error, /lost/);
  },
);

test('a router that sees a plan is not asked', LIMIT, async () => {
  const w = world({ router: () => assert.fail('was asked') });
  const id = await started(w, THREE);
  assert.equal((await w.runJob(id)).status, 'completed');
});
