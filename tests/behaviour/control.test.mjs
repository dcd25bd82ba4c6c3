// @ts-check
/** Everything at once: paused, started again, stopped; by one orchestrator and by several on one store. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSqliteStore } from '../../pkg-template/sqlite/index.js';
import { jobwright } from '../differential/subject.mjs';
import {
  assertRefused,
  created,
  createStore,
  LIMIT,
  latch,
  setup,
  started,
  within,
} from './support/setup.mjs';

const { createBudgetManager, createMemoryStore } = jobwright;

const steps = [
  { id: 'one', agent: 'work' },
  { id: 'two', agent: 'work' },
];
const agentRegistry = { work: () => 1 };

/** @param {any} w @param {string} id */
const stateOf = async (w, id) => {
  const { status, run } = await w.getJob(id);
  return [status, run?.pause?.reason];
};

for (const [kind, createStoreOfKind] of Object.entries({ plain: createStore, bundled: createMemoryStore })) {
  test(`${kind} store: startAll starts what pauseAll paused, and nothing else`, LIMIT, async () => {
    const w = setup({ store: createStoreOfKind(), agentRegistry });
    const [running, plain, paused, fresh] = [
      await started(w, steps),
      await started(w),
      await started(w, steps),
      await created(w, steps),
    ];
    await w.pauseJob(paused);
    assert.deepStrictEqual(await w.pauseAll(), { paused: [running, plain], pending: [] });
    assert.deepStrictEqual(await w.pauseAll(), { paused: [], pending: [] });
    assert.deepStrictEqual(await stateOf(w, running), ['paused', 'global']);
    assert.deepStrictEqual(await stateOf(w, plain), ['paused', 'global']);
    assert.deepStrictEqual(await stateOf(w, paused), ['paused', 'user']);
    const last = (await w.getJob(running)).history.at(-1);
    assert.deepStrictEqual([last.type, last.payload.reason], ['job_paused', 'global']);

    for (const id of [running, paused, fresh]) {
      const before = await w.getJob(id);
      assertRefused(await w.startJob(id), 'globally_paused', /startAll/);
      assert.deepStrictEqual(await w.getJob(id), before);
    }
    assertRefused(await w.runJob(running), 'globally_paused');

    assert.deepStrictEqual(await w.startAll(), { started: [running, plain], refused: {} });
    assert.deepStrictEqual(await stateOf(w, running), ['running', undefined]);
    assert.deepStrictEqual(await stateOf(w, paused), ['paused', 'user']);
    assert.deepStrictEqual(await stateOf(w, fresh), ['created', undefined]);
    assert.equal((await w.runJob(running)).status, 'completed');
    assert.equal((await w.replayJob(running)).ok, true);
    assert.deepStrictEqual(await w.startJob(fresh), { success: true });
  });

  test(`${kind} store: a step at work finishes, is committed, and is said to be pending`, LIMIT, async () => {
    const { promise, open } = latch();
    const calls = /** @type {string[]} */ ([]);
    const work = (/** @type {any} */ _, /** @type {any} */ { step }) => {
      calls.push(step);
      return promise;
    };
    const w = setup({ store: createStoreOfKind(), agentRegistry: { work } });
    const [id, idle] = [await started(w, steps), await started(w, steps)];
    const run = w.runJob(id);
    while (calls.length === 0) await Promise.resolve();
    assert.deepStrictEqual(await w.pauseAll(), { paused: [idle], pending: [id] });
    open('done');
    assertRefused(await within(run, 'the run'), 'globally_paused');
    const { run: state } = await w.getJob(id);
    assert.deepStrictEqual([state.steps.one.status, state.steps.two?.status], ['done', undefined]);
    assert.deepStrictEqual(calls, ['one']);
    await w.startAll();
    assert.equal((await w.runJob(id)).status, 'completed');
    assert.equal((await w.replayJob(id)).ok, true);
  });

  test(`${kind} store: who is approved meanwhile is one of those that startAll starts`, LIMIT, async () => {
    const w = setup({ store: createStoreOfKind(), agentRegistry });
    const id = await started(w, [{ id: 'ask', approve: {} }, ...steps]);
    await w.runJob(id);
    assert.deepStrictEqual(await w.pauseAll(), { paused: [], pending: [] });
    assert.deepStrictEqual(await w.approveStep(id, { by: 'ann' }), { success: true });
    assert.deepStrictEqual(await stateOf(w, id), ['paused', 'global']);
    assert.deepStrictEqual((await w.startAll()).started, [id]);
    assert.equal((await w.runJob(id)).status, 'completed');
    assert.equal((await w.replayJob(id)).ok, true);
  });

  test(`${kind} store: stopAll cancels all that has not ended, for good`, LIMIT, async () => {
    const aborted = latch();
    const work = (/** @type {any} */ _, /** @type {any} */ { signal }) => {
      signal.addEventListener('abort', () => aborted.open());
      return new Promise(() => {});
    };
    const w = setup({ store: createStoreOfKind(), agentRegistry: { work, quick: () => 1 } });
    const ended = await started(w, [{ id: 'a', agent: 'quick' }]);
    await w.runJob(ended);
    const [fresh, running] = [await created(w, steps), await started(w, steps)];
    const paused = await started(w, steps);
    await w.pauseJob(paused);
    const run = w.runJob(running);
    const child = await created(w, steps, { parentId: running });
    assert.deepStrictEqual(
      (await w.stopAll('enough')).stopped.sort(),
      [fresh, running, paused, child].sort(),
    );
    await within(aborted.promise, 'the abort');
    assertRefused(await within(run, 'the run'), 'cancelled', 'enough');
    for (const id of [fresh, running, paused, child]) {
      const job = await w.getJob(id);
      assert.deepStrictEqual([job.status, job.run.failure.code], ['failed', 'cancelled']);
      assertRefused(await w.startJob(id), 'invalid_transition');
    }
    assert.equal((await w.getJob(ended)).status, 'completed');
    assert.deepStrictEqual(await w.stopAll(), { stopped: [] });
  });
}

test('a budget that refuses one job does not keep the others paused', LIMIT, async () => {
  const budgetManager = createBudgetManager();
  const w = setup({ agentRegistry, budgetManager, store: createMemoryStore() });
  const [poor, rich] = [await started(w, steps, { budget: 5 }), await started(w, steps, { budget: 5 })];
  await w.pauseAll();
  await budgetManager.recordSpend(poor, 6);
  assert.deepStrictEqual(await w.startAll(), { started: [rich], refused: { [poor]: 'Budget exceeded' } });
  assert.deepStrictEqual(await stateOf(w, poor), ['paused', 'global']);
});

for (const [kind, openTwice] of Object.entries({
  memory: async () => {
    const store = createMemoryStore();
    return { stores: [store, store], end: () => undefined };
  },
  sqlite: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jobwright-control-'));
    const path = join(folder, 'jobs.db');
    const stores = [await createSqliteStore({ path }), await createSqliteStore({ path })];
    const end = async () => {
      for (const store of stores) await store.close();
      rmSync(folder, { recursive: true });
    };
    return { stores, end };
  },
}))
  test(`two orchestrators on one ${kind} store: it reaches both, and who starts late`, LIMIT, async (t) => {
    const { stores, end } = await openTwice();
    t.after(end);
    const gates = [latch(), latch()];
    let calls = 0;
    const work = () => gates[calls++]?.promise ?? 1;
    const [here, there] = [setup({ store: stores[0] }), setup({ store: stores[1], agentRegistry: { work } })];
    const id = await started(there, [...steps, { id: 'three', agent: 'work' }]);
    const late = await created(there, steps);
    const run = there.runJob(id);
    while (calls === 0) await new Promise((resolve) => setImmediate(resolve));
    // Nobody tells the jobs: only the switch in the store is set.
    await stores[0].setControl({ paused: true });
    gates[0]?.open();
    assertRefused(await within(run, 'the run'), 'globally_paused');
    assert.equal(calls, 1);
    assertRefused(await there.startJob(late), 'globally_paused');
    assert.deepStrictEqual((await here.startAll()).started, [id]);
    gates[1]?.open();
    assert.equal((await there.runJob(id)).status, 'completed');
    assert.deepStrictEqual(await there.startJob(late), { success: true });
  });

test('a step job under a parent goes on with it', LIMIT, async () => {
  const { promise, open } = latch();
  const w = setup({ store: createMemoryStore(), agentRegistry: { work: () => promise } });
  const id = await started(w, [{ id: 'inner', job: { plan: { steps } } }]);
  const run = w.runJob(id);
  const child = `${id}:inner`;
  while ((await w.getJob(child))?.run?.steps?.one?.status !== 'running') await Promise.resolve();
  const { paused, pending } = await w.pauseAll();
  assert.deepStrictEqual([...paused, ...pending].sort(), [id, child].sort());
  open(1);
  await within(run, 'the run');
  assert.equal((await w.getJob(child)).status, 'paused');
  await w.startAll();
  const again = await within(w.runJob(id), 'the second run');
  assert.equal(again.status, 'completed');
});

test('a store whose switch fails fails the operation, and no job changes', LIMIT, async () => {
  const failure = new Error('no disk');
  const store = createMemoryStore();
  let fails = false;
  const broken = {
    ...store,
    getControl: () => (fails ? Promise.reject(failure) : store.getControl()),
    setControl: (/** @type {any} */ control) => (fails ? Promise.reject(failure) : store.setControl(control)),
  };
  const w = setup({ store: broken, agentRegistry });
  const [id, fresh] = [await started(w, steps), await created(w, steps)];
  fails = true;
  await assert.rejects(w.pauseAll(), failure);
  await assert.rejects(w.startAll(), failure);
  await assert.rejects(w.startJob(fresh), failure);
  await assert.rejects(w.runJob(id), failure);
  fails = false;
  assert.deepStrictEqual(await stateOf(w, id), ['running', undefined]);
  assert.equal((await w.runJob(id)).status, 'completed');
});

test('after close they reject, as all operations on no job do', LIMIT, async () => {
  const w = setup();
  await w.close();
  for (const operation of [w.pauseAll, w.startAll, w.stopAll]) {
    await assert.rejects(operation(), { name: 'JobwrightError', code: 'closed' });
  }
  await assert.rejects(setup().stopAll(/** @type {any} */ (7)), {
    code: 'invalid_argument',
    message: /reason/,
  });
});
