// @ts-check
/** callTool: the one door to tools, and who may pass it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './support/clock.mjs';
import { assertRefused, FREE, LIMIT, setup, started } from './support/setup.mjs';

/**
 * A job whose one step calls a tool and gives what came of it.
 * @param {any} tools @param {(context: any) => any} use @param {any} [step] @param {any} [permissions]
 */
async function calling(tools, use, step = { tools: Object.keys(tools) }, permissions = FREE) {
  /** @type {any} */
  const agents = { clerk: (/** @type {any} */ _, /** @type {any} */ context) => use(context) };
  const w = setup({ tools, agentRegistry: agents });
  const id = await started(w, [{ id: 'one', agent: 'clerk', ...step }], { permissions });
  w.bus.clear();
  return { ...w, id, agents, job: () => w.store.jobs.get(id) };
}

/** @param {Promise<any>} promise the code it is refused with */
const codeOf = async (promise) =>
  promise.then(
    () => 'passed',
    (error) => error.code,
  );

test('a tool may be a function or an object with execute, and is told who calls', LIMIT, async () => {
  class Counter {
    #n = 1;
    /** @param {any} args @param {any} context */
    execute(args, context) {
      return [this.#n, args, context.jobId];
    }
  }
  const tools = { add: (/** @type {any} */ { a, b }) => a + b, count: new Counter() };
  const w = await calling(tools, async (c) => [
    await c.callTool('add', { a: 1, b: 2 }),
    await c.callTool('count', 'x'),
  ]);
  assert.deepStrictEqual((await w.nextStep(w.id)).step.output, [3, [1, 'x', w.id]]);
});

test('a tool that the step does not grant is denied', LIMIT, async () => {
  let called = 0;
  const w = await calling(
    { lookup: () => ++called, send: () => ++called },
    (c) => codeOf(c.callTool('send')),
    { tools: ['lookup'] },
  );
  assert.equal((await w.nextStep(w.id)).step.output, 'tools_denied');
  assert.equal(called, 0);
});

test('a step that grants no tools has none', LIMIT, async () => {
  const w = await calling({ lookup: () => 1 }, (c) => codeOf(c.callTool('lookup')), {});
  assert.equal((await w.nextStep(w.id)).step.output, 'tools_denied');
});

test('a job that allows no tools denies them while the agent is at work, too', LIMIT, async () => {
  const w = await calling({ lookup: () => 1 }, async (c) => {
    const before = await codeOf(c.callTool('lookup'));
    await w.setPermissions(w.id, { allowTools: false });
    return [before, await codeOf(c.callTool('lookup'))];
  });
  assert.deepStrictEqual((await w.nextStep(w.id)).step.output, ['passed', 'tools_denied']);
});

for (const [how, answer] of Object.entries({
  'at once': (/** @type {any} */ value) => value,
  later: async (/** @type {any} */ value) => value,
})) {
  test(`an attempt that has ended (it answered ${how}) calls no tool and emits nothing`, LIMIT, async () => {
    let called = 0;
    /** @type {any} */
    let kept;
    const w = await calling({ lookup: () => ++called }, (c) => {
      kept = c;
      return answer('done');
    });
    assert.equal((await w.nextStep(w.id)).status, 'completed');
    assert.equal(await codeOf(kept.callTool('lookup')), 'tools_denied');
    // Its job leaves the table of jobs, and others take its place.
    const others = [];
    for (let n = 0; n < 100; n++) {
      const other = await started(w, [{ id: 'one', agent: 'clerk', tools: ['lookup'] }]);
      others.push(other);
    }
    w.agents.clerk = () => new Promise((resolve) => setTimeout(resolve, 50));
    const runs = others.map((other) => w.runJob(other));
    await settle();
    kept.emit('stray');
    await Promise.all(runs);
    const strays = [...w.store.jobs.values()].filter(({ history }) =>
      history.some((/** @type {any} */ event) => event.type === 'stray'),
    );
    assert.deepStrictEqual(strays, []);
    assert.equal(called, 0);
  });
}

test('an agent that lets a denial through fails its step', LIMIT, async () => {
  const w = await calling({ lookup: () => 1 }, (c) => c.callTool('lookup'), {});
  const outcome = await w.nextStep(w.id);
  assert.equal(outcome.success, false);
  assert.ok(['agent_failed', 'tools_denied'].includes(outcome.code));
  assert.match(outcome.error, /lookup/);
  assert.equal(w.job().status, 'failed');
});

test('a tool that is granted but not there is named', LIMIT, async () => {
  const w = await calling(
    { lookup: () => 1 },
    (c) => c.callTool('missing').catch((/** @type {any} */ error) => error.message),
    { tools: ['missing'] },
  );
  const outcome = await w.nextStep(w.id);
  assert.match(outcome.success ? outcome.step.output : outcome.error, /missing/);
});

for (const name of ['toString', '__proto__', 'constructor', 'hasOwnProperty']) {
  test(`"${name}" is no tool unless somebody made it one`, LIMIT, async () => {
    const w = await calling(
      { lookup: () => 1 },
      (c) =>
        c.callTool(name).then(
          () => 'passed',
          (/** @type {any} */ e) => e.message,
        ),
      { tools: [name] },
    );
    const outcome = await w.nextStep(w.id);
    assert.notEqual(outcome.success && outcome.step.output, 'passed');
  });
}

test('what a tool throws reaches the agent as it is', LIMIT, async () => {
  const error = new Error('no such row');
  const w = await calling({ lookup: () => Promise.reject(error) }, async (c) => {
    await assert.rejects(c.callTool('lookup'), (/** @type {any} */ thrown) => thrown === error);
    return 'went on';
  });
  assert.equal((await w.nextStep(w.id)).step.output, 'went on');
});

test("a tool's input schema is asked first", LIMIT, async () => {
  const validate = (/** @type {any} */ v) =>
    typeof v === 'number' ? { value: v + 1 } : { issues: [{ message: 'expected a number' }] };
  const tools = {
    add: {
      inputSchema: { '~standard': { version: 1, vendor: 'test', validate } },
      execute: (/** @type {any} */ n) => n,
    },
  };
  const w = await calling(tools, async (c) => [
    await c.callTool('add', 1),
    await c.callTool('add', 'x').catch((/** @type {any} */ e) => e.message),
  ]);
  const { output } = (await w.nextStep(w.id)).step;
  assert.equal(output[0], 2);
  assert.match(output[1], /expected a number/);
});

// ---------------------------------------------------------------- approval of calls

for (const [name, needsApproval] of Object.entries({
  true: true,
  'a function': (/** @type {any} */ args) => args.amount > 10,
  'an async function': async (/** @type {any} */ args) => args.amount > 10,
})) {
  test(`a tool whose needsApproval is ${name}: the call waits for a person, then passes`, LIMIT, async () => {
    /** @type {any[]} */
    const attempts = [];
    /** @type {any[]} */
    const paid = [];
    const tools = {
      pay: {
        needsApproval,
        execute: (/** @type {any} */ args) => {
          paid.push(args);
          return 'paid';
        },
      },
    };
    const w = await calling(tools, (c) => {
      attempts.push([c.idempotencyKey, c.attempt]);
      return c.callTool('pay', { amount: 50 });
    });
    assertRefused(await w.nextStep(w.id), 'approval_required', 'Approval required');
    assert.deepStrictEqual(paid, []);
    assert.equal(w.job().status, 'paused');
    assert.equal(w.job().run.pause.reason, 'approval');
    const [request] = w.job().run.approvals;
    assert.equal(w.job().run.approvals.length, 1);
    assert.equal(typeof request.id, 'string');
    assert.deepStrictEqual(
      { ...request, id: '' },
      { id: '', step: 'one', tool: 'pay', args: { amount: 50 }, agent: 'clerk' },
    );
    assert.equal(w.bus.of('approval_requested').length, 1);

    assert.deepStrictEqual(await w.approveStep(w.id, { by: 'Ada' }), { success: true });
    assert.equal(w.job().status, 'running');
    const outcome = await w.nextStep(w.id);
    assert.equal(outcome.status, 'completed');
    assert.equal(outcome.step.output, 'paid');
    assert.deepStrictEqual(paid, [{ amount: 50 }]);
    assert.equal(attempts.length, 2);
    assert.deepStrictEqual(attempts[0], attempts[1], 'the same key and attempt');
    assert.deepStrictEqual(w.job().run.approvals ?? [], []);
    assert.equal(w.job().run.stepsTaken, 1);
  });
}

test('a call that needs no approval passes at once', LIMIT, async () => {
  const tools = {
    pay: { needsApproval: (/** @type {any} */ args) => args.amount > 10, execute: () => 'paid' },
  };
  const w = await calling(tools, (c) => c.callTool('pay', { amount: 5 }));
  assert.equal((await w.nextStep(w.id)).step.output, 'paid');
});

test(
  'the agent sees an error with code approval_required, and swallowing it does not help',
  LIMIT,
  async () => {
    let paid = 0;
    const tools = { pay: { needsApproval: true, execute: () => ++paid } };
    const w = await calling(tools, (c) => codeOf(c.callTool('pay', 1)));
    const outcome = await w.nextStep(w.id);
    assertRefused(outcome, 'approval_required');
    assert.equal(paid, 0);
  },
);

test('an approval is for that request and no other', LIMIT, async () => {
  /** @type {any[]} */
  const paid = [];
  let amount = 1;
  const tools = { pay: { needsApproval: true, execute: (/** @type {any} */ args) => void paid.push(args) } };
  const w = await calling(tools, (c) => c.callTool('pay', amount++));
  await w.nextStep(w.id);
  await w.approveStep(w.id);
  assertRefused(await w.nextStep(w.id), 'approval_required');
  assert.deepStrictEqual(paid, []);
  assert.deepStrictEqual(
    w.job().run.approvals.map((/** @type {any} */ a) => a.args),
    [2],
  );
});

for (const [approved, called] of /** @type {[any, any][]} */ ([
  [{ a: 1 }, [['a', 1]]],
  [[['a', 1]], { a: 1 }],
  [{ a: { b: 1 } }, { a: [['b', 1]] }],
  [{}, []],
  [1, '1'],
  [null, 'null'],
])) {
  test(`an approval of ${JSON.stringify(approved)} is none of ${JSON.stringify(called)}`, LIMIT, async () => {
    let paid = 0;
    const args = [approved, called];
    const tools = { pay: { needsApproval: true, execute: () => ++paid } };
    const w = await calling(tools, (c) => c.callTool('pay', args.shift()));
    await w.nextStep(w.id);
    await w.approveStep(w.id);
    assertRefused(await w.nextStep(w.id), 'approval_required');
    assert.equal(paid, 0);
  });
}

test('rejectStep on a tool call fails the step, code rejected', LIMIT, async () => {
  const tools = { pay: { needsApproval: true, execute: () => assert.fail('was called') } };
  const w = await calling(tools, (c) => c.callTool('pay', 1));
  await w.nextStep(w.id);
  assert.deepStrictEqual(await w.rejectStep(w.id, { by: 'Ada', reason: 'too dear' }), { success: true });
  assert.equal(w.job().status, 'failed');
  assert.equal(w.job().run.failure.code, 'rejected');
  assert.match(w.job().run.failure.message, /too dear/);
});

test('timeoutMs does not run while a person thinks', LIMIT, async () => {
  const tools = { pay: { needsApproval: true, execute: () => 'paid' } };
  const w = await calling(tools, (c) => c.callTool('pay', 1), { tools: ['pay'], timeoutMs: 100 });
  await w.nextStep(w.id);
  await w.clock.advance(10_000);
  assert.equal(w.job().status, 'paused');
  await w.approveStep(w.id);
  assert.equal((await w.nextStep(w.id)).step.output, 'paid');
});

test('several calls at once may wait, each with its own id, and are approved one by one', LIMIT, async () => {
  /** @type {any[]} */
  const paid = [];
  const tools = {
    pay: {
      needsApproval: true,
      execute: (/** @type {any} */ args) => {
        paid.push(args);
        return args;
      },
    },
  };
  const w = await calling(tools, (c) => Promise.all([c.callTool('pay', 'a'), c.callTool('pay', 'b')]));
  assertRefused(await w.nextStep(w.id), 'approval_required');
  await settle();
  const ids = w.job().run.approvals.map((/** @type {any} */ approval) => approval.id);
  assert.equal(new Set(ids).size, 2);
  const several = `Several approvals are waiting; name one: ${ids.join(', ')}`;
  assertRefused(await w.approveStep(w.id), 'invalid_transition', several);
  for (const id of ids) assert.equal((await w.approveStep(w.id, { approval: id })).success, true);
  assert.equal(w.job().status, 'running');
  assert.equal((await w.nextStep(w.id)).status, 'completed');
  assert.deepStrictEqual(paid.slice(-2).sort(), ['a', 'b']);
});
