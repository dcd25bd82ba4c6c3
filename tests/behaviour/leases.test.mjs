// @ts-check
/** One orchestrator at a time runs a job: who has the right to, how long, and what one may do that has lost it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOrchestrator, jobwright } from '../differential/subject.mjs';
import { assertRefused, createBus, FREE, LIMIT, latch, setup, started, within } from './support/setup.mjs';
import { createMortalStore } from './support/trees.mjs';

const { createMemoryStore } = jobwright;
const QUIET = { warn() {}, error() {} };
const PLAN = [
  { id: 'one', agent: 'work' },
  { id: 'two', agent: 'work' },
];

/** An agent that waits, at its first call, until it is let go. */
function gatedAgent() {
  const [reached, gate] = [latch(), latch()];
  /** @type {any[]} */
  const calls = [];
  const work = async (/** @type {any} */ _, /** @type {any} */ { step, idempotencyKey, signal }) => {
    calls.push({ step, idempotencyKey, signal });
    if (calls.length === 1) {
      reached.open();
      await gate.promise;
    }
    return `${step} done`;
  };
  return { work, calls, reached: reached.promise, open: gate.open };
}

/** A running job whose first step is at work in an orchestrator. @param {any} store @param {any} [deps] */
async function running(store, deps) {
  const agent = gatedAgent();
  const first = setup({ store, agentRegistry: { work: agent.work }, logger: QUIET, ...deps });
  const id = await started(first, PLAN);
  const run = first.runJob(id);
  await agent.reached;
  return { id, first, run, agent };
}

/** @param {any} store */
const another = (store, deps = {}) =>
  setup({ store, agentRegistry: { work: () => 'done elsewhere' }, logger: QUIET, ...deps });

/** The steps of a job's events of a type, in order. @param {any} job @param {string} type */
const stepsOf = (job, type) =>
  job.history
    .filter((/** @type {any} */ event) => event.type === type)
    .map((/** @type {any} */ { payload }) => payload.step);

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

test(
  'a job that is run elsewhere is run nowhere else, and is not changed by the attempt',
  LIMIT,
  async () => {
    const store = createMemoryStore();
    const { id, run, agent } = await running(store);
    const second = another(store);
    const before = await store.getJob(id);
    assertRefused(await second.runJob(id), 'conflict', /^Job is being run elsewhere$/);
    assertRefused(await second.nextStep(id), 'conflict', /^Job is being run elsewhere$/);
    assert.deepStrictEqual(await second.recover(), { resumed: [] });
    assert.deepStrictEqual(await store.getJob(id), before);
    agent.open();
    const { status, job } = await run;
    assert.equal(status, 'completed');
    assert.deepStrictEqual(stepsOf(job, 'step_completed'), ['one', 'two']);
  },
);

test('who asks for a job that can not be run is told that, whoever has its lease', LIMIT, async () => {
  const store = createMemoryStore();
  const { id, first, run, agent } = await running(store);
  const second = another(store);
  await second.pauseJob(id);
  assertRefused(await second.runJob(id), 'not_running', /paused/);
  await second.cancelJob(id);
  assertRefused(await second.runJob(id), 'cancelled', /cancelled/);
  assertRefused(await second.runJob('nobody'), 'not_found');
  agent.open();
  await run;
  await first.close();
});

test('a run that ends gives its lease back before it says so, also when the job waits', LIMIT, async () => {
  const store = createMemoryStore();
  const first = another(store);
  const id = await started(first, [{ id: 'ask', approve: { message: 'may it?' } }, ...PLAN]);
  assert.equal((await first.runJob(id)).code, 'approval_required');
  const second = another(store);
  await second.approveStep(id, { by: 'ada' });
  assert.equal((await second.runJob(id)).status, 'completed');
});

test('a lease is renewed for as long as an agent works', LIMIT, async () => {
  const store = createMemoryStore();
  const { id, run, agent } = await running(store, { leaseMs: 900 });
  const second = another(store);
  for (let looks = 0; looks < 7; looks++) {
    await sleep(200);
    assert.deepStrictEqual(await second.recover(), { resumed: [] });
    assert.equal((await second.runJob(id)).code, 'conflict');
  }
  agent.open();
  assert.equal((await run).status, 'completed');
});

test('recover takes up what an owner that died left, and only that', LIMIT, async () => {
  const store = createMortalStore();
  const { renewLease } = store;
  let isDead = false;
  /** @param {[string, number, number]} args */
  store.renewLease = (...args) => (isDead ? /** @type {any} */ (new Promise(() => {})) : renewLease(...args));
  const dead = await running(store);
  isDead = true;
  const second = another(store);
  assert.deepStrictEqual(await second.recover(), { resumed: [] }, 'nobody knows yet');
  store.endLeases();
  const alive = await running(store);
  assert.deepStrictEqual(await second.recover(), { resumed: [dead.id] });
  const { status, job } = await second.runJob(dead.id);
  assert.equal(status, 'completed');
  assert.deepStrictEqual(stepsOf(job, 'step_recovered'), ['one']);
  assert.deepStrictEqual(stepsOf(job, 'step_completed'), ['one', 'two']);
  alive.agent.open();
  await alive.run;
});

test('an owner that comes back late commits nothing, and says nothing', LIMIT, async () => {
  const store = createMortalStore();
  const bus = createBus();
  const { id, run, agent, first } = await running(store, { eventBus: bus });
  store.endLeases();
  const second = another(store);
  assert.deepStrictEqual(await second.recover(), { resumed: [id] });
  const after = await second.runJob(id);
  const told = bus.emitted.length;
  const stored = await store.getJob(id);
  agent.open();
  assertRefused(await run, 'conflict', /^Job is being run elsewhere$/);
  assert.deepStrictEqual(await store.getJob(id), stored);
  assert.equal(bus.emitted.length, told);
  assert.deepStrictEqual(stepsOf(after.job, 'step_completed'), ['one', 'two']);
  assert.equal((await second.replayJob(id)).ok, true);
  // It is over here, too: what comes next is asked of the store.
  assert.equal((await first.runJob(id)).status, 'completed');
});

test(
  'a commit under a lease that somebody else has now is refused, though nothing else changed',
  LIMIT,
  async () => {
    const store = createMortalStore();
    const { id, run, agent } = await running(store);
    store.endLeases();
    await store.acquireLease(id, 'somebody else', 60_000);
    const stored = await store.getJob(id);
    agent.open();
    assertRefused(await run, 'conflict', /^Job is being run elsewhere$/);
    assert.deepStrictEqual(await store.getJob(id), stored);
  },
);

test(
  'an agent whose job is run elsewhere now is told to stop, and its answer is not noted',
  LIMIT,
  async () => {
    const store = createMortalStore();
    const { id, run, agent } = await running(store, { leaseMs: 30 });
    store.endLeases();
    const owner = /** @type {number} */ (await store.acquireLease(id, 'somebody else', 60_000));
    const outcome = await within(run, 'the run');
    assertRefused(outcome, 'conflict', /^Job is being run elsewhere$/);
    const [{ signal }] = agent.calls;
    assert.equal(signal.aborted, true);
    assert.equal(signal.reason.code, 'conflict');
    const before = await store.getJob(id);
    agent.open();
    await sleep(20);
    assert.deepStrictEqual(await store.getJob(id), before);
    assert.equal(before?.status, 'running');
    await store.releaseLease(id, owner);
  },
);

test('of two that recover at the same moment, one gets each job', LIMIT, async () => {
  const store = createMemoryStore();
  const dying = another(store);
  const ids = [];
  for (let number = 0; number < 10; number++) ids.push(await started(dying, PLAN));
  const both = [another(store), another(store)];
  const [a, b] = await Promise.all(both.map((o) => o.recover()));
  assert.deepStrictEqual([...a.resumed, ...b.resumed].sort(), [...ids].sort());
});

test('close gives back what was taken over and never run', LIMIT, async () => {
  const store = createMemoryStore();
  const id = await started(another(store), PLAN);
  const first = another(store);
  assert.deepStrictEqual(await first.recover(), { resumed: [id] });
  const second = another(store);
  assert.equal((await second.runJob(id)).code, 'conflict');
  await first.close();
  assert.equal((await second.runJob(id)).status, 'completed');
});

test('close gives back what runs, and another goes on with it at once', LIMIT, async () => {
  const store = createMemoryStore();
  const { id, first, run } = await running(store);
  await first.close();
  assert.equal((await run).code, 'closed');
  const second = another(store);
  assert.deepStrictEqual(await second.recover(), { resumed: [id] });
  assert.equal((await second.runJob(id)).status, 'completed');
});

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

test('a child whose runner died is run by who runs its parent, once its lease has ended', LIMIT, async () => {
  const store = createMortalStore();
  const agent = gatedAgent();
  const first = setup({ store, agentRegistry: { work: agent.work }, logger: QUIET });
  const id = await started(first, [{ id: 'sub', job: { plan: { steps: PLAN } } }]);
  void first.runJob(id);
  await agent.reached;
  store.endLeases();
  const child = `${id}:sub`;
  const token = /** @type {number} */ (await store.acquireLease(child, 'the dying', 60_000));
  const second = another(store, { clock: undefined });
  assert.deepStrictEqual(await second.recover(), { resumed: [id] });
  const run = second.runJob(id);
  await sleep(50);
  assert.equal((await store.getJob(id))?.status, 'running');
  await store.releaseLease(child, token);
  assert.equal((await within(run, 'the run')).status, 'completed');
  assert.deepStrictEqual(stepsOf(await store.getJob(child), 'step_completed'), ['one', 'two']);
});

test(
  'a store that fails at leases fails the run with its own error, and no more than that',
  LIMIT,
  async () => {
    const broken = new Error('the store is down');
    const store = createMemoryStore();
    const fails = () => Promise.reject(broken);
    const first = another({ ...store, acquireLease: fails });
    const id = await started(first, PLAN);
    await assert.rejects(first.runJob(id), (error) => error === broken);
    await assert.rejects(first.nextStep(id), (error) => error === broken);
    const strange = another({ ...store, acquireLease: () => 'yes' });
    await assert.rejects(strange.runJob(id), { code: 'internal', message: /acquireLease.*"yes"/ });
    const late = another({ ...store, renewLease: fails, releaseLease: fails }, { leaseMs: 20 });
    assert.equal((await late.runJob(id)).status, 'completed');
    const other = await started(first, PLAN);
    const slow = another(
      { ...store, renewLease: fails },
      { leaseMs: 20, agentRegistry: { work: () => sleep(30) } },
    );
    assert.equal((await slow.runJob(other)).status, 'completed');
  },
);

test(
  'without leases in the store nothing is asked of it, and conflicts are found as before',
  LIMIT,
  async () => {
    const store = createMemoryStore();
    const { acquireLease: _, ...without } = store;
    const { id, run, agent } = await running(without);
    const second = another(without);
    const ended = await second.runJob(id);
    assert.equal(ended.status, 'completed');
    agent.open();
    await run;
    assert.deepStrictEqual(stepsOf(await store.getJob(id), 'step_completed'), ['one', 'two']);
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

test('leaseMs is a time', () => {
  for (const leaseMs of [0, -1, Number.NaN, Infinity, '30'])
    assert.throws(() => createOrchestrator({ leaseMs }), { code: 'invalid_argument', message: /leaseMs/ });
});
