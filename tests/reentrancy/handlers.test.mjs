// @ts-check
/**
 * Bus handlers that act on the job whose event they hear, where all answers come at once: what they do is over before
 * the operation that announced goes on.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FREE, LIMIT, setup, started, within } from '../behaviour/support/setup.mjs';
import { jobwright } from '../differential/subject.mjs';

const { createMemoryStore, ConflictError } = jobwright;
const PLAN = ['one', 'two', 'three'].map((id) => ({ id, agent: 'echo' }));

function plainStore() {
  const jobs = new Map();
  return {
    saveJob: (/** @type {any} */ job) => void jobs.set(job.id, job),
    getJob: (/** @type {string} */ id) => jobs.get(id) ?? null,
  };
}

/** @type {Record<string, { storeOf: () => any, method: string, error: Error }>} */
const stores = {
  'a plain store that fails': { storeOf: plainStore, method: 'saveJob', error: new Error('disk full') },
  'a store with commit that fails': {
    storeOf: createMemoryStore,
    method: 'commit',
    error: new Error('disk full'),
  },
  'a store with commit that another process was faster at': {
    storeOf: createMemoryStore,
    method: 'commit',
    error: new ConflictError('too late'),
  },
};

for (const type of ['step_started', 'step_completed']) {
  for (const [name, { storeOf, method, error }] of Object.entries(stores)) {
    test(`${type}: a handler pauses the job, on ${name}`, LIMIT, async () => {
      const store = storeOf();
      const write = store[method];
      let left = 0;
      store[method] = (/** @type {any} */ change) => {
        if (left-- > 0) throw error;
        return write(change);
      };
      /** @type {Promise<any>[]} */
      const inner = [];
      const eventBus = {
        emit(/** @type {string} */ heard, /** @type {any} */ { jobId, step }) {
          if (heard !== type || step !== 'two') return;
          left = 1;
          inner.push(w.pauseJob(jobId).catch((thrown) => thrown));
        },
      };
      /** @type {any[]} */
      const seen = [];
      const echo = (/** @type {any} */ input, /** @type {any} */ { context }) => {
        seen.push([input, Object.keys(context)]);
        return `${input}.`;
      };
      const w = setup({ store, eventBus, agentRegistry: { echo } });
      const id = await started(w, PLAN, { context: { topic: 'x' } });
      const outcomes = [];
      for (const input of ['a', undefined]) outcomes.push(await within(w.nextStep(id, input), 'nextStep'));
      assert.deepStrictEqual(
        outcomes.map((outcome) => outcome.step.output),
        ['a.', 'a..'],
      );
      assert.deepStrictEqual(seen, [
        ['a', ['topic']],
        ['a.', ['topic', 'one']],
      ]);
      const [paused] = await Promise.all(inner);
      assert.ok(paused === error || (error instanceof ConflictError && paused.success), String(paused));
      if (paused.success) await w.startJob(id);
      assert.equal((await within(w.nextStep(id), 'nextStep')).status, 'completed');
    });
  }
}

for (const [name, act] of Object.entries({
  'cancels the job': (/** @type {any} */ w, /** @type {string} */ id) => w.cancelJob(id, 'too late'),
  'completes the job': (/** @type {any} */ w, /** @type {string} */ id) => w.completeJob(id),
  'closes the orchestrator': (/** @type {any} */ w) => w.close(),
})) {
  test(`step_started: a handler ${name}, and the agent is not called`, LIMIT, async () => {
    let calls = 0;
    const echo = () => {
      calls += 1;
      return new Promise(() => {});
    };
    /** @type {Promise<any>[]} */
    const inner = [];
    const eventBus = {
      emit(/** @type {string} */ type, /** @type {any} */ { jobId }) {
        if (type === 'step_started') inner.push(act(w, jobId));
      },
    };
    const w = setup({ store: plainStore(), eventBus, agentRegistry: { echo } });
    const id = await started(w, PLAN, { permissions: FREE });
    const outcome = await within(w.runJob(id), 'runJob');
    assert.equal(outcome.success, name === 'completes the job', outcome.error);
    await within(Promise.all(inner), 'what the handler did');
    assert.equal(calls, 0);
  });
}
