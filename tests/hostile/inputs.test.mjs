// @ts-check
// biome-ignore-all lint/suspicious/noThenProperty: what can be awaited and is no promise is tested
/** Inputs nobody should give: each works or is refused with a sentence, and the next operation works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, FREE, LIMIT, setup, started, within } from '../behaviour/support/setup.mjs';
import { jobwright } from '../differential/subject.mjs';
import { assertWorks, PLAN, worksOrSays, world } from './support.mjs';

const cyclic = /** @type {any} */ ({ name: 'cyclic' });
cyclic.self = cyclic;

const throwing = () => {
  throw new Error('a proxy says no');
};
const TRAPS = [
  'get',
  'set',
  'has',
  'ownKeys',
  'getOwnPropertyDescriptor',
  'getPrototypeOf',
  'defineProperty',
  'isExtensible',
  'preventExtensions',
];
const badProxy = () => new Proxy({ a: 1 }, Object.fromEntries(TRAPS.map((trap) => [trap, throwing])));
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

const ODD_OBJECTS = {
  'a cycle': () => cyclic,
  'a getter that throws': () => ({
    get bad() {
      throw new Error('a getter says no');
    },
  }),
  'a proxy that throws': badProxy,
  'a revoked proxy': revoked,
  'a frozen object': () => Object.freeze({ deep: Object.freeze({ a: 1 }) }),
  'an own __proto__ key': () => JSON.parse('{"__proto__": {"polluted": true}, "a": 1}'),
  'keys named constructor and prototype': () => ({
    constructor: { prototype: { polluted: true } },
    prototype: 1,
    hasOwnProperty: 2,
    toString: 3,
  }),
  'an object without a prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'an array': () => [1, 2],
  'a Map': () => new Map([['a', 1]]),
  'a Date': () => new Date(0),
  'a class instance': () =>
    new (class Thing {
      a = 1;
    })(),
  'functions and symbols inside': () => ({
    f() {},
    [Symbol('s')]: 1,
    s: Symbol('s'),
    b: 5n,
    u: undefined,
    n: Number.NaN,
  }),
  'a promise': () => Promise.resolve({ a: 1 }),
  'a thenable': () => ({ then: (/** @type {any} */ resolve) => resolve({ a: 1 }) }),
  'ten megabytes of text': () => ({ text: 'x'.repeat(10_000_000) }),
  'a hundred thousand keys': () =>
    Object.fromEntries(Array.from({ length: 100_000 }, (_, n) => [`key${n}`, n])),
  'ten thousand levels': () => {
    let deep = /** @type {any} */ ({});
    for (let n = 0; n < 10_000; n++) deep = { deep };
    return deep;
  },
  'lone surrogates': () => ({ '\ud800': '\udfff' }),
  'empty keys': () => ({ '': { '': 1 } }),
};
const ODD_VALUES = {
  null: () => null,
  'a number': () => 5,
  NaN: () => Number.NaN,
  'a string': () => 'text',
  'a symbol': () => Symbol('s'),
  'a BigInt': () => 5n,
  true: () => true,
  'a function': () => () => 1,
};
const ODD = { ...ODD_OBJECTS, ...ODD_VALUES };

for (const [name, make] of Object.entries(ODD)) {
  for (const planned of [true, false]) {
    test(`a context that is ${name}, ${planned ? 'with' : 'without'} a plan`, LIMIT, async () => {
      const w = world();
      const id = await worksOrSays(
        () => w.createJob(make(), FREE, planned ? { plan: PLAN } : {}),
        'createJob',
      );
      if (typeof id === 'string') {
        await worksOrSays(() => w.startJob(id), 'startJob');
        await worksOrSays(() => w.nextStep(id, 1), 'nextStep');
        await worksOrSays(() => w.getJob(id), 'getJob');
        await worksOrSays(() => w.failJob(id), 'failJob');
      }
      await assertWorks(w);
      assert.equal(/** @type {any} */ ({}).polluted, undefined);
    });
  }

  test(`permissions, options, a plan and a config that are ${name}`, LIMIT, async () => {
    const w = world();
    await worksOrSays(() => w.createJob({}, make()), 'permissions');
    await worksOrSays(() => w.createJob({}, {}, make()), 'options');
    await worksOrSays(() => w.createJob({}, {}, { plan: make() }), 'a plan');
    await worksOrSays(() => w.createJob({}, {}, { plan: { steps: make() } }), 'steps');
    await worksOrSays(() => w.createJob({}, {}, { plan: { steps: [make()] } }), 'a step');
    await worksOrSays(
      () => w.createJob({}, {}, { plan: { steps: [{ id: 'one', agent: 'reader', input: make() }] } }),
      'an input',
    );
    await worksOrSays(() => w.createJob({}, {}, { type: 'parent', config: make() }), 'a config');
    const id = await created(w);
    await worksOrSays(() => w.setPermissions(id, make()), 'setPermissions');
    await assertWorks(w);
  });

  test(`an input, an error, a reason and an answer that are ${name}`, LIMIT, async () => {
    const w = world({ agentRegistry: { reader: (/** @type {any} */ input) => input } });
    const id = await started(w, PLAN.steps);
    await worksOrSays(() => w.nextStep(id, make()), 'nextStep');
    const asking = await started(w, PLAN.steps, { permissions: { ...FREE, requireApproval: true } });
    await w.nextStep(asking);
    await worksOrSays(() => w.approveStep(asking, make()), 'approveStep');
    await worksOrSays(() => w.rejectStep(asking, make()), 'rejectStep');
    await worksOrSays(async () => w.failJob(await created(w), make()), 'failJob');
    await worksOrSays(async () => w.cancelJob(await created(w), make()), 'cancelJob');
    await worksOrSays(async () => w.completeJob(await started(w), make()), 'completeJob');
    await worksOrSays(async () => w.runJob(await started(w, PLAN.steps), make()), 'runJob');
    await worksOrSays(() => w.listJobs(make()), 'listJobs');
    await assertWorks(world());
  });

  test(`an id that is ${name}`, LIMIT, async () => {
    const w = world();
    for (const operation of [
      'startJob',
      'pauseJob',
      'nextStep',
      'completeJob',
      'failJob',
      'cancelJob',
      'approveStep',
      'rejectStep',
      'getJob',
      'runJob',
    ]) {
      const given = await worksOrSays(() => w[/** @type {'startJob'} */ (operation)](make()), operation);
      assert.notEqual(given?.success, true, operation);
    }
    await worksOrSays(() => w.setPermissions(make(), {}), 'setPermissions');
    await worksOrSays(() => w.createJob({}, {}, { id: make() }), 'createJob');
    await worksOrSays(() => w.createJob({}, {}, { parentId: make() }), 'createJob');
    await assertWorks(w);
  });

  test(`validatePlan on what is ${name}`, LIMIT, async () => {
    for (const plan of [
      make(),
      { steps: make() },
      { steps: [make()] },
      { steps: [{ id: 'one', agent: make() }] },
      { steps: [{ id: make(), agent: 'a' }] },
    ]) {
      await worksOrSays(() => {
        const verdict = jobwright.validatePlan(plan);
        assert.equal(typeof verdict.success, 'boolean');
        if (!verdict.success)
          for (const { path, message } of verdict.errors)
            assert.ok(typeof path === 'string' && /\w/.test(message));
      }, 'validatePlan');
    }
  });
}

test('an id that is not a string says what was given and what was expected', LIMIT, async () => {
  const w = world();
  for (const id of [5, {}, Symbol('mine'), '']) {
    const error = await worksOrSays(() => w.createJob({}, {}, { id }), 'createJob');
    assert.ok(error instanceof jobwright.JobwrightError, `an id ${String(id)} was taken`);
    assert.equal(error.code, 'invalid_argument');
    assert.match(error.message, /string/);
  }
});

test('a context with __proto__ keys keeps them as data, through steps and stores', LIMIT, async () => {
  const context = JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"a": 1}}');
  const w = setup({
    agentRegistry: {
      reader: (/** @type {any} */ _, /** @type {any} */ c) => [
        Object.keys(c.context),
        c.context.polluted ?? null,
      ],
    },
  });
  const id = await started(w, PLAN.steps, { context });
  const { output } = (await w.nextStep(id)).step;
  assert.equal(output[1], null);
  const stored = w.store.jobs.get(id).context;
  assert.ok(Object.hasOwn(stored, 'constructor'));
  assert.ok(Object.hasOwn(stored, '__proto__'), 'the key is lost');
  assert.equal(Object.getPrototypeOf(stored), Object.prototype);
});

test('ten megabytes go through an agent and come back whole', LIMIT, async () => {
  const text = 'y'.repeat(10_000_000);
  const w = setup({ agentRegistry: { reader: (/** @type {any} */ input) => `${input}!` } });
  const id = await started(w, PLAN.steps);
  const outcome = await w.nextStep(id, text);
  assert.equal(outcome.step.output.length, 10_000_001);
  assert.equal((await w.getJob(id)).context.one, `${text}!`);
});

test('an id of ten megabytes', LIMIT, async () => {
  const w = world();
  const long = 'z'.repeat(10_000_000);
  const given = await worksOrSays(() => w.createJob({}, FREE, { id: long }), 'createJob');
  if (given === long) assert.deepStrictEqual(await w.startJob(long), { success: true });
  assert.equal((await worksOrSays(() => w.startJob(`${long}!`), 'startJob'))?.success ?? false, false);
  await assertWorks(w);
});

test('a plan of ten thousand steps', LIMIT, async () => {
  const w = world();
  const steps = Array.from({ length: 10_000 }, (_, n) => ({ id: `s${n}`, agent: 'reader' }));
  const id = await worksOrSays(
    () => w.createJob({}, { ...FREE, maxSteps: 3 }, { plan: { steps } }),
    'createJob',
  );
  if (typeof id === 'string') {
    await w.startJob(id);
    assert.equal((await within(w.nextStep(id), 'nextStep')).status, 'running');
  }
  await assertWorks(w);
});
