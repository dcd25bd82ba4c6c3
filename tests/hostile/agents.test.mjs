// @ts-check
/** Agents that throw what is no error and give what is no output: the step ends, and the next operation works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../behaviour/support/clock.mjs';
import { assertRefused, LIMIT, setup, started, within } from '../behaviour/support/setup.mjs';

const PLAN = [{ id: 'one', agent: 'reader' }];

const NO_ERRORS = {
  undefined: () => undefined,
  null: () => null,
  'a string': () => 'just words',
  'an empty string': () => '',
  'a number': () => 5,
  'a symbol': () => Symbol('s'),
  'a function': () => () => 1,
  'an empty object': () => ({}),
  'an object without a prototype': () => Object.create(null),
  'an object whose message throws': () => ({
    get message() {
      throw new Error('no message');
    },
  }),
  'an error whose message throws': () =>
    Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error('no message');
      },
    }),
  'a proxy that throws': () =>
    new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
        getPrototypeOf() {
          throw new Error('no');
        },
        has() {
          throw new Error('no');
        },
      },
    ),
  'an object whose toString throws': () => ({
    toString() {
      throw new Error('no');
    },
  }),
  'an error with a message of ten megabytes': () => new Error('x'.repeat(10_000_000)),
  'an error that causes itself': () => {
    const error = new Error('round and round');
    error.cause = error;
    return error;
  },
  'an error with code __proto__': () =>
    Object.assign(new Error('odd code'), { code: '__proto__', retryable: 'maybe' }),
  'a frozen error': () => Object.freeze(new Error('cold')),
};

for (const [name, make] of Object.entries(NO_ERRORS)) {
  for (const [how, agent] of Object.entries({
    throws: () => {
      throw make();
    },
    'rejects with': () => Promise.reject(make()),
    'answers success false with': () => ({ success: false, error: make() }),
  })) {
    test(`an agent that ${how} ${name}`, LIMIT, async () => {
      const w = setup({ agentRegistry: { reader: agent, fine: () => 1 } });
      const id = await started(w, PLAN);
      const outcome = await within(w.nextStep(id), 'nextStep');
      assertRefused(outcome, 'agent_failed');
      const job = w.store.jobs.get(id);
      assert.equal(job.status, 'failed');
      assert.equal(typeof job.run.failure.message, 'string');
      const next = await started(w, [{ id: 'one', agent: 'fine' }]);
      assert.equal((await w.nextStep(next)).status, 'completed');
    });
  }
}

const ODD_OUTPUTS = {
  NaN: () => Number.NaN,
  Infinity: () => Number.POSITIVE_INFINITY,
  'NaN deep inside': () => ({ a: [Number.NaN] }),
  'a Map': () => new Map([['a', 1]]),
  'a Date': () => new Date(0),
  'a class instance': () =>
    new (class Thing {
      a = 1;
    })(),
  'a getter that throws': () => ({
    get bad() {
      throw new Error('no');
    },
  }),
  'a proxy that throws': () =>
    new Proxy(
      {},
      {
        get(_, key) {
          if (key === 'then') return undefined;
          throw new Error('no');
        },
        ownKeys() {
          throw new Error('no');
        },
      },
    ),
  'an own __proto__ key': () => JSON.parse('{"__proto__": {"polluted": 1}}'),
  'success that is no boolean': () => ({ success: 'yes', data: 1 }),
  'success true without data': () => ({ success: true }),
  'success true with a NaN cost': () => ({ success: true, data: 1, cost: Number.NaN }),
  'success true with a negative cost': () => ({ success: true, data: 1, cost: -5 }),
  'success true with a cost in words': () => ({ success: true, data: 1, cost: 'much' }),
  'success that throws': () => ({
    get success() {
      throw new Error('no');
    },
  }),
  'ten thousand levels': () => {
    let deep = /** @type {any} */ ({});
    for (let n = 0; n < 10_000; n++) deep = { deep };
    return deep;
  },
  'a sparse array': () => new Array(5),
  'a typed array': () => new Uint8Array(4),
  'another realm’s object': () => structuredClone({ a: 1 }),
};

for (const [name, make] of Object.entries(ODD_OUTPUTS)) {
  test(`an agent whose output is ${name}`, LIMIT, async () => {
    const jobs = new Map();
    /** @type {any[]} */
    const spent = [];
    const store = {
      getJob: (/** @type {string} */ id) => jobs.get(id) ?? null,
      saveJob: (/** @type {any} */ job) => void jobs.set(job.id, job),
    };
    const budgetManager = {
      canSpend: () => ({ success: true }),
      recordSpend: (/** @type {any} */ _, /** @type {any} */ amount) => void spent.push(amount),
    };
    const w = setup({ store, budgetManager, agentRegistry: { reader: make, fine: () => 1 } });
    const id = await started(w, [{ id: 'one', agent: 'reader', cost: 2 }]);
    const outcome = await within(w.nextStep(id), 'nextStep');
    if (outcome.success) assert.equal(outcome.status, 'completed');
    else assert.match(outcome.error, /\w+ \w+/);
    assert.ok(
      spent.every((amount) => Number.isFinite(amount) && amount >= 0),
      `spent ${spent}`,
    );
    assert.equal(/** @type {any} */ ({}).polluted, undefined);
    const next = await started(w, [{ id: 'one', agent: 'fine' }]);
    assert.equal((await w.nextStep(next)).status, 'completed');
  });
}

test('an agent that never answers holds up its step, and nothing else', LIMIT, async () => {
  const w = setup({ agentRegistry: { reader: () => new Promise(() => {}), fine: () => 1 } });
  const id = await started(w, PLAN);
  const step = w.nextStep(id);
  await settle();
  const other = await started(w, [{ id: 'one', agent: 'fine' }]);
  assert.equal((await within(w.nextStep(other), 'nextStep')).status, 'completed');
  assert.equal((await within(w.cancelJob(id), 'cancelJob')).success, true);
  assertRefused(await within(step, 'nextStep'), 'cancelled');
});

test('an agent that keeps its context and uses it later', LIMIT, async () => {
  /** @type {any} */
  let kept;
  const tools = { lookup: () => 'found' };
  const w = setup({
    tools,
    agentRegistry: {
      reader(/** @type {any} */ _, /** @type {any} */ c) {
        kept = c;
      },
    },
  });
  const id = await started(w, [{ id: 'one', agent: 'reader', tools: ['lookup'] }]);
  await w.nextStep(id);
  const before = w.store.jobs.get(id);
  await within(
    Promise.resolve(kept.callTool('lookup')).catch((error) => assert.match(error.message, /\w/)),
    'callTool',
  );
  try {
    kept.emit('too_late', {});
  } catch (error) {
    assert.match(/** @type {Error} */ (error).message, /\w/);
  }
  await settle();
  assert.equal(w.store.jobs.get(id).status, 'completed');
  assert.deepStrictEqual(w.store.jobs.get(id).context, before.context);
  assert.equal(typeof kept.signal.aborted, 'boolean');
});

test('an agent that calls emit and callTool with junk', LIMIT, async () => {
  const w = setup({
    tools: { lookup: (/** @type {any} */ args) => args ?? 'nothing' },
    agentRegistry: {
      async reader(/** @type {any} */ _, /** @type {any} */ c) {
        for (const type of [undefined, null, 5, '', {}, Symbol('s'), '__proto__']) {
          for (const payload of [undefined, () => 1, 5n, Object.create(null)]) {
            try {
              c.emit(type, payload);
            } catch (error) {
              assert.match(/** @type {Error} */ (error).message, /\w/);
            }
          }
          await Promise.resolve(c.callTool(type)).catch((error) => assert.match(error.message, /\w/));
        }
        return 'survived';
      },
    },
  });
  const id = await started(w, [{ id: 'one', agent: 'reader', tools: ['lookup'] }]);
  const outcome = await within(w.nextStep(id), 'nextStep');
  assert.equal(
    outcome.success ? outcome.step.output : outcome.error.length > 3,
    outcome.success ? 'survived' : true,
  );
  const other = await started(w, [{ id: 'one', agent: 'reader' }]);
  await within(w.nextStep(other), 'nextStep');
});

const BAD_SCHEMAS = {
  'no validate': { '~standard': {} },
  'a validate that throws': {
    '~standard': {
      validate() {
        throw new Error('no schema today');
      },
    },
  },
  'a validate that answers nothing': { '~standard': { validate: () => undefined } },
  'issues that are junk': { '~standard': { validate: () => ({ issues: [null, 5, {}] }) } },
  'no ~standard': {},
  'a number': 5,
};
for (const [name, outputSchema] of Object.entries(BAD_SCHEMAS)) {
  test(`an output schema with ${name}`, LIMIT, async () => {
    const w = setup({
      agentRegistry: { reader: { metadata: { outputSchema }, execute: () => 1 }, fine: () => 1 },
    });
    const id = await started(w, PLAN);
    const outcome = await within(w.nextStep(id), 'nextStep');
    if (!outcome.success) assert.match(outcome.error, /\w+ \w+/);
    const next = await started(w, [{ id: 'one', agent: 'fine' }]);
    assert.equal((await w.nextStep(next)).status, 'completed');
  });
}
