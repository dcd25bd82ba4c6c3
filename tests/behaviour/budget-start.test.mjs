// @ts-check
/** Paused jobs whose budget is all held for what they have begun: they start again, and spend just that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { LIMIT, setup, started } from './support/setup.mjs';
import { rest } from './support/trees.mjs';

const { createBudgetManager, createMemoryStore } = jobwright;

const paid = { id: 'paid', agent: 'work', cost: 3 };
const lent = { id: 'lent', job: { plan: { steps: [paid] }, budget: 3 } };

for (const [what, step] of Object.entries({ 'held for its step': paid, 'lent to its child': lent })) {
  /** @type {(how: string, pause: (w: any, id: string) => any, start: (w: any, id: string) => any) => void} */
  const goesOn = (how, pause, start) =>
    test(`a job whose budget is ${what} goes on after ${how}`, LIMIT, async () => {
      /** @type {(answer: any) => void} */
      let answer = () => {};
      const work = () => new Promise((resolve) => (answer = resolve));
      const budgetManager = createBudgetManager();
      const w = setup({ store: createMemoryStore(), budgetManager, agentRegistry: { work } });
      const id = await started(w, [step], { budget: 3 });
      const run = w.runJob(id);
      await rest();
      await pause(w, id);
      assert.equal((await w.getJob(id)).status, 'paused');
      await start(w, id);
      assert.equal((await w.getJob(id)).status, 'running');
      answer({ success: true, data: 'done', cost: 3 });
      await run;
      // Whether the pause ended the run is not asked here.
      if ((await w.getJob(id)).status === 'running') await w.runJob(id);
      assert.equal((await w.getJob(id)).status, 'completed');
      const { limit, spent, reserved } = await budgetManager.getBudget(id);
      assert.deepEqual({ limit, spent, reserved }, { limit: 3, spent: 3, reserved: 0 });
    });

  goesOn(
    'a pause of it',
    (w, id) => w.pauseJob(id),
    async (w, id) => assert.equal((await w.startJob(id)).success, true),
  );
  goesOn(
    'a pause of all jobs',
    (w) => w.pauseAll(),
    async (w) => assert.deepEqual((await w.startAll()).refused, {}),
  );
}

test('a job that has begun nothing is refused as ever where nothing is left', LIMIT, async () => {
  const budgetManager = createBudgetManager();
  const w = setup({ store: createMemoryStore(), budgetManager, agentRegistry: { work: () => 'done' } });
  const id = await started(w, [paid], { budget: 3 });
  await w.pauseJob(id);
  await budgetManager.recordSpend(id, 3);
  const { success, code } = await w.startJob(id);
  assert.deepEqual({ success, code }, { success: false, code: 'budget_exceeded' });
});
