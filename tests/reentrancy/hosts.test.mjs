// @ts-check
/**
 * Hosts that call the orchestrator from inside their own methods.
 *
 * A job is held while its store and its budget manager are asked, so an operation on the same job made there waits
 * its turn: it is made and not awaited. Nothing is held across the bus, the monitor, an agent, a tool or a router:
 * there it may be awaited, on the same job too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../behaviour/support/clock.mjs';
import { created, createStore, FREE, LIMIT, setup, started, within } from '../behaviour/support/setup.mjs';

const PLAN = [{ id: 'one', agent: 'reader' }];

/** @param {(value: any) => any} [after] how the method answers, once it has called */
const ways = Object.entries({
  synchronously: (/** @type {any} */ value) => value,
  'by a promise': async (/** @type {any} */ value) => value,
  'in a later turn': (/** @type {any} */ value) => new Promise((resolve) => setImmediate(resolve, value)),
});

for (const [how, answer] of ways) {
  for (const method of /** @type {const} */ (['getJob', 'saveJob'])) {
    test(`${method} (answers ${how}) calls an operation on the same job, not awaited`, LIMIT, async () => {
      const store = createStore();
      const w = setup({ store });
      const id = await created(w);
      const { [method]: working } = store;
      /** @type {Promise<any>[]} */
      const inner = [];
      let calls = 0;
      store[method] = /** @type {any} */ (
        (/** @type {any} */ argument) => {
          if (calls++ === 0) inner.push(w.pauseJob(id), w.startJob(id), w.getJob(id));
          const given = store.jobs.get(id);
          void working(argument);
          return answer(method === 'getJob' ? given : undefined);
        }
      );
      assert.deepStrictEqual(await within(w.startJob(id), 'startJob'), { success: true });
      const [paused, again] = await within(Promise.all(inner), 'what the store called');
      assert.deepStrictEqual([paused, again], [{ success: true }, { success: true }]);
      assert.equal((await w.getJob(id)).status, 'running');
      assert.deepStrictEqual(w.bus.types(), ['job_started', 'job_paused', 'job_started']);
    });

    test(`${method} (answers ${how}) awaits an operation on another job`, LIMIT, async () => {
      const store = createStore();
      const w = setup({ store });
      const id = await created(w);
      const other = await created(w);
      const { [method]: working } = store;
      let done = false;
      store[method] = /** @type {any} */ (
        async (/** @type {any} */ argument) => {
          if (!done) {
            done = true;
            assert.deepStrictEqual(await w.startJob(other), { success: true });
            await w.createJob({}, FREE);
          }
          return answer(await working(argument));
        }
      );
      assert.deepStrictEqual(await within(w.startJob(id), 'startJob'), { success: true });
      assert.equal(store.jobs.get(other).status, 'running');
      assert.equal(store.jobs.size, 3);
    });
  }

  test(`a budget manager (answers ${how}) that calls the orchestrator`, LIMIT, async () => {
    /** @type {Promise<any>[]} */
    const inner = [];
    let depth = 0;
    const budgetManager = {
      async canSpend(/** @type {string} */ id) {
        if (depth++ === 0) {
          inner.push(w.pauseJob(id));
          assert.deepStrictEqual(await w.startJob(other), { success: true });
        }
        return answer({ success: true });
      },
    };
    const w = setup({ budgetManager });
    const other = await created(w);
    const id = await created(w);
    assert.deepStrictEqual(await within(w.startJob(id), 'startJob'), { success: true });
    assert.deepStrictEqual(await within(Promise.all(inner), 'pauseJob'), [{ success: true }]);
    assert.equal(w.store.jobs.get(id).status, 'paused');
  });

  test(`a bus (answers ${how}) whose handler calls operations on the same job`, LIMIT, async () => {
    /** @type {Promise<any>[]} */
    const inner = [];
    /** @type {string[]} */
    const types = [];
    const eventBus = {
      emit(/** @type {string} */ type, /** @type {any} */ { jobId }) {
        types.push(type);
        if (types.length === 1) inner.push(w.pauseJob(jobId));
        if (types.length === 2) inner.push(w.startJob(jobId));
        if (types.length === 3) inner.push(w.completeJob(jobId));
        return answer(undefined);
      },
    };
    const w = setup({ eventBus });
    const id = await created(w);
    assert.deepStrictEqual(await within(w.startJob(id), 'startJob'), { success: true });
    await settle();
    assert.deepStrictEqual(
      await within(Promise.all(inner), 'what the bus called'),
      Array(3).fill({ success: true }),
    );
    assert.deepStrictEqual(types, ['job_started', 'job_paused', 'job_started', 'job_completed']);
  });

  test(`a bus handler (answers ${how}) that awaits the orchestrator`, LIMIT, async () => {
    /** @type {any[]} */
    const seen = [];
    const eventBus = {
      async emit(/** @type {string} */ type, /** @type {any} */ { jobId }) {
        if (type !== 'job_started') return answer(undefined);
        seen.push(await w.completeJob(jobId), (await w.getJob(jobId)).status);
        return answer(undefined);
      },
    };
    const w = setup({ eventBus });
    const id = await created(w);
    await within(w.startJob(id), 'startJob');
    await settle();
    assert.deepStrictEqual(seen, [{ success: true }, 'completed']);
  });

  test(`a monitor (answers ${how}) that awaits the orchestrator`, LIMIT, async () => {
    /** @type {any[]} */
    const seen = [];
    const performanceMonitor = {
      async recordJobDuration(/** @type {string} */ jobId) {
        seen.push((await w.getJob(jobId)).status, (await w.startJob(jobId)).success, await w.startJob(other));
        return answer(undefined);
      },
      recordLatency: (/** @type {any} */ _, /** @type {any} */ { jobId }) => answer(w.getJob(jobId)),
    };
    const w = setup({ performanceMonitor, agentRegistry: { reader: () => 1 } });
    const other = await created(w);
    const id = await started(w, PLAN);
    assert.equal((await within(w.nextStep(id), 'nextStep')).status, 'completed');
    await settle();
    assert.deepStrictEqual(seen, ['completed', false, { success: true }]);
  });

  test(`a router (answers ${how}) that acts on its own job`, LIMIT, async () => {
    let asked = 0;
    const w = setup({
      agentRegistry: { reader: () => 1 },
      async router(/** @type {any} */ job) {
        asked++;
        assert.equal((await w.getJob(job.id)).status, 'running');
        assert.deepStrictEqual(await w.setPermissions(job.id, { maxSteps: 50 + asked }), { success: true });
        await w.createJob();
        return answer(asked === 1 ? 'reader' : null);
      },
    });
    const id = await started(w);
    assert.equal((await within(w.nextStep(id), 'nextStep')).status, 'running');
    assert.equal((await within(w.nextStep(id), 'nextStep')).status, 'completed');
    assert.equal(w.store.jobs.get(id).permissions.maxSteps, 52);
  });

  test(
    `a clock and an id generator (in a world that answers ${how}) that call the orchestrator`,
    LIMIT,
    async () => {
      /** @type {Promise<any>[]} */
      const inner = [];
      let n = 0;
      const w = setup({
        generateId() {
          if (n++ === 0) inner.push(w.createJob());
          return `own-${n}-${inner.length}-${Math.random()}`;
        },
        logger: {
          debug: () => w.health?.(),
          warn: () => w.getJob('x'),
          info: () => w.getJob('x'),
          error: () => w.getJob('x'),
        },
      });
      await within(w.createJob(), 'createJob');
      await within(Promise.all(inner), 'the inner createJob');
      assert.equal(w.store.jobs.size, 2);
      await answer(undefined);
    },
  );
}

test('getters of a registry, a job and a budget refusal that call the orchestrator', LIMIT, async () => {
  /** @type {Promise<any>[]} */
  const inner = [];
  const reader = {
    get metadata() {
      inner.push(w.createJob());
      return {
        get cost() {
          inner.push(w.createJob());
          return 1;
        },
      };
    },
    get execute() {
      inner.push(w.createJob());
      return () => 'read';
    },
  };
  const registry = {
    get reader() {
      inner.push(w.createJob());
      return reader;
    },
  };
  const w = setup({ agentRegistry: registry });
  const id = await started(w, PLAN);
  assert.equal((await within(w.nextStep(id), 'nextStep')).status, 'completed');
  await within(Promise.all(inner), 'what the getters called');
});

for (const [what, steps, deps] of /** @type {[string, any[], any][]} */ ([
  ['waits for a retry', [{ id: 'one', agent: 'broken', retry: { maxAttempts: 2, backoffMs: 60_000 } }], {}],
  ['is slowed down', [PLAN[0], { id: 'two', agent: 'reader' }], { slowPlayMs: 60_000 }],
])) {
  test(
    `a bus handler that pauses the job at once, before a run that ${what}: the run stops without waiting`,
    LIMIT,
    async () => {
      const jobs = new Map();
      const store = {
        saveJob: (/** @type {any} */ job) => void jobs.set(job.id, job),
        getJob: (/** @type {string} */ id) => jobs.get(id) ?? null,
      };
      /** @type {Promise<any>[]} */
      const inner = [];
      const eventBus = {
        emit(/** @type {string} */ type, /** @type {any} */ { jobId }) {
          if (type === 'step_failed' || type === 'step_completed') inner.push(w.pauseJob(jobId));
        },
      };
      const agentRegistry = { reader: () => 1, broken: () => Promise.reject(new Error('again')) };
      const w = setup({ store, eventBus, agentRegistry, ...deps });
      const id = await started(w, steps);
      const run = w.runJob(id);
      if (deps.slowPlayMs) await w.clock.advance(60_000);
      assert.equal((await within(run, 'runJob')).code, 'not_running');
      assert.deepStrictEqual(await Promise.all(inner), [{ success: true }]);
      assert.equal(jobs.get(id).status, 'paused');
    },
  );
}

test('a thousand operations made from inside one emit', LIMIT, async () => {
  /** @type {Promise<any>[]} */
  const inner = [];
  const eventBus = {
    emit(/** @type {string} */ _, /** @type {any} */ { jobId }) {
      if (inner.length === 0) for (let n = 0; n < 500; n++) inner.push(w.pauseJob(jobId), w.startJob(jobId));
    },
  };
  const w = setup({ eventBus });
  const id = await created(w);
  await within(w.startJob(id), 'startJob');
  const outcomes = await within(Promise.all(inner), 'the thousand');
  assert.ok(outcomes.every((outcome) => outcome.success));
});

test(
  'a store that calls itself through the orchestrator again and again does not run out of stack',
  LIMIT,
  async () => {
    const store = createStore();
    const w = setup({ store });
    const ids = await Promise.all(Array.from({ length: 100 }, () => created(w)));
    /** @type {Promise<any>[]} */
    const inner = [];
    let next = 0;
    store.getJob = /** @type {any} */ (
      (/** @type {string} */ id) => {
        if (next < ids.length) inner.push(w.startJob(ids[next++]));
        return store.jobs.get(id);
      }
    );
    await within(w.startJob('nowhere'), 'startJob');
    await within(Promise.all(inner), 'the chain');
    assert.equal(next, ids.length);
  },
);
