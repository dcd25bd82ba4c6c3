// @ts-check
// biome-ignore-all lint/suspicious/noThenProperty: what can be awaited and is no promise is tested
/** Hosts that throw junk or never answer: each is refused with a sentence, and the next operation works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClock, settle } from '../behaviour/support/clock.mjs';
import { created, FREE, LIMIT, setup, started, within } from '../behaviour/support/setup.mjs';
import { isTrap, refusedOrRejected } from './support.mjs';

const PLAN = [{ id: 'one', agent: 'reader' }];

/** @type {Record<string, (value: any) => any>} */
const THENABLES = {
  'resolves twice': (value) => ({
    then: (/** @type {any} */ resolve) => {
      resolve(value);
      return resolve('again');
    },
  }),
  'resolves and then rejects': (value) => ({
    then: (/** @type {any} */ resolve, /** @type {any} */ reject) => {
      resolve(value);
      return reject(new Error('late'));
    },
  }),
  'resolves and then throws': (value) => ({
    then(/** @type {any} */ resolve) {
      resolve(value);
      throw new Error('late');
    },
  }),
  'resolves with a promise of a promise': (value) =>
    Promise.resolve({ then: (/** @type {any} */ resolve) => resolve(Promise.resolve(value)) }),
  'is a function with then': (value) =>
    Object.assign(() => {}, { then: (/** @type {any} */ resolve) => resolve(value) }),
  'has a getter named then, which answers once': (value) => {
    let asked = 0;
    return Object.defineProperty({}, 'then', {
      get: () => (asked++ === 0 ? (/** @type {any} */ resolve) => resolve(value) : undefined),
    });
  },
};

for (const [name, wrap] of Object.entries(THENABLES)) {
  test(`dependencies that give a thenable that ${name}`, LIMIT, async () => {
    const jobs = new Map();
    const store = {
      getJob: (/** @type {string} */ id) => wrap(jobs.get(id) ?? null),
      saveJob: (/** @type {any} */ job) => {
        jobs.set(job.id, job);
        return wrap(undefined);
      },
    };
    const budgetManager = { canSpend: () => wrap({ success: true }), recordSpend: () => wrap(undefined) };
    const w = setup({
      store,
      budgetManager,
      eventBus: { emit: () => wrap(undefined) },
      agentRegistry: { reader: () => wrap('read') },
      router: () => wrap('reader'),
    });
    const id = await within(started(w, PLAN), 'startJob');
    const outcome = await within(w.nextStep(id), 'nextStep');
    assert.equal(outcome.step.output, 'read');
    const routed = await within(started(w), 'startJob');
    assert.equal((await within(w.nextStep(routed), 'nextStep')).step.output, 'read');
  });
}

const BAD_THENS = {
  'throws in then': () => ({
    then() {
      throw new Error('no then for you');
    },
  }),
  'throws when then is read': () =>
    Object.defineProperty({}, 'then', {
      get() {
        throw new Error('no then for you');
      },
    }),
};
for (const [name, make] of Object.entries(BAD_THENS)) {
  test(`a store that gives what ${name}`, LIMIT, async () => {
    for (const method of /** @type {const} */ (['getJob', 'saveJob'])) {
      const w = setup();
      const id = await created(w);
      const working = w.store[method];
      w.store[method] = make;
      await assert.rejects(within(w.startJob(id), 'startJob'), /no then for you/);
      w.store[method] = working;
      assert.deepStrictEqual(await w.startJob(id), { success: true });
    }
  });
}

test('a store that never answers holds up its job, and no other', LIMIT, async () => {
  const w = setup();
  const stuck = await created(w);
  const fine = await created(w);
  const { getJob } = w.store;
  w.store.getJob = (/** @type {string} */ id) => (id === stuck ? new Promise(() => {}) : getJob(id));
  void w.startJob(stuck);
  void w.pauseJob(stuck);
  assert.deepStrictEqual(await within(w.startJob(fine), 'startJob'), { success: true });
  assert.deepStrictEqual(await within(w.completeJob(fine), 'completeJob'), { success: true });
  await within(Promise.race([w.close(), settle().then(settle)]), 'close');
});

for (const [junk, found] of /** @type {[any, string][]} */ ([
  [undefined, 'undefined'],
  [null, 'null'],
  [5, '5'],
  ['no', '"no"'],
  [true, 'true'],
  [[], 'an array'],
  [{}, 'an object'],
  [{ success: 'yes' }, 'an object'],
  [{ ok: true }, 'an object'],
])) {
  test(
    `a budget manager that answers ${JSON.stringify(junk) ?? 'undefined'} gives no leave`,
    LIMIT,
    async () => {
      const w = setup({ budgetManager: { canSpend: () => junk } });
      const id = await created(w);
      const { message } = await refusedOrRejected(w.startJob(id), 'startJob');
      assert.ok(message.endsWith(`; found ${found}`), message);
      assert.equal(w.store.jobs.get(id).status, 'created');
      assert.equal((await w.failJob(id)).success, true);
    },
  );
}

for (const [when, later] of /** @type {[string, (answer: any) => any][]} */ ([
  ['at once', (answer) => answer],
  ['later', async (answer) => answer],
])) {
  test(`a budget manager whose answer, ${when}, can't be read has failed`, LIMIT, async () => {
    const evil = Object.defineProperty({}, 'success', {
      get() {
        throw new Error('not readable');
      },
    });
    const budgetManager = { canSpend: () => later(evil), recordSpend: () => later(evil) };
    const w = setup({ budgetManager, agentRegistry: { reader: () => 1 }, logger: {} });
    const id = await w.createJob({}, FREE, { plan: { steps: PLAN } });
    await assert.rejects(within(w.startJob(id), 'startJob'), /not readable/);
    budgetManager.canSpend = () => ({ success: true });
    assert.deepStrictEqual(await w.startJob(id), { success: true });
    assert.equal((await within(w.nextStep(id), 'nextStep')).success, true);
  });
}

for (const junk of [
  undefined,
  5,
  true,
  [],
  {},
  { agent: 5 },
  { agent: 'reader', tools: 'all' },
  { agent: 'reader', cost: Number.NaN },
  '',
  Symbol('s'),
]) {
  test(`a router that answers ${String(JSON.stringify(junk))} works or is refused`, LIMIT, async () => {
    const w = setup({ agentRegistry: { reader: () => 1 }, router: () => junk });
    const id = await started(w);
    try {
      const outcome = await within(w.nextStep(id), 'nextStep');
      if (!outcome.success) assert.match(outcome.error, /\w+ \w+/);
    } catch (error) {
      assert.ok(error instanceof Error && !isTrap(error));
      assert.match(error.message, /\w+ \w+/);
    }
    const other = await started(w, PLAN);
    assert.equal((await w.nextStep(other)).status, 'completed');
  });
}

for (const junk of [undefined, null, 5, 'text', {}, [], { execute: 5 }, { execute: null }]) {
  test(`a registry that gives ${JSON.stringify(junk) ?? 'undefined'} for an agent`, LIMIT, async () => {
    const w = setup({ agentRegistry: { get: () => junk } });
    const id = await started(w, PLAN);
    await refusedOrRejected(w.nextStep(id), 'nextStep');
    await w.failJob(id);
    assert.equal(w.store.jobs.get(id).status, 'failed');
  });
}

test('a registry that answers later is told that it may not', LIMIT, async () => {
  const w = setup({ agentRegistry: { get: async () => () => 1 } });
  const id = await started(w, PLAN);
  await assert.rejects(w.nextStep(id), /an object with an execute method; found a promise$/);
});

test('a registry whose get throws', LIMIT, async () => {
  const w = setup({
    agentRegistry: {
      get() {
        throw new Error('no registry today');
      },
    },
  });
  const id = await started(w, PLAN);
  await refusedOrRejected(w.nextStep(id), 'nextStep');
  assert.equal(
    (await w.failJob(id).catch(() => ({ success: false }))).success ||
      w.store.jobs.get(id).status === 'failed',
    true,
  );
});

for (const ids of [
  () => 5,
  () => '',
  () => undefined,
  () => ({}),
  () => 'always the same',
  () => {
    throw new Error('no ids today');
  },
]) {
  test(`generateId: ${String(ids)}`, LIMIT, async () => {
    const w = setup({ generateId: /** @type {any} */ (ids) });
    for (let n = 0; n < 2; n++) {
      try {
        assert.equal(typeof (await within(w.createJob(), 'createJob')), 'string');
      } catch (error) {
        assert.ok(error instanceof Error && !isTrap(error), String(error));
        assert.match(error.message, /\w+ \w+/);
      }
    }
    assert.equal(await w.createJob({}, {}, { id: 'own' }), 'own');
  });
}

for (const now of [
  () => Number.NaN,
  () => -5,
  () => 'today',
  () => undefined,
  () => Number.POSITIVE_INFINITY,
  () => {
    throw new Error('no time today');
  },
]) {
  test(`a clock whose now is ${String(now)}`, LIMIT, async () => {
    const w = setup({ clock: { ...createClock(), now: /** @type {any} */ (now) } });
    try {
      const id = await within(w.createJob({}, FREE), 'createJob');
      await within(w.startJob(id), 'startJob');
      await within(w.completeJob(id), 'completeJob');
    } catch (error) {
      assert.ok(error instanceof Error && !isTrap(error), String(error));
      assert.match(error.message, /\w+ \w+/);
    }
    assert.equal(await within(w.getJob('nowhere'), 'getJob'), null);
  });
}

test('dependencies without their methods are refused when made, or when needed, by name', LIMIT, async () => {
  for (const [name, value] of Object.entries({
    store: {},
    eventBus: {},
    budgetManager: {},
    performanceMonitor: {},
    clock: {},
  })) {
    try {
      const w = setup({ [name]: value, ...(name === 'store' && { eventBus: undefined }) });
      const id = await within(w.createJob({}, FREE), 'createJob');
      await within(w.startJob(id), 'startJob');
      await within(w.completeJob(id), 'completeJob');
    } catch (error) {
      assert.ok(error instanceof Error && !isTrap(error), String(error));
      assert.match(
        error.message,
        /getJob|saveJob|emit|canSpend|record|now|sleep|store|clock|budget/i,
        `${name}: ${error.message}`,
      );
    }
  }
});
