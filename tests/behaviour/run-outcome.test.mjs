// @ts-check
/** What a run gives, which is copied when it is read, and what is not asked of the store for it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';

const permissions = { requireApproval: false };
const plan = { steps: [{ id: 'a', agent: 'work' }] };
const agentRegistry = { work: () => ({ list: [1] }) };

/** @param {import('jobwright').Orchestrator} orchestrator @param {import('jobwright').Plan} [wanted] */
async function started(orchestrator, wanted = plan) {
  const id = await orchestrator.createJob({ given: [1] }, permissions, { plan: wanted });
  await orchestrator.startJob(id);
  return id;
}

/** @param {any} store @param {import('jobwright').Plan} [wanted] */
async function ran(store, wanted) {
  const orchestrator = createOrchestrator({ store, agentRegistry });
  const id = await started(orchestrator, wanted);
  /** @type {any} */
  const outcome = await orchestrator.runJob(id);
  return { orchestrator, id, outcome };
}

test('an outcome has the job as it was when the run ended', async () => {
  const store = createMemoryStore();
  const { id, outcome } = await ran(store);
  const then = store.getJob(id);
  store.prune({ endedBefore: Infinity, keepJob: true });
  store.commit({
    jobId: id,
    expectedRevision: /** @type {any} */ (then).run.revision,
    head: { .../** @type {any} */ (store.getHead(id)), status: 'failed' },
    context: { given: 2, more: 3 },
    steps: { a: { status: 'failed', attempts: 2 } },
    events: [],
  });
  store.deleteJob(id);
  assert.deepEqual(outcome, { success: true, status: 'completed', job: then });
  assert.equal(outcome.job, outcome.job);
});

test('what is done to the job of an outcome changes nothing stored', async () => {
  const store = createMemoryStore();
  const { id, outcome } = await ran(store);
  const before = store.getJob(id);
  outcome.job.context.given.push(2);
  outcome.job.history[0].payload.jobId = 'another';
  outcome.job.run.steps.a.status = 'failed';
  outcome.job.run.plan.steps.length = 0;
  assert.deepEqual(store.getJob(id), before);
});

test('an outcome is printed with its job, and goes into JSON with it', async () => {
  const { outcome } = await ran(createMemoryStore());
  assert.match(inspect(outcome), /job: \{\n\s+id: '/);
  assert.deepEqual(JSON.parse(JSON.stringify(outcome)).job, outcome.job);
});

/** So many steps that what is long in the job is copied when it is first read. */
const long = { steps: ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, agent: 'work' })) };
/** What is copied late, and where that stands. @type {[string, (job: any) => any][]} */
const late = [
  ['history', (job) => job],
  ['steps', (job) => job.run],
];
/** Who gives such a job. @type {[string, (given: Awaited<ReturnType<typeof ran>>) => Promise<any>][]} */
const givers = [
  ['an outcome', async ({ outcome }) => outcome.job],
  ['getJob', async ({ orchestrator, id }) => orchestrator.getJob(id)],
];

for (const [name, holder] of late) {
  for (const [giver, jobOf] of givers) {
    test(`the ${name} of the job of ${giver}, copied when first read, is a member like others`, async () => {
      const store = createMemoryStore();
      const given = await ran(store, long);
      const stored = holder(store.getJob(given.id));
      const owner = holder(await jobOf(given));
      store.deleteJob(given.id);
      assert.equal(Object.keys(stored[name]).length >= 4, true);
      assert.deepEqual(Object.keys(owner).toSorted(), Object.keys(stored).toSorted());
      assert.deepEqual({ ...owner }, stored);
      assert.deepEqual(structuredClone(owner), stored);
      assert.deepEqual(JSON.parse(JSON.stringify(owner)), stored);
      assert.match(inspect(owner), new RegExp(`  ${name}: [{[]( |\\n)`));
      assert.equal(owner[name], owner[name]);
      assert.deepEqual(Object.freeze(owner)[name], stored[name]);
    });

    test(`the ${name} of the job of ${giver} can be replaced`, async () => {
      const owner = holder(await jobOf(await ran(createMemoryStore(), long)));
      owner[name] = [];
      assert.deepEqual([owner[name], { ...owner }[name]], [[], []]);
      assert.match(inspect(owner), new RegExp(`${name}: \\[\\]`));
    });
  }
}

test('a job that getJob gave stays as it was while the job goes on, whatever is done to another copy', async () => {
  const store = createMemoryStore();
  const orchestrator = createOrchestrator({ store, agentRegistry });
  const id = await started(orchestrator, long);
  for (let n = 0; n < 4; n++) await orchestrator.nextStep(id);
  const then = await store.getJob(id);
  /** @type {any} */
  const [unread, changed] = [await orchestrator.getJob(id), await orchestrator.getJob(id)];
  changed.run.steps.a.status = 'failed';
  changed.history[0].payload.jobId = 'another';
  changed.context.a.list.push(2);
  await orchestrator.nextStep(id);
  assert.deepEqual(unread, then);
  assert.equal(Number(then?.history.length) > 8, true);
});

test('its steps say where their items stand, as the stored job does, also after its plan was changed', async () => {
  const store = createMemoryStore();
  const orchestrator = createOrchestrator({ store, agentRegistry });
  const steps = [{ id: 'a', agent: 'work', forEach: { var: 'given' } }];
  const id = await orchestrator.createJob({ given: [1, 2, 3, 4] }, permissions, { plan: { steps } });
  await orchestrator.startJob(id);
  /** @type {any} */
  const outcome = await orchestrator.runJob(id);
  const shown = /** @type {any} */ (await orchestrator.getJob(id)).run.steps;
  outcome.job.run.plan.steps.length = 0;
  assert.deepEqual(shown.a.items, { 0: 'done', 1: 'done', 2: 'done', 3: 'done' });
  assert.deepEqual(outcome.job.run.steps, shown);
  assert.equal(outcome.job.run.steps, outcome.job.run.steps);
});

test('a store that wraps the memory store is asked for the job', async () => {
  const inner = createMemoryStore();
  const store = { ...inner, getJob: (/** @type {string} */ id) => ({ ...inner.getJob(id), mark: 1 }) };
  assert.equal((await ran(store)).outcome.job.mark, 1);
});

test('a job that is gone when its run is over is not found', async () => {
  const kept = createMemoryStore();
  const forgetful = new Map();
  const stores = /** @type {[any, any][]} */ ([
    [
      kept,
      (/** @type {string} */ type, /** @type {any} */ { jobId }) =>
        type === 'job_completed' && kept.deleteJob(jobId),
    ],
    [
      {
        saveJob: (/** @type {any} */ job) =>
          job.status === 'completed' ? forgetful.delete(job.id) : forgetful.set(job.id, job),
        getJob: (/** @type {string} */ id) => forgetful.get(id),
      },
      () => {},
    ],
  ]);
  for (const [store, emit] of stores) {
    const orchestrator = createOrchestrator({ store, eventBus: { emit }, agentRegistry });
    const id = await started(orchestrator);
    /** @type {any} */
    const outcome = await orchestrator.runJob(id);
    assert.equal(outcome.code, 'not_found');
    assert.deepEqual(outcome, { success: false, error: 'Job not found' });
  }
});

test('a job that is started and run where it was made is not read whole before it has ended', async () => {
  const store = createMemoryStore();
  /** @type {string[]} */
  const asked = [];
  const { getJob } = store;
  const orchestrator = createOrchestrator({
    store: { ...store, getJob: (id) => (asked.push(id) > 0 ? getJob(id) : null) },
    agentRegistry,
  });
  const id = await started(orchestrator);
  assert.deepEqual(asked, []);
  await orchestrator.runJob(id);
  assert.deepEqual(asked, [id]);
});

test('a job that somebody else changed after it was made is read again', async () => {
  const store = createMemoryStore();
  const orchestrator = createOrchestrator({ store, agentRegistry });
  const other = createOrchestrator({ store, agentRegistry });
  const id = await orchestrator.createJob({}, permissions, { plan });
  assert.deepEqual(await other.setBreakpoints(id, ['a']), { success: true });
  await orchestrator.startJob(id);
  await orchestrator.runJob(id);
  const job = /** @type {any} */ (store.getJob(id));
  assert.equal(job.run.pause.reason, 'breakpoint');
});

test('whatever an agent tells in an event is in the history, and what is done to a copy stays there', async () => {
  const store = createMemoryStore();
  const payloads = [[1, [2]], { deep: { list: [1] } }, 'text', 5, null];
  const work = (/** @type {unknown} */ _, /** @type {any} */ { emit }) => {
    for (const payload of payloads) emit('told', payload);
  };
  const orchestrator = createOrchestrator({ store, agentRegistry: { work } });
  const id = await started(orchestrator);
  await orchestrator.runJob(id);
  const told = () => /** @type {any} */ (store.getJob(id)).history.filter(({ type }) => type === 'told');
  const read = told();
  assert.deepEqual(
    read.map((/** @type {any} */ { payload }) => payload),
    payloads,
  );
  read[0].payload[1].push(3);
  read[1].payload.deep.list.push(2);
  assert.deepEqual(
    told().map((/** @type {any} */ { payload }) => payload),
    payloads,
  );
});

test('another job that got the id of a deleted one is read, whatever is remembered of that', async () => {
  const store = createMemoryStore();
  let now = 1;
  const clock = { now: () => now, sleep: () => new Promise(() => {}) };
  const deps = { store, clock, agentRegistry: { work: () => 'first', other: () => 'second' } };
  const first = createOrchestrator(deps);
  const id = await first.createJob({}, permissions, { plan });
  store.deleteJob(id);
  now += 1;
  const second = createOrchestrator(deps);
  await second.createJob({}, permissions, { id, plan: { steps: [{ id: 'b', agent: 'other' }] } });
  await first.startJob(id);
  /** @type {any} */
  const outcome = await first.runJob(id);
  assert.deepEqual(outcome.job.context, { b: 'second' });
});

test('a job that was deleted before it is run is not found', async () => {
  for (const path of [undefined, ':memory:']) {
    const store = path === undefined ? createMemoryStore() : await createSqliteStore({ path });
    const orchestrator = createOrchestrator({ store, agentRegistry });
    const id = await started(orchestrator);
    await store.deleteJob(id);
    assert.deepEqual(await orchestrator.runJob(id), { success: false, error: 'Job not found' });
    await orchestrator.close();
  }
});
