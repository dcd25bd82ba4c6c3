// @ts-check
/** Clocks that stand still or fail, times that are told in order, and timers that are taken back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { modulesDir } from '../package/installed.mjs';
import { turn } from './support/clock.mjs';
import { FREE, LIMIT, setup, started, within } from './support/setup.mjs';

const RETRIED = [{ id: 'one', agent: 'flaky', retry: { maxAttempts: 3, backoffMs: 1000 } }];

/** Fails twice. */
const flaky = (/** @type {any} */ _, /** @type {any} */ { attempt }) => {
  if (attempt < 3) throw new Error('again');
  return attempt;
};

/** A clock whose time stands still; one that is asked too often sleeps for ever, so that the test can end. */
function frozenClock() {
  /** @type {number[]} */
  const asked = [];
  return {
    asked,
    now: () => 5000,
    sleep: (/** @type {number} */ ms) => (asked.push(ms) > 20 ? new Promise(() => {}) : turn()),
  };
}

test('what a clock says it slept counts, even where its time stands still', LIMIT, async () => {
  const clock = frozenClock();
  const w = setup({ clock, agentRegistry: { flaky } });
  const id = await started(w, RETRIED);
  assert.equal((await within(w.runJob(id), 'runJob')).success, true);
  assert.deepStrictEqual(clock.asked, [1000, 2000]);
});

test('slow play on a clock that stands still', LIMIT, async () => {
  const clock = frozenClock();
  const w = setup({ clock, slowPlayMs: 300, agentRegistry: { reader: () => 1 } });
  const id = await started(
    w,
    ['one', 'two'].map((step) => ({ id: step, agent: 'reader' })),
  );
  assert.equal((await within(w.runJob(id), 'runJob')).success, true);
  assert.deepStrictEqual(clock.asked, [300, 300]);
});

for (const [how, sleep] of Object.entries({
  throws: () => {
    throw new Error('no sleep today');
  },
  rejects: () => Promise.reject(new Error('no sleep today')),
})) {
  test(`a clock whose sleep ${how} is logged, and a timer stands in for it`, LIMIT, async () => {
    /** @type {any[]} */
    const logged = [];
    const logger = { error: (/** @type {any[]} */ ...words) => void logged.push(words) };
    const clock = { now: Date.now, sleep: /** @type {any} */ (sleep) };
    const w = setup({ clock, logger, agentRegistry: { flaky } });
    const id = await started(w, [{ ...RETRIED[0], retry: { maxAttempts: 3, backoffMs: 20 } }]);
    const from = Date.now();
    assert.equal((await within(w.runJob(id), 'runJob')).success, true);
    assert.ok(Date.now() - from >= 55, 'it did not wait');
    assert.ok(logged.length > 0 && logged.length < 10, `${logged.length} lines were logged`);
  });
}

test(
  'a clock that tells a time before 1970 is logged, and the system clock stands in for it',
  LIMIT,
  async () => {
    let logged = 0;
    const clock = { now: () => -5, sleep: async () => {} };
    const w = setup({ clock, logger: { error: () => void logged++ }, agentRegistry: { work: () => 1 } });
    const id = await started(w, [
      { id: 'pause', wait: { ms: 5 } },
      { id: 'one', agent: 'work', timeoutMs: 500 },
    ]);
    assert.equal((await within(w.runJob(id), 'runJob')).status, 'completed');
    assert.ok(logged > 0);
  },
);

test('a job ends when its end is decided, not when that was asked for', LIMIT, async () => {
  for (const [operation, ...given] of /** @type {const} */ ([
    ['completeJob'],
    ['completeJob', 'failed'],
    ['failJob'],
    ['cancelJob'],
  ])) {
    /** @type {number[]} */
    const durations = [];
    const performanceMonitor = {
      recordJobDuration: (/** @type {any} */ _, /** @type {number} */ ms) => durations.push(ms),
    };
    const w = setup({ performanceMonitor });
    const save = w.store.saveJob;
    w.store.saveJob = async (/** @type {any} */ job) => {
      await w.clock.sleep(10);
      return save(job);
    };
    const creating = w.createJob({}, FREE);
    await w.clock.advance(10);
    const id = await creating;
    w.store.getJob = async (/** @type {string} */ asked) => {
      await w.clock.sleep(10);
      return w.store.jobs.get(asked);
    };
    const both = [w.startJob(id), w[operation](id, ...given)];
    await w.clock.advance(100);
    for (const outcome of await within(Promise.all(both), operation)) assert.equal(outcome.success, true);
    const { started: from, completed: to } = w.store.jobs.get(id).timing;
    assert.ok(to > from, `${operation}: started at ${from}, completed at ${to}`);
    assert.deepStrictEqual(durations, [to - from]);
  }
});

test('timers that are taken back leave nothing behind', LIMIT, async (t) => {
  const inside = (/** @type {string} */ file) => import(pathToFileURL(`${modulesDir}/${file}`).href);
  const [loaded, { createOrchestrator }] = await Promise.all([inside('engine/core.js'), inside('index.js')]);
  const w = createOrchestrator({ slowPlayMs: 1e6, agentRegistry: { reader: () => 1 } });
  t.after(() => w.close());
  const run = w.runJob(await started(w, [{ id: 'one', agent: 'reader' }]));
  const restart = async (/** @type {number} */ times) => {
    for (let n = 0; n < times; n++) {
      w.setSlowPlay(1e6 + n);
      await null;
    }
    return loaded.core.memory.buffer.byteLength;
  };
  const before = await restart(1000);
  assert.equal(await restart(40_000), before);
  w.setSlowPlay(0);
  assert.equal((await within(run, 'runJob')).success, true);
});
