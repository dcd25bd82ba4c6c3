// @ts-check
/** What is done to a job elsewhere is heard of by who runs it, follows it, or monitors its parent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { jobwright } from '../differential/subject.mjs';
import { another, PLAN, running } from './support/leases.mjs';
import { assertRefused, FREE, LIMIT, latch, started, within } from './support/setup.mjs';

const { createMemoryStore } = jobwright;

/** A store that tells of each commit, as one does that others write to. @param {any} store */
function createTalkative(store) {
  const listeners = new Set();
  const tell = (/** @type {any} */ notice) => {
    for (const listener of listeners) listener(notice);
  };
  return {
    ...store,
    listeners,
    tell,
    /** @param {any} change */
    commit(change) {
      store.commit(change);
      const { id: jobId, parentId, status, run } = change.head;
      setImmediate(tell, { type: 'job', jobId, parentId, status, revision: run.revision });
    },
    /** @param {any} listener */
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

for (const [how, wrap] of Object.entries({
  'a store that tells': createTalkative,
  'a store that says nothing': (/** @type {any} */ store) => {
    const { watch: _, ...silent } = store;
    return silent;
  },
})) {
  test(`through ${how}, what is done elsewhere reaches the one who runs the job`, LIMIT, async () => {
    const store = wrap(createMemoryStore());
    const { id, run, agent, first } = await running(store, { leaseMs: 100 });
    const second = another(store);
    assert.deepStrictEqual(await second.cancelJob(id, 'enough'), {
      success: true,
      results: { [id]: 'cancelled' },
    });
    assertRefused(await within(run, 'the run'), 'cancelled', /enough|cancelled/);
    assert.equal(agent.calls[0].signal.aborted, true);

    const waiting = await started(first, [{ id: 'answer', wait: { signal: 'go' } }, ...PLAN]);
    const ended = first.runJob(waiting);
    await sleep(10);
    await second.signal(waiting, 'go', { by: 'ada' });
    assert.equal((await within(ended, 'the run after the signal')).status, 'completed');

    const slow = await started(first, [{ id: 'wait', wait: { ms: 3_600_000 } }]);
    const paused = first.runJob(slow);
    await sleep(10);
    await second.pauseJob(slow);
    assertRefused(await within(paused, 'the paused run'), 'not_running', /paused/);
  });
}

test('who follows a job hears of what is done to it elsewhere, each event once', LIMIT, async () => {
  const store = createTalkative(createMemoryStore());
  const first = another(store);
  const second = another(store);
  const id = await started(first, PLAN);
  const heard = /** @type {any[]} */ ([]);
  const follow = (async () => {
    for await (const event of second.events(id, { after: 0 })) heard.push(event);
  })();
  await sleep(5);
  await first.runJob(id);
  await within(follow, 'the reader');
  assert.deepStrictEqual(heard, (await store.getJob(id)).history);
});

for (const what of ['cancelJob', 'setPermissions']) {
  test(`who follows a job where it is run hears of a ${what} elsewhere that was quicker`, LIMIT, async () => {
    const store = createTalkative(createMemoryStore());
    const [reached, sent] = [latch(), latch()];
    let holds = false;
    const slow = {
      ...store,
      async commit(/** @type {any} */ change) {
        if (holds) {
          reached.open();
          await sent.promise;
        }
        store.commit(change);
      },
    };
    const { id, first, run, agent } = await running(slow);
    const heard = /** @type {any[]} */ ([]);
    const follow = (async () => {
      for await (const event of first.events(id, { after: 0 })) heard.push(event);
    })();
    await sleep(5);
    // The end of a step is on its way to the store when it tells of what was stored before that.
    holds = true;
    agent.open();
    await reached.promise;
    await another(store)[what](id, what === 'setPermissions' ? { maxSteps: 50 } : undefined);
    await sleep(5);
    sent.open();
    await run;
    await within(follow, 'the reader');
    // It ends with the job.
    const { history } = await store.getJob(id);
    assert.deepStrictEqual(
      heard,
      history.filter(({ type }) => type !== 'late_result_dropped'),
    );
  });
}

test(
  'who follows a job where it is run hears what was stored elsewhere, before the store says so',
  LIMIT,
  async () => {
    const { watch: _, ...store } = createMemoryStore();
    const { id, first, run, agent } = await running(store);
    const heard = /** @type {any[]} */ ([]);
    const follow = (async () => {
      for await (const event of first.events(id, { after: 0 })) heard.push(event);
    })();
    await sleep(5);
    await another(store).signal(id, 'go', { by: 'ada' });
    agent.open();
    await run;
    await within(follow, 'the reader');
    assert.deepStrictEqual(heard, (await store.getJob(id)).history);
  },
);

test('who follows a job and is slow misses no end that comes meanwhile from elsewhere', LIMIT, async () => {
  const store = createMemoryStore();
  const first = another(store);
  const id = await started(first, PLAN);
  const events = another(store).events(id, { after: 2 });
  const read = events.next();
  // Soon after its watching has begun, a reader looks of its own accord: that is over by then.
  await sleep(400);
  await first.signal(id, 'tick');
  assert.equal((await within(read, 'the signal')).value.type, 'signal_received');
  await first.cancelJob(id);
  // The store tells its watchers later than its callers.
  await sleep(10);
  assert.equal((await within(events.next(), 'the end')).value.type, 'job_failed');
});

test('who follows from now on hears nothing of what was done elsewhere before', LIMIT, async () => {
  const store = createTalkative(createMemoryStore());
  const first = another(store);
  const second = another(store);
  const id = await started(first, PLAN);
  const before = (await store.getJob(id)).history.length;
  const heard = /** @type {any[]} */ ([]);
  const follow = (async () => {
    for await (const event of second.events(id)) heard.push(event);
  })();
  await sleep(5);
  await first.runJob(id);
  await within(follow, 'the reader');
  assert.deepStrictEqual(heard, (await store.getJob(id)).history.slice(before));
});

test('who follows a job that ends elsewhere while its history is read misses nothing', LIMIT, async () => {
  const store = createMemoryStore();
  const first = another(store);
  const id = await started(first, PLAN);
  // It ends between the two things a reader asks for.
  const slow = {
    ...store,
    getEvents: async (/** @type {any[]} */ ...asked) => {
      const events = await store.getEvents(...asked);
      await first.runJob(id);
      return events;
    },
  };
  const heard = /** @type {any[]} */ ([]);
  for await (const event of another(slow).events(id, { after: 0 })) heard.push(event);
  assert.deepStrictEqual(heard, (await store.getJob(id)).history);
});

test(
  'a parent that is monitored here ends when its children end elsewhere, without polling',
  LIMIT,
  async () => {
    const store = createTalkative(createMemoryStore());
    const first = another(store);
    const second = another(store);
    const parent = await first.createJob({}, FREE, { type: 'parent', config: { source_type: 'x' } });
    first.startMonitoring(await first.getJob(parent), { pollMs: 3_600_000 });
    const children = [];
    for (let number = 0; number < 3; number++)
      children.push(await started(second, PLAN, { parentId: parent }));
    for (const id of children) await second.runJob(id);
    for (let looks = 0; (await store.getJob(parent)).status !== 'completed'; looks++) {
      assert.ok(looks < 200, 'the parent has not ended');
      await sleep(10);
    }
  },
);

test('notices that are none do no harm', LIMIT, async () => {
  const store = createTalkative(createMemoryStore());
  const { run, agent } = await running(store);
  const hostile = Object.defineProperty({}, 'type', {
    get() {
      throw new Error('a getter');
    },
  });
  for (const junk of [null, undefined, 1, 'job', {}, { type: 'job' }, { type: 'job', jobId: 5 }, hostile])
    store.tell(junk);
  store.tell({ type: 'control' });
  store.tell({ type: 'missed' });
  agent.open();
  assert.equal((await run).status, 'completed');
});

test(
  'when anything may have changed, a parent that is monitored here looks at its children',
  LIMIT,
  async () => {
    const store = createMemoryStore();
    const listeners = new Set();
    const watched = {
      ...store,
      watch: (/** @type {any} */ listener) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
    const here = another(watched);
    const parent = await here.createJob({}, FREE, { type: 'parent', config: { source_type: 'x' } });
    here.startMonitoring(await here.getJob(parent), { pollMs: 3_600_000 });
    // As when the watching began; then nobody says anything.
    await sleep(400);
    const there = another({ ...store, watch: undefined });
    const child = await started(there, PLAN, { parentId: parent });
    await there.runJob(child);
    await sleep(50);
    assert.equal((await store.getJob(parent))?.status, 'running');
    for (const listener of listeners) listener({ type: 'missed' });
    for (let looks = 0; (await store.getJob(parent))?.status !== 'completed'; looks++) {
      assert.ok(looks < 200, 'the parent has not ended');
      await sleep(10);
    }
  },
);

test('the watching ends with the orchestrator', LIMIT, async () => {
  const store = createTalkative(createMemoryStore());
  const { run, agent, first } = await running(store);
  assert.equal(store.listeners.size, 1);
  agent.open();
  await run;
  await first.close();
  assert.equal(store.listeners.size, 0);
});

for (const [what, code, tries] of /** @type {[string, string, number][]} */ ([
  ['can not be watched', 'unsupported', 1],
  ['could not be watched yet', 'internal', 3],
])) {
  test(`who follows a job hears of it by asking where the store ${what}`, LIMIT, async (context) => {
    const store = createTalkative(createMemoryStore());
    const { watch } = store;
    let watched = 0;
    store.watch = (/** @type {any} */ listener) => {
      watched += 1;
      if (watched < 3) throw Object.assign(new Error('no connection is left'), { code });
      return watch(listener);
    };
    const [here, there] = [another(store), another({ ...store, watch: undefined })];
    const id = await started(there, PLAN);
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const heard = /** @type {any[]} */ ([]);
    const follow = (async () => {
      for await (const event of here.events(id, { after: 0 })) heard.push(event);
      return 'ended';
    })();
    await turn();
    await there.runJob(id);
    for (let seconds = 0; watched < tries || (await Promise.race([follow, turn()])) !== 'ended'; seconds++) {
      assert.ok(seconds < 60, 'the reader has not ended');
      context.mock.timers.tick(1_000);
      await turn();
    }
    assert.deepStrictEqual(heard, (await store.getJob(id)).history);
    for (let seconds = 0; seconds < 60; seconds++) {
      context.mock.timers.tick(1_000);
      await turn();
    }
    assert.equal(watched, tries);
    await here.close();
    assert.equal(store.listeners.size, 0);
  });
}

test('a store that never begins to watch keeps nobody from closing', LIMIT, async () => {
  const never = new Promise(() => {});
  const { run, agent, first } = await running({ ...createMemoryStore(), watch: () => never });
  agent.open();
  await run;
  await within(first.close(), 'close');
});
