// @ts-check
/** Timers, signals and breakpoints. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOrchestrator } from '../differential/subject.mjs';
import { createClock, settle } from './support/clock.mjs';
import { assertRefused, createStore, FREE, LIMIT, setup, started, within } from './support/setup.mjs';

const echo = (/** @type {any} */ input) => ({ input });
const DAY = 86_400_000;

/** @param {any[]} steps @param {any} [deps] */
async function running(steps, deps = {}) {
  const w = setup({ agentRegistry: { echo }, ...deps });
  const id = await started(w, steps);
  return { ...w, id, job: () => w.store.jobs.get(id) };
}

/** Has the promise settled by now? @param {Promise<any>} promise */
async function settled(promise) {
  await settle();
  return Promise.race([promise.then(() => true), Promise.resolve(false)]);
}

test('a run waits for a timer, and goes on when it is due', LIMIT, async () => {
  const w = await running([
    { id: 'rest', wait: { ms: 3 * DAY } },
    { id: 'next', agent: 'echo' },
  ]);
  const run = w.runJob(w.id);
  await w.clock.advance(3 * DAY - 1);
  assert.equal(await settled(run), false);
  assert.deepStrictEqual([w.job().run.steps.rest.status, w.job().status], ['waiting', 'running']);
  await w.clock.advance(1);
  const { status, job } = await within(run, 'runJob');
  assert.deepStrictEqual([status, job.context], ['completed', { rest: null, next: { input: null } }]);
  assert.equal(job.run.stepsTaken, 1, 'a wait does not count');
});

test('a timer survives a restart: what is stored is the moment it is due', LIMIT, async () => {
  const [store, clock] = [createStore(), createClock()];
  const first = await running([{ id: 'rest', wait: { ms: 1000 } }], { store, clock });
  first.runJob(first.id);
  await clock.advance(400);
  const second = createOrchestrator({ store, clock, agentRegistry: { echo } });
  const run = second.runJob(first.id);
  await clock.advance(599);
  assert.equal(await settled(run), false);
  await clock.advance(1);
  assert.equal((await within(run, 'runJob')).status, 'completed');
});

test('a timer that passed while the job was paused fires when it is started', LIMIT, async () => {
  const w = await running([{ id: 'rest', wait: { ms: 1000 } }]);
  const run = w.runJob(w.id);
  await settle();
  await w.pauseJob(w.id);
  assertRefused(await within(run, 'runJob'), 'not_running', 'Job paused');
  await w.clock.advance(5000);
  assert.equal(w.job().run.steps.rest.status, 'waiting');
  await w.startJob(w.id);
  assert.equal((await within(w.runJob(w.id), 'runJob')).status, 'completed');
});

test('a step that waits for a signal gives its name and payload', LIMIT, async () => {
  const w = await running([
    { id: 'answer', wait: { signal: ['yes', 'no'] } },
    { id: 'next', agent: 'echo' },
  ]);
  const run = w.runJob(w.id);
  assert.equal(await settled(run), false);
  assert.deepStrictEqual(await w.signal(w.id, 'other', 1), { success: true });
  assert.equal(await settled(run), false);
  assert.deepStrictEqual(await w.signal(w.id, 'no', { because: 'late' }), { success: true });
  const { job } = await within(run, 'runJob');
  assert.deepStrictEqual(job.context.answer, { signal: 'no', payload: { because: 'late' } });
  assert.deepStrictEqual(job.context.next, { input: job.context.answer });
  assert.deepStrictEqual(
    job.run.signals.map((/** @type {any} */ { name }) => name),
    ['other'],
  );
  assert.deepStrictEqual(w.bus.of('signal_received'), [
    { jobId: w.id, name: 'other' },
    { jobId: w.id, name: 'no' },
  ]);
});

test('a signal sent early is kept, also while the job is paused, and consumed once', LIMIT, async () => {
  const w = setup({ agentRegistry: { echo } });
  const id = await w.createJob({}, FREE, {
    plan: {
      steps: [
        { id: 'one', wait: { signal: 'go' } },
        { id: 'two', wait: { signal: 'go', timeoutMs: 100 }, onError: 'continue' },
      ],
    },
  });
  assert.equal((await w.signal(id, 'go', 1)).success, true);
  await w.startJob(id);
  await w.pauseJob(id);
  await w.startJob(id);
  const run = w.runJob(id);
  await w.clock.advance(100);
  const { job } = await within(run, 'runJob');
  assert.deepStrictEqual(job.context, { one: { signal: 'go', payload: 1 }, two: null });
});

test('of two steps that wait for one signal, the first in plan order takes it', LIMIT, async () => {
  const w = await running([
    { id: 'a', wait: { signal: 'go' }, after: [] },
    { id: 'b', wait: { signal: 'go' }, after: [] },
  ]);
  const run = w.runJob(w.id);
  await settle();
  await w.signal(w.id, 'go', 1);
  await settle();
  assert.deepStrictEqual([w.job().run.steps.a.status, w.job().run.steps.b.status], ['done', 'waiting']);
  await w.signal(w.id, 'go', 2);
  assert.deepStrictEqual((await within(run, 'runJob')).job.context.b, { signal: 'go', payload: 2 });
});

test('a wait that takes too long fails its step', LIMIT, async () => {
  const w = await running([{ id: 'answer', wait: { signal: 'yes', timeoutMs: 50 } }]);
  const run = w.runJob(w.id);
  await w.clock.advance(50);
  assertRefused(await within(run, 'runJob'), 'timeout', 'Step "answer" timed out after 50 ms');
  assert.equal(w.job().run.steps.answer.error.code, 'timeout');
});

test('nextStep reports a wait as the step that ended', LIMIT, async () => {
  const w = await running([
    { id: 'rest', wait: { ms: 10 } },
    { id: 'next', agent: 'echo' },
  ]);
  const next = w.nextStep(w.id);
  await w.clock.advance(10);
  const { status, step } = await within(next, 'nextStep');
  assert.deepStrictEqual(
    [status, step.id, step.status, step.output, 'agent' in step],
    ['running', 'rest', 'done', null, false],
  );
});

test(
  'a signal needs a name, a job that is there and has not ended, and a payload that is JSON',
  LIMIT,
  async () => {
    const w = await running([{ id: 'a', wait: { ms: 1 } }]);
    for (const name of ['', 5, undefined, null]) {
      await assert.rejects(w.signal(w.id, name), {
        code: 'invalid_argument',
        message: /name must be a string/,
      });
    }
    await assert.rejects(
      w.signal(w.id, 'go', () => 1),
      { message: /payload/ },
    );
    assertRefused(await w.signal('nobody', 'go'), 'not_found', 'Job not found');
    await w.cancelJob(w.id);
    assertRefused(await w.signal(w.id, 'go'), 'invalid_transition', 'Invalid state transition');
  },
);

test('no more signals are kept than can be consumed', LIMIT, async () => {
  const w = await running([{ id: 'a', wait: { ms: 1 } }]);
  for (let n = 0; n < 1000; n++) assert.equal((await w.signal(w.id, 'go', n)).success, true);
  assertRefused(await w.signal(w.id, 'go'), 'invalid_transition', /1000 signals are waiting/);
});

test('a cancelled job waits no longer', LIMIT, async () => {
  const w = await running([{ id: 'answer', wait: { signal: 'yes' } }]);
  const run = w.runJob(w.id);
  await settle();
  await w.cancelJob(w.id);
  assertRefused(await within(run, 'runJob'), 'cancelled');
  assert.deepStrictEqual(w.job().run.steps.answer.error.code, 'cancelled');
});

test('a job pauses before the steps that setBreakpoints names', LIMIT, async () => {
  const steps = ['a', 'b', 'c'].map((id) => ({ id, agent: 'echo' }));
  const w = await running(steps);
  assert.deepStrictEqual(await w.setBreakpoints(w.id, ['b', 'c']), { success: true });
  assertRefused(await w.runJob(w.id), 'not_running', 'Paused at the breakpoint before step "b"');
  assert.deepStrictEqual(w.job().run.breakpoints, ['b', 'c']);
  assert.deepStrictEqual(await w.setBreakpoints(w.id, []), { success: true });
  await w.startJob(w.id);
  assert.equal((await w.runJob(w.id)).status, 'completed');
  assert.deepStrictEqual(w.bus.of('breakpoints_changed'), [
    { jobId: w.id, steps: ['b', 'c'] },
    { jobId: w.id, steps: [] },
  ]);
});

test('breakpoints are steps of the job', LIMIT, async () => {
  const w = await running([{ id: 'a', agent: 'echo' }]);
  assertRefused(await w.setBreakpoints(w.id, ['a', 'z']), 'unknown_step', 'Unknown step "z"');
  assert.equal(w.job().run.breakpoints, undefined);
  for (const bad of [undefined, 'a', [5]]) {
    await assert.rejects(w.setBreakpoints(w.id, bad), {
      code: 'invalid_argument',
      message: /list of step ids|must be a step's id/,
    });
  }
});

test('nextStep does not wait for a signal where its own step waits for a person', LIMIT, async () => {
  const tools = { send: { needsApproval: true, execute: () => 'sent' } };
  const send = (/** @type {any} */ _, /** @type {any} */ { callTool }) => callTool('send');
  const steps = [
    { id: 'answer', wait: { signal: 'yes' }, after: [] },
    { id: 'mail', agent: 'send', after: [], tools: ['send'] },
  ];
  const w = await running(steps, { tools, agentRegistry: { send } });
  const run = w.runJob(w.id);
  assert.equal(await settled(run), false);
  await w.pauseJob(w.id);
  assertRefused(await within(run, 'runJob'), 'not_running', 'Job paused');
  await w.startJob(w.id);
  assertRefused(await within(w.nextStep(w.id), 'nextStep'), 'approval_required', 'Approval required');
});

test('a run says that a person has to approve a wait, before it waits for a signal', LIMIT, async () => {
  const w = await running([{ id: 'payment', wait: { signal: 'paid' }, approval: true }]);
  assertRefused(await within(w.runJob(w.id), 'runJob'), 'approval_required', 'Approval required');
  assert.equal(w.job().status, 'paused');
  await w.approveStep(w.id);
  const run = w.runJob(w.id);
  assert.equal(await settled(run), false, 'now it waits');
  await w.signal(w.id, 'paid', 5);
  const { job } = await within(run, 'runJob');
  assert.deepStrictEqual(job.context.payment, { signal: 'paid', payload: 5 });
});
