// @ts-check
/** `config.shareSteps`: the steps of a job and of all its descendants together stay within its `maxSteps`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, created, createStore, FREE, LIMIT, setup, started } from './support/setup.mjs';

const { createMemoryStore, verifyRun } = jobwright;
const SHARED = { config: { shareSteps: true } };
const KINDS = Object.entries({ plain: createStore, bundled: createMemoryStore });

/** @param {string[]} ids @returns {any[]} */
const agents = (...ids) => ids.map((id) => ({ id, agent: 'work' }));

/** @param {number} maxSteps */
const limited = (maxSteps) => ({ ...FREE, maxSteps });

/** Steps of jobs that count: those that have begun, not their items. @param {any[]} jobs */
const taken = (jobs) => jobs.reduce((sum, { run }) => sum + (run?.stepsTaken ?? 0), 0);

/** @param {any} w @param {string} id */
async function assertReplayed(w, id) {
  const replayed = await w.replayJob(id);
  assert.equal(replayed.ok, true, JSON.stringify(replayed));
  for (const redact of [true, false]) {
    const lines = [];
    for await (const line of w.exportJob(id, { redact })) lines.push(line);
    assert.equal((await verifyRun(lines)).ok, true);
  }
}

for (const [kind, storeOf] of KINDS) {
  test(
    `${kind} store: a child stops where its parent's limit is reached, and goes on when it is raised`,
    LIMIT,
    async () => {
      const w = setup({ store: storeOf(), agentRegistry: { work: () => 1 } });
      const steps = [
        ...agents('a'),
        { id: 'pack', job: { plan: { steps: agents('x', 'y', 'z') } } },
        ...agents('b'),
      ];
      const id = await started(w, steps, { ...SHARED, permissions: limited(4) });
      const child = `${id}:pack`;
      const message = `Step limit of job "${id}" reached`;

      assertRefused(await w.runJob(id), 'step_limit', `Child job "${child}": ${message}`);
      const paused = await w.getJob(child);
      assert.equal(paused.status, 'paused');
      assert.deepStrictEqual(paused.run.pause, { reason: 'step_limit', step: 'z', message });
      assert.deepStrictEqual(paused.history.at(-1).payload, { jobId: child, reason: 'step_limit', message });
      assert.equal(taken([paused, await w.getJob(id)]), 4);

      // Without room, being started is all that comes of being started.
      await w.startJob(child);
      assertRefused(await w.runJob(child), 'step_limit', message);
      await w.setPermissions(id, { maxSteps: 5 });
      await w.startJob(child);
      const stopped = await w.runJob(id);
      assertRefused(stopped, 'step_limit', 'Step limit reached');
      assert.deepStrictEqual((await w.getJob(id)).history.at(-1).payload, {
        ...{ jobId: id, reason: 'step_limit', treeSteps: 3 },
      });
      await w.setPermissions(id, { maxSteps: 6 });
      await w.startJob(id);
      assert.equal((await w.runJob(id)).status, 'completed');
      for (const each of [id, child]) await assertReplayed(w, each);
    },
  );

  test(`${kind} store: what a person refuses, waits and items do not count`, LIMIT, async () => {
    const w = setup({ store: storeOf(), agentRegistry: { work: () => 1 } });
    const parent = await started(w, undefined, { ...SHARED, permissions: limited(2) });
    const steps = [
      { id: 'no', agent: 'work', approval: true, onError: 'continue' },
      { id: 'skipped', agent: 'work', when: false },
      { id: 'soon', wait: { ms: 0 } },
      { id: 'all', agent: 'work', forEach: [1, 2, 3] },
      { id: 'last', agent: 'work', repeat: { until: { '==': [1, 1] }, max: 2 } },
    ];
    const child = await started(w, steps, { parentId: parent });
    assertRefused(await w.runJob(child), 'approval_required');
    await w.rejectStep(child);
    await w.startJob(child);
    assert.equal((await w.runJob(child)).status, 'completed');
    assert.equal((await w.getJob(parent)).run.treeSteps.taken, 2);
    await assertReplayed(w, child);
  });

  test(
    `${kind} store: a router's steps count, and its job's history says why it stopped`,
    LIMIT,
    async () => {
      const router = () => ({ agent: 'work' });
      const w = setup({ store: storeOf(), router, agentRegistry: { work: () => 1 } });
      const parent = await started(w, undefined, { ...SHARED, permissions: limited(3) });
      const child = await started(w, undefined, { parentId: parent });
      await w.nextStep(parent);
      assertRefused(await w.runJob(child), 'step_limit', `Step limit of job "${parent}" reached`);
      assertRefused(await w.runJob(parent), 'step_limit', 'Step limit reached');
      assert.equal(taken([await w.getJob(parent), await w.getJob(child)]), 3);
      for (const id of [parent, child]) await assertReplayed(w, id);
      await w.setPermissions(parent, { maxSteps: 4 });
      await w.startJob(child);
      assertRefused(await w.runJob(child), 'step_limit');
      assert.equal(taken([await w.getJob(child)]), 3);
      await assertReplayed(w, child);
    },
  );
}

test('each ancestor that shares its limit bounds its own tree', LIMIT, async () => {
  const w = setup({ store: createMemoryStore(), agentRegistry: { work: () => 1 } });
  const top = await started(w, agents('a', 'b', 'c'), { ...SHARED, permissions: limited(6) });
  const middle = await started(w, agents('a', 'b'), { ...SHARED, parentId: top, permissions: limited(3) });
  const plain = await started(w, agents('a', 'b'), { parentId: middle });
  const late = await started(w, agents('a'), { parentId: top });
  assert.equal((await w.runJob(plain)).status, 'completed');
  assertRefused(await w.runJob(middle), 'step_limit', 'Step limit reached');
  assert.equal((await w.getJob(top)).run.treeSteps.taken, 3);
  assert.equal((await w.runJob(top)).status, 'completed');
  assert.deepStrictEqual((await w.getJob(plain)).run.sharedBy, [middle, top]);
  // The top has ended, and its limit holds on.
  assertRefused(await w.runJob(late), 'step_limit', `Step limit of job "${top}" reached`);
  for (const id of [top, middle, plain, late]) await assertReplayed(w, id);
});

test('a fork counts what it does itself, and against nobody', LIMIT, async () => {
  const w = setup({ store: createMemoryStore(), agentRegistry: { work: () => 1 } });
  const parent = await started(w, agents('a'), { ...SHARED, permissions: limited(3) });
  const child = await started(w, agents('a', 'b', 'c', 'd'), { parentId: parent, permissions: limited(9) });
  await w.runJob(child);
  const fork = await w.forkJob(child, { afterStep: 'a', permissions: { maxSteps: 9 } });
  await w.startJob(fork);
  const { status, job } = await w.runJob(fork);
  assert.equal(status, 'completed');
  assert.deepStrictEqual([job.run.sharedBy, job.run.treeSteps], [undefined, undefined]);
  assertRefused(await w.runJob(parent), 'step_limit');
  await w.setPermissions(parent, { maxSteps: 4 });
  await w.startJob(parent);
  await w.runJob(parent);
  const again = await w.forkJob(parent, { afterStep: 'a', permissions: { maxSteps: 1 } });
  assert.equal((await w.getJob(again)).run.treeSteps, undefined);
  await assertReplayed(w, fork);
});

test('what is not a yes or a no is refused, and so is what a store makes up', LIMIT, async () => {
  const store = createMemoryStore();
  const w = setup({ store, agentRegistry: { work: () => 1 } });
  for (const shareSteps of ['yes', 1, null]) {
    await assert.rejects(created(w, agents('a'), { config: { shareSteps } }), {
      code: 'invalid_argument',
      message: /options\.config\.shareSteps must be true or false; found/,
    });
  }
  const id = await started(w, agents('a'));
  const { getJob, getHead } = store;
  for (const wrong of [
    { sharedBy: 'you' },
    { sharedBy: [1] },
    { treeSteps: null },
    { treeSteps: { taken: -1, last: [] } },
  ]) {
    const tampered = (/** @type {any} */ job) => ({ ...job, run: { ...job.run, ...wrong } });
    const hostile = {
      ...store,
      getJob: async (/** @type {any} */ of) => tampered(await getJob(of)),
      getHead: async (/** @type {any} */ of) => tampered(await getHead(of)),
    };
    const other = setup({ store: hostile, agentRegistry: { work: () => 1 } });
    await assert.rejects(other.runJob(id), { code: 'invalid_job' });
  }
  const self = {
    ...store,
    getJob: async (/** @type {any} */ of) => ({
      ...(await getJob(of)),
      run: { ...(await getJob(of)).run, sharedBy: [of] },
    }),
    getHead: undefined,
  };
  assert.equal(
    (await setup({ store: self, agentRegistry: { work: () => 1 } }).runJob(id)).status,
    'completed',
  );
});

test('jobs that nobody shares a limit with ask the store for nobody else', LIMIT, async () => {
  const calls = /** @type {string[]} */ ([]);
  const store = createMemoryStore();
  const told = (/** @type {string} */ name) => (/** @type {any} */ id) => {
    calls.push(`${name} ${typeof id === 'string' ? id : id.jobId}`);
    return /** @type {any} */ (store)[name](id);
  };
  const watched = { ...store, getHead: told('getHead'), getJob: told('getJob'), commit: told('commit') };
  const w = setup({ store: watched, agentRegistry: { work: () => 1 } });
  const parent = await started(w, agents('a'), { config: { shareSteps: false } });
  const child = await started(w, agents('a', 'b'), { parentId: parent });
  calls.length = 0;
  await w.runJob(child);
  assert.deepStrictEqual(calls, [...calls.filter((call) => call.endsWith(child))]);
});
