import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handover } from '../../pkg-template/parts/handover.js';
import { createMemoryStore } from '../../pkg-template/parts/memory-store.js';
import { testJobStore } from '../../pkg-template/testing/store-conformance.js';
import { changeOf, commitAsEngine, eventOf, jobOf, STORE_METHODS } from './jobs.mjs';

testJobStore('memory', () => {
  const store = createMemoryStore();
  return { store, open: () => store };
});

test('it has every method', () => {
  assert.deepEqual(Object.keys(createMemoryStore()).sort(), STORE_METHODS);
});

test('watchers are told of each write, once, with what was written', async () => {
  const store = createMemoryStore();
  const [first, second] = [[], []];
  const stop = store.watch((notice) => first.push(notice));
  store.watch((notice) => {
    second.push({ ...notice });
    notice.type = 'changed by a watcher';
  });
  store.commit(changeOf('j', 0));
  const head = { ...changeOf('j', 1).head, status: 'running', parentId: 'p' };
  store.commit(changeOf('j', 1, { head }));
  assert.throws(() => store.commit(changeOf('j', 1)), { name: 'ConflictError' });
  store.saveJob(jobOf('k'));
  store.setControl({ paused: true });
  store.deleteJob('k');
  store.deleteJob('k');
  assert.deepEqual(first, [], 'told before the writer is done');
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(first, [
    { type: 'job', jobId: 'j', status: 'created', revision: 1 },
    { type: 'job', jobId: 'j', status: 'running', revision: 2, parentId: 'p' },
    { type: 'job', jobId: 'k', status: 'created', revision: 0 },
    { type: 'control' },
    { type: 'missed' },
  ]);
  assert.deepEqual(second, first);
  store.saveJob(jobOf('l'));
  stop();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([first.length, second.length], [5, 6]);
});

test('every method answers at once', () => {
  const store = createMemoryStore();
  store.commit(changeOf('j', 0, { events: [eventOf(1)] }));
  const token = store.acquireLease('j', 'A', 1000);
  store.setControl({ paused: true });
  const answers = [
    store.saveJob(jobOf('k')),
    store.getJob('j'),
    store.getHead('j'),
    store.listJobs(),
    store.getEvents('j', 0, 10),
    store.renewLease('j', token, 1000),
    store.releaseLease('j', token),
    store.getControl(),
    store.prune({ endedBefore: 0 }),
    store.deleteJob('k'),
  ];
  for (const answer of answers) assert.ok(!(answer instanceof Promise));
});

test('methods may be taken off the store', () => {
  const { saveJob, getJob, listJobs } = createMemoryStore();
  saveJob(jobOf('j'));
  assert.equal(getJob('j').id, 'j');
  assert.equal(listJobs().length, 1);
});

test('leases go by the clock that the store was given', () => {
  let now = 1_000_000;
  const store = createMemoryStore({ now: () => now });
  store.saveJob(jobOf('j'));
  const first = store.acquireLease('j', 'A', 100);
  now += 99;
  assert.equal(store.acquireLease('j', 'B', 100), null);
  now += 1;
  const second = store.acquireLease('j', 'B', 100);
  assert.ok(second > first);
});

test("the engine's own change is kept as it is, anybody else's is copied", () => {
  const store = createMemoryStore();
  const parts = () => ({
    context: { list: [1] },
    steps: { a: { status: 'done', attempts: 1 } },
    events: [eventOf(1, { list: [1] })],
  });
  const own = changeOf('own', 0, parts());
  commitAsEngine(store, own);
  const other = changeOf('other', 0, parts());
  handover.change = own;
  store.commit(other);
  handover.change = null;
  for (const { context, steps, events } of [own, other]) {
    context.list.push(2);
    steps.a.attempts = 2;
    events[0].payload.list.push(2);
  }
  const kept = store.getJob('own');
  assert.deepEqual(
    [kept.context.list, kept.run.steps.a.attempts, kept.history[0].payload.list],
    [[1, 2], 2, [1, 2]],
  );
  const copied = store.getJob('other');
  assert.deepEqual(
    [copied.context.list, copied.run.steps.a.attempts, copied.history[0].payload.list],
    [[1], 1, [1]],
  );
});

test('what was kept is not given away', () => {
  const store = createMemoryStore();
  const change = changeOf('j', 0, {
    context: { list: [1] },
    plan: { steps: [{ id: 'a' }] },
    steps: { a: { status: 'failed', attempts: 1, error: { code: 'timeout', message: 'm' } } },
    events: [eventOf(1)],
  });
  change.head.config = { deep: [1] };
  change.head.run.signals = [{ name: 's', payload: [1] }];
  commitAsEngine(store, change);
  const before = structuredClone(store.getJob('j'));
  for (const read of [store.getJob('j'), store.getHead('j')]) {
    read.permissions.maxSteps = 99;
    read.timing.started = 99;
    read.config.deep.push(2);
    read.run.signals[0].payload.push(2);
    read.run.revision = 99;
  }
  const read = store.getJob('j');
  read.context.list.push(2);
  read.history[0].payload.jobId = 'changed';
  read.run.plan.steps.length = 0;
  read.run.steps.a.error.code = 'none';
  assert.deepEqual(store.getJob('j'), before);
});

test("a conflict refuses the engine's own change too, and changes nothing", () => {
  const store = createMemoryStore();
  commitAsEngine(store, changeOf('j', 0, { events: [eventOf(1)] }));
  const before = store.getJob('j');
  const change = { context: { a: 1 }, events: [eventOf(2)] };
  for (const refused of [
    changeOf('j', 0, change),
    changeOf('j', 2, change),
    changeOf('j', 1, { ...change, fencingToken: 1 }),
    changeOf('j', 1, { ...change, events: [eventOf(1)] }),
  ]) {
    assert.throws(() => commitAsEngine(store, refused), { name: 'ConflictError', code: 'conflict' });
  }
  assert.deepEqual(store.getJob('j'), before);
});

test('what is no job, change or filter is refused with what was found', () => {
  const store = createMemoryStore();
  store.saveJob(jobOf('j'));
  const good = changeOf('j', 0);
  for (const [call, message] of [
    [() => store.saveJob(null), 'saveJob: expected a job, found null'],
    [() => store.saveJob([]), 'saveJob: expected a job, found an array'],
    [() => store.saveJob({ id: 5 }), 'saveJob: job.id: expected a string, found 5'],
    [
      () => store.saveJob({ id: 'x', context: [] }),
      'saveJob: job.context: expected an object, found an array',
    ],
    [
      () => store.saveJob({ id: 'x', history: {} }),
      'saveJob: job.history: expected an array, found an object',
    ],
    [() => store.commit(), 'commit: expected a change, found undefined'],
    [() => store.commit({ ...good, jobId: 1 }), 'commit: change.jobId: expected a string, found 1'],
    [
      () => store.commit({ ...good, expectedRevision: '0' }),
      'commit: change.expectedRevision: expected an integer, found "0"',
    ],
    [() => store.commit({ ...good, head: null }), 'commit: change.head: expected an object, found null'],
    [() => store.commit({ ...good, jobId: 'k' }), 'commit: change.head.id: expected "k", found "j"'],
    [
      () => store.commit({ ...good, context: [] }),
      'commit: change.context: expected an object, found an array',
    ],
    [
      () => store.commit({ ...good, events: [null] }),
      'commit: change.events: expected an array of events, found an array',
    ],
    [
      () => store.listJobs({ limit: -1 }),
      'listJobs: limit: expected an integer that is not negative, found -1',
    ],
    [() => store.listJobs({ parentId: 1 }), 'listJobs: parentId: expected a string, found 1'],
    [() => store.listJobs({ cursor: 'x' }), 'listJobs: cursor: there is no job "x" to go on after'],
    [
      () => store.getEvents('j', 0, 1.5),
      'getEvents: limit: expected an integer that is not negative, found 1.5',
    ],
    [
      () => store.prune({ endedBefore: 'now' }),
      'prune: endedBefore: expected epoch milliseconds, found "now"',
    ],
    [() => store.acquireLease('j', 'A', Number.NaN), 'acquireLease: ms: expected milliseconds, found NaN'],
    [() => store.renewLease('j', 1, -1), 'renewLease: ms: expected milliseconds, found -1'],
  ]) {
    assert.throws(call, { name: 'JobwrightError', code: 'invalid_argument', message });
  }
  assert.deepEqual(store.getJob('j'), jobOf('j'));
});

test('events that somebody else made without numbers keep their order and can be paged', () => {
  const store = createMemoryStore();
  const history = [{ type: 'a' }, { type: 'b' }, { type: 'c' }];
  store.saveJob(jobOf('j', { history }));
  assert.deepEqual(store.getJob('j').history, history);
  assert.deepEqual(store.getEvents('j', 1, 1), [{ type: 'b' }]);
  store.commit(changeOf('j', 0, { events: [eventOf(4)] }));
  assert.deepEqual(store.getEvents('j', 2, 10), [{ type: 'c' }, eventOf(4)]);
});

/** The best of several, in milliseconds. */
function time(work) {
  const times = Array.from({ length: 7 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return Math.min(...times);
}

test('a commit costs the same in a job of ten thousand events and 10 MB', () => {
  const timeOf = (events, keys) => {
    const store = createMemoryStore();
    const context = Object.fromEntries(
      Array.from({ length: keys }, (_, i) => [`key ${i}`, 'x'.repeat(1000)]),
    );
    const history = Array.from({ length: events }, (_, i) => eventOf(i + 1));
    store.commit(changeOf('j', 0, { context, events: history }));
    let revision = 1;
    return time(() => {
      for (let i = 0; i < 500; i += 1, revision += 1) {
        const more = { context: { 'key 1': revision }, events: [eventOf(events + revision)] };
        store.commit(changeOf('j', revision, more));
      }
    });
  };
  timeOf(1, 1);
  const ratio = timeOf(10_000, 10_000) / timeOf(1, 1);
  assert.ok(ratio < 20, `a large job took ${ratio.toFixed(1)} times as long`);
});

test("listing one parent's children and paging do not look at all jobs", () => {
  const timeOf = (jobs) => {
    const store = createMemoryStore();
    for (let i = 0; i < jobs; i += 1)
      store.saveJob(jobOf(`job ${i}`, { parentId: `parent ${i % (jobs / 5)}` }));
    const cursor = `job ${jobs - 10}`;
    return time(() => {
      for (let i = 0; i < 300; i += 1) {
        assert.equal(store.listJobs({ parentId: 'parent 1' }).length, 5);
        assert.equal(store.listJobs({ cursor, limit: 5 }).length, 5);
      }
    });
  };
  timeOf(50);
  const ratio = timeOf(50_000) / timeOf(50);
  assert.ok(ratio < 50, `a thousand times the jobs took ${ratio.toFixed(1)} times as long`);
});
