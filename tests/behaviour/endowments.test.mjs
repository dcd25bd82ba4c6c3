// @ts-check
/** Budgets that jobs are made with: given to those that are stored, and to no others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobwright } from '../differential/subject.mjs';
import { another } from './support/leases.mjs';
import { assertRefused, FREE, LIMIT, latch, setup, started, within } from './support/setup.mjs';
import { createMortalStore } from './support/trees.mjs';

const { createBudgetManager } = jobwright;

/** A parent that has a hundred units. @param {any} [deps] */
async function family(deps) {
  const budgetManager = createBudgetManager();
  const w = setup({ budgetManager, agentRegistry: { worker: () => 'done' }, ...deps });
  const parentId = await w.createJob({}, FREE, { id: 'parent', budget: 100 });
  return { ...w, parentId, budgetManager, left: () => budgetManager.getBudget(parentId) };
}

test('a job that exists keeps its budget when another is to be made under its id', LIMIT, async () => {
  const { createJob, left } = await family();
  await assert.rejects(createJob({}, FREE, { id: 'parent', budget: 5 }), { code: 'conflict' });
  assert.equal((await left()).limit, 100);
});

test('a child that is refused takes nothing from its parent', LIMIT, async () => {
  const { createJob, failJob, parentId, left } = await family();
  await createJob({}, FREE, { id: 'child', parentId, budget: 10 });
  await assert.rejects(createJob({}, FREE, { id: 'child', parentId, budget: 20 }), { code: 'conflict' });
  await failJob(parentId);
  await assert.rejects(createJob({}, FREE, { parentId, budget: 30 }), { code: 'invalid_argument' });
  assert.equal((await left()).reserved, 10);
});

test('a child that could not be stored gives back what it was given', LIMIT, async () => {
  const w = await family();
  const error = new Error('disk full');
  w.store.saveJob = async () => Promise.reject(error);
  await assert.rejects(
    w.createJob({}, FREE, { parentId: w.parentId, budget: 30 }),
    (thrown) => thrown === error,
  );
  assert.equal((await w.left()).reserved, 0);
});

test('a child that its parent cannot pay for is refused and not stored', LIMIT, async () => {
  const w = await family();
  const child = w.createJob({}, FREE, { id: 'child', parentId: w.parentId, budget: 101 });
  await assert.rejects(child, { code: 'budget_exceeded', message: /Budget exceeded/ });
  assert.equal(await w.getJob('child'), null);
});

test('a child without a budget of its own spends its nearest ancestor\u2019s', LIMIT, async () => {
  const w = await family();
  const childId = await w.createJob({}, FREE, { parentId: w.parentId });
  const plan = { steps: [{ id: 'one', agent: 'worker', cost: 7 }] };
  const grandchildId = await w.createJob({}, FREE, { parentId: childId, plan });
  assert.deepStrictEqual(await w.startJob(grandchildId), { success: true });
  assert.equal((await w.runJob(grandchildId)).success, true);
  assert.equal((await w.left()).spent, 7);
});

test('a job whose budget is being set when the orchestrator closes is made or refused', LIMIT, async () => {
  let given = /** @type {(answer: any) => void} */ (() => {});
  const setBudget = () => new Promise((resolve) => (given = resolve));
  const w = setup({ budgetManager: { canSpend: () => ({ success: true }), setBudget } });
  const creating = w.createJob({}, FREE, { id: 'mine', budget: 1 });
  await new Promise(setImmediate);
  const closing = w.close();
  given({ success: true });
  assert.equal(await within(creating, 'createJob'), 'mine');
  await within(closing, 'close');
});

/** A step that is a job with a budget of its own. */
const CHILD = [
  {
    id: 'c',
    job: {
      plan: {
        steps: [
          { id: 'one', agent: 'work', cost: 2 },
          { id: 'two', agent: 'work', cost: 2 },
        ],
      },
      budget: 4,
    },
  },
];

/**
 * Two run one job, the second when the lease of the first has ended: at that moment the first is at something that takes
 * long. Both have the same books.
 *
 * @param {(late: { store: any, budgetManager: any, slow: (work: () => any) => Promise<any> }) => any} slowed what the first has
 */
async function takenOver(slowed) {
  const store = createMortalStore();
  const budgetManager = createBudgetManager();
  const [reached, goOn] = [latch(), latch()];
  const slow = async (/** @type {() => any} */ work) => {
    reached.open();
    await goOn.promise;
    return work();
  };
  const { store: itsStore, ...deps } = slowed({ store, budgetManager, slow });
  // It hears soon that its lease is lost.
  const clock = { now: Date.now, sleep: (/** @type {number} */ ms) => sleep(ms) };
  const late = another(itsStore, { budgetManager, leaseMs: 60, clock, ...deps });
  const id = await started(late, CHILD, { budget: 10 });
  const lateRun = late.runJob(id);
  await reached.promise;
  store.endLeases();
  const [called, answer] = [latch(), latch()];
  const work = async () => {
    called.open();
    await answer.promise;
    return { success: true, data: 'done', cost: 1 };
  };
  const next = another(store, { budgetManager, agentRegistry: { work } });
  assert.deepStrictEqual(await next.recover(), { resumed: [id] });
  const nextRun = next.runJob(id);
  await called.promise;
  return {
    goOn: async () => {
      goOn.open();
      assertRefused(await within(lateRun, 'runJob'), 'conflict');
    },
    answer: async () => {
      answer.open();
      assert.equal((await nextRun).status, 'completed');
    },
    budget: () => budgetManager.getBudget(id),
  };
}

test('who comes too late to store a child takes nothing from the one that another made', LIMIT, async () => {
  const { goOn, answer, budget } = await takenOver(({ store, slow }) => ({
    store: {
      ...store,
      commit: (/** @type {any} */ change) =>
        change.jobId.endsWith(':c') && change.expectedRevision === 0
          ? slow(() => store.commit(change))
          : store.commit(change),
    },
  }));
  await goOn();
  await answer();
  const { spent, reserved } = await budget();
  assert.deepStrictEqual({ spent, reserved }, { spent: 2, reserved: 0 });
});

test('what is allocated to a child that has ended meanwhile is taken back', LIMIT, async () => {
  const { goOn, answer, budget } = await takenOver(({ store, budgetManager, slow }) => ({
    store,
    budgetManager: {
      ...budgetManager,
      allocate: (/** @type {[string, string, number]} */ ...args) =>
        args[1].endsWith(':c')
          ? slow(() => budgetManager.allocate(...args))
          : budgetManager.allocate(...args),
    },
  }));
  await answer();
  await goOn();
  const { spent, reserved } = await budget();
  assert.deepStrictEqual({ spent, reserved }, { spent: 2, reserved: 0 });
});
