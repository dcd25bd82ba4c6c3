// @ts-check
/** How the jobs are: counted, found stalled, said to go on again. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSqliteStore } from '../../pkg-template/sqlite/index.js';
import { createOrchestrator, jobwright } from '../differential/subject.mjs';
import { consumerDir } from '../package/installed.mjs';
import { settle } from './support/clock.mjs';
import { created, createStore, FREE, LIMIT, latch, setup, started } from './support/setup.mjs';

const { createMemoryStore, createPerformanceMonitor } = jobwright;

const MINUTE = 60_000;
const NONE = { created: 0, running: 0, paused: 0, completed: 0, failed: 0 };
const ONE = [{ id: 'one', agent: 'slow' }];

/** An agent that answers when it is told to, and a logger and a monitor that remember. @param {any} [deps] */
function watched(deps = {}) {
  const logged = /** @type {any[][]} */ ([]);
  const measured = /** @type {any[][]} */ ([]);
  const latches = /** @type {any[]} */ ([]);
  const slow = () => {
    latches.push(latch());
    return latches.at(-1).promise;
  };
  const w = setup({
    agentRegistry: { slow, quick: () => 1 },
    logger: { warn: (/** @type {any[]} */ ...words) => void logged.push(words) },
    performanceMonitor: {
      recordJobDuration() {},
      recordLatency: (/** @type {any[]} */ ...args) => void measured.push(args),
    },
    ...deps,
  });
  return { ...w, logged, measured, latches };
}

/** Stores of each kind, with what ends them. */
const KINDS = {
  plain: () => ({ store: createStore(), end: () => undefined }),
  memory: () => ({ store: createMemoryStore(), end: () => undefined }),
  sqlite: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jobwright-health-'));
    const store = await createSqliteStore({ path: join(folder, 'jobs.db') });
    const end = async () => {
      await store.close();
      rmSync(folder, { recursive: true });
    };
    return { store, end };
  },
};

for (const [kind, open] of Object.entries(KINDS)) {
  test(`${kind} store: jobs are counted by status`, LIMIT, async (t) => {
    const { store, end } = await open();
    t.after(end);
    const w = watched({ store });
    assert.deepStrictEqual(await w.health(), { jobs: NONE, stalled: [], monitors: 0 });
    await created(w, ONE);
    await started(w);
    await w.pauseJob(await started(w, ONE));
    await w.cancelJob(await started(w, ONE));
    await w.runJob(await started(w, [{ id: 'one', agent: 'quick' }]));
    const { jobs } = await w.health();
    // A plain store knows of no jobs that have ended.
    const ended = kind === 'plain' ? 0 : 1;
    assert.deepStrictEqual(jobs, { created: 1, running: 1, paused: 1, completed: ended, failed: ended });
    await w.close();
    await assert.rejects(w.health(), { name: 'JobwrightError', code: 'closed' });
  });

  test(`${kind} store: an agent that says nothing for long is said to be stalled, once`, LIMIT, async (t) => {
    const { store, end } = await open();
    t.after(end);
    const w = watched({ store });
    const id = await started(w, [...ONE, { id: 'two', agent: 'slow' }]);
    const run = w.runJob(id);
    await w.clock.advance(5 * MINUTE - 1);
    const before = await w.health();
    assert.deepStrictEqual(before, {
      jobs: { ...NONE, running: 1 },
      stalled: [],
      oldestStep: { jobId: id, step: 'one', runningMs: 5 * MINUTE - 1 },
      monitors: 0,
    });
    assert.deepStrictEqual(w.logged, []);
    await w.clock.advance(1);
    const told = [{ jobId: id, step: 'one', idleMs: 5 * MINUTE }];
    assert.deepStrictEqual(w.bus.of('job_stalled'), told);
    assert.equal(w.logged.length, 1);
    assert.match(w.logged[0]?.[0], new RegExp(`"${id}".*"one".*300000 ms`));
    const about = { jobId: id, step: 'one', agent: 'slow', status: 'stalled' };
    assert.deepStrictEqual(w.measured, [[5 * MINUTE, about]]);
    await w.clock.advance(60 * MINUTE);
    assert.deepStrictEqual((await w.health()).stalled, [id]);
    assert.deepStrictEqual([w.bus.of('job_stalled'), w.logged.length], [told, 1]);

    w.latches[0].open(1);
    await settle();
    assert.deepStrictEqual(w.bus.of('job_recovered'), [{ jobId: id }]);
    assert.deepStrictEqual((await w.health()).stalled, []);
    await w.clock.advance(5 * MINUTE);
    assert.deepStrictEqual(w.bus.of('job_stalled'), [
      ...told,
      { jobId: id, step: 'two', idleMs: 5 * MINUTE },
    ]);
    w.latches[1].open(1);
    assert.equal((await run).status, 'completed');
    assert.equal(w.bus.of('job_recovered').length, 2);
    assert.equal(w.clock.pending(), 0);
    const { history } = await store.getJob(id);
    assert.ok(history.every((/** @type {any} */ { type }) => !/stalled|recovered/.test(type)));
    assert.equal((await w.replayJob(id)).ok, true);
  });

  test(`${kind} store: a job that waits is not stalled`, LIMIT, async (t) => {
    const { store, end } = await open();
    t.after(end);
    const flaky = () => {
      throw new Error('not yet');
    };
    const w = watched({
      store,
      stalledMs: 1_000,
      agentRegistry: { flaky, slow: () => new Promise(() => {}) },
    });
    const retry = { maxAttempts: 2, backoffMs: 1e6, maxBackoffMs: 1e6 };
    const plans = [
      [{ id: 'timer', wait: { ms: 1e6 } }],
      [{ id: 'signal', wait: { signal: 'go' } }],
      [{ id: 'late', wait: { signal: 'go', timeoutMs: 1e6 } }],
      [{ id: 'retried', agent: 'flaky', retry }],
    ];
    const ids = [];
    for (const steps of plans) ids.push(await started(w, steps));
    ids.push(await started(w, ONE, { slowPlayMs: 1e6 }));
    const runs = ids.map((id) => w.runJob(id));
    await w.clock.advance(9e5);
    assert.deepStrictEqual(await w.health(), { jobs: { ...NONE, running: 5 }, stalled: [], monitors: 0 });
    assert.deepStrictEqual(w.bus.of('job_stalled'), []);
    await w.close();
    await Promise.all(runs);
  });

  test(`${kind} store: a running job that nobody runs is stalled`, LIMIT, async (t) => {
    const { store, end } = await open();
    t.after(end);
    const first = watched({ store });
    const id = await started(first, [...ONE, { id: 'two', agent: 'quick' }]);
    const waiting = await started(first, [{ id: 'timer', wait: { ms: 10 * MINUTE } }]);
    for (const each of [id, waiting]) void first.runJob(each);
    await settle();
    await first.close();
    // A plain store tells another orchestrator of no jobs until it does something with them.
    const w = watched({ store, clock: first.clock });
    if (kind === 'plain') for (const each of [id, waiting]) await w.setPermissions(each, FREE);
    await w.clock.advance(5 * MINUTE);
    const { stalled, oldestStep } = await w.health();
    assert.deepStrictEqual(stalled, [id]);
    assert.deepStrictEqual(oldestStep, { jobId: id, step: 'one', runningMs: 5 * MINUTE });
    assert.deepStrictEqual(w.bus.of('job_stalled'), [{ jobId: id, step: 'one', idleMs: 5 * MINUTE }]);
    await w.clock.advance(10 * MINUTE);
    assert.deepStrictEqual((await w.health()).stalled, [id, waiting], 'its timer is overdue');
    assert.equal(w.bus.of('job_stalled').length, 2);
    if (kind !== 'plain') await w.recover();
    else await w.setPermissions(id, FREE);
    assert.deepStrictEqual(w.bus.of('job_recovered')[0], { jobId: id });
    assert.deepStrictEqual((await w.health()).stalled.includes(id), false);
    await w.clock.advance(5 * MINUTE);
    assert.ok((await w.health()).stalled.includes(id), 'again');
    const run = w.runJob(id);
    await settle();
    w.latches.at(-1).open(1);
    assert.equal((await run).status, 'completed');
    assert.equal((await w.replayJob(id)).ok, true);
  });
}

test('a parent is not stalled whose child is at work, and the child is', LIMIT, async () => {
  const w = watched({ store: createMemoryStore() });
  const id = await started(w, [{ id: 'inner', job: { plan: { steps: ONE } } }]);
  const parent = await started(w);
  const child = await started(w, [{ id: 'later', wait: { signal: 'go' } }], { parentId: parent });
  const runs = [w.runJob(id), w.runJob(child)];
  await w.clock.advance(5 * MINUTE);
  const { stalled, oldestStep } = await w.health();
  assert.deepStrictEqual([stalled, oldestStep?.jobId], [[`${id}:inner`], `${id}:inner`]);
  await w.cancelJob(child);
  assert.deepStrictEqual((await w.health()).stalled, [parent, `${id}:inner`]);
  w.latches[0].open(1);
  await Promise.all(runs);
});

test('what others did to a stalled job is found with the next look', LIMIT, async () => {
  const store = createMemoryStore();
  const [w, other] = [watched({ store }), watched({ store })];
  const other2 = watched({ store, clock: w.clock });
  const [goesOn, ends, fails, goes] = [
    await started(w),
    await started(w),
    await started(w),
    await started(w),
  ];
  await w.clock.advance(5 * MINUTE);
  assert.equal((await w.health()).stalled.length, 4);
  await other2.setPermissions(goesOn, {});
  await other2.completeJob(ends);
  await other2.failJob(fails, 'enough');
  store.deleteJob(goes);
  assert.deepStrictEqual((await w.health()).stalled, []);
  assert.deepStrictEqual(w.bus.of('job_recovered'), [{ jobId: goesOn }, { jobId: ends }]);
  await w.health();
  assert.equal(w.bus.of('job_recovered').length, 2);
  await other.close();
});

test('a job that is cancelled has not recovered', LIMIT, async () => {
  const w = watched();
  const id = await started(w, ONE);
  const run = w.runJob(id);
  await w.clock.advance(5 * MINUTE);
  await w.cancelJob(id);
  await run;
  assert.deepStrictEqual([w.bus.of('job_stalled').length, w.bus.of('job_recovered')], [1, []]);
});

test(
  'what an agent says is progress, and readers of events() hear of jobs that make none',
  LIMIT,
  async () => {
    const store = createMemoryStore();
    /** @type {any} */
    let context;
    const { promise, open } = latch();
    const slow = (/** @type {any} */ _, /** @type {any} */ given) => {
      context = given;
      return promise;
    };
    const w = watched({ store, stalledMs: 1_000, agentRegistry: { slow } });
    const id = await started(w, ONE);
    const heard = /** @type {any[]} */ ([]);
    const listening = (async () => {
      for await (const event of w.events(id, { after: 0 })) heard.push(event);
    })();
    const run = w.runJob(id);
    for (let n = 0; n < 3; n++) {
      await w.clock.advance(900);
      context.emit('progress', n);
      await settle();
    }
    assert.deepStrictEqual(w.bus.of('job_stalled'), []);
    await w.clock.advance(1_000);
    context.emit('progress', 'again');
    await settle();
    open(1);
    await run;
    await listening;
    const types = heard.map(({ type }) => type);
    assert.deepStrictEqual(types.slice(3), [
      ...['progress', 'progress', 'progress', 'job_stalled', 'progress', 'job_recovered'],
      ...['step_completed', 'job_completed'],
    ]);
    const { history } = await w.getJob(id);
    const stored = heard.filter(({ type }) => !/stalled|recovered/.test(type));
    assert.deepStrictEqual(stored, history);
    const stalled = heard.find(({ type }) => type === 'job_stalled');
    assert.equal(stalled.trace.traceId, history[0].trace.traceId);
    assert.deepStrictEqual(stalled.payload, { jobId: id, step: 'one', idleMs: 1_000 });
  },
);

test('counting reads no job, and one that is run here is never read', LIMIT, async () => {
  const inner = createMemoryStore();
  const calls = /** @type {string[]} */ ([]);
  const store = new Proxy(inner, {
    get:
      (target, name) =>
      (/** @type {any[]} */ ...args) => {
        calls.push(String(name));
        return /** @type {any} */ (target)[name](...args);
      },
  });
  const w = watched({ store });
  for (let n = 0; n < 5; n++) await w.runJob(await started(w, [{ id: 'one', agent: 'quick' }]));
  const run = w.runJob(await started(w, ONE));
  await w.clock.advance(10 * MINUTE);
  calls.length = 0;
  assert.equal((await w.health()).stalled.length, 1);
  assert.deepStrictEqual(calls, ['listJobs']);
  // One that nobody runs is read once.
  const idle = await started(w);
  await w.clock.advance(10 * MINUTE);
  calls.length = 0;
  for (let n = 0; n < 3; n++) assert.ok((await w.health()).stalled.includes(idle));
  assert.deepStrictEqual(calls, ['listJobs', 'getEvents', 'getJob', 'listJobs', 'listJobs']);
  w.latches[0].open(1);
  await run;
});

test('loggers, monitors and buses that throw disturb nobody', LIMIT, async () => {
  const fail = () => {
    throw new Error('no');
  };
  for (const hostile of [fail, () => Promise.reject(new Error('no'))]) {
    const logger = { warn: hostile, error: hostile };
    const performanceMonitor = { recordJobDuration: hostile, recordLatency: hostile };
    const w = watched({ logger, performanceMonitor, eventBus: { emit: hostile } });
    const id = await started(w, ONE);
    const run = w.runJob(id);
    await w.clock.advance(5 * MINUTE);
    assert.deepStrictEqual((await w.health()).stalled, [id]);
    w.latches[0].open(1);
    assert.equal((await run).status, 'completed');
  }
});

test(
  'a clock that does not sleep, or not long enough, finds nothing stalled that is not',
  LIMIT,
  async () => {
    for (const sleep of [
      async () => {},
      () => Promise.reject(new Error('no sleep today')),
      () => {
        throw new Error('no sleep today');
      },
      () => /** @type {any} */ (undefined),
    ]) {
      let asked = 0;
      const clock = {
        now: () => 5_000,
        sleep: () => {
          asked += 1;
          return sleep();
        },
      };
      const w = watched({ clock });
      const run = w.runJob(await started(w, ONE));
      await settle();
      await settle();
      assert.deepStrictEqual([w.bus.of('job_stalled'), asked], [[], 1]);
      w.latches[0].open(1);
      assert.equal((await run).status, 'completed');
    }
  },
);

test('a clock is not asked to wake us for agents that answer soon or are given up soon', LIMIT, async () => {
  const asked = /** @type {number[]} */ ([]);
  const clock = {
    now: Date.now,
    sleep: (/** @type {number} */ ms) => {
      asked.push(ms);
      return new Promise(() => {});
    },
  };
  const w = watched({ clock, agentRegistry: { quick: async () => 1, slow: () => new Promise(() => {}) } });
  assert.equal((await w.runJob(await started(w, [{ id: 'one', agent: 'quick' }]))).success, true);
  void w.runJob(await started(w, [{ ...ONE[0], timeoutMs: 50 }]));
  await settle();
  assert.deepStrictEqual(asked, [50]);
  await w.close();
});

test('stores that fail or answer something else are said so', LIMIT, async () => {
  const broken = new Error('the disk is gone');
  const inner = createMemoryStore();
  const failing = { ...inner, listJobs: () => Promise.reject(broken) };
  await assert.rejects(createOrchestrator({ store: failing }).health(), (error) => error === broken);
  for (const [answer, found] of /** @type {[any, string][]} */ ([
    [null, 'null'],
    [{}, 'an object'],
    [[null], 'id undefined in head 0'],
    [[{ id: 'a' }, { id: 1 }], 'id 1 in head 1'],
  ])) {
    const store = { ...inner, listJobs: () => answer };
    const message = `store.listJobs must answer a list of heads; found ${found}`;
    await assert.rejects(createOrchestrator({ store }).health(), { code: 'invalid_job', message });
  }
  const { listJobs: _, ...blind } = inner;
  await assert.rejects(createOrchestrator({ store: blind }).health(), { code: 'unsupported' });
  // A head that says nonsense is not counted, and nothing but its id is relied on.
  const odd = [{ id: 'a' }, { id: 'b', status: '__proto__' }, { id: 'c', status: 'running', run: null }];
  const store = { ...inner, listJobs: () => odd, getEvents: () => null };
  assert.deepStrictEqual(await createOrchestrator({ store }).health(), {
    jobs: { ...NONE, running: 1 },
    stalled: [],
    monitors: 0,
  });
});

test('a stalledMs that is none is named', LIMIT, () => {
  for (const stalledMs of [-1, Number.NaN, 'soon', Infinity, {}]) {
    assert.throws(() => createOrchestrator(/** @type {any} */ ({ stalledMs })), {
      code: 'invalid_argument',
      message: /^stalledMs must be/,
    });
  }
  createOrchestrator({ stalledMs: null });
});

test('the bundled monitor keeps what is stalled apart', () => {
  const monitor = createPerformanceMonitor();
  monitor.recordLatency(5, { step: 'one', agent: 'slow', status: 'stalled' });
  assert.deepStrictEqual(Object.keys(monitor.stats()), ['stalled']);
});

test('an agent can not say that its job is stalled', LIMIT, async () => {
  const slow = (/** @type {any} */ _, /** @type {any} */ { emit }) => emit('job_stalled');
  const w = watched({ agentRegistry: { slow } });
  const outcome = await w.runJob(await started(w, ONE));
  assert.equal(outcome.code, 'agent_failed');
});

test('the watch keeps no process alive', LIMIT, () => {
  const code = `
    import { createOrchestrator } from 'jobwright';
    const o = createOrchestrator({ stalledMs: 1e6, agentRegistry: { slow: () => new Promise(() => {}) } });
    const id = await o.createJob({}, { requireApproval: false }, { plan: { steps: [{ id: 'one', agent: 'slow' }] } });
    await o.startJob(id);
    void o.runJob(id);
    console.log((await o.health()).oldestStep.step);`;
  const args = ['--input-type=module', '-e', code];
  const { stdout, signal } = spawnSync(process.execPath, args, {
    cwd: consumerDir,
    timeout: 10_000,
    encoding: 'utf8',
  });
  assert.deepStrictEqual([stdout, signal], ['one\n', null]);
});
