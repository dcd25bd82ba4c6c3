// @ts-check
/** Orchestrators on one database, each with connections of its own: what one does, the others hear of, and none polls. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { importPackage } from '../package/installed.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { startProxy } from './proxy.mjs';

const { createOrchestrator } = await importPackage();
const { createPostgresStore } = await importPackage('jobwright/postgres');
const LIMIT = { timeout: 60_000 };
const FREE = { requireApproval: false, maxSteps: 100 };
const PLAN = { steps: [1, 2, 3].map((n) => ({ id: `s${n}`, agent: 'work' })) };
/** Longer than any of these tests. */
const NEVER_MS = 3_600_000;

const server = await startPostgres();
/** @type {(() => Promise<unknown>)[]} */
const closing = [];
after(async () => {
  // Whatever does not end must not keep all other tests waiting.
  setTimeout(() => process.exit(), 30_000).unref();
  await Promise.all(closing.map((close) => close()));
  await server.stop();
});

/** One as in a process of its own. @param {any} [deps] */
async function home(deps, connectionString = server.url) {
  const store = await createPostgresStore({ connectionString });
  const work = (/** @type {any} */ _, /** @type {any} */ { step }) => step;
  const orchestrator = createOrchestrator({
    store,
    agentRegistry: { work },
    leaseMs: NEVER_MS,
    logger: {},
    ...deps,
  });
  closing.push(async () => {
    await orchestrator.close();
    await store.close();
  });
  return { ...orchestrator, store };
}

/** @param {any} o @param {any} [options] @returns {Promise<string>} */
async function started(o, { plan = PLAN, ...options } = {}) {
  const id = await o.createJob({}, FREE, { plan, ...options });
  await o.startJob(id);
  return id;
}

function latch() {
  let resolve = () => {};
  const promise = /** @type {Promise<void>} */ (
    new Promise((done) => {
      resolve = done;
    })
  );
  return { promise, resolve };
}

/** @param {() => Promise<boolean>} condition @param {string} what */
async function until(condition, what) {
  for (const end = Date.now() + 20_000; !(await condition()); await sleep(20))
    assert.ok(Date.now() < end, `timed out: ${what}`);
}

test('a monitor wakes when children end in another process', LIMIT, async () => {
  const [here, there] = [await home(), await home()];
  const parent = await here.createJob({}, FREE, { type: 'parent', config: { source_type: 'test' } });
  here.startMonitoring(await here.getJob(parent), { pollMs: NEVER_MS });
  await until(async () => (await here.getJob(parent)).status === 'running', 'the parent runs');
  const children = [];
  for (let number = 0; number < 5; number++) children.push(await started(there, { parentId: parent }));
  await Promise.all(children.map((id) => there.runJob(id)));
  await until(async () => (await here.getJob(parent)).status === 'completed', 'the parent has ended');
  assert.equal((await here.childStats(parent)).completed, 5);
});

test('who follows a job hears of each event once, whichever process commits it', LIMIT, async () => {
  const [here, there] = [await home(), await home()];
  const id = await started(there);
  const heard = /** @type {any[]} */ ([]);
  const follow = (async () => {
    for await (const event of here.events(id, { after: 0 })) heard.push(event);
  })();
  await until(async () => heard.length === 2, 'what is stored is heard');
  await there.runJob(id);
  await follow;
  assert.deepEqual(heard, (await here.getJob(id)).history);
});

test('a cancel, a pause and a signal reach the process that runs the job', LIMIT, async () => {
  /** @type {any[]} */
  const signals = [];
  const work = (/** @type {any} */ _, /** @type {any} */ { signal }) => {
    signals.push(signal);
    return new Promise(() => {});
  };
  const [here, there] = [await home({ agentRegistry: { work } }), await home()];
  const id = await started(here);
  const run = here.runJob(id);
  await until(async () => signals.length === 1, 'the agent is at work');
  assert.equal((await there.runJob(id)).code, 'conflict');
  await there.cancelJob(id);
  assert.equal((await run).code, 'cancelled');
  assert.equal(signals[0].aborted, true);

  const waiting = await started(here, { plan: { steps: [{ id: 'go', wait: { signal: 'go' } }] } });
  const waits = here.runJob(waiting);
  await there.signal(waiting, 'go', 1);
  assert.equal((await waits).status, 'completed');

  const sleeping = await started(here, { plan: { steps: [{ id: 'nap', wait: { ms: NEVER_MS } }] } });
  const sleeps = here.runJob(sleeping);
  await until(async () => (await there.getJob(sleeping)).run.steps?.nap?.status === 'waiting', 'it waits');
  await there.pauseJob(sleeping);
  assert.equal((await sleeps).code, 'not_running');
});

test('a run goes on when the server is restarted in the middle of it', LIMIT, async () => {
  let calls = 0;
  const work = async (/** @type {any} */ _, /** @type {any} */ { step }) => {
    calls += 1;
    if (step === 's2') await server.restart('immediate');
    return step;
  };
  const here = await home({ agentRegistry: { work } });
  const { status, job } = await here.runJob(await started(here));
  assert.equal(status, 'completed');
  assert.equal(calls, 3);
  assert.deepEqual(job.context, { s1: 's1', s2: 's2', s3: 's3' });
  assert.equal((await here.replayJob(job)).ok, true);
});

for (const minutes of [-30, 30]) {
  test(`a process whose clock is ${minutes} minutes off takes nobody's job`, LIMIT, async () => {
    const gate = { open: /** @type {(value: string) => void} */ (() => {}) };
    const work = () =>
      new Promise((resolve) => {
        gate.open = resolve;
      });
    const here = await home({ agentRegistry: { work }, leaseMs: 1_000 });
    const id = await started(here, { plan: { steps: [{ id: 'one', agent: 'work' }] } });
    const run = here.runJob(id);
    const { stdout } = await promisify(execFile)(process.execPath, [
      fileURLToPath(new URL('./skewed-process.mjs', import.meta.url)),
      server.url,
      id,
      String(minutes * 60_000),
    ]);
    assert.equal(stdout.trim(), '[0,"conflict"]');
    gate.open('mine');
    const { status, job } = await run;
    assert.equal(status, 'completed');
    assert.deepEqual(job.context, { one: 'mine' });
  });
}

test(
  'a pause of all that was not heard of keeps the next step from beginning, and jobs from being started',
  LIMIT,
  async () => {
    const [reached, gate] = [latch(), latch()];
    const work = async (/** @type {any} */ _, /** @type {any} */ { step }) => {
      if (step === 's1') {
        reached.resolve();
        await gate.promise;
      }
      return step;
    };
    const [first, second] = [await home({ agentRegistry: { work } }), await home()];
    const [id, waits] = [await started(first), await first.createJob({}, FREE, { plan: PLAN })];
    const run = first.runJob(id);
    await reached.promise;
    // The record alone, as when `pauseAll` has not come to this job yet.
    await second.store.setControl({ paused: true });
    gate.resolve();
    const outcome = await run;
    assert.equal(outcome.success, false);
    const { status, run: state, context } = await second.getJob(id);
    assert.deepEqual([status, state.pause?.reason, context], ['paused', 'global', { s1: 's1' }]);
    const refused = await first.startJob(waits);
    assert.equal(refused.code, 'globally_paused');
    await second.store.setControl({ paused: false });
    assert.equal((await first.startJob(waits)).success, true);
    assert.equal((await first.runJob(waits)).success, true);
    await second.store.setControl({ paused: true });
    const late = await first.createJob({}, FREE, { plan: PLAN });
    assert.equal((await first.startJob(late)).code, 'globally_paused');
    await second.store.setControl({ paused: false });
  },
);

test(
  'a run of steps costs one round trip each and two more, and its lease ends with the job',
  LIMIT,
  async () => {
    const proxy = await startProxy(server.url);
    closing.push(() => proxy.stop());
    const o = await home({}, proxy.url);
    const costs = [];
    let id = '';
    // What is said beside a run, when its watch begins, makes none of them cheaper.
    for (let run = 0; run < 5; run++) {
      id = await started(o);
      const before = proxy.roundTrips;
      assert.equal((await o.runJob(id)).success, true);
      costs.push(proxy.roundTrips - before);
    }
    // Three ends of steps and the first begin, and the lease.
    assert.equal(Math.min(...costs), PLAN.steps.length + 2);
    assert.notEqual(await (await home()).store.acquireLease(id, 'somebody else', 1), null);
  },
);
