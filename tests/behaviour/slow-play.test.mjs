// @ts-check
/** Slow play delays what begins and nothing else, gives way, and is in history. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { createOrchestrator, jobwright } from '../differential/subject.mjs';
import { settle } from './support/clock.mjs';
import { created, createStore, FREE, LIMIT, setup, started, within } from './support/setup.mjs';

const { createMemoryStore } = jobwright;

/** When each event of this kind happened, since the job was started. @param {any} job @param {RegExp} types */
function times({ history, timing }, types) {
  return history
    .filter((/** @type {any} */ { type }) => types.test(type))
    .map((/** @type {any} */ { payload, meta }) => [payload.step, meta.timestamp - timing.started]);
}

/** @param {any} w @param {string} id @param {number} [ms] */
async function run(w, id, ms = 1e6) {
  const running = w.runJob(id);
  await w.clock.advance(ms);
  return within(running, 'runJob');
}

const quick = () => 1;

test('timers, deadlines and retries are as long as without it', LIMIT, async () => {
  const flaky = (/** @type {any} */ _, /** @type {any} */ { attempt }) => {
    if (attempt < 4) throw new Error('not yet');
  };
  const w = setup({ agentRegistry: { quick, flaky }, slowPlayMs: 1_000 });
  const id = await started(w, [
    // Ready while others are at work, and the next to begin: nothing of what has begun waits for it.
    { id: 'first', agent: 'quick', after: ['gate'] },
    { id: 'gate', wait: { ms: 1_500 }, after: [] },
    { id: 'timer', wait: { ms: 1_800 }, after: [] },
    { id: 'late', wait: { signal: 'x', timeoutMs: 1_900 }, after: [], onError: 'continue' },
    { id: 'heard', wait: { signal: 'go' }, after: [] },
    { id: 'retried', agent: 'flaky', retry: { maxAttempts: 4, backoffMs: 100 }, after: [] },
    { id: 'last', agent: 'quick', after: [] },
  ]);
  const running = w.runJob(id);
  await w.clock.advance(1_600);
  await w.signal(id, 'go');
  await w.clock.advance(1e5);
  assert.equal((await running).status, 'completed');
  const job = await w.getJob(id);
  assert.deepStrictEqual(times(job, /^step_(completed|failed)$/), [
    ['retried', 1_000],
    ['retried', 1_100],
    ['retried', 1_300],
    ['gate', 1_500],
    ['heard', 1_600],
    ['retried', 1_700],
    ['timer', 1_800],
    ['late', 1_900],
    ['first', 2_500],
    ['last', 3_500],
  ]);
  assert.equal((await w.replayJob(id)).ok, true);
});

test('a deadline is not put off: it counts from the begin of the attempt', LIMIT, async () => {
  const w = setup({ agentRegistry: { slow: () => new Promise(() => {}) }, slowPlayMs: 500 });
  const id = await started(w, [{ id: 'one', agent: 'slow', timeoutMs: 50 }]);
  assert.equal((await run(w, id)).code, 'timeout');
  assert.deepStrictEqual(times(await w.getJob(id), /^step_failed$/), [['one', 550]]);
});

test('steps side by side, items and rounds begin one after the other', LIMIT, async () => {
  const takes = (/** @type {any} */ _, /** @type {any} */ { signal }) => w.clock.sleep(10_000, signal);
  const w = setup({ agentRegistry: { takes, quick }, slowPlayMs: 100 });
  const id = await started(w, [
    { id: 'a', agent: 'takes', after: [] },
    { id: 'b', agent: 'takes', after: [] },
    { id: 'each', agent: 'takes', forEach: [1, 2, 3], after: [] },
    {
      id: 'again',
      agent: 'quick',
      repeat: { until: { '>=': [{ var: 'n' }, 1] }, max: 2 },
      after: [],
      onError: 'continue',
    },
  ]);
  await run(w, id);
  const begun = times(await w.getJob(id), /^(step|item)_started$/);
  assert.deepStrictEqual(begun, [
    ['a', 100],
    ['b', 200],
    ['each', 200],
    ['each', 300],
    ['each', 400],
    ['each', 500],
    ['again', 600],
    ['again', 700],
  ]);
});

test(
  'the pace is in history: the job’s own where it begins, that of all when it changes',
  LIMIT,
  async () => {
    for (const store of [createStore(), createMemoryStore()]) {
      const calls = /** @type {string[]} */ ([]);
      const reader = (/** @type {any} */ _, /** @type {any} */ { step }) => void calls.push(step);
      const w = setup({ store, agentRegistry: { reader } });
      const steps = ['one', 'two', 'three'].map((id) => ({ id, agent: 'reader' }));
      const own = await started(w, steps, { slowPlayMs: 100 });
      const id = await started(w, steps);
      w.setSlowPlay(500);
      assert.deepStrictEqual(w.bus.of('slow_play_changed'), [], 'nobody runs them yet');
      const runs = [w.runJob(own), w.runJob(id)];
      await w.clock.advance(500);
      // What is put back before anybody looks was never in force.
      w.setSlowPlay(9_000);
      w.setSlowPlay(500);
      await settle();
      w.setSlowPlay(200);
      await w.clock.advance(200);
      await w.pauseJob(id);
      await runs[1];
      w.setSlowPlay(0);
      await settle();
      await w.startJob(id);
      const last = w.runJob(id);
      await w.clock.advance(0);
      assert.equal((await within(last, 'runJob')).status, 'completed');
      assert.equal((await within(runs[0], 'runJob')).status, 'completed');
      const paces = [500, 200, 0].map((ms) => ({ jobId: id, ms }));
      assert.deepStrictEqual(w.bus.of('slow_play_changed'), paces);
      const told = (await w.getJob(id)).history.filter(
        (/** @type {any} */ { type }) => type === 'slow_play_changed',
      );
      assert.deepStrictEqual(
        told.map((/** @type {any} */ { payload }) => payload),
        paces,
      );
      const { history } = await w.getJob(own);
      assert.equal(history[0].payload.slowPlayMs, 100);
      assert.ok(history.every((/** @type {any} */ { type }) => type !== 'slow_play_changed'));
      for (const each of [own, id]) {
        assert.equal((await w.replayJob(each)).ok, true);
        for (const redact of [true, false]) {
          const lines = [];
          for await (const line of w.exportJob(each, { redact })) lines.push(line);
          assert.equal((await jobwright.verifyRun(lines)).ok, true);
          assert.ok(lines.join().includes(each === own ? '"slowPlayMs":100' : '"ms":200'));
        }
        const fork = await w.forkJob(each, { afterStep: 'one' });
        await w.startJob(fork);
        assert.equal((await run(w, fork)).status, 'completed');
        assert.equal((await w.replayJob(fork)).ok, true);
      }
    }
  },
);

test('another orchestrator on the same job has its own pace, and says so', LIMIT, async () => {
  const store = createMemoryStore();
  const steps = ['one', 'two'].map((id) => ({ id, agent: 'quick' }));
  const slow = setup({ store, slowPlayMs: 50, agentRegistry: { quick } });
  const id = await started(slow, steps);
  const step = slow.nextStep(id);
  await slow.clock.advance(50);
  await step;
  await slow.close();
  const fast = setup({ store, agentRegistry: { quick } });
  await fast.recover();
  assert.equal((await fast.runJob(id)).status, 'completed');
  assert.deepStrictEqual(fast.bus.of('slow_play_changed'), [{ jobId: id, ms: 0 }]);
  assert.equal((await fast.replayJob(id)).ok, true);
});

test('a job without a plan', LIMIT, async () => {
  const route = () => {
    let left = 2;
    return () => (left-- > 0 ? 'quick' : null);
  };
  for (const deps of [{ slowPlayMs: 70 }, {}]) {
    const w = setup({ agentRegistry: { quick }, router: route(), ...deps });
    const id = await started(w, undefined, deps.slowPlayMs === undefined ? { slowPlayMs: 70 } : {});
    assert.equal((await run(w, id)).status, 'completed');
    const job = await w.getJob(id);
    assert.deepStrictEqual(
      times(job, /^step_started$/).map(([, at]) => at),
      [70, 140],
    );
    assert.equal((await w.replayJob(id)).ok, true);
    const begun = job.history.find((/** @type {any} */ { type }) => type === 'job_created');
    assert.equal(begun.payload.slowPlayMs, deps.slowPlayMs === undefined ? 70 : undefined);
  }
});

test(
  'what is held for a delayed step is free as soon as it gives way, whatever else is at work',
  LIMIT,
  async () => {
    /** @type {Map<string, number>} */
    const held = new Map();
    const budgetManager = {
      canSpend: () => ({ success: true }),
      recordSpend() {},
      reserve: (/** @type {any} */ _, /** @type {number} */ amount, /** @type {string} */ key) => {
        held.set(key, amount);
        return { success: true };
      },
      settle: (/** @type {any} */ _, /** @type {string} */ key) => void held.delete(key),
      release: (/** @type {any} */ _, /** @type {string} */ key) => void held.delete(key),
    };
    const takes = () => w.clock.sleep(10_000);
    const w = setup({ agentRegistry: { takes, quick }, budgetManager, slowPlayMs: 100 });
    const id = await started(w, [
      { id: 'a', agent: 'takes', cost: 3, after: [] },
      { id: 'b', agent: 'quick', cost: 5, after: [] },
      { id: 'c', agent: 'quick', cost: 7, after: [] },
    ]);
    const running = w.runJob(id);
    await w.clock.advance(150);
    assert.deepStrictEqual([...held.values()], [3, 5], 'nothing is held for what comes later');
    await w.pauseJob(id);
    await settle();
    assert.deepStrictEqual([...held.values()], [3]);
    await w.startJob(id);
    await w.clock.advance(99);
    assert.deepStrictEqual([...held.values()], [3, 5]);
    await w.clock.advance(1);
    assert.deepStrictEqual((await w.getJob(id)).run.steps.b.status, 'done');
    await w.clock.advance(1e5);
    assert.equal((await within(running, 'runJob')).status, 'completed');
    assert.equal(held.size, 0);
  },
);

for (const [name, act] of /** @type {[string, (w: any, id: string) => Promise<any>][]} */ ([
  ['pauseJob', (w, id) => w.pauseJob(id)],
  ['cancelJob', (w, id) => w.cancelJob(id)],
  ['failJob', (w, id) => w.failJob(id)],
  ['completeJob', (w, id) => w.completeJob(id)],
  ['pauseAll', (w) => w.pauseAll()],
  ['stopAll', (w) => w.stopAll()],
  ['close', (w) => w.close()],
  ['setSlowPlay(0)', async (w) => w.setSlowPlay(0)],
])) {
  test(`at any moment, it gives way to ${name} while no time passes`, LIMIT, async () => {
    const random = createRandom(7);
    for (let n = 0; n < 25; n++) {
      const w = setup({ store: createMemoryStore(), agentRegistry: { quick }, slowPlayMs: 1_000 });
      const own = random.chance(0.3) && name !== 'setSlowPlay(0)' ? { slowPlayMs: 700 } : {};
      const id = await started(
        w,
        [1, 2, 3].map((k) => ({ id: `s${k}`, agent: 'quick', ...(random.chance(0.5) && { after: [] }) })),
        own,
      );
      const running = random.chance(0.7) ? w.runJob(id) : w.nextStep(id);
      await w.clock.advance(random.below(690));
      const before = w.clock.now();
      await within(act(w, id), name);
      await within(running, 'the run');
      assert.deepStrictEqual([w.clock.now(), w.clock.pending()], [before, 0]);
    }
  });
}

/** @param {import('../differential/random.mjs').Random} random */
function anySteps(random) {
  return Array.from({ length: 1 + random.below(5) }, (_, place) => {
    /** @type {any} */
    const step = { id: `s${place}`, agent: random.pick(['quick', 'flaky', 'asks']) };
    if (random.chance(0.15)) step.when = random.pick([true, false, { var: 's0' }]);
    if (step.agent === 'flaky')
      step.retry = { maxAttempts: 1 + random.below(4), backoffMs: random.below(900) };
    // One at a time, and items not tried again: else what is side by side depends on when things happen.
    if (random.chance(0.2) && step.agent !== 'flaky') step.forEach = [1, 2, 3].slice(random.below(3));
    else if (random.chance(0.15)) step.repeat = { until: random.pick([true, false]), max: 2 };
    if (random.chance(0.3)) step.onError = 'continue';
    if (random.chance(0.15)) step.breakpoint = true;
    if (random.chance(0.15)) step.approval = true;
    if (random.chance(0.15)) return { id: step.id, wait: { ms: random.below(900) } };
    return step;
  });
}

/**
 * The history of a run, without its times and what it says of slow play.
 *
 * @param {any} plan @param {any} options @param {(w: any) => unknown} [meddle]
 */
async function historyOf(plan, options, meddle = () => undefined) {
  const flaky = (/** @type {any} */ _, /** @type {any} */ { attempt }) => {
    if (attempt < 3) throw new Error('not yet');
    return attempt;
  };
  const asks = (/** @type {any} */ input) => w.clock.sleep(400).then(() => input);
  const w = setup({ store: createMemoryStore(), agentRegistry: { quick, flaky, asks }, ...options.deps });
  const permissions = { ...FREE, maxSteps: 4 };
  const id = await created(w, plan.steps, { permissions, plan, ...options.job });
  await w.startJob(id);
  for (let turn = 0; turn < 10; turn++) {
    let ended = false;
    const running = w.runJob(id, { input: 'given' }).finally(() => {
      ended = true;
    });
    while (!ended) {
      await w.clock.advance(350);
      meddle(w);
    }
    await running;
    const { status, run: state } = await w.getJob(id);
    if (status !== 'paused') break;
    for (const { id: approval } of state.approvals ?? []) await w.approveStep(id, { approval });
    if (state.pause.reason === 'step_limit') await w.setPermissions(id, { maxSteps: 9 });
    await w.startJob(id);
  }
  assert.equal((await w.replayJob(id)).ok, true);
  const { history, context, status } = await w.getJob(id);
  const told = history
    .filter((/** @type {any} */ { type }) => type !== 'slow_play_changed')
    .map(({ type, payload }) => {
      const { retryAt, dueAt, slowPlayMs, jobId, approval, ...rest } = payload;
      return JSON.stringify([type, rest]);
    });
  await w.close();
  return { told, context, status };
}

test('it changes when, and nothing of what is decided', LIMIT, async (t) => {
  for (let seed = 0; seed < 80; seed++) {
    const random = createRandom(seed);
    const plan = { concurrency: 1, steps: anySteps(random) };
    try {
      const straight = await historyOf(plan, {});
      const paced = await historyOf(plan, { deps: { slowPlayMs: 1 + random.below(700) } });
      const own = await historyOf(plan, {
        job: { slowPlayMs: random.below(700) },
        deps: { slowPlayMs: 100 },
      });
      const changed = await historyOf(plan, {}, (w) => w.setSlowPlay(random.pick([0, 10, 400, 1_000])));
      for (const other of [paced, own, changed]) {
        assert.deepStrictEqual(other.told, straight.told);
        assert.deepStrictEqual([other.status, other.context], [straight.status, straight.context]);
      }
    } catch (error) {
      t.diagnostic(`seed ${seed}: ${JSON.stringify(plan)}`);
      throw error;
    }
  }
});

test('a pace that is none is named, and nothing is changed', LIMIT, async () => {
  const w = setup({ agentRegistry: { quick } });
  for (const ms of [-1, Number.NaN, Infinity, '5', null, undefined, {}]) {
    assert.throws(() => w.setSlowPlay(/** @type {any} */ (ms)), {
      code: 'invalid_argument',
      message: /^ms must be/,
    });
    if (ms === null || ms === undefined) continue;
    const making = w.createJob({}, FREE, /** @type {any} */ ({ slowPlayMs: ms }));
    await assert.rejects(making, { code: 'invalid_argument', message: /^options\.slowPlayMs must be/ });
    assert.throws(
      () => createOrchestrator(/** @type {any} */ ({ slowPlayMs: ms })),
      /^JobwrightError: slowPlayMs must be/,
    );
  }
  assert.equal(w.store.jobs.size, 0);
  const id = await started(w, [{ id: 'one', agent: 'quick' }]);
  assert.equal((await w.runJob(id)).status, 'completed');
  assert.deepStrictEqual(w.bus.of('slow_play_changed'), []);
});
