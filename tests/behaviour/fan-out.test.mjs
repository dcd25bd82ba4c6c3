// @ts-check
/** Steps that are done for each item of a list, on every kind of store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, createStore, LIMIT, latch, setup, started, within } from './support/setup.mjs';

const { createMemoryStore } = jobwright;

const stores = { plain: createStore, bundled: createMemoryStore };

/** @param {any} more */
const each = (more = {}) => ({ id: 'work', agent: 'work', forEach: { var: 'list' }, ...more });

for (const [kind, createStoreOfKind] of Object.entries(stores)) {
  test(`${kind} store: each item is given to the agent, and the outputs are a list`, LIMIT, async () => {
    /** @type {any[]} */
    const calls = [];
    const work = (/** @type {any} */ input, /** @type {any} */ { step, item, attempt, idempotencyKey }) => {
      calls.push([input, step, item, attempt, idempotencyKey]);
      return input * 2;
    };
    const w = setup({
      store: createStoreOfKind(),
      agentRegistry: { work, sum: (/** @type {number[]} */ all) => all.reduce((a, b) => a + b) },
    });
    const id = await started(w, [each(), { id: 'sum', agent: 'sum' }], { context: { list: [3, 5, 7] } });
    const { job, status } = await w.runJob(id, { input: 'for no item' });
    assert.equal(status, 'completed');
    assert.deepStrictEqual(job.context, { list: [3, 5, 7], work: [6, 10, 14], sum: 30 });
    assert.deepStrictEqual(calls, [
      [3, 'work', 0, 1, `${id}:work:0`],
      [5, 'work', 1, 1, `${id}:work:1`],
      [7, 'work', 2, 1, `${id}:work:2`],
    ]);
    assert.deepStrictEqual(job.run.steps.work.items, { 0: 'done', 1: 'done', 2: 'done' });
    assert.equal(job.run.stepsTaken, 2);
    assert.deepStrictEqual(
      w.bus.of('item_completed').map((/** @type {any} */ { step, item }) => [step, item]),
      [
        ['work', 0],
        ['work', 1],
        ['work', 2],
      ],
    );
    const begun = job.history.find((/** @type {any} */ { type }) => type === 'step_started');
    assert.deepStrictEqual(begun.payload.items, [3, 5, 7]);
    assert.equal('items' in w.bus.of('step_started')[0], false);
    const first = job.history.find((/** @type {any} */ { type }) => type === 'item_started');
    assert.equal(first.trace.parentId, begun.trace.spanId);
  });

  test(`${kind} store: another orchestrator goes on with the items that have not ended`, LIMIT, async () => {
    const store = createStoreOfKind();
    const never = latch();
    /** @type {any[]} */
    const given = [];
    const agent = (/** @type {any} */ input, /** @type {any} */ { item }) => {
      given.push(input);
      return item === 1 ? never.promise : `${input}!`;
    };
    const first = setup({ store, agentRegistry: { work: agent } });
    const plan = [each({ input: { name: { var: 'item.name' }, at: { var: 'index' } } })];
    const id = await started(first, plan, {
      context: { list: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] },
    });
    const run = first.runJob(id);
    await within(
      (async () => {
        while ((await first.getJob(id)).run.steps?.['work[2]']?.status !== 'done')
          await new Promise(setImmediate);
      })(),
      'the third item',
    );
    await first.close();
    assert.equal((await run).code, 'closed');
    assert.deepStrictEqual((await setup({ store }).getJob(id)).run.steps.work.items, {
      0: 'done',
      1: 'running',
      2: 'done',
    });

    const second = setup({ store, agentRegistry: { work: (/** @type {any} */ input) => input } });
    given.length = 0;
    const { job } = await second.runJob(id);
    assert.deepStrictEqual(job.context.work, ['[object Object]!', { name: 'b', at: 1 }, '[object Object]!']);
    assert.deepStrictEqual(given, []);
  });

  test(`${kind} store: a tool call of an item is approved for that item`, LIMIT, async () => {
    const send = { needsApproval: true, execute: (/** @type {any} */ to) => `sent to ${to}` };
    const work = (/** @type {any} */ input, /** @type {any} */ { callTool }) => callTool('send', input);
    const w = setup({ store: createStoreOfKind(), agentRegistry: { work }, tools: { send } });
    const id = await started(w, [each({ tools: ['send'] })], { context: { list: ['ann', 'bob'] } });
    assertRefused(await w.runJob(id), 'approval_required', 'Approval required');
    const { approvals } = (await w.getJob(id)).run;
    assert.deepStrictEqual(
      approvals.map((/** @type {any} */ { step, item, args }) => [step, item, args]),
      [
        ['work', 0, 'ann'],
        ['work', 1, 'bob'],
      ],
    );
    assertRefused(await w.approveStep(id, { step: 'work' }), 'invalid_transition');
    for (const { id: approval } of approvals) assert.ok((await w.approveStep(id, { approval })).success);
    const { job } = await w.runJob(id);
    assert.deepStrictEqual(job.context.work, ['sent to ann', 'sent to bob']);
  });
}

test(
  'who answers a step for which several approvals wait is told which those are, and of no others',
  LIMIT,
  async () => {
    const work = (/** @type {any} */ input, /** @type {any} */ { callTool }) => callTool('send', input);
    const w = setup({
      agentRegistry: { work },
      tools: { send: { needsApproval: true, execute: () => null } },
    });
    const steps = [
      each({ tools: ['send'], after: [] }),
      { id: 'other', agent: 'work', approval: true, after: [] },
    ];
    const id = await started(w, steps, { context: { list: ['ann', 'bob'] } });
    assertRefused(await w.runJob(id), 'approval_required', 'Approval required');
    const { approvals } = (await w.getJob(id)).run;
    const of = (/** @type {string} */ wanted) =>
      approvals.filter(({ step }) => step === wanted).map(({ id: approval }) => approval);
    assert.deepStrictEqual([of('work').length, of('other').length], [2, 1]);
    const several = `Several approvals are waiting; name one: ${of('work').join(', ')}`;
    assertRefused(await w.approveStep(id, { step: 'work' }), 'invalid_transition', several);
  },
);

test('the list is the one that there was when the step began', LIMIT, async () => {
  const store = createMemoryStore();
  const gate = latch();
  const work = async (/** @type {any} */ input) => {
    await gate.promise;
    return input;
  };
  const w = setup({ store, agentRegistry: { work, other: () => ['x'] } });
  const plan = { concurrency: 2, steps: [each(), { id: 'other', agent: 'other', into: 'list', after: [] }] };
  const id = await w.createJob({ list: [1, 2, 3] }, { requireApproval: false }, { plan });
  await w.startJob(id);
  const run = w.runJob(id);
  await new Promise(setImmediate);
  gate.open();
  assert.deepStrictEqual((await run).job.context, { list: ['x'], work: [1, 2, 3] });
});

test('no more items run at once than the plan allows', LIMIT, async () => {
  let running = 0;
  let most = 0;
  const work = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
  };
  const w = setup({ agentRegistry: { work } });
  const plan = { concurrency: 3, steps: [each({ forEach: Array.from({ length: 20 }, (_, n) => n) })] };
  const id = await w.createJob({}, { requireApproval: false }, { plan });
  await w.startJob(id);
  assert.equal((await w.runJob(id)).status, 'completed');
  assert.equal(most, 3);
});

test('what is no list fails the step with a sentence', LIMIT, async () => {
  const w = setup({ agentRegistry: { work: () => 1 } });
  for (const [list, found] of [
    ['text', '"text"'],
    [{ length: 2 }, 'an object'],
    [undefined, 'null'],
  ]) {
    const id = await started(w, [each()], { context: { list } });
    const outcome = await w.runJob(id);
    assertRefused(
      outcome,
      'agent_failed',
      /^The "forEach" of step "work" can't be computed: it gives .*, which is not a list$/,
    );
    assert.ok(outcome.error.includes(/** @type {string} */ (found)), outcome.error);
  }
});

test('a step named like an item can not stand beside it', LIMIT, async () => {
  const plan = { steps: [each(), { id: 'work[0]', agent: 'work' }] };
  const { success, errors } = jobwright.validatePlan(plan);
  assert.equal(success, false);
  assert.deepStrictEqual(errors, [
    { path: 'steps[1].id', message: '"work[0]" is what an item of step "work" is called' },
  ]);
});

test('no two steps share a key or a child job', LIMIT, async () => {
  const job = { plan: { steps: [{ id: 'x', agent: 'work' }] } };
  const until = { until: true, max: 2 };
  /** @type {[any, string][]} */
  const taken = [
    [each(), 'work:0'],
    [{ id: 'work', agent: 'work', repeat: until }, 'work:1'],
    [{ id: 'work', job }, 'work:x'],
    [{ id: 'work', job, forEach: [1] }, 'work:0:x'],
    [{ id: 'a:b', job }, 'a:b:c'],
  ];
  for (const [step, id] of taken) {
    for (const steps of [
      [step, { id, agent: 'work' }],
      [{ id, agent: 'work' }, step],
    ]) {
      const result = jobwright.validatePlan({ steps });
      const message = `"${id}" is what step "${step.id}" calls something of its own`;
      const path = `steps[${steps.indexOf(step) === 0 ? 1 : 0}].id`;
      assert.deepStrictEqual(result, { success: false, errors: [{ path, message }] });
    }
  }
  const free = [
    [each(), 'work:result'],
    [{ id: 'work', agent: 'work' }, 'work:0'],
    [each(), 'other:0'],
  ];
  for (const [step, id] of free) {
    assert.deepStrictEqual(jobwright.validatePlan({ steps: [step, { id, agent: 'work' }] }), {
      success: true,
    });
  }
});

test('ten thousand items', LIMIT, async () => {
  const w = setup({
    store: createMemoryStore(),
    agentRegistry: { work: (/** @type {number} */ n) => n + 1 },
  });
  const list = Array.from({ length: 10_000 }, (_, n) => n);
  const id = await started(w, [each()], { context: { list } });
  const { job } = await w.runJob(id);
  assert.deepStrictEqual(
    job.context.work,
    list.map((n) => n + 1),
  );
});
