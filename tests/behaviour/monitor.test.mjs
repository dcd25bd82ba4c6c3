// @ts-check
/** Parent jobs: followed until their children have ended, and ended then. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { settle } from './support/clock.mjs';
import { childrenOf, complete, failureOf, monitored, PARENT, statusOf } from './support/families.mjs';
import { createStore, FREE, LIMIT, latch, setup, started } from './support/setup.mjs';

const { createMemoryStore } = jobwright;

for (const [kind, createStoreOfKind] of Object.entries({ plain: createStore, bundled: createMemoryStore })) {
  const make = (/** @type {any} */ deps = {}) => setup({ store: createStoreOfKind(), ...deps });

  test(`${kind} store: a parent runs while its children do, and completes with them`, LIMIT, async () => {
    const w = make();
    const parent = await monitored(w);
    const [one, two] = await childrenOf(w, parent, 2, { type: 'page' });
    await complete(w, one);
    await w.startJob(two);
    await w.pauseJob(two);
    await settle();
    assert.equal(await statusOf(w, parent), 'running');
    assert.deepStrictEqual(await w.childStats(parent), {
      total: 2,
      pending: 0,
      running: 1,
      completed: 1,
      failed: 0,
      cancelled: 0,
      progressText: '0 pending, 1 running, 1 completed, 0 failed',
      overallStatus: 'running',
    });
    await complete(w, two);
    await settle();
    assert.equal(await statusOf(w, parent), 'completed');
    assert.deepStrictEqual(
      w.bus.of('job_status_change'),
      ['running', 'completed', 'running', 'paused', 'running', 'completed'].map((status, place) => ({
        jobId: place < 2 ? one : two,
        parentId: parent,
        status,
        type: 'page',
      })),
    );
    const { history } = await w.getJob(parent);
    assert.deepStrictEqual(
      history.map((/** @type {any} */ { type }) => type),
      ['job_started', 'job_completed'],
    );
    assert.deepStrictEqual(await w.replayJob(parent), { ok: true, decisions: 0 });
    await w.close();
  });

  test(
    `${kind} store: progress is announced under both names, last of all before the end`,
    LIMIT,
    async () => {
      const w = make();
      const parent = await monitored(w);
      await settle();
      for (const weight of [3, 1]) {
        const [child] = await childrenOf(w, parent, 1, { config: { weight } });
        if (weight === 3) await w.startJob(child);
      }
      await w.clock.advance(100);
      const [first, second] = (await w.listJobs({ parentId: parent })).map((/** @type {any} */ { id }) => id);
      await w.completeJob(first);
      await w.clock.advance(100);
      await complete(w, second);
      await settle();
      const told = w.bus.of('parent_job_progress');
      assert.deepStrictEqual(w.bus.of('child_job_stats'), told);
      assert.deepStrictEqual(
        told.map((/** @type {any} */ { progress, progressText }) => [progress, progressText]),
        [
          [{ done: 0, total: 0, fraction: null }, '0 pending, 0 running, 0 completed, 0 failed'],
          [{ done: 0, total: 4, fraction: 0 }, '1 pending, 1 running, 0 completed, 0 failed'],
          [{ done: 3, total: 4, fraction: 0.75 }, '1 pending, 0 running, 1 completed, 0 failed'],
          [{ done: 4, total: 4, fraction: 1 }, '0 pending, 0 running, 2 completed, 0 failed'],
        ],
      );
      assert.deepStrictEqual(told.at(-1), {
        jobId: parent,
        total: 2,
        pending: 0,
        running: 0,
        completed: 2,
        failed: 0,
        cancelled: 0,
        progressText: '0 pending, 0 running, 2 completed, 0 failed',
        overallStatus: 'completed',
        progress: { done: 4, total: 4, fraction: 1 },
      });
      const types = w.bus.types();
      assert.ok(types.lastIndexOf('child_job_stats') < types.lastIndexOf('job_completed'));
      await w.close();
    },
  );

  test(`${kind} store: too many children that failed fail their parent`, LIMIT, async () => {
    const w = make();
    const strict = await monitored(w);
    const lenient = await monitored(w, { maxFailedChildren: 1 });
    for (const parent of [strict, lenient]) {
      const [bad, good] = await childrenOf(w, parent, 2);
      await w.failJob(bad, 'broken');
      await complete(w, good);
    }
    await settle();
    assert.equal(await failureOf(w, strict), 'agent_failed: 1 of 2 child jobs failed');
    assert.equal(await statusOf(w, lenient), 'completed');
    await w.close();
  });

  test(`${kind} store: where all children were cancelled, so is the parent`, LIMIT, async () => {
    const w = make();
    const [all, some] = [await monitored(w), await monitored(w)];
    for (const parent of [all, some]) {
      const [one, two] = await childrenOf(w, parent, 2);
      await w.cancelJob(one);
      if (parent === all) await w.cancelJob(two);
      else await complete(w, two);
    }
    await settle();
    assert.equal(await failureOf(w, all), 'cancelled: Job cancelled');
    assert.equal(await statusOf(w, some), 'completed');
    const last = w.bus.of('child_job_stats').findLast((/** @type {any} */ { jobId }) => jobId === all);
    assert.deepStrictEqual([last.overallStatus, last.cancelled], ['cancelled', 2]);
    assert.equal(last.progressText, '0 pending, 0 running, 0 completed, 0 failed, 2 cancelled');
    await w.close();
  });

  test(
    `${kind} store: the signal ends the parent as cancelled and leaves its children be`,
    LIMIT,
    async () => {
      const w = make();
      const [controller, aborted] = [new AbortController(), AbortSignal.abort()];
      const parent = await monitored(w, { signal: controller.signal });
      const [child] = await childrenOf(w, parent, 1);
      await w.startJob(child);
      const at = await monitored(w, { signal: aborted });
      assert.equal(await failureOf(w, at), 'cancelled: Job cancelled');
      controller.abort();
      await settle();
      assert.equal(await failureOf(w, parent), 'cancelled: Job cancelled');
      assert.equal(await statusOf(w, child), 'running');
      await w.close();
    },
  );

  test(`${kind} store: a parent does not wait for ever`, LIMIT, async () => {
    const w = make();
    const parent = await monitored(w, { timeoutMs: 60_000 });
    const [child] = await childrenOf(w, parent, 1);
    await w.clock.advance(59_999);
    assert.equal(await statusOf(w, parent), 'running');
    await w.clock.advance(1);
    assert.equal(await failureOf(w, parent), 'timeout: Timed out waiting for child jobs to complete');
    assert.equal(await statusOf(w, child), 'created');
    const longer = await monitored(w);
    await childrenOf(w, longer, 1);
    await w.clock.advance(30 * 60_000 - 1);
    assert.equal(await statusOf(w, longer), 'running');
    await w.clock.advance(1);
    assert.equal(await statusOf(w, longer), 'failed');
    await w.close();
  });

  test(`${kind} store: a parent without children completes after a while`, LIMIT, async () => {
    const w = make();
    const [usual, short] = [await monitored(w), await monitored(w, { noChildrenMs: 500 })];
    await w.clock.advance(499);
    assert.equal(await statusOf(w, short), 'running');
    await w.clock.advance(1);
    assert.deepStrictEqual([await statusOf(w, short), await statusOf(w, usual)], ['completed', 'running']);
    await w.clock.advance(29_500);
    assert.equal(await statusOf(w, usual), 'completed');
    await w.close();
  });

  test(`${kind} store: grandchildren count, however far down`, LIMIT, async () => {
    const w = make();
    const parent = await monitored(w);
    const [child] = await childrenOf(w, parent, 1);
    await w.startJob(child);
    const [grandchild] = await childrenOf(w, child, 1);
    await w.startJob(grandchild);
    const [last] = await childrenOf(w, grandchild, 1);
    await complete(w, last);
    await w.completeJob(child);
    await w.clock.advance(5_000);
    assert.equal(await statusOf(w, parent), 'running');
    await w.completeJob(grandchild);
    // Without waiting for the next poll.
    await settle();
    assert.equal(await statusOf(w, parent), 'completed');
    await w.close();
  });

  test(`${kind} store: a parent that is paused stays followed, and completes`, LIMIT, async () => {
    const w = make();
    const parent = await monitored(w);
    const [child] = await childrenOf(w, parent, 1);
    await w.pauseJob(parent);
    await complete(w, child);
    await settle();
    assert.equal(await statusOf(w, parent), 'completed');
    assert.deepStrictEqual(await w.replayJob(parent), { ok: true, decisions: 0 });
    await w.close();
  });

  test(`${kind} store: a parent that somebody else ends is left as it is`, LIMIT, async () => {
    const w = make();
    const parent = await monitored(w);
    const [child] = await childrenOf(w, parent, 1);
    await settle();
    await w.failJob(parent, 'enough');
    await complete(w, child).catch(() => undefined);
    await w.clock.advance(60_000);
    assert.equal(await failureOf(w, parent), 'agent_failed: enough');
    // The monitor is gone: the job could be given to another, and it does not emit any more.
    w.bus.clear();
    await w.clock.advance(60_000);
    assert.deepStrictEqual(w.bus.emitted, []);
    await w.close();
  });

  test(`${kind} store: a parent that has steps of its own is not ended before them`, LIMIT, async () => {
    const gate = latch();
    const w = make({
      agentRegistry: {
        spread: async (/** @type {any} */ _, /** @type {any} */ { jobId }) => {
          await complete(w, (await childrenOf(w, jobId, 1))[0]);
          await gate.promise;
          const [, late] = await childrenOf(w, jobId, 2);
          await w.startJob(late);
          return late;
        },
      },
    });
    const steps = [{ id: 'spread', agent: 'spread' }];
    const parent = await started(w, steps, PARENT);
    w.startMonitoring(await w.getJob(parent), { noChildrenMs: 0 });
    const run = w.runJob(parent);
    await settle();
    await w.clock.advance(5_000);
    const { progress } = w.bus.of('parent_job_progress').at(-1);
    assert.deepStrictEqual(progress, { done: 1, total: 1, fraction: null });
    gate.open();
    assert.equal((await run).status, 'completed');
    await settle();
    // What changed within 100 ms of what was announced is announced with the end.
    const { progressText } = w.bus.of('parent_job_progress').at(-1);
    assert.equal(progressText, '1 pending, 1 running, 1 completed, 0 failed');
    await w.close();
  });

  test(`${kind} store: while everything is paused, a parent waits to be started`, LIMIT, async () => {
    const w = make();
    await w.pauseAll();
    const parent = await monitored(w, { noChildrenMs: 0 });
    await w.clock.advance(20_000);
    assert.equal(await statusOf(w, parent), 'created');
    await w.startAll();
    await w.clock.advance(5_000);
    assert.equal(await statusOf(w, parent), 'completed');
    await w.close();
  });

  test(`${kind} store: closing leaves the parent as it is; another orchestrator goes on`, LIMIT, async () => {
    const store = createStoreOfKind();
    const before = setup({ store });
    const parent = await monitored(before);
    const [one, two] = await childrenOf(before, parent, 2);
    await complete(before, one);
    await before.close();
    const w = setup({ store });
    assert.equal(await statusOf(w, parent), 'running');
    w.startMonitoring(await w.getJob(parent));
    await complete(w, two);
    await w.clock.advance(5_000);
    const { status, history } = await w.getJob(parent);
    assert.equal(status, 'completed');
    assert.equal(history.length, 2);
    await w.close();
  });
}

test('a job that can not be monitored fails, and says why', LIMIT, async () => {
  const w = setup({ store: createMemoryStore() });
  for (const [more, problem] of /** @type {[any, string][]} */ ([
    [{}, 'it has no type, which must be "parent"'],
    [{ type: 'page', config: { source_type: 'x' } }, 'its type is "page", not "parent"'],
    [{ type: 'parent' }, 'its config has no source_type'],
    [{ type: 'parent', config: { source_type: '' } }, 'its config has no source_type'],
    [{ type: 'parent', config: { source_type: 7 } }, 'its config has no source_type'],
  ])) {
    const id = await monitored(w, {}, more);
    await settle();
    assert.equal(await failureOf(w, id), `invalid_job: Job can't be monitored: ${problem}`);
    assert.deepStrictEqual(w.bus.of('job_failed').at(-1), { jobId: id, status: 'failed' });
  }
  await w.close();
});

test('what is no job, and options that are none, are refused by name', LIMIT, async () => {
  const w = setup({ store: createMemoryStore() });
  const job = await w.getJob(await w.createJob({}, FREE, PARENT));
  const trap = {
    get id() {
      throw new Error('no');
    },
  };
  for (const bad of [undefined, null, 7, 'job', {}, { id: 7 }, trap]) {
    assert.throws(() => w.startMonitoring(/** @type {any} */ (bad)), { code: 'invalid_argument' });
  }
  for (const [options, message] of /** @type {[any, RegExp][]} */ ([
    [7, /options must be an object; found 7/],
    [{ pollMs: 0 }, /pollMs must be more than 0; found 0/],
    [{ pollMs: Number.NaN }, /pollMs .*found NaN/],
    [{ timeoutMs: -1 }, /timeoutMs .*found -1/],
    [{ noChildrenMs: '5' }, /noChildrenMs .*found "5"/],
    [{ maxFailedChildren: -1 }, /maxFailedChildren .*found -1/],
    [{ signal: {} }, /signal must be an AbortSignal/],
  ])) {
    assert.throws(() => w.startMonitoring(job, options), { code: 'invalid_argument', message });
  }
  assert.deepStrictEqual(await w.getJob(job.id), job);
  await assert.rejects(w.childStats('nobody'), { code: 'not_found', message: 'Job not found: "nobody"' });
  await assert.rejects(w.childStats(/** @type {any} */ (7)), { code: 'invalid_argument' });
  await w.close();
  assert.throws(() => w.startMonitoring(job), { code: 'closed' });
  await assert.rejects(w.childStats(job.id), { code: 'closed' });
});

test('a job that is not stored is not monitored, and the log says so', LIMIT, async () => {
  /** @type {any[][]} */
  const errors = [];
  const w = setup({
    store: createMemoryStore(),
    logger: { error: (/** @type {any[]} */ ...a) => errors.push(a) },
  });
  w.startMonitoring(/** @type {any} */ ({ id: 'nobody', ...PARENT }));
  await settle();
  assert.match(errors[0][0], /Job "nobody" could not be monitored/);
  await w.close();
});

test('a second monitor of the same job changes nothing', LIMIT, async () => {
  const w = setup({ store: createMemoryStore() });
  const parent = await monitored(w);
  w.startMonitoring(await w.getJob(parent), { signal: AbortSignal.abort(), noChildrenMs: 0 });
  const [child] = await childrenOf(w, parent, 1);
  await complete(w, child);
  await settle();
  assert.equal(await statusOf(w, parent), 'completed');
  assert.equal(
    w.bus.of('job_completed').filter((/** @type {any} */ { jobId }) => jobId === parent).length,
    1,
  );
  await w.close();
});

test('a burst of changes is announced at most once in 100 ms, and the last one always', LIMIT, async () => {
  const w = setup({ store: createMemoryStore() });
  const parent = await monitored(w);
  const children = await childrenOf(w, parent, 50);
  /** @type {{ at: number, text: string }[]} */
  const told = [];
  const { emit } = w.bus;
  w.bus.emit = (/** @type {any[]} */ ...args) => {
    if (args[0] === 'parent_job_progress') told.push({ at: w.clock.now(), text: args[1].progressText });
    emit(...args);
  };
  for (const [place, child] of children.entries()) {
    if (place < 49) await complete(w, child);
    await w.clock.advance(7);
  }
  await w.clock.advance(100);
  const gaps = told.slice(1).map(({ at }, place) => at - /** @type {any} */ (told[place]).at);
  assert.ok(told.length >= 3 && gaps.every((gap) => gap >= 100), JSON.stringify(told));
  assert.equal(told.at(-1)?.text, '1 pending, 0 running, 49 completed, 0 failed');
  await complete(w, /** @type {string} */ (children[49]));
  await settle();
  assert.equal(told.at(-1)?.text, '0 pending, 0 running, 50 completed, 0 failed');
  await w.close();
});
