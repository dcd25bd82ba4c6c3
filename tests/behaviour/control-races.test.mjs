// @ts-check
/** Pausing and stopping all, beside everything else that is asked at that moment, and over stores that fail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, created, LIMIT, setup, started } from './support/setup.mjs';

const { createMemoryStore } = jobwright;
const steps = [
  { id: 'one', agent: 'work' },
  { id: 'two', agent: 'work' },
];
const METHODS = ['getJob', 'getHead', 'listJobs', 'commit', 'getControl', 'setControl'];

/** A store whose answers come after some turns, as its seed says. @param {any} store @param {any} random */
function lateStore(store, random) {
  const late = { ...store };
  const wait = async () => {
    for (let n = random.below(8); n > 0; n--) await undefined;
  };
  for (const name of METHODS) {
    late[name] = async (/** @type {any[]} */ ...args) => {
      await wait();
      const answer = await store[name](...args);
      await wait();
      return answer;
    };
  }
  return late;
}

test(
  'whoever starts jobs while all are paused, none is left running, and startAll starts them all',
  LIMIT,
  async () => {
    for (let seed = 1; seed <= 100; seed++) {
      const random = createRandom(seed);
      const store = createMemoryStore();
      let calls = 0;
      const agentRegistry = { work: () => ++calls };
      const worlds = [0, 1].map(() => setup({ store: lateStore(store, random), agentRegistry }));
      const any = () => worlds[random.below(2)];
      const ids = [];
      for (let n = 0; n < 6; n++) ids.push(await created(any(), steps));
      const starting = ids.map(async (id) => {
        for (let n = random.below(40); n > 0; n--) await undefined;
        const w = any();
        const outcome = await w.startJob(id);
        if (outcome.success && random.below(2) === 0) await w.runJob(id);
      });
      for (let n = random.below(40); n > 0; n--) await undefined;
      await any().pauseAll();
      await Promise.all(starting);
      const jobs = await Promise.all(ids.map((id) => store.getJob(id)));
      const before = calls;
      for (const { id, status, run } of jobs) {
        assert.notEqual(status, 'running', `seed ${seed}: ${id}`);
        if (status === 'paused') assert.equal(run.pause.reason, 'global', `seed ${seed}`);
        if (status !== 'completed') assert.equal((await any().runJob(id)).success, false);
      }
      assert.equal(calls, before, `seed ${seed}: an agent is called while all are paused`);
      const paused = jobs.filter(({ status }) => status === 'paused').map(({ id }) => id);
      assert.deepStrictEqual((await any().startAll()).started.sort(), paused.sort(), `seed ${seed}`);
    }
  },
);

test('while all are paused jobs are made, and nothing begins', LIMIT, async () => {
  let calls = 0;
  const w = setup({ store: createMemoryStore(), agentRegistry: { work: () => ++calls } });
  const running = await started(w, steps);
  const waiting = await started(w, [{ id: 'wait', wait: { ms: 10 } }, ...steps]);
  const run = w.runJob(waiting);
  while ((await w.getJob(waiting)).run.steps?.wait?.status !== 'waiting') await new Promise(setImmediate);
  await w.pauseAll();
  assertRefused(await run, 'globally_paused');
  const fresh = await created(w, steps, { parentId: running });
  assertRefused(await w.runJob(fresh), 'not_running');
  assertRefused(await w.nextStep(running), 'not_running');
  // A timer keeps its moment, and fires when the job runs on.
  await w.clock.advance(20);
  assert.equal(calls, 0);
  await w.startAll();
  assert.equal((await w.runJob(waiting)).status, 'completed');
  assert.equal((await w.getJob(fresh)).status, 'created');
});

/** A store that does not store this job. @param {any} store @param {() => string} which @param {Error} failure */
const failing = (store, which, failure) => ({
  ...store,
  commit: (/** @type {any} */ change) =>
    change.jobId === which() ? Promise.reject(failure) : store.commit(change),
});

test('a job that can’t be stored keeps no other from being paused, started or stopped', LIMIT, async () => {
  const failure = new Error('no disk');
  let which = '';
  const w = setup({
    store: failing(createMemoryStore(), () => which, failure),
    agentRegistry: { work: () => 1 },
  });
  const ids = [await started(w, steps), await started(w, steps), await started(w, steps)];
  const statuses = () => Promise.all(ids.map(async (id) => (await w.getJob(id)).status));
  which = /** @type {string} */ (ids[0]);
  await assert.rejects(w.pauseAll(), failure);
  assert.deepStrictEqual(await statuses(), ['running', 'paused', 'paused']);
  which = '';
  assert.deepStrictEqual(await w.pauseAll(), { paused: [ids[0]], pending: [] });
  which = /** @type {string} */ (ids[1]);
  await assert.rejects(w.startAll(), failure);
  assert.deepStrictEqual(await statuses(), ['running', 'paused', 'running']);
  await assert.rejects(w.stopAll(), failure);
  assert.deepStrictEqual(await statuses(), ['failed', 'paused', 'failed']);
  which = '';
  assert.deepStrictEqual(await w.stopAll(), { stopped: [ids[1]] });
});
