// @ts-check
/** Budgets that jobs are made with: given to those that are stored, and to no others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { FREE, LIMIT, setup, within } from './support/setup.mjs';

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
