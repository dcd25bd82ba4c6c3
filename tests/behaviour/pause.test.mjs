// @ts-check
/** What a pause means for everything in flight, row by row as the page on plans says it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, createStore, LIMIT, latch, setup, started } from './support/setup.mjs';

const { createMemoryStore } = jobwright;

const stores = { plain: createStore, bundled: createMemoryStore };

/** Lets everything happen that can. */
const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
};

for (const [kind, createStoreOfKind] of Object.entries(stores)) {
  test(`${kind} store: an agent finishes, and no step, round or item begins`, LIMIT, async () => {
    /** @type {Record<string, ReturnType<typeof latch>>} */
    const gates = {};
    const calls = /** @type {string[]} */ ([]);
    const slow = (/** @type {any} */ _, /** @type {any} */ { step, item }) => {
      const name = item === undefined ? step : `${step}[${item}]`;
      calls.push(name);
      gates[name] = latch();
      return gates[name].promise;
    };
    const w = setup({ store: createStoreOfKind(), agentRegistry: { slow } });
    const plan = {
      concurrency: 3,
      steps: [
        { id: 'one', agent: 'slow' },
        { id: 'after one', agent: 'slow' },
        { id: 'again', agent: 'slow', after: [], repeat: { until: { '==': [{ var: 'again' }, 2] }, max: 2 } },
        { id: 'each', agent: 'slow', after: [], forEach: [0, 1] },
      ],
    };
    const id = await w.createJob({}, { requireApproval: false }, { plan });
    await w.startJob(id);
    const run = w.runJob(id);
    await turns();
    assert.deepStrictEqual(calls, ['one', 'again', 'each[0]']);
    await w.pauseJob(id);
    for (const name of calls) gates[name]?.open(1);
    assertRefused(await run, 'not_running', 'Job paused');
    assert.deepStrictEqual(calls, ['one', 'again', 'each[0]']);
    const { steps } = (await w.getJob(id)).run;
    assert.deepStrictEqual(
      [steps.one.status, steps.again.round, steps['each[0]'].status],
      ['done', 1, 'done'],
    );

    await w.startJob(id);
    const rest = w.runJob(id);
    await turns();
    assert.deepStrictEqual(calls.slice(3).sort(), ['after one', 'again', 'each[1]']);
    for (const name of calls.slice(3)) gates[name]?.open(2);
    assert.deepStrictEqual((await rest).job.context, { one: 1, 'after one': 2, again: 2, each: [1, 2] });
  });

  test(
    `${kind} store: timers and retries keep their moment, and fire when the job is started if it has passed`,
    LIMIT,
    async () => {
      let failures = 1;
      const flaky = () => {
        if (failures-- > 0) throw new Error('not yet');
        return 'done';
      };
      const w = setup({ store: createStoreOfKind(), agentRegistry: { flaky } });
      const id = await started(w, [
        { id: 'timer', wait: { ms: 1_000 } },
        { id: 'retried', agent: 'flaky', after: [], retry: { maxAttempts: 2, backoffMs: 1_000 } },
        { id: 'signalled', wait: { signal: 'go', timeoutMs: 1_000 }, after: [], onError: 'continue' },
      ]);
      const run = w.runJob(id);
      await turns();
      await w.pauseJob(id);
      assertRefused(await run, 'not_running');
      const due = (await w.getJob(id)).run.steps;
      await w.clock.advance(5_000);
      await w.startJob(id);
      const { job } = await w.runJob(id);
      assert.deepStrictEqual(job.context, { timer: null, retried: 'done', signalled: null });
      assert.equal(job.run.steps.signalled.error.code, 'timeout');
      assert.equal(job.run.steps.timer.dueAt, due.timer.dueAt);
      const at = (/** @type {string} */ name) =>
        job.history.find(
          (/** @type {any} */ { type, payload }) => type === name && payload.step === 'retried',
        ).meta.timestamp;
      assert.equal(at('step_completed') - at('step_failed'), 5_000);
    },
  );

  test(`${kind} store: signals are kept and approvals may be given`, LIMIT, async () => {
    const w = setup({
      store: createStoreOfKind(),
      agentRegistry: { echo: (/** @type {any} */ input) => input },
    });
    const id = await started(w, [
      { id: 'ok', approve: {} },
      { id: 'signalled', wait: { signal: 'go' }, after: [] },
    ]);
    const run = w.runJob(id);
    await turns();
    await w.pauseJob(id);
    assertRefused(await run, 'not_running');
    assert.ok((await w.signal(id, 'go', 7)).success);
    assert.ok((await w.approveStep(id, { by: 'ann' })).success);
    assert.deepStrictEqual([(await w.getJob(id)).status, (await w.getJob(id)).context], ['paused', {}]);
    await w.startJob(id);
    const { job } = await w.runJob(id);
    assert.deepStrictEqual(job.context, { ok: { by: 'ann' }, signalled: { signal: 'go', payload: 7 } });
  });
}
