// @ts-check
/** Stores with `commit`: they are sent only what changed, and say when somebody else committed first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHosts, deepFreeze } from '../differential/hosts.mjs';
import { jobwright } from '../differential/subject.mjs';
import { settle } from './support/clock.mjs';
import { assertRefused, created, LIMIT, setup, started, within } from './support/setup.mjs';

const PLAN = ['one', 'two'].map((id) => ({ id, agent: 'reader' }));

/** A store that keeps every change it was sent. */
function createCommitStore() {
  const { store, jobs } = createHosts({ faultyBus: false, faultyMonitor: false });
  /** @type {any[]} */
  const changes = [];
  return {
    jobs,
    changes,
    getJob: store.getJob,
    saveJob: () => assert.fail('saveJob was called on a store with commit'),
    /** @param {any} change */
    async commit(change) {
      changes.push(deepFreeze(change));
      store.commit(change);
    },
  };
}

/** @param {any} [deps] */
function world(deps = {}) {
  const store = createCommitStore();
  return setup({ store, agentRegistry: { reader: () => 'read' }, ...deps });
}

test('a change names what changed and nothing else', LIMIT, async () => {
  const w = world();
  const id = await started(w, PLAN, { context: { topic: 'tides', big: 'x'.repeat(1000) } });
  await w.runJob(id);
  const [create, start, one, two, end] = w.store.changes;
  assert.equal(w.store.changes.length, 5);
  for (const [at, change] of w.store.changes.entries()) {
    assert.equal(change.jobId, id);
    assert.equal(change.expectedRevision, at);
    assert.equal(change.head.id, id);
    for (const grows of ['context', 'history']) assert.ok(!(grows in change.head), `${grows} is in the head`);
    for (const grows of ['plan', 'steps'])
      assert.ok(!(grows in (change.head.run ?? {})), `${grows} is in the head`);
    assert.equal(change.head.run.revision, at + 1);
  }
  assert.deepStrictEqual(create.plan, { steps: PLAN });
  assert.deepStrictEqual(Object.keys(create.context), ['topic', 'big']);
  assert.deepStrictEqual(
    w.store.changes.map((/** @type {any} */ change) =>
      change.events.map((/** @type {any} */ event) => event.type),
    ),
    [
      ['job_created'],
      ['job_started'],
      ['step_started'],
      ['step_completed', 'step_started'],
      ['step_completed', 'job_completed'],
    ],
  );
  for (const change of [start, one, two, end]) assert.ok(change.plan === undefined);
  assert.deepStrictEqual(one.context, {});
  assert.deepStrictEqual(Object.keys(one.steps), ['one']);
  assert.deepStrictEqual(two.context, { one: 'read' });
  assert.deepStrictEqual(Object.keys(two.steps).sort(), ['one', 'two']);
  assert.deepStrictEqual(end.context, { two: 'read' });
  assert.equal(end.head.status, 'completed');
});

test('the ten thousandth step is sent as little as the first', LIMIT, async () => {
  const w = world({ router: () => 'reader' });
  const id = await started(w, undefined, { permissions: { requireApproval: false, maxSteps: 10_000 } });
  const size = async () => {
    const before = w.store.changes.length;
    await w.nextStep(id, 1);
    return w.store.changes
      .slice(before)
      .reduce(
        (/** @type {number} */ sum, /** @type {any} */ change) => sum + JSON.stringify(change).length,
        0,
      );
  };
  await size();
  const early = await size();
  for (let n = 0; n < 300; n++) await w.nextStep(id, 1);
  const late = await size();
  assert.ok(late < early + 100, `${early} characters early, ${late} late`);
});

/** Lets somebody else commit first, so many times. @param {any} w @param {number} times @param {(job: any) => any} [change] */
function getAhead(w, times, change = (job) => job) {
  const { commit } = w.store;
  w.store.commit = (/** @type {any} */ asked) => {
    if (times-- <= 0) return commit(asked);
    const job = w.store.jobs.get(asked.jobId);
    w.store.jobs.set(
      job.id,
      deepFreeze(change({ ...job, run: { ...job.run, revision: (job.run?.revision ?? 0) + 1 } })),
    );
    return Promise.reject(new jobwright.ConflictError('somebody was faster'));
  };
}

test('a context that is no object as JSON is refused', LIMIT, async () => {
  const w = world();
  const contexts = [new Date(0), new URL('http://a.b/'), { toJSON: () => [1] }, { toJSON: () => null }];
  for (const context of contexts) {
    await assert.rejects(w.createJob(context), {
      code: 'invalid_argument',
      message: /^The initial context must be an object; it is .* as JSON$/,
    });
  }
  assert.deepStrictEqual(w.store.changes, []);
  await w.createJob({ toJSON: () => ({ a: 1 }) });
  assert.deepStrictEqual(w.store.changes[0].context, { a: 1 });
});

test('heads that are looked up side by side do not mix', LIMIT, async () => {
  const hosts = createHosts({ faultyBus: false, faultyMonitor: false });
  let delay = 0;
  const store = {
    ...createCommitStore(),
    jobs: hosts.jobs,
    getJob: async (/** @type {string} */ id) => hosts.store.getJob(id),
    commit: async (/** @type {any} */ change) => hosts.store.commit(change),
    async getHead(/** @type {string} */ id) {
      for (let turns = delay++ % 5; turns > 0; turns--) await undefined;
      return hosts.store.getHead(id);
    },
  };
  const w = setup({ store });
  const ids = [];
  for (let n = 0; n < 30; n++) {
    ids.push(
      await created(w, n % 2 ? PLAN : undefined, { permissions: { maxSteps: n, allowTools: n % 3 === 0 } }),
    );
    await w.clock.advance(1);
  }
  const before = ids.map((id) => w.store.jobs.get(id));
  await Promise.all(ids.map((id) => w.setPermissions(id, { requireApproval: false })));
  await Promise.all(ids.map((id) => w.startJob(id)));
  for (const [at, id] of ids.entries()) {
    const { permissions, timing, run } = w.store.jobs.get(id);
    assert.deepStrictEqual(permissions, { ...before[at].permissions, requireApproval: false });
    assert.equal(timing.created, before[at].timing.created);
    assert.equal(run.revision, 3);
  }
});

test('after a conflict the operation loads and decides again', LIMIT, async () => {
  const w = world();
  const id = await created(w, PLAN);
  getAhead(w, 3);
  assert.deepStrictEqual(await w.startJob(id), { success: true });
  assert.equal(w.store.jobs.get(id).status, 'running');
  assert.deepStrictEqual(w.bus.types(), ['job_started']);
});

test('what somebody else committed may refuse the operation', LIMIT, async () => {
  const w = world();
  const id = await created(w, PLAN);
  getAhead(w, 1, (job) => ({ ...job, status: 'completed' }));
  assertRefused(await w.startJob(id), 'invalid_transition', 'Invalid state transition');
  assert.deepStrictEqual(w.bus.emitted, []);
});

test('who is never first is told so', LIMIT, async () => {
  const w = world();
  const id = await created(w, PLAN);
  getAhead(w, Number.POSITIVE_INFINITY);
  assertRefused(await within(w.startJob(id), 'startJob'), 'conflict');
  assert.equal(w.store.jobs.get(id).status, 'created');
  assert.deepStrictEqual(w.bus.emitted, []);
});

test('a conflict in the middle of a run: each agent still runs once', LIMIT, async () => {
  /** @type {string[]} */
  const calls = [];
  const reader = (/** @type {any} */ _, /** @type {any} */ { step }) => calls.push(step);
  const w = world({ agentRegistry: { reader } });
  const id = await started(w, PLAN);
  getAhead(w, 2);
  assert.equal((await within(w.runJob(id), 'runJob')).status, 'completed');
  assert.deepStrictEqual(calls, ['one', 'two']);
});

test('two orchestrators on one store act on one job', LIMIT, async () => {
  const one = world();
  const two = setup({ store: one.store, agentRegistry: { reader: () => 'read' } });
  const id = await started(one, PLAN);
  const outcomes = await Promise.all([one.pauseJob(id), two.pauseJob(id), one.startJob(id), two.failJob(id)]);
  assert.equal(outcomes.filter((outcome) => outcome.success).length >= 2, true);
  assert.equal(one.store.jobs.get(id).status, 'failed');
  await settle();
  const { history } = one.store.jobs.get(id);
  assert.deepStrictEqual(
    history.map((/** @type {any} */ event) => event.seq),
    history.map((/** @type {any} */ _, /** @type {number} */ at) => at + 1),
  );
});

test('any other error of commit reaches the caller as it is', LIMIT, async () => {
  const w = world();
  const id = await created(w, PLAN);
  const error = new Error('disk full');
  const { commit } = w.store;
  w.store.commit = () => Promise.reject(error);
  await assert.rejects(w.startJob(id), (thrown) => thrown === error);
  w.store.commit = commit;
  assert.deepStrictEqual(await w.startJob(id), { success: true });
});
