// @ts-check
/** Retries, their waiting, time limits, and results that come too late. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { settle } from './support/clock.mjs';
import { assertRefused, LIMIT, latch, setup, started, within } from './support/setup.mjs';

/** A job whose one step runs this agent. @param {any} agent @param {any} step @param {any} [deps] */
async function running(agent, step, deps = {}) {
  const w = setup({ agentRegistry: { reader: agent }, ...deps });
  const id = await started(w, [{ id: 'one', agent: 'reader', ...step }]);
  w.bus.clear();
  return { ...w, id, job: () => w.store.jobs.get(id) };
}

/** An agent that fails so many times and then succeeds. @param {number} failures */
function flaky(failures) {
  /** @type {number[]} */
  const attempts = [];
  const agent = (/** @type {any} */ _, /** @type {any} */ { attempt }) => {
    attempts.push(attempt);
    if (attempt <= failures) throw new Error(`attempt ${attempt} failed`);
    return 'done';
  };
  return Object.assign(agent, { attempts });
}

test('a step is tried again after backoffMs * factor^(n-1), up to maxBackoffMs', LIMIT, async () => {
  const agent = flaky(4);
  const w = await running(agent, {
    retry: { maxAttempts: 5, backoffMs: 100, factor: 3, maxBackoffMs: 1000 },
  });
  const outcome = w.nextStep(w.id);
  /** @type {number[][]} */
  const times = [];
  for (const ms of [0, 99, 1, 299, 1, 899, 1, 999, 1]) {
    await w.clock.advance(ms);
    times.push([ms, agent.attempts.length]);
  }
  assert.deepStrictEqual(
    times.map(([, count]) => count),
    [1, 1, 2, 2, 3, 3, 4, 4, 5],
  );
  const { step, status } = await within(outcome, 'nextStep');
  assert.equal(status, 'completed');
  assert.equal(step.attempts, 5);
  assert.deepStrictEqual(agent.attempts, [1, 2, 3, 4, 5]);
  assert.equal(w.job().run.stepsTaken, 1, 'a retry is not another step');
});

test('the waits default to 1,000 ms, doubled, at most 60,000', LIMIT, async () => {
  const w = await running(flaky(8), { retry: { maxAttempts: 9 } });
  const outcome = w.nextStep(w.id);
  /** @type {number[]} */
  const waits = [];
  for (await settle(); w.clock.pending() > 0; ) {
    waits.push(w.clock.nextDue() - w.clock.now());
    await w.clock.advance(waits.at(-1));
  }
  assert.equal((await within(outcome, 'nextStep')).status, 'completed');
  assert.deepStrictEqual(waits, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
});

test('every attempt gets the same input', LIMIT, async () => {
  /** @type {any[]} */
  const inputs = [];
  const agent = (/** @type {any} */ input) => {
    inputs.push(input);
    throw new Error('again');
  };
  const w = await running(agent, { retry: { maxAttempts: 3, backoffMs: 10 } });
  const outcome = w.nextStep(w.id, { given: true });
  await w.clock.advance(1000);
  await within(outcome, 'nextStep');
  assert.deepStrictEqual(inputs, Array(3).fill({ given: true }));
});

test('when no attempt is left the step fails with the last error', LIMIT, async () => {
  const agent = flaky(9);
  const w = await running(agent, { retry: { maxAttempts: 3, backoffMs: 10 } });
  const outcome = w.nextStep(w.id);
  await w.clock.advance(1000);
  assertRefused(await within(outcome, 'nextStep'), 'agent_failed', /attempt 3 failed/);
  assert.deepStrictEqual(agent.attempts, [1, 2, 3]);
  assert.equal(w.job().run.steps.one.attempts, 3);
  assert.equal(w.job().status, 'failed');
});

const FINAL = {
  'a NonRetryableError': () => new jobwright.NonRetryableError('never again'),
  'an error with retryable false': () => Object.assign(new Error('never again'), { retryable: false }),
};
for (const [name, make] of Object.entries(FINAL)) {
  for (const how of ['thrown', 'returned']) {
    test(`${name}, ${how}, is not tried again`, LIMIT, async () => {
      let calls = 0;
      const agent = () => {
        calls++;
        if (how === 'thrown') throw make();
        return { success: false, error: make() };
      };
      const w = await running(agent, { retry: { maxAttempts: 5 } });
      assertRefused(await w.nextStep(w.id), 'agent_failed', /never again/);
      assert.equal(calls, 1);
    });
  }
}

test('the budget is asked once a step, with its cost, and not again for a retry', LIMIT, async () => {
  /** @type {any[]} */
  const asked = [];
  /** @type {any[]} */
  const spent = [];
  const budgetManager = {
    canSpend: (/** @type {any[]} */ ...args) => {
      asked.push(args);
      return { success: true };
    },
    recordSpend: (/** @type {any} */ id, /** @type {any} */ amount) => void spent.push([id, amount]),
  };
  const w = await running(flaky(2), { cost: 7, retry: { maxAttempts: 3, backoffMs: 1 } }, { budgetManager });
  asked.length = 0;
  const outcome = w.nextStep(w.id);
  await w.clock.advance(100);
  await within(outcome, 'nextStep');
  assert.deepStrictEqual(asked, [[w.id, 7]]);
  assert.deepStrictEqual(spent, [[w.id, 7]]);
});

test('the cost is what the agent says, else the step, else the metadata', LIMIT, async () => {
  /** @type {any[]} */
  const log = [];
  const budgetManager = {
    canSpend: (/** @type {any} */ _, /** @type {any} */ cost) => {
      log.push(['asked', cost]);
      return { success: true };
    },
    recordSpend: (/** @type {any} */ _, /** @type {any} */ cost) => void log.push(['spent', cost]),
  };
  const own = { metadata: { cost: 5 }, execute: () => ({ success: true, data: 1, cost: 4 }) };
  const w = setup({ budgetManager, agentRegistry: { own, meta: { ...own, execute: () => 1 } } });
  const id = await started(w, [
    { id: 'a', agent: 'own', cost: 6 },
    { id: 'b', agent: 'meta' },
    { id: 'c', agent: 'meta', cost: 2 },
  ]);
  log.length = 0;
  await w.runJob(id);
  assert.deepStrictEqual(log, [
    ['asked', 6],
    ['spent', 4],
    ['asked', 5],
    ['spent', 5],
    ['asked', 2],
    ['spent', 2],
  ]);
});

test(
  'a manager with reserve, settle and release holds the estimate and settles the cost',
  LIMIT,
  async () => {
    /** @type {any[]} */
    const log = [];
    const budgetManager = {
      canSpend: (/** @type {any[]} */ ...args) => {
        log.push(['canSpend', ...args]);
        return { success: true };
      },
      recordSpend: (/** @type {any[]} */ ...args) => void log.push(['recordSpend', ...args]),
      reserve: (/** @type {any} */ id, /** @type {any} */ amount, /** @type {any} */ key) => {
        log.push(['reserve', id, amount, typeof key]);
        return { success: true };
      },
      settle: (/** @type {any} */ id, /** @type {any} */ key, /** @type {any} */ actual) =>
        void log.push(['settle', id, typeof key, actual]),
      release: (/** @type {any} */ id, /** @type {any} */ key) => void log.push(['release', id, typeof key]),
    };
    const agents = { reader: () => ({ success: true, data: 1, cost: 4 }) };
    const w = setup({ budgetManager, agentRegistry: agents });
    const id = await started(w, [{ id: 'one', agent: 'reader', cost: 6 }]);
    await w.nextStep(id);
    assert.deepStrictEqual(log, [
      ['canSpend', id],
      ['reserve', id, 6, 'string'],
      ['settle', id, 'string', 4],
    ]);
  },
);

// ---------------------------------------------------------------- time limits

test('an attempt past timeoutMs is aborted, and its late result is dropped and recorded', LIMIT, async () => {
  const late = latch();
  /** @type {any} */
  let signal;
  const w = await running(
    (/** @type {any} */ _, /** @type {any} */ context) => {
      signal = context.signal;
      return late.promise;
    },
    { timeoutMs: 500 },
  );
  const outcome = w.nextStep(w.id);
  await w.clock.advance(499);
  assert.equal(signal.aborted, false);
  await w.clock.advance(1);
  assertRefused(await within(outcome, 'nextStep'), 'timeout');
  assert.equal(signal.aborted, true);
  assert.equal(w.job().status, 'failed');
  assert.equal(w.job().run.failure.code, 'timeout');
  const context = w.job().context;
  late.open('too late');
  await settle();
  assert.deepStrictEqual(w.job().context, context);
  assert.equal(w.job().status, 'failed');
  const dropped = w.job().history.filter((/** @type {any} */ event) => event.type === 'late_result_dropped');
  assert.equal(dropped.length, 1);
  assert.deepStrictEqual(w.bus.of('late_result_dropped'), []);
});

test(
  'a timed out attempt is tried again, and the first one cannot answer for the second',
  LIMIT,
  async () => {
    const first = latch();
    const w = await running(
      (/** @type {any} */ _, /** @type {any} */ { attempt }) => (attempt === 1 ? first.promise : 'second'),
      { timeoutMs: 100, retry: { maxAttempts: 2, backoffMs: 50 } },
    );
    const outcome = w.nextStep(w.id);
    await w.clock.advance(100);
    first.open('first');
    await w.clock.advance(50);
    assert.equal((await within(outcome, 'nextStep')).step.output, 'second');
    assert.equal(w.job().context.one, 'second');
  },
);

test('an agent in time leaves no timer behind', LIMIT, async () => {
  const w = await running(async () => 'quick', { timeoutMs: 500 });
  await w.nextStep(w.id);
  await settle();
  assert.equal(w.clock.pending(), 0);
});

for (const [name, end, code] of /** @type {[string, (w: any) => Promise<any>, string][]} */ ([
  ['cancelJob', (w) => w.cancelJob(w.id), 'cancelled'],
  ['failJob', (w) => w.failJob(w.id), ''],
  ['completeJob', (w) => w.completeJob(w.id), ''],
])) {
  test(
    `${name} while an agent is at work: its signal fires and what it gives is dropped`,
    LIMIT,
    async () => {
      const late = latch();
      /** @type {any} */
      let signal;
      const w = await running((/** @type {any} */ _, /** @type {any} */ context) => {
        signal = context.signal;
        return late.promise;
      }, {});
      const outcome = w.nextStep(w.id);
      await settle();
      assert.equal((await within(end(w), name)).success, true);
      assert.equal(signal.aborted, true);
      const ended = await within(outcome, 'nextStep');
      assert.equal(ended.success, false);
      assert.match(ended.error, /\w/);
      if (code) assert.equal(ended.code, code);
      late.open('too late');
      await settle();
      assert.ok(!('one' in w.job().context));
      const types = w.job().history.map((/** @type {any} */ event) => event.type);
      assert.equal(types.filter((/** @type {string} */ type) => type === 'late_result_dropped').length, 1);
      assert.equal(
        w.bus.types().filter((/** @type {string} */ type) => /^job_(failed|completed)$/.test(type)).length,
        1,
      );
    },
  );
}

test('a late failure is dropped as quietly as a late result', LIMIT, async () => {
  const late = latch();
  const w = await running(() => late.promise, { timeoutMs: 5 });
  const outcome = w.nextStep(w.id);
  await w.clock.advance(5);
  await outcome;
  late.fail(new Error('nobody waits for this'));
  await settle();
  assert.equal(w.job().run.failure.code, 'timeout');
});

test(
  'pauseJob while an agent is at work: the step ends, the job stays paused and completes when started',
  LIMIT,
  async () => {
    const work = latch();
    const w = await running(() => work.promise, {});
    const outcome = w.nextStep(w.id);
    await settle();
    assert.deepStrictEqual(await w.pauseJob(w.id), { success: true });
    work.open('done all the same');
    const ended = await within(outcome, 'nextStep');
    assert.equal(ended.success, true);
    assert.equal(ended.status, 'paused');
    assert.equal(ended.step.output, 'done all the same');
    assert.equal(w.job().status, 'paused');
    assert.equal(w.job().context.one, 'done all the same');
    assert.deepStrictEqual(await w.startJob(w.id), { success: true });
    assert.equal(w.job().status, 'completed');
    assert.deepStrictEqual(w.bus.types(), [
      'step_started',
      'job_paused',
      'step_completed',
      'job_started',
      'job_completed',
    ]);
  },
);

test('a step that fails for good in a paused job fails the job', LIMIT, async () => {
  const work = latch();
  const w = await running(() => work.promise, {});
  const outcome = w.nextStep(w.id);
  await settle();
  await w.pauseJob(w.id);
  work.fail(new Error('broken'));
  assertRefused(await within(outcome, 'nextStep'), 'agent_failed', /broken/);
  assert.equal(w.job().status, 'failed');
});

test(
  'jitter shortens each wait by up to its share, the same for the same job, step and attempt',
  LIMIT,
  async () => {
    const waits = async (/** @type {string} */ id, /** @type {number} */ jitter) => {
      const flaky = () => {
        throw new Error('no');
      };
      const w = setup({ agentRegistry: { flaky } });
      const retry = { maxAttempts: 6, backoffMs: 1_000, factor: 1, jitter };
      const plan = { steps: [{ id: 'a', agent: 'flaky', retry }] };
      await w.createJob({}, { requireApproval: false }, { id, plan });
      await w.startJob(id);
      const run = w.runJob(id);
      for (let turn = 0; turn < 200; turn++) {
        await new Promise(setImmediate);
        await w.clock.advance(100);
      }
      assert.equal((await run).code, 'agent_failed');
      const { history } = await w.getJob(id);
      return history
        .filter((/** @type {any} */ { payload }) => payload.retryAt !== undefined)
        .map((/** @type {any} */ { payload, meta }) => payload.retryAt - meta.timestamp);
    };
    const [one, again, other] = [await waits('one', 0.5), await waits('one', 0.5), await waits('other', 0.5)];
    assert.deepStrictEqual(one, again);
    assert.notDeepStrictEqual(one, other);
    assert.equal(new Set(one).size, 5);
    for (const wait of one) assert.ok(wait > 500 && wait <= 1_000, String(wait));
    assert.deepStrictEqual(await waits('one', 0), [1_000, 1_000, 1_000, 1_000, 1_000]);
  },
);
