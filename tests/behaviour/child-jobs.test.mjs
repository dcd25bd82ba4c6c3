// @ts-check
/** Steps that are jobs of their own, on every kind of store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, createStore, FREE, LIMIT, latch, setup, started } from './support/setup.mjs';

const { createBudgetManager, createMemoryStore } = jobwright;

const stores = { plain: createStore, bundled: createMemoryStore };

/** @param {any[]} steps @param {any} [job] @param {any} [more] */
const sub = (steps, job = {}, more = {}) => ({ id: 'sub', job: { plan: { steps }, ...job }, ...more });
const echo = (/** @type {any} */ input) => input;

for (const [kind, createStoreOfKind] of Object.entries(stores)) {
  test(`${kind} store: a child job runs with its own context, which is the output`, LIMIT, async () => {
    const w = setup({
      store: createStoreOfKind(),
      agentRegistry: {
        echo,
        name: (/** @type {any} */ _, /** @type {any} */ { context }) => context.order.name,
      },
    });
    const id = await started(
      w,
      [
        sub([{ id: 'pack', agent: 'name' }], { context: { order: { var: 'order' } } }),
        { id: 'last', agent: 'echo' },
      ],
      { context: { order: { name: 'chairs' } } },
    );
    const { job, status } = await w.runJob(id);
    assert.equal(status, 'completed');
    const output = { order: { name: 'chairs' }, pack: 'chairs' };
    assert.deepStrictEqual(job.context, { order: { name: 'chairs' }, sub: output, last: output });
    assert.equal(job.run.steps.sub.childId, `${id}:sub`);
    const child = await w.getJob(`${id}:sub`);
    assert.deepStrictEqual([child.parentId, child.status], [id, 'completed']);
    assert.deepStrictEqual(child.permissions, FREE);
  });

  test(
    `${kind} store: a child that waits for a person; the parent goes on when it was answered`,
    LIMIT,
    async () => {
      const w = setup({ store: createStoreOfKind(), agentRegistry: { echo } });
      const id = await started(w, [sub([{ id: 'ok', approve: { message: 'Ship?' } }])]);
      assertRefused(await w.runJob(id), 'approval_required', `Child job "${id}:sub": Approval required`);
      assert.equal((await w.getJob(id)).status, 'running');
      assert.deepStrictEqual(w.bus.of('step_suspended')[0].error.code, 'approval_required');
      assert.ok((await w.approveStep(`${id}:sub`, { by: 'ann' })).success);
      const { job } = await w.runJob(id);
      assert.deepStrictEqual(job.context, { sub: { ok: { by: 'ann' } } });
    },
  );

  test(`${kind} store: cancelJob takes the tree, and says so of each job`, LIMIT, async () => {
    /** @type {AbortSignal | undefined} */
    let aborted;
    const slow = (/** @type {any} */ _, /** @type {any} */ { signal }) => {
      aborted = signal;
      return new Promise(() => {});
    };
    const w = setup({ store: createStoreOfKind(), agentRegistry: { slow } });
    const id = await started(w, [sub([sub([{ id: 'a', agent: 'slow' }])])]);
    const run = w.runJob(id);
    while (aborted === undefined) await new Promise(setImmediate);
    const [child, grandchild] = [`${id}:sub`, `${id}:sub:sub`];
    const { results } = await w.cancelJob(id);
    assert.deepStrictEqual(results, { [id]: 'cancelled', [child]: 'cancelled', [grandchild]: 'cancelled' });
    assertRefused(await run, 'cancelled');
    assert.equal(aborted.aborted, true);
    for (const job of [child, grandchild]) assert.equal((await w.getJob(job)).run.failure.code, 'cancelled');
  });

  test(`${kind} store: pausing the parent pauses the child, and starting it starts both`, LIMIT, async () => {
    const gate = latch();
    const calls = /** @type {string[]} */ ([]);
    const slow = async (/** @type {any} */ _, /** @type {any} */ { step }) => {
      calls.push(step);
      await gate.promise;
      return step;
    };
    const w = setup({ store: createStoreOfKind(), agentRegistry: { slow } });
    const id = await started(w, [
      sub([
        { id: 'a', agent: 'slow' },
        { id: 'b', agent: 'slow' },
      ]),
    ]);
    const run = w.runJob(id);
    while (calls.length === 0) await new Promise(setImmediate);
    await w.pauseJob(id);
    while ((await w.getJob(`${id}:sub`)).status !== 'paused') await new Promise(setImmediate);
    gate.open();
    assertRefused(await run, 'not_running', 'Job paused');
    assert.deepStrictEqual([calls, (await w.getJob(`${id}:sub`)).run.pause], [['a'], { reason: 'parent' }]);
    await w.startJob(id);
    const { job } = await w.runJob(id);
    assert.deepStrictEqual(job.context, { sub: { a: 'a', b: 'b' } });
  });
}

test('a child gets a budget of its parent’s, and a refusal pauses the parent', LIMIT, async () => {
  const budgetManager = createBudgetManager();
  const w = setup({ store: createMemoryStore(), budgetManager, agentRegistry: { echo } });
  const plan = [sub([{ id: 'a', agent: 'echo', cost: 4 }], { budget: 6 })];
  const id = await started(w, plan, { budget: 10 }).catch((error) => assert.fail(error));
  const { job } = await w.runJob(id);
  assert.deepStrictEqual(job.context, { sub: { a: null } });
  // What was left of the six has returned.
  assert.equal((await budgetManager.getBudget(`${id}:sub`)).limit, 4);
  assert.equal((await budgetManager.getBudget(`${id}:sub`)).spent, 4);

  const poor = await started(w, plan, { budget: 5 });
  const refused = await w.runJob(poor);
  assert.equal(refused.success, false);
  assert.match(refused.error, /budget/i);
  const { status, run } = await w.getJob(poor);
  assert.deepStrictEqual([status, run.pause], ['paused', { reason: 'budget', step: 'sub' }]);
  await budgetManager.setBudget(poor, 20);
  await w.startJob(poor);
  assert.equal((await w.runJob(poor)).status, 'completed');
});

test('a child for each item has it in its context', LIMIT, async () => {
  const w = setup({
    store: createMemoryStore(),
    agentRegistry: {
      up: (/** @type {any} */ _, /** @type {any} */ { context }) => context.item.toUpperCase(),
    },
  });
  const id = await started(w, [sub([{ id: 'name', agent: 'up' }], {}, { forEach: ['a', 'b'] })]);
  const { job } = await w.runJob(id);
  assert.deepStrictEqual(job.context.sub, [
    { item: 'a', index: 0, name: 'A' },
    { item: 'b', index: 1, name: 'B' },
  ]);
  assert.equal(job.run.steps['sub[1]'].childId, `${id}:sub:1`);
});

test('a child for each round', LIMIT, async () => {
  const w = setup({
    store: createMemoryStore(),
    agentRegistry: { more: (/** @type {any} */ _, /** @type {any} */ { context }) => context.from + 1 },
  });
  const repeat = { until: { '>': [{ var: 'sub.n' }, 2] }, max: 5 };
  const id = await started(w, [
    sub([{ id: 'n', agent: 'more' }], { context: { from: { var: ['sub.n', 0] } } }, { repeat }),
  ]);
  const { job } = await w.runJob(id);
  assert.deepStrictEqual([job.context.sub, job.run.steps.sub.round], [{ from: 2, n: 3 }, 3]);
  assert.equal(job.run.steps.sub.childId, `${id}:sub:3`);
});

test('a context that is no object fails the step with a sentence', LIMIT, async () => {
  const w = setup({ agentRegistry: { echo } });
  for (const [context, found] of /** @type {[any, string][]} */ ([
    [{ var: 'list' }, 'an array'],
    [{ var: 'name' }, '"x"'],
    [{ var: 'nothing' }, 'null'],
  ])) {
    const id = await started(w, [sub([], { context })], { context: { list: [], name: 'x' } });
    const message = `The child job's context must be an object; found ${found}`;
    assertRefused(await w.runJob(id), 'agent_failed', message);
  }
});

test('a budget without a manager fails the step with a sentence', LIMIT, async () => {
  const w = setup({ agentRegistry: { echo } });
  const id = await started(w, [sub([], { budget: 5 })]);
  assertRefused(await w.runJob(id), 'agent_failed', /needs a budgetManager/);
});
