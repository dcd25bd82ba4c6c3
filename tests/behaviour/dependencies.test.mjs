// @ts-check
/** How the engine treats what it was given: late, as methods, sync or async, and never in the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOrchestrator } from '../differential/subject.mjs';
import { settle } from './support/clock.mjs';
import { assertRefused, createBus, created, createStore, LIMIT, setup, started } from './support/setup.mjs';

const PLAN = [{ id: 'one', agent: 'reader' }];
const reader = () => 'read';

for (const name of [
  'store',
  'eventBus',
  'budgetManager',
  'performanceMonitor',
  'agentRegistry',
  'tools',
  'clock',
  'logger',
]) {
  for (const value of [5, 'text', true, Symbol('s')]) {
    test(`a ${name} that is ${String(value)} is a TypeError that names it`, () => {
      assert.throws(
        () => createOrchestrator({ [name]: value }),
        (/** @type {any} */ error) => {
          assert.ok(error instanceof TypeError);
          assert.match(error.message, new RegExp(name));
          return true;
        },
      );
    });
  }
}

test('dependencies that are null or undefined count as not given', LIMIT, async () => {
  for (const nothing of [null, undefined]) {
    const names = [
      'store',
      'eventBus',
      'budgetManager',
      'performanceMonitor',
      'agentRegistry',
      'tools',
      'router',
      'generateId',
      'clock',
      'logger',
      'slowPlayMs',
      'leaseMs',
    ];
    const o = createOrchestrator(Object.fromEntries(names.map((name) => [name, nothing])));
    const id = await o.createJob({}, { requireApproval: false });
    assert.deepStrictEqual(await o.startJob(id), { success: true });
    assert.deepStrictEqual(await o.completeJob(id), { success: true });
    await o.close();
  }
});

test('createOrchestrator(null) is createOrchestrator()', LIMIT, async () => {
  const o = createOrchestrator(null);
  assert.equal(typeof (await o.createJob()), 'string');
  await o.close();
});

test('a slowPlayMs that is none is named', () => {
  for (const slowPlayMs of [-1, Number.NaN, 'slow', Infinity]) {
    assert.throws(() => createOrchestrator({ slowPlayMs }), {
      code: 'invalid_argument',
      message: /^slowPlayMs must be/,
    });
  }
});

test('createOrchestrator with nothing at all works on the bundled parts', LIMIT, async () => {
  const o = createOrchestrator();
  const id = await o.createJob({ a: 1 });
  await o.startJob(id);
  await o.pauseJob(id);
  await o.startJob(id);
  await o.completeJob(id);
  const job = await o.getJob(id);
  assert.equal(job.status, 'completed');
  assert.deepStrictEqual(job.context, { a: 1 });
  await o.close();
});

test('every method works when destructured', LIMIT, async () => {
  const { createJob, startJob, pauseJob, nextStep, completeJob, getJob, runJob, close } = createOrchestrator({
    agentRegistry: { reader },
  });
  const id = await createJob(
    {},
    { requireApproval: false },
    { plan: { steps: [...PLAN, { id: 'two', agent: 'reader' }] } },
  );
  await startJob(id);
  await pauseJob(id);
  await startJob(id);
  assert.equal((await nextStep(id)).status, 'running');
  assert.equal((await runJob(id)).status, 'completed');
  assert.equal((await completeJob(id)).success, false);
  assert.equal((await getJob(id)).status, 'completed');
  await close();
});

test(
  'dependencies are called as methods, with exactly the arguments that belong to them',
  LIMIT,
  async () => {
    /** @type {any[]} */
    const calls = [];
    class Host {
      #secret = 'mine';
      /** @param {string} what @param {any[]} args */
      note(what, args) {
        assert.equal(this.#secret, 'mine');
        calls.push([what, ...args]);
      }
    }
    class Budget extends Host {
      /** @param {any[]} args */
      canSpend(...args) {
        this.note('canSpend', args);
        return { success: true };
      }
    }
    class Monitor extends Host {
      /** @param {any[]} args */
      recordJobDuration(...args) {
        this.note('recordJobDuration', args);
      }
    }
    class Bus extends Host {
      /** @param {any[]} args */
      emit(...args) {
        this.note('emit', args);
      }
    }
    const w = setup({ budgetManager: new Budget(), performanceMonitor: new Monitor(), eventBus: new Bus() });
    const id = await created(w);
    await w.startJob(id);
    await w.clock.advance(42);
    await w.completeJob(id);
    assert.deepStrictEqual(calls, [
      ['canSpend', id],
      ['emit', 'job_started', { jobId: id }],
      ['emit', 'job_completed', { jobId: id, status: 'completed' }],
      ['recordJobDuration', id, 42, { status: 'completed' }],
    ]);
  },
);

test('methods are looked up at each call', LIMIT, async () => {
  const store = createStore();
  const bus = createBus();
  const w = setup({ store, eventBus: bus });
  const id = await created(w);
  /** @type {string[]} */
  const seen = [];
  const { getJob, saveJob } = store;
  store.getJob = (asked) => {
    seen.push('get');
    return getJob(asked);
  };
  store.saveJob = (job) => {
    seen.push('save');
    return saveJob(job);
  };
  bus.emit = () => void seen.push('emit');
  await w.startJob(id);
  assert.deepStrictEqual(seen, ['get', 'save', 'emit']);
});

test('synchronous dependencies do as well as asynchronous ones', LIMIT, async () => {
  const jobs = new Map();
  const store = {
    saveJob: (/** @type {any} */ job) => void jobs.set(job.id, job),
    getJob: (/** @type {string} */ id) => jobs.get(id),
  };
  const budgetManager = { canSpend: () => ({ success: true }) };
  const w = setup({ store, budgetManager, agentRegistry: { reader } });
  const id = await started(w, PLAN);
  const outcome = await w.nextStep(id);
  assert.equal(outcome.status, 'completed');
  assert.equal(jobs.get(id).context.one, 'read');
});

test('the store may give undefined for a job that is not there', LIMIT, async () => {
  const w = setup({ store: { saveJob() {}, getJob() {} } });
  assertRefused(await w.startJob('x'), 'not_found', 'Job not found');
  assert.equal(await w.getJob('x'), null);
});

test('a budget refusal at the start is passed on as it is, and nothing is saved', LIMIT, async () => {
  const own = Object.freeze({ success: false, error: 'no energy left', more: { limit: 3 } });
  const w = setup({ budgetManager: { canSpend: () => own } });
  const id = await created(w);
  const saves = w.store.saved.length;
  assert.equal(await w.startJob(id), own);
  assert.equal(w.store.saved.length, saves);
  assert.equal(w.store.jobs.get(id).status, 'created');
  assert.deepStrictEqual(w.bus.emitted, []);
});

for (const how of ['rejects', 'throws']) {
  const broken = (/** @type {Error} */ error) => () => {
    if (how === 'throws') throw error;
    return Promise.reject(error);
  };

  for (const method of /** @type {const} */ (['getJob', 'saveJob'])) {
    for (const operation of ['startJob', 'failJob', 'cancelJob', 'nextStep', 'setPermissions', 'createJob']) {
      test(
        `a store whose ${method} ${how}: ${operation} rejects with the same error and nothing has changed`,
        LIMIT,
        async () => {
          const w = setup({ agentRegistry: { reader } });
          const id = operation === 'nextStep' ? await started(w, PLAN) : await created(w, PLAN);
          const before = w.store.jobs.get(id);
          const count = w.store.jobs.size;
          w.bus.clear();
          const error = new Error('disk full');
          const working = w.store[method];
          w.store[method] = broken(error);
          const args = { createJob: [{}, {}, { id: 'new' }], setPermissions: [id, { maxSteps: 3 }] }[
            operation
          ] ?? [id];
          await assert.rejects(
            w[/** @type {'startJob'} */ (operation)](.../** @type {[any]} */ (args)),
            (thrown) => thrown === error,
          );
          w.store[method] = working;
          assert.equal(w.store.jobs.get(id), before);
          assert.equal(w.store.jobs.size, count);
          assert.deepStrictEqual(w.bus.emitted, []);
          assert.deepStrictEqual(await w.failJob(id), { success: true }, 'the next operation works');
        },
      );
    }
  }

  test(`a bus that ${how} never fails an operation`, LIMIT, async () => {
    const w = setup({ eventBus: { emit: broken(new Error('bus down')) }, agentRegistry: { reader } });
    const id = await started(w, PLAN);
    assert.equal((await w.nextStep(id)).status, 'completed');
    await settle();
  });

  test(`a monitor that ${how} never fails an operation`, LIMIT, async () => {
    const down = broken(new Error('monitor down'));
    const w = setup({
      performanceMonitor: { recordJobDuration: down, recordLatency: down },
      agentRegistry: { reader },
    });
    const id = await started(w, PLAN);
    assert.equal((await w.nextStep(id)).status, 'completed');
    await settle();
  });

  test(`a budget manager that ${how}: the caller gets its error and nothing has changed`, LIMIT, async () => {
    const error = new Error('ledger down');
    const budgetManager = { canSpend: broken(error) };
    const w = setup({ budgetManager });
    const id = await created(w);
    const before = w.store.jobs.get(id);
    await assert.rejects(w.startJob(id), (thrown) => thrown === error);
    assert.equal(w.store.jobs.get(id), before);
    budgetManager.canSpend = /** @type {any} */ (() => ({ success: true }));
    assert.deepStrictEqual(await w.startJob(id), { success: true });
  });
}

for (const part of ['budget manager', 'registry']) {
  test(
    `a ${part} that fails for the second step: the first one is done all the same, and its agent runs once`,
    LIMIT,
    async () => {
      const error = new Error('not now');
      let broken = true;
      /** @type {string[]} */
      const calls = [];
      const agent = (/** @type {any} */ _, /** @type {any} */ context) => calls.push(context.step);
      const fails = (/** @type {string} */ where, /** @type {boolean} */ isSecond) => {
        if (broken && isSecond && where === part) throw error;
      };
      const budgetManager = {
        async canSpend(/** @type {any} */ _, /** @type {any} */ cost) {
          fails('budget manager', cost === 2);
          return { success: true };
        },
      };
      const agentRegistry = {
        get(/** @type {string} */ name) {
          fails('registry', name === 'two');
          return agent;
        },
      };
      const w = setup({ budgetManager, agentRegistry });
      const id = await started(w, [
        { id: 'one', agent: 'one', cost: 1 },
        { id: 'two', agent: 'two', cost: 2 },
      ]);
      await assert.rejects(w.runJob(id), (thrown) => thrown === error);
      assert.equal(w.store.jobs.get(id).run.steps.one.status, 'done');
      broken = false;
      assert.equal((await w.runJob(id)).status, 'completed');
      assert.deepStrictEqual(calls, ['one', 'two']);
    },
  );
}

test('a bus that never answers holds nothing up', LIMIT, async () => {
  const w = setup({ eventBus: { emit: () => new Promise(() => {}) } });
  const id = await created(w);
  assert.deepStrictEqual(await w.startJob(id), { success: true });
  assert.deepStrictEqual(await w.completeJob(id), { success: true });
});

test('the monitor is told once for each job that ends, however it ends', LIMIT, async () => {
  /** @type {any[]} */
  const told = [];
  const performanceMonitor = { recordJobDuration: (/** @type {any[]} */ ...args) => void told.push(args) };
  const w = setup({
    performanceMonitor,
    agentRegistry: { reader, broken: () => Promise.reject(new Error('no')) },
  });
  const ends = [
    async (/** @type {string} */ id) => w.completeJob(id),
    async (/** @type {string} */ id) => w.completeJob(id, 'failed'),
    async (/** @type {string} */ id) => w.failJob(id),
    async (/** @type {string} */ id) => w.cancelJob(id),
  ];
  const statuses = ['completed', 'failed', 'failed', 'failed'];
  for (const [at, end] of ends.entries()) {
    const id = await started(w);
    await w.clock.advance(10);
    await end(id);
    await end(id);
    assert.deepStrictEqual(told.splice(0), [[id, 10, { status: statuses[at] }]]);
  }
  const done = await started(w, PLAN);
  await w.nextStep(done);
  assert.deepStrictEqual(told.splice(0), [[done, 0, { status: 'completed' }]]);
  const failed = await started(w, [{ id: 'one', agent: 'broken' }]);
  await w.nextStep(failed);
  assert.deepStrictEqual(told.splice(0), [[failed, 0, { status: 'failed' }]]);
});

test('the monitor gets one latency a step', LIMIT, async () => {
  /** @type {any[]} */
  const told = [];
  const performanceMonitor = {
    recordJobDuration() {},
    recordLatency: (/** @type {any[]} */ ...args) => void told.push(args),
  };
  const w = setup({ performanceMonitor, agentRegistry: { reader } });
  const id = await started(w, PLAN);
  await w.nextStep(id);
  assert.equal(told.length, 1);
  const [[ms, tags]] = told;
  assert.equal(ms, 0);
  assert.deepStrictEqual({ ...tags }, { jobId: id, step: 'one', agent: 'reader', status: 'done' });
});

test('generateId makes the ids of jobs', LIMIT, async () => {
  let n = 0;
  const w = setup({ generateId: () => `own-${++n}` });
  assert.equal(await w.createJob(), 'own-1');
  assert.equal(await w.createJob(), 'own-2');
});

test('nothing that a store gave or was given is changed afterwards', LIMIT, async () => {
  const w = setup({ agentRegistry: { reader } });
  const context = { deep: { list: [1] } };
  const id = await started(w, PLAN, { context });
  const copies = w.store.saved.map((/** @type {any} */ job) => [job, structuredClone(job)]);
  await w.nextStep(id, { given: true });
  for (const [job, copy] of copies) assert.deepStrictEqual(job, copy);
  assert.equal(new Set(w.store.saved).size, w.store.saved.length, 'one object was saved twice');
});
