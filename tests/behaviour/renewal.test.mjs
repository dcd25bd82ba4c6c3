// @ts-check
/** What jobs take in the wasm module at their peak is given back when nothing is under way, and nothing else is lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { settle } from './support/clock.mjs';
import { held, instances, memory, room } from './support/instances.mjs';
import { created, createStore, FREE, LIMIT, latch, setup, started, within } from './support/setup.mjs';

const { createMemoryStore, createPerformanceMonitor, verifyRun } = jobwright;

const MIB = 2 ** 20;
const add = (/** @type {number} */ input) => (input ?? 0) + 1;

/**
 * Lets so many jobs run at once that the module's memory grows by more than what is kept, and then all of them end. What
 * is to be done at the peak is done there.
 * @param {() => unknown} [atPeak]
 */
async function peak(atPeak = () => {}) {
  const gate = latch();
  const store = createMemoryStore();
  const { createJob, startJob, runJob } = jobwright.createOrchestrator({
    store,
    agentRegistry: { hold: () => gate.promise },
  });
  const before = memory();
  const runs = [];
  while (memory() < before + 17 * MIB) {
    const id = await createJob({}, FREE, { plan: { steps: [{ id: 'held', agent: 'hold' }] } });
    await startJob(id);
    runs.push(runJob(id));
    if (runs.length % 100 === 0) await settle();
  }
  await atPeak();
  gate.open(1);
  for (const { status } of await Promise.all(runs)) assert.equal(status, 'completed');
  await store.prune({ endedBefore: Infinity });
  await settle();
}

/** A peak after which the module is a new one. @param {() => unknown} [atPeak] */
async function renewal(atPeak) {
  const before = instances();
  await peak(atPeak);
  assert.equal(instances(), before + 1, 'nothing was renewed');
}

test('what jobs took in the module is given back, again and again', LIMIT, async () => {
  const w = setup();
  const first = memory();
  for (let n = 0; n < 3; n++) {
    await renewal();
    assert.ok(memory() <= first + MIB, `${memory()} bytes, and ${first} in the beginning`);
    assert.equal(await held(), 1, 'somebody holds what was given up');
  }
  await w.close();
});

test('a little is kept for the next', LIMIT, async () => {
  const w = setup({ store: createMemoryStore(), agentRegistry: { add } });
  const before = instances();
  for (let n = 0; n < 3_000; n++) {
    const id = await started(w, [
      { id: 'one', agent: 'add' },
      { id: 'two', agent: 'add' },
    ]);
    await w.runJob(id);
  }
  assert.equal(instances(), before);
  await w.close();
});

for (const [kind, makeStore] of /** @type {const} */ ([
  ['a store that commits', createMemoryStore],
  ['a plain store', createStore],
])) {
  test(`jobs go on where they stood: ${kind}`, LIMIT, async () => {
    const w = setup({ store: makeStore(), agentRegistry: { add } });
    const steps = [
      { id: 'one', agent: 'add' },
      { id: 'two', agent: 'add', retry: { maxAttempts: 2 } },
      { id: 'ask', approve: {} },
      { id: 'four', agent: 'add', input: { var: 'two' } },
    ];
    const plan = { steps };
    const isNew = await created(w, steps);
    const half = await started(w, steps);
    assert.equal((await w.nextStep(half)).step.output, 1);
    const asks = await started(w, steps);
    assert.equal((await w.runJob(asks)).code, 'approval_required');
    const done = await started(w, steps.slice(0, 2));
    await w.runJob(done);
    await renewal();
    assert.equal((await w.nextStep(done)).code, 'not_running');
    assert.deepStrictEqual(await w.approveStep(asks), { success: true });
    assert.deepStrictEqual(await w.startJob(isNew), { success: true });
    const same = await w.createJob({}, FREE, { plan });
    assert.deepStrictEqual(await w.startJob(same), { success: true });
    for (const id of [isNew, half, same]) {
      assert.equal((await w.runJob(id)).code, 'approval_required');
      assert.deepStrictEqual(await w.approveStep(id), { success: true });
    }
    for (const id of [isNew, half, asks, same]) {
      const { status, job } = await w.runJob(id);
      assert.deepStrictEqual([status, job.context.one, job.context.four], ['completed', 1, 3]);
      assert.deepStrictEqual(
        job.history.map((/** @type {any} */ { seq }) => seq),
        job.history.map((/** @type {any} */ _, /** @type {number} */ place) => place + 1),
      );
    }
    await w.close();
  });
}

test('an orchestrator is after it what it was before', LIMIT, async () => {
  const agentRegistry = { add };
  const closed = setup({ agentRegistry });
  await closed.close();
  const slow = setup({ agentRegistry, slowPlayMs: 500 });
  const slowed = setup({ agentRegistry });
  slowed.setSlowPlay(700);
  const quick = setup({ agentRegistry, slowPlayMs: 900 });
  quick.setSlowPlay(0);
  await renewal();
  const later = setup({ agentRegistry });
  assert.equal((await closed.startJob('any')).code, 'closed');
  closed.setSlowPlay(5_000);
  for (const [w, ms] of /** @type {const} */ ([
    [slow, 500],
    [slowed, 700],
    [quick, 0],
    [later, 0],
  ])) {
    const id = await started(w, [{ id: 'one', agent: 'add' }]);
    const running = w.runJob(id);
    await w.clock.advance(10_000);
    const { started: from, completed } = (await within(running, 'runJob')).job.timing;
    assert.equal(completed - from, ms);
    await w.close();
  }
});

test('one that is being closed meanwhile stays closed', LIMIT, async () => {
  const gate = latch();
  const store = { ...createMemoryStore(), watch: async () => () => gate.promise };
  const w = setup({ store, agentRegistry: { add } });
  const { return: end } = w.events(undefined);
  const reader = w.events('none');
  const read = reader.next();
  const closing = w.close();
  await renewal();
  gate.open();
  await closing;
  assert.equal((await w.startJob('any')).code, 'closed');
  await Promise.all([read, end?.call(reader)]);
});

test('ids are made on, each once', LIMIT, async () => {
  const w = setup({ store: createMemoryStore() });
  const ids = [];
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 300; n++) ids.push(await w.createJob({}));
    if (round < 2) await renewal();
  }
  assert.equal(new Set(ids).size, 900);
  await w.close();
});

test('while anything is under way, all stays as it is', LIMIT, async () => {
  const w = setup({ agentRegistry: { add } });
  const steps = [
    { id: 'heard', wait: { signal: 'go' } },
    { id: 'then', agent: 'add' },
  ];
  const id = await started(w, steps);
  const running = w.runJob(id);
  await settle();
  const before = instances();
  const small = memory();
  await peak();
  assert.equal(instances(), before);
  assert.ok(memory() > small + 16 * MIB);
  await w.signal(id, 'go', { how: 'far' });
  const { status, job } = await within(running, 'runJob');
  assert.equal(status, 'completed');
  assert.deepStrictEqual(job.context.heard, { signal: 'go', payload: { how: 'far' } });
  await settle();
  assert.equal(instances(), before + 1, 'the last one to end lets it go');
  assert.ok(memory() < small + MIB);
  await w.close();
});

test('an agent that was given up keeps nothing, and answers late as ever', LIMIT, async () => {
  const gate = latch();
  const w = setup({ agentRegistry: { hang: () => gate.promise } });
  const id = await started(w, [{ id: 'hangs', agent: 'hang', timeoutMs: 100 }]);
  const running = w.runJob(id);
  await settle();
  await w.clock.advance(100);
  assert.equal((await within(running, 'runJob')).success, false);
  await renewal();
  const other = await started(w, [{ id: 'heard', wait: { signal: 'go' } }]);
  const waiting = w.runJob(other);
  await settle();
  gate.open('late');
  await settle();
  const { history } = w.store.jobs.get(id);
  assert.equal(history.at(-1).type, 'late_result_dropped');
  await w.signal(other, 'go');
  assert.equal((await within(waiting, 'runJob')).status, 'completed');
  await w.close();
});

test('a clock that sleeps on when it is woken keeps nothing, and wakes nobody later', LIMIT, async () => {
  const gate = latch();
  const clock = { now: () => 5_000, sleep: () => gate.promise };
  const w = setup({ clock, agentRegistry: { add } });
  const steps = [{ id: 'heard', wait: { signal: 'go', timeoutMs: 1_000 } }];
  const id = await started(w, steps);
  const running = w.runJob(id);
  await settle();
  await w.signal(id, 'go');
  assert.equal((await within(running, 'runJob')).status, 'completed');
  await renewal();
  const other = await started(w, [{ id: 'heard', wait: { signal: 'go' } }]);
  const waiting = w.runJob(other);
  await settle();
  gate.open();
  await settle();
  assert.equal(w.store.jobs.get(other).status, 'running');
  await w.signal(other, 'go');
  assert.equal((await within(waiting, 'runJob')).status, 'completed');
  await w.close();
});

test('histories from before and after are decided again', LIMIT, async () => {
  const w = setup({ agentRegistry: { add } });
  const steps = [
    { id: 'one', agent: 'add' },
    { id: 'each', agent: 'add', forEach: { var: 'list' } },
    { id: 'two', agent: 'add', when: { '>': [{ var: 'one' }, 0] } },
  ];
  const run = async () => {
    const id = await started(w, steps, { context: { list: [1, 2, 3] } });
    assert.equal((await w.runJob(id)).status, 'completed');
    return id;
  };
  const exported = async (/** @type {string} */ id) => {
    const lines = [];
    for await (const line of w.exportJob(id, { salt: 'same' })) lines.push(line);
    return lines;
  };
  const before = await run();
  const lines = await exported(before);
  const verdict = await w.replayJob(before);
  assert.equal(verdict.ok, true);
  await renewal();
  const after = await run();
  assert.deepStrictEqual(await w.replayJob(before), verdict);
  assert.deepStrictEqual(await w.replayJob(after), verdict);
  assert.deepStrictEqual(await exported(before), lines);
  for (const text of [lines, await exported(after)]) assert.equal((await verifyRun(text)).ok, true);
  await w.close();
});

test('a performance monitor keeps its counts', LIMIT, async () => {
  const monitor = createPerformanceMonitor();
  const record = (/** @type {number} */ from) => {
    for (let ms = from; ms < 100; ms += 2) monitor.recordLatency(ms, { agent: 'a' });
  };
  record(0);
  const { step } = monitor.stats();
  await renewal();
  assert.deepStrictEqual(monitor.stats().step, step);
  record(1);
  const { count, min, max, avg, p50 } = monitor.stats().step;
  assert.deepStrictEqual([count, min, max, avg], [100, 0, 99, 49.5]);
  assert.ok(Math.abs(p50 - 49) < 1);
});

test('where there is no room for another, the old one goes on', LIMIT, async () => {
  const w = setup({ agentRegistry: { add } });
  const before = instances();
  room.refusal = new RangeError('WebAssembly.Instance(): Out of memory');
  try {
    await peak();
    const id = await started(w, [{ id: 'one', agent: 'add' }]);
    assert.equal((await w.runJob(id)).status, 'completed');
    assert.equal(instances(), before);
  } finally {
    room.refusal = null;
  }
  await renewal();
  await w.close();
});

test('what begins in the same breath is not lost', LIMIT, async () => {
  const w = setup({ store: createMemoryStore(), agentRegistry: { add } });
  const steps = [
    { id: 'heard', wait: { signal: 'go' } },
    { id: 'then', agent: 'add' },
  ];
  const first = await started(w, steps);
  const next = await started(w, steps);
  const run = w.runJob(first);
  const before = instances();
  await peak();
  const large = memory();
  const cancelled = w.cancelJob(first);
  /** @type {Promise<any>[]} */
  const begun = [];
  // After the first has ended, and before anything that its end has done later.
  queueMicrotask(() => void begun.push(w.runJob(next)));
  await cancelled;
  assert.equal((await within(run, 'runJob')).code, 'cancelled');
  await settle();
  assert.deepStrictEqual([instances(), memory()], [before, large]);
  await w.signal(next, 'go');
  assert.equal((await within(/** @type {any} */ (begun[0]), 'runJob')).status, 'completed');
  await settle();
  assert.equal(instances(), before + 1);
  await w.close();
});
