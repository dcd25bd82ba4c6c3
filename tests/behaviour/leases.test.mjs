// @ts-check
/** One orchestrator at a time runs a job: who has the right to, how long, and what one may do that has lost it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOrchestrator, jobwright } from '../differential/subject.mjs';
import { another, gatedAgent, PLAN, QUIET, running } from './support/leases.mjs';
import { assertRefused, createBus, LIMIT, latch, setup, started, within } from './support/setup.mjs';
import { createMortalStore } from './support/trees.mjs';

const { createMemoryStore } = jobwright;

/** The steps of a job's events of a type, in order. @param {any} job @param {string} type */
const stepsOf = (job, type) =>
  job.history
    .filter((/** @type {any} */ event) => event.type === type)
    .map((/** @type {any} */ { payload }) => payload.step);

/** A budget that grants everything. @param {string[]} reserved the keys that something was reserved under */
function grantingAll(reserved) {
  const grant = { success: true };
  return {
    canSpend: () => grant,
    reserve(/** @type {string} */ _, /** @type {number} */ __, /** @type {string} */ key) {
      reserved.push(key);
      return grant;
    },
    settle: () => {},
    release: () => {},
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
  'a renewal that comes after the commit that ended the job, and gave its lease back, is no loss',
  LIMIT,
  async () => {
    const store = createMemoryStore();
    /** @type {((token: number) => void) | null} */
    let late = null;
    const ending = {
      ...store,
      async commit(/** @type {any} */ change) {
        store.commit(change);
        const { jobId, head, fencingToken } = change;
        if (head.status !== 'failed' || head.parentId !== undefined) return;
        await store.releaseLease(jobId, fencingToken);
        // Its answer takes longer than that of the renewal.
        await new Promise((resolve) => {
          late = (token) => token === fencingToken && setTimeout(resolve, 5);
        });
      },
      async renewLease(/** @type {[string, number, number]} */ ...asked) {
        const renewed = await store.renewLease(...asked);
        if (!renewed) late?.(asked[1]);
        return renewed;
      },
    };
    const begun = latch();
    const w = setup({
      store: ending,
      clock: null,
      leaseMs: 60,
      logger: QUIET,
      agentRegistry: {
        slow: (/** @type {any} */ _, /** @type {any} */ { signal }) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', resolve);
            begun.open();
          }),
        fails: async () => {
          await begun.promise;
          throw new Error('no');
        },
      },
    });
    const id = await started(w, [
      { id: 'child', job: { plan: { steps: [{ id: 'deep', agent: 'slow' }] } }, after: [] },
      { id: 'bad', agent: 'fails', after: [] },
    ]);
    assertRefused(await within(w.runJob(id), 'the run'), 'agent_failed', 'no');
    const [child] = await w.listJobs({ parentId: id });
    assert.deepEqual([child.status, child.run.failure?.code], ['failed', 'cancelled']);
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

test('leaseMs is a time', () => {
  for (const leaseMs of [0, -1, Number.NaN, Infinity, '30'])
    assert.throws(() => createOrchestrator({ leaseMs }), { code: 'invalid_argument', message: /leaseMs/ });
});

test(
  'who gets a lease reads the job before deciding, also where an operation before it read it',
  LIMIT,
  async () => {
    const store = createMemoryStore();
    const gates = { one: latch(), two: latch() };
    const agents = { one: () => gates.one.promise, two: () => gates.two.promise };
    const first = another(store, { agentRegistry: agents });
    const id = await started(first, [
      { id: 'a', agent: 'one', cost: 1 },
      { id: 'b', agent: 'two', cost: 1 },
    ]);
    void first.runJob(id).catch(() => {});

    /** @type {string[]} */
    const reserved = [];
    const [asked, goOn] = [latch(), latch()];
    let asks = 0;
    const late = {
      ...store,
      // Nor is it told of what others do.
      watch: undefined,
      async acquireLease(/** @type {any[]} */ ...values) {
        asks += 1;
        if (asks === 2) {
          asked.open();
          await goOn.promise;
        }
        return /** @type {any} */ (store).acquireLease(...values);
      },
    };
    const second = another(late, {
      agentRegistry: { one: () => 1, two: () => 2 },
      budgetManager: grantingAll(reserved),
    });
    const step = second.nextStep(id);
    const run = second.runJob(id);
    assertRefused(await step, 'conflict');
    await asked.promise;
    gates.one.open();
    while ((await store.getHead(id)).run.stepsTaken < 2) await sleep(1);
    await first.close();
    goOn.open();
    assert.equal((await run).status, 'completed');
    assert.deepStrictEqual(reserved, [`${id}:b`]);
  },
);

test('a job that others have run since it was started here is read before it is run', LIMIT, async () => {
  const store = createMemoryStore();
  /** @type {string[]} */
  const reserved = [];
  const first = another(store, {
    budgetManager: grantingAll(reserved),
  });
  // From its first run on, it is told of what others do.
  await first.runJob(await started(first, PLAN));
  reserved.length = 0;
  const id = await started(first, [{ id: 'a', agent: 'work', cost: 1 }]);
  assert.equal((await another(store).runJob(id)).status, 'completed');
  await sleep(5);
  assert.equal((await first.runJob(id)).status, 'completed');
  assert.deepStrictEqual(reserved, []);
});
