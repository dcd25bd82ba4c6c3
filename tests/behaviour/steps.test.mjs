// @ts-check
/** What a step gives its agent, what it makes of the answer, and what it leaves behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, FREE, LIMIT, setup, started } from './support/setup.mjs';

const PLAN = [{ id: 'one', agent: 'reader' }];

/** A world with agents, and a job in it that runs this plan. @param {any} agentRegistry @param {any[]} [steps] @param {any} [options] @param {any} [deps] */
async function running(agentRegistry, steps = PLAN, options = {}, deps = {}) {
  const w = setup({ agentRegistry, ...deps });
  const id = await started(w, steps, options);
  w.bus.clear();
  return { ...w, id, job: () => w.store.jobs.get(id) };
}

const ANSWERS = {
  'a plain value': ['text', 'text'],
  'a number': [0, 0],
  false: [false, false],
  null: [null, null],
  'an object': [{ a: { b: [1] } }, { a: { b: [1] } }],
  'an object with success true and data': [{ success: true, data: 5 }, 5],
  'data and a cost': [{ success: true, data: { a: 1 }, cost: 3 }, { a: 1 }],
};

for (const [name, [answer, output]] of Object.entries(ANSWERS)) {
  for (const [how, agent] of Object.entries({
    function: () => answer,
    'async function': async () => answer,
    'object with execute': { execute: async () => answer },
  })) {
    test(`an agent (${how}) that answers ${name}`, LIMIT, async () => {
      const w = await running({ reader: agent });
      const outcome = await w.nextStep(w.id);
      assert.equal(outcome.success, true);
      assert.equal(outcome.status, 'completed');
      const { durationMs, ...step } = outcome.step;
      assert.deepStrictEqual(step, { id: 'one', agent: 'reader', status: 'done', output, attempts: 1 });
      assert.equal(durationMs, 0);
      assert.deepStrictEqual(w.job().context, { one: output });
      assert.equal(w.job().status, 'completed');
    });
  }
}

test(
  'agents are found in a Map, a plain object and anything with get, when they are needed',
  LIMIT,
  async () => {
    const reader = () => 'read';
    const late = new Map();
    const registries = [
      new Map([['reader', reader]]),
      { reader },
      { get: (/** @type {string} */ name) => (name === 'reader' ? reader : undefined) },
      late,
    ];
    for (const registry of registries) {
      const w = await running(registry);
      late.set('reader', reader);
      assert.equal((await w.nextStep(w.id)).status, 'completed');
    }
  },
);

test('an agent is called as a method of its own object', LIMIT, async () => {
  class Reader {
    #text = 'private';
    execute() {
      return this.#text;
    }
  }
  const w = await running({ reader: new Reader() });
  assert.equal((await w.nextStep(w.id)).step.output, 'private');
});

const FAILURES = {
  'throws an Error': () => {
    throw new Error('no ink');
  },
  'rejects with an Error': () => Promise.reject(new Error('no ink')),
  'throws a string': () => {
    throw 'no ink';
  },
  'answers success false with a string': () => ({ success: false, error: 'no ink' }),
  'answers success false with an Error': () => ({ success: false, error: new Error('no ink') }),
  'answers success false with an object': () => ({ success: false, error: { message: 'no ink' } }),
  'throws an object without a message': () => {
    throw { code: 5, why: ['no ink'] };
  },
};

for (const [name, agent] of Object.entries(FAILURES)) {
  test(`an agent that ${name} fails the step and the job, in its own words`, LIMIT, async () => {
    const w = await running({ reader: agent });
    assertRefused(await w.nextStep(w.id), 'agent_failed', /no ink/);
    const job = w.job();
    assert.equal(job.status, 'failed');
    assert.equal(job.run.failure.code, 'agent_failed');
    assert.equal(job.run.failure.step, 'one');
    assert.match(job.run.failure.message, /no ink/);
    assert.equal(job.run.steps.one.status, 'failed');
    assert.deepStrictEqual(w.bus.types(), ['step_started', 'step_failed', 'job_failed']);
  });
}

test(
  'steps run in their order, each with what nextStep was given, else with the output of the one before',
  LIMIT,
  async () => {
    /** @type {any[]} */
    const inputs = [];
    const agent = (/** @type {any} */ input, /** @type {any} */ context) => {
      inputs.push([context.step, input]);
      return `${context.step} done`;
    };
    const w = await running(
      { a: agent },
      ['one', 'two', 'three'].map((id) => ({ id, agent: 'a' })),
    );
    const first = await w.nextStep(w.id, { given: 1 });
    assert.equal(first.status, 'running');
    assert.equal((await w.nextStep(w.id)).status, 'running');
    assert.equal((await w.nextStep(w.id, 'given again')).status, 'completed');
    assert.deepStrictEqual(inputs, [
      ['one', { given: 1 }],
      ['two', 'one done'],
      ['three', 'given again'],
    ]);
  },
);

test('`into` names the key of the output, and another step may write the same', LIMIT, async () => {
  const steps = [
    { id: 'one', agent: 'a', into: 'shared' },
    { id: 'two', agent: 'b', into: 'shared' },
    { id: 'three', agent: 'c', input: { var: 'shared' } },
  ];
  /** @type {any[]} */
  const got = [];
  const agents = {
    a: () => 1,
    b: (/** @type {any} */ input) => {
      got.push(input);
      return 2;
    },
    c: (/** @type {any} */ input) => got.push(input),
  };
  const w = await running(agents, steps, { context: { shared: 0, kept: true } });
  for (const _ of steps) await w.nextStep(w.id);
  assert.deepStrictEqual(got, [1, 2]);
  assert.deepStrictEqual(w.job().context, { shared: 2, kept: true, three: 2 });
});

test('the input of a step is an expression or a template over the context', LIMIT, async () => {
  const inputs = {
    constant: 5,
    text: 'as it is',
    path: { var: 'deep.list.1' },
    missing: { var: 'nowhere.at.all' },
    fallback: { var: ['nowhere', 'else'] },
    operator: { '+': [{ var: 'n' }, 1] },
    template: { a: { var: 'n' }, b: { c: { '>': [{ var: 'n' }, 1] } }, d: 'text' },
    list: [{ var: 'n' }, 2],
  };
  /** @type {any} */
  const got = {};
  const agent = (/** @type {any} */ input, /** @type {any} */ context) => {
    got[context.step] = input;
    return null;
  };
  const steps = Object.entries(inputs).map(([id, input]) => ({ id, agent: 'a', input }));
  const w = await running({ a: agent }, steps, { context: { n: 2, deep: { list: ['x', 'y'] } } });
  for (const _ of steps) await w.nextStep(w.id);
  assert.deepStrictEqual(got, {
    constant: 5,
    text: 'as it is',
    path: 'y',
    missing: null,
    fallback: 'else',
    operator: 3,
    template: { a: 2, b: { c: true }, d: 'text' },
    list: [2, 2],
  });
});

test('what an agent is told of its job', LIMIT, async () => {
  /** @type {any} */
  let seen;
  const w = await running(
    {
      reader(/** @type {any} */ _, /** @type {any} */ context) {
        seen = context;
      },
    },
    PLAN,
    { context: { topic: 'tides', deep: { a: 1 } } },
  );
  await w.nextStep(w.id);
  assert.equal(seen.jobId, w.id);
  assert.equal(seen.step, 'one');
  assert.equal(seen.attempt, 1);
  assert.equal(typeof seen.idempotencyKey, 'string');
  assert.ok(seen.idempotencyKey.length > 0);
  assert.deepStrictEqual({ ...seen.permissions }, FREE);
  assert.ok(Object.isFrozen(seen.permissions));
  assert.equal(seen.context.topic, 'tides');
  assert.deepStrictEqual(JSON.parse(JSON.stringify(seen.context)), { topic: 'tides', deep: { a: 1 } });
  assert.ok(seen.signal instanceof AbortSignal);
  assert.equal(seen.signal.aborted, false);
  assert.equal(seen.trace.traceId, w.job().history[0].trace.traceId);
});

test('the context that an agent sees cannot be written, at any depth', LIMIT, async () => {
  /** @type {any[]} */
  const errors = [];
  const w = await running(
    {
      reader(/** @type {any} */ _, /** @type {any} */ { context }) {
        for (const write of [
          () => (context.topic = 1),
          () => (context.deep.a = 2),
          () => delete context.topic,
          () => context.list.push(2),
          () => (context.fresh = 1),
        ]) {
          try {
            write();
          } catch (error) {
            errors.push(error);
          }
        }
        return [context.topic, context.deep.a, context.list.length, 'fresh' in context];
      },
    },
    PLAN,
    { context: { topic: 'tides', deep: { a: 1 }, list: [1] } },
  );
  assert.deepStrictEqual((await w.nextStep(w.id)).step.output, ['tides', 1, 1, false]);
  assert.equal(errors.length, 5);
  const { one, ...rest } = w.job().context;
  assert.deepStrictEqual(rest, { topic: 'tides', deep: { a: 1 }, list: [1] });
  assert.ok(one);
});

test('what a step leaves in the history and on the bus', LIMIT, async () => {
  const w = await running({ reader: () => ({ big: 'output' }) });
  await w.nextStep(w.id);
  const types = w.job().history.map((/** @type {any} */ event) => event.type);
  assert.deepStrictEqual(
    types.filter((/** @type {string} */ type) => type.startsWith('step_') || type === 'job_completed'),
    ['step_started', 'step_completed', 'job_completed'],
  );
  const completed = w.job().history.find((/** @type {any} */ event) => event.type === 'step_completed');
  assert.deepStrictEqual(completed.payload.output, { big: 'output' });
  assert.deepStrictEqual(w.bus.types(), ['step_started', 'step_completed', 'job_completed']);
  const [onBus] = w.bus.of('step_completed');
  assert.deepStrictEqual(onBus, { jobId: w.id, step: 'one', agent: 'reader', attempt: 1, status: 'done' });
  assert.deepStrictEqual(w.bus.of('step_started')[0], {
    jobId: w.id,
    step: 'one',
    agent: 'reader',
    attempt: 1,
    status: 'running',
  });
  assert.ok(w.bus.emitted.every((/** @type {any[]} */ args) => args.length === 2));
});

test(
  'a step is stored as running before its agent is called, and as done with its output after',
  LIMIT,
  async () => {
    /** @type {any} */
    let during;
    const w = setup({
      agentRegistry: {
        reader: () => {
          during = w.store.jobs.get(id);
          return 'read';
        },
      },
    });
    const id = await started(w, PLAN);
    const saves = w.store.saved.length;
    await w.nextStep(id);
    assert.equal(during.run.steps.one.status, 'running');
    assert.equal(during.run.steps.one.attempts, 1);
    assert.equal(during.run.stepsTaken, 1);
    assert.ok(!('one' in during.context));
    const after = w.store.jobs.get(id);
    assert.equal(after.run.steps.one.status, 'done');
    assert.equal(after.context.one, 'read');
    assert.equal(
      w.store.saved.length,
      saves + 2,
      'one commit before the agent and one after, which ends the job too',
    );
  },
);

test('history is a tree: each event is caused by one before it', LIMIT, async () => {
  const w = await running({ a: (/** @type {any} */ _, /** @type {any} */ c) => c.emit('note', { n: 1 }) }, [
    { id: 'one', agent: 'a' },
    { id: 'two', agent: 'a' },
  ]);
  await w.runJob(w.id);
  const { history } = w.job();
  const ids = new Set();
  for (const [at, event] of history.entries()) {
    assert.equal(event.seq, at + 1);
    if (event.trace.parentId !== undefined)
      assert.ok(ids.has(event.trace.parentId), `${event.type} has no cause`);
    ids.add(event.trace.spanId);
  }
  assert.equal(ids.size, history.length);
  const of = (/** @type {string} */ type, /** @type {string} */ step) =>
    history.find((/** @type {any} */ e) => e.type === type && e.payload.step === step);
  assert.equal(of('step_completed', 'one').trace.parentId, of('step_started', 'one').id);
});

test('what an agent emits is in the history and on the bus, with its step as the cause', LIMIT, async () => {
  const w = await running({
    reader: (/** @type {any} */ _, /** @type {any} */ context) => void context.emit('page_read', { page: 3 }),
  });
  await w.nextStep(w.id);
  const { history } = w.job();
  const event = history.find((/** @type {any} */ e) => e.type === 'page_read');
  assert.equal(event.payload.page, 3);
  assert.equal(event.trace.parentId, history.find((/** @type {any} */ e) => e.type === 'step_started').id);
  assert.equal(w.bus.of('page_read').length, 1);
  assert.equal(w.bus.of('page_read')[0].page, 3);
});

test(
  'the idempotency key is the same for each attempt, and another for each step and job',
  LIMIT,
  async () => {
    /** @type {string[]} */
    const keys = [];
    const agent = (/** @type {any} */ _, /** @type {any} */ { idempotencyKey, attempt }) => {
      keys.push(idempotencyKey);
      if (attempt === 1) throw new Error('again');
    };
    const steps = ['one', 'two'].map((id) => ({ id, agent: 'a', retry: { maxAttempts: 2, backoffMs: 0 } }));
    const w = setup({ agentRegistry: { a: agent } });
    for (let n = 0; n < 2; n++) {
      const id = await started(w, steps);
      const run = w.runJob(id);
      await w.clock.advance(10);
      assert.equal((await run).status, 'completed');
    }
    assert.equal(keys.length, 8);
    for (let at = 0; at < 8; at += 2) assert.equal(keys[at], keys[at + 1]);
    assert.equal(new Set(keys).size, 4);
  },
);

test(
  'a commit that fails after the agent: the step runs again with the same key and attempt, and counts once',
  LIMIT,
  async () => {
    /** @type {any[]} */
    const calls = [];
    const w = await running(
      {
        reader: (/** @type {any} */ _, /** @type {any} */ c) => {
          calls.push([c.idempotencyKey, c.attempt]);
          return 'read';
        },
      },
      PLAN,
      { permissions: { ...FREE, maxSteps: 1 } },
    );
    const error = new Error('disk full');
    const { saveJob } = w.store;
    let saves = 0;
    w.store.saveJob = (/** @type {any} */ job) => (++saves === 2 ? Promise.reject(error) : saveJob(job));
    await assert.rejects(w.nextStep(w.id), (thrown) => thrown === error);
    assert.equal(w.job().run.steps.one.status, 'running');
    const outcome = await w.nextStep(w.id);
    assert.equal(outcome.status, 'completed');
    assert.equal(calls.length, 2);
    assert.deepStrictEqual(calls[0], calls[1]);
    assert.equal(w.job().run.stepsTaken, 1);
  },
);

test('the package exports its errors', () => {
  const { JobwrightError, NonRetryableError, ConflictError } = jobwright;
  for (const Type of [JobwrightError, NonRetryableError, ConflictError])
    assert.ok(Type.prototype instanceof Error);
});
