// @ts-check
/** close and recover: what a process leaves behind, and what the next one makes of it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { jobwright } from '../differential/subject.mjs';
import { modulesDir } from '../package/installed.mjs';
import { settle } from './support/clock.mjs';
import {
  assertRefused,
  created,
  createStore,
  FREE,
  LIMIT,
  latch,
  setup,
  started,
  within,
} from './support/setup.mjs';

const PLAN = ['one', 'two'].map((id) => ({ id, agent: 'reader' }));

test('after close every operation is refused: closed', LIMIT, async () => {
  const w = setup({ agentRegistry: { reader: () => 1 } });
  const id = await started(w, PLAN);
  const saves = w.store.saved.length;
  await within(w.close(), 'close');
  const calls = [
    w.startJob(id),
    w.pauseJob(id),
    w.nextStep(id),
    w.completeJob(id),
    w.failJob(id),
    w.cancelJob(id),
    w.runJob(id),
    w.approveStep(id),
    w.rejectStep(id),
    w.setPermissions(id, {}),
  ];
  for (const outcome of await within(Promise.all(calls), 'the operations'))
    assertRefused(outcome, 'closed', /closed/i);
  await assert.rejects(
    w.createJob(),
    (/** @type {any} */ error) => error instanceof jobwright.JobwrightError && error.code === 'closed',
  );
  assert.equal(w.store.saved.length, saves);
});

test('close twice, and by `await using`', LIMIT, async () => {
  const w = setup();
  await Promise.all([w.close(), w.close()]);
  await w.close();
  const other = setup();
  const dispose = /** @type {any} */ (Symbol).asyncDispose ?? Symbol.for('Symbol.asyncDispose');
  await /** @type {any} */ (other.orchestrator)[dispose]?.();
});

test('whoever closes second waits as long as the first', LIMIT, async () => {
  const { promise, open } = latch();
  const store = createStore();
  const { saveJob } = store;
  store.saveJob = async (/** @type {any} */ job) => promise.then(() => saveJob(job));
  const w = setup({ store });
  const creating = w.createJob();
  /** @type {string[]} */
  const closed = [];
  const closing = [w.close().then(() => closed.push('first')), w.close().then(() => closed.push('second'))];
  await settle();
  assert.deepStrictEqual(closed, []);
  open();
  await within(Promise.all(closing), 'close');
  assert.equal(typeof (await creating), 'string');
});

test('an orchestrator that broke down can be closed', LIMIT, async () => {
  const engineOf = (/** @type {string} */ file) => import(pathToFileURL(join(modulesDir, file)).href);
  const [{ Engine }, { operate }, { validatePlan }] = await Promise.all([
    engineOf('engine/engine.js'),
    engineOf('engine/executor.js'),
    engineOf('index.js'),
  ]);
  // The first call loads the module.
  validatePlan({});
  const engine = new Engine({});
  const trap = () => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  await assert.rejects(
    operate(engine, null, () => undefined, trap),
    { code: 'internal' },
  );
  await within(engine.close(), 'close');
});

test(
  'close fires the signals of agents at work and lets the callers go; closing cancels nothing',
  LIMIT,
  async () => {
    /** @type {any} */
    let signal;
    const w = setup({
      agentRegistry: {
        reader: (/** @type {any} */ _, /** @type {any} */ c) => {
          signal = c.signal;
          return new Promise(() => {});
        },
      },
    });
    const id = await started(w, PLAN);
    const step = w.nextStep(id);
    await settle();
    await within(w.close(), 'close');
    assert.equal(signal.aborted, true);
    const outcome = await within(step, 'nextStep');
    assertRefused(outcome, 'closed');
    const job = w.store.jobs.get(id);
    assert.equal(job.status, 'running');
    assert.equal(job.run.steps.one.status, 'running');
  },
);

test('close lets a run go, and a retry that waits', LIMIT, async () => {
  const w = setup({ agentRegistry: { reader: () => Promise.reject(new Error('again')) } });
  const id = await started(w, [{ id: 'one', agent: 'reader', retry: { maxAttempts: 5, backoffMs: 60_000 } }]);
  const run = w.runJob(id);
  await settle();
  await within(w.close(), 'close');
  assertRefused(await within(run, 'runJob'), 'closed');
  assert.equal(w.clock.pending(), 0);
  assert.equal(w.store.jobs.get(id).status, 'running');
});

/**
 * A store that tells nobody anything, and whose commits that leave the step like this wait to be let.
 * @param {string} step @param {string} status
 */
function createHeld(step, status) {
  const { watch: _, ...store } = jobwright.createMemoryStore();
  const reached = latch();
  const gate = latch();
  return {
    ...store,
    reached: reached.promise,
    open: gate.open,
    /** @param {any} change */
    async commit(change) {
      const waits = change.steps?.[step]?.status === status;
      if (waits) reached.open();
      if (waits) await gate.promise;
      return store.commit(change);
    },
  };
}

test('a run that begins to wait for a signal ends when it is closed meanwhile', LIMIT, async () => {
  const store = createHeld('wait', 'waiting');
  const w = setup({ store });
  const run = w.runJob(await started(w, [{ id: 'wait', wait: { signal: 'go' } }]));
  await store.reached;
  const closed = w.close();
  store.open();
  assertRefused(await within(run, 'the run'), 'closed');
  await within(closed, 'close');
});

test('a run that is asked to stop while it stores that it waits for a signal is paused', LIMIT, async () => {
  const store = createHeld('wait', 'waiting');
  const w = setup({ store });
  const controller = new AbortController();
  const id = await started(w, [{ id: 'wait', wait: { signal: 'go' } }]);
  const run = w.runJob(id, { signal: controller.signal });
  await store.reached;
  controller.abort();
  store.open();
  assertRefused(await within(run, 'the run'), 'not_running', /paused/);
  assert.equal((await w.getJob(id)).status, 'paused');
});

test('an agent whose step begins while the orchestrator is closed is not called', LIMIT, async () => {
  const store = createHeld('one', 'running');
  let calls = 0;
  const reader = () => {
    calls += 1;
    return new Promise(() => {});
  };
  const w = setup({ store, agentRegistry: { reader } });
  const id = await started(w, PLAN);
  const run = w.runJob(id);
  await store.reached;
  const closed = w.close();
  store.open();
  assertRefused(await within(run, 'the run'), 'closed');
  await within(closed, 'close');
  assert.equal(calls, 0);
  const next = setup({ store, agentRegistry: { reader: () => 1 } });
  assert.deepEqual(await next.recover(), { resumed: [id] });
  assert.equal((await next.runJob(id)).success, true);
});

test('what an agent gives after close is not committed', LIMIT, async () => {
  /** @type {any} */
  let answer;
  const w = setup({ agentRegistry: { reader: () => new Promise((resolve) => (answer = resolve)) } });
  const id = await started(w, PLAN);
  const step = w.nextStep(id);
  await settle();
  await w.close();
  await step;
  answer('too late');
  await settle();
  assert.ok(!('one' in w.store.jobs.get(id).context));
});

/** A store with a job whose first step was interrupted by the end of its process. */
async function interrupted() {
  /** @type {any[]} */
  const calls = [];
  const agents = {
    reader: (/** @type {any} */ _, /** @type {any} */ c) => {
      calls.push([c.step, c.attempt, c.idempotencyKey]);
      return calls.length === 1 ? new Promise(() => {}) : 'read';
    },
  };
  const w = setup({ agentRegistry: agents });
  const id = await started(w, PLAN, { permissions: { ...FREE, maxSteps: 2 } });
  void w.nextStep(id);
  await settle();
  assert.equal(w.store.jobs.get(id).run.steps.one.status, 'running');
  const store = createStore();
  for (const job of w.store.jobs.values()) store.jobs.set(job.id, job);
  return { id, store, agents, calls };
}

test('a new process goes on with the step that was interrupted: same attempt, same key', LIMIT, async () => {
  const { id, store, agents, calls } = await interrupted();
  const w = setup({ store, agentRegistry: agents });
  await within(w.recover(), 'recover');
  const outcome = await within(w.runJob(id), 'runJob');
  assert.equal(outcome.status, 'completed');
  assert.deepStrictEqual(
    calls.map(([step, attempt]) => [step, attempt]),
    [
      ['one', 1],
      ['one', 1],
      ['two', 1],
    ],
  );
  assert.equal(calls[0][2], calls[1][2]);
  assert.equal(store.jobs.get(id).run.stepsTaken, 2);
});

test(
  'started again with the same input: it is for the step that was interrupted, and for no other',
  LIMIT,
  async () => {
    /** @type {any[]} */
    const inputs = [];
    const reader = (/** @type {any} */ input, /** @type {any} */ { step }) => {
      inputs.push([step, input]);
      return inputs.length === 1 ? new Promise(() => {}) : `${step} read`;
    };
    const first = setup({ agentRegistry: { reader } });
    const id = await started(first, PLAN);
    void first.runJob(id, { input: 'given' });
    await settle();
    const second = setup({ store: first.store, agentRegistry: { reader } });
    assert.equal((await within(second.runJob(id, { input: 'given' }), 'runJob')).status, 'completed');
    assert.deepStrictEqual(inputs, [
      ['one', 'given'],
      ['one', 'given'],
      ['two', 'one read'],
    ]);
  },
);

test('recover gives the ids of jobs that nobody runs any more, and runs none of them', LIMIT, async () => {
  const { id, store, agents, calls } = await interrupted();
  const listing = {
    ...store,
    listJobs: async () => [...store.jobs.values()].map(({ context, history, ...head }) => head),
  };
  const w = setup({ store: listing, agentRegistry: agents });
  const before = calls.length;
  assert.deepStrictEqual(await within(w.recover(), 'recover'), { resumed: [id] });
  await settle();
  assert.equal(calls.length, before);
  const job = store.jobs.get(id);
  assert.notEqual(job.run.steps.one.status, 'running');
  assert.equal(job.history.filter((/** @type {any} */ event) => event.type === 'step_recovered').length, 1);
});

test(
  'recover leaves jobs alone that this orchestrator is running, and those that do not run',
  LIMIT,
  async () => {
    const w = setup({ agentRegistry: { reader: () => new Promise(() => {}) } });
    const busy = await started(w, PLAN);
    const run = w.nextStep(busy);
    const paused = await started(w, PLAN);
    await w.pauseJob(paused);
    await created(w, PLAN);
    await settle();
    const { resumed } = await within(w.recover(), 'recover');
    assert.ok(!resumed.includes(busy));
    assert.ok(!resumed.includes(paused));
    await w.close();
    await run;
  },
);

test('a job whose run state is of another schema is refused, never guessed at', LIMIT, async () => {
  const { id, store, agents } = await interrupted();
  const job = store.jobs.get(id);
  store.jobs.set(id, { ...job, run: { ...job.run, schema: 2 } });
  const before = store.jobs.get(id);
  const w = setup({ store, agentRegistry: agents });
  for (const operation of /** @type {const} */ (['nextStep', 'pauseJob', 'runJob'])) {
    const outcome = await within(
      w[operation](id).catch((/** @type {any} */ error) => ({ success: false, error: error.message })),
      operation,
    );
    assert.equal(outcome.success, false);
    assert.match(outcome.error, /schema/);
  }
  assert.equal(store.jobs.get(id), before);
});
