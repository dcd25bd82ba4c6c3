// @ts-check
/** What a budget manager could not be told, and is told again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { FREE, LIMIT, setup } from './support/setup.mjs';

const { createBudgetManager, createMemoryStore } = jobwright;

/**
 * The bundled manager, behind a connection that is lost for some of the calls.
 *
 * @param {(method: string, key: string) => boolean} isLost
 */
function unreliable(isLost) {
  const manager = createBudgetManager();
  /** @type {string[]} */
  const asked = [];
  /** @param {'settle' | 'release'} method */
  const over =
    (method) =>
    async (/** @type {string} */ id, /** @type {string} */ key, /** @type {any[]} */ ...rest) => {
      asked.push(`${method} ${key.slice(id.length + 1)}`);
      if (isLost(method, key)) throw new Error('connection lost');
      return /** @type {any} */ (manager)[method](id, key, ...rest);
    };
  return { ...manager, settle: over('settle'), release: over('release'), asked };
}

/** @param {any} deps */
const quietly = (deps) =>
  setup({ store: createMemoryStore(), logger: { error: () => {}, warn: () => {}, info: () => {} }, ...deps });

/** @param {number} count of steps that cost 10 @param {number} [cost] what they are thought to cost */
const cheap = (count, cost = 60) => ({
  steps: Array.from({ length: count }, (_, i) => ({ id: `s${i}`, agent: 'cheap', cost })),
});

const AGENTS = { cheap: () => ({ success: true, data: 1, cost: 10 }) };

test('what could not be settled is settled before the next step asks for its money', LIMIT, async () => {
  let losses = 1;
  const budgetManager = unreliable(() => losses-- > 0);
  const w = quietly({ budgetManager, agentRegistry: AGENTS });
  const id = await w.createJob({}, FREE, { plan: cheap(3), budget: 100 });
  await w.startJob(id);
  // Were the first step's 60 still held, the second's would not fit.
  assert.equal((await w.runJob(id)).success, true);
  const { spent, reserved } = /** @type {any} */ (await budgetManager.getBudget(id));
  assert.deepEqual({ spent, reserved }, { spent: 30, reserved: 0 });
  assert.equal((await w.getJob(id)).run.account?.owed, undefined);
});

test('what is owed is stored, and settled by the process that runs the job next', LIMIT, async () => {
  let isDown = true;
  const budgetManager = unreliable(() => isDown);
  const first = quietly({ budgetManager, agentRegistry: AGENTS });
  const id = await first.createJob({}, FREE, { plan: cheap(2), budget: 100 });
  await first.startJob(id);
  const stopped = await first.runJob(id);
  assert.equal(stopped.code, 'budget_exceeded', 'the first step\u2019s 60 are held');
  const { account } = (await first.getJob(id)).run;
  assert.deepEqual(account.owed, [{ key: `${id}:s0`, amount: 10 }]);

  isDown = false;
  const second = quietly({ budgetManager, store: first.store, agentRegistry: AGENTS });
  assert.equal((await second.startJob(id)).success, true);
  assert.equal((await second.runJob(id)).success, true);
  const { spent, reserved } = /** @type {any} */ (await budgetManager.getBudget(id));
  assert.deepEqual({ spent, reserved }, { spent: 20, reserved: 0 });
});

test('a job whose budget is all held for what is owed starts again', LIMIT, async () => {
  let isDown = true;
  const budgetManager = unreliable(() => isDown);
  const w = quietly({ budgetManager, agentRegistry: AGENTS });
  const id = await w.createJob({}, FREE, { plan: cheap(2, 90), budget: 90 });
  await w.startJob(id);
  assert.equal((await w.runJob(id)).code, 'budget_exceeded');
  assert.equal((await w.startJob(id)).code, 'budget_exceeded', 'the manager is still down');
  isDown = false;
  assert.deepEqual(await w.startJob(id), { success: true });
  assert.equal((await w.runJob(id)).code, 'budget_exceeded', 'another 90 are not there');
  const { spent, reserved } = /** @type {any} */ (await budgetManager.getBudget(id));
  assert.deepEqual({ spent, reserved }, { spent: 10, reserved: 0 });
});

test('what is still owed when the job has ended is settled by recover', LIMIT, async () => {
  let isDown = true;
  const budgetManager = unreliable(() => isDown);
  const agentRegistry = { ...AGENTS, broken: () => ({ success: false, error: 'broken', retryable: false }) };
  const w = quietly({ budgetManager, agentRegistry });
  const parent = await w.createJob({}, FREE, { budget: 1_000 });
  const plan = {
    steps: [
      { id: 'paid', forEach: { var: 'items' }, agent: 'cheap', cost: 60 },
      { id: 'free', agent: 'broken', cost: 60 },
    ],
  };
  const id = await w.createJob({ items: [1, 2] }, FREE, { plan, budget: 500, parentId: parent });
  await w.startJob(id);
  assert.equal((await w.runJob(id)).code, 'agent_failed');
  const owed = () => w.getJob(id).then((/** @type {any} */ job) => job.run.account);
  assert.deepEqual((await owed()).owed, [
    { key: `${id}:paid:0`, amount: 10 },
    { key: `${id}:paid:1`, amount: 10 },
    { key: `${id}:free` },
  ]);
  await w.recover();
  assert.equal((await owed()).owed.length, 3, 'the manager is still down');

  isDown = false;
  await w.recover();
  assert.deepEqual(await owed(), { allocated: 500, closed: true });
  const { spent, reserved } = /** @type {any} */ (await budgetManager.getBudget(parent));
  assert.deepEqual({ spent, reserved }, { spent: 20, reserved: 0 });
  budgetManager.asked.length = 0;
  await w.recover();
  assert.deepEqual(budgetManager.asked, [], 'nothing is said a third time');
});

test('what the failed attempts of a step cost that a cancelled job gave up is owed too', LIMIT, async () => {
  let isDown = true;
  const budgetManager = unreliable((method) => isDown && method === 'settle');
  const failing = () => ({ success: false, error: 'not yet', cost: 7 });
  const w = quietly({ budgetManager, agentRegistry: { failing } });
  const retry = { maxAttempts: 5, backoffMs: 60_000 };
  const plan = { steps: [{ id: 'one', agent: 'failing', cost: 60, retry }] };
  const id = await w.createJob({}, FREE, { plan, budget: 100 });
  await w.startJob(id);
  const running = w.runJob(id);
  while ((await w.getJob(id)).run?.steps?.one?.status !== 'waiting') await new Promise(setImmediate);
  await w.cancelJob(id);
  await running;
  isDown = false;
  await w.recover();
  const { spent, reserved } = /** @type {any} */ (await budgetManager.getBudget(id));
  assert.deepEqual({ spent, reserved }, { spent: 7, reserved: 0 });
});

test('a manager that always fails makes no head grow for ever, and loses no work', LIMIT, async () => {
  const budgetManager = unreliable(() => true);
  const w = quietly({ budgetManager, agentRegistry: AGENTS });
  const plan = { steps: [{ id: 's', forEach: { var: 'items' }, agent: 'cheap', cost: 0 }] };
  const id = await w.createJob(
    { items: Array(1_010).fill(0) },
    { ...FREE, maxSteps: 2_000 },
    { plan, budget: 1 },
  );
  await w.startJob(id);
  assert.equal((await w.runJob(id)).success, true);
  assert.equal((await w.getJob(id)).run.account.owed.length, 1_000);
});

test('what has no key is not counted twice: recordSpend is asked once', LIMIT, async () => {
  let asked = 0;
  const recordSpend = async () => {
    asked += 1;
    throw new Error('connection lost');
  };
  const budgetManager = { canSpend: () => ({ success: true }), recordSpend };
  const w = quietly({ budgetManager, agentRegistry: AGENTS });
  const id = await w.createJob({}, FREE, { plan: cheap(2) });
  await w.startJob(id);
  assert.equal((await w.runJob(id)).success, true);
  await w.recover();
  assert.equal(asked, 2);
});

test('a store that gives a list of debts that is none is told so', LIMIT, async () => {
  const w = quietly({ agentRegistry: AGENTS });
  const id = await w.createJob({}, FREE, { plan: cheap(1) });
  const job = await w.store.getJob(id);
  await w.startJob(id);
  await w.store.saveJob({ ...job, run: { ...job.run, account: { owed: [{ key: 1 }] } } });
  const second = quietly({ store: w.store, agentRegistry: AGENTS });
  await assert.rejects(second.runJob(id), /run\.account\.owed is not a list of amounts by key/);
});
