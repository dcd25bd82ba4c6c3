// @ts-check
import assert from 'node:assert/strict';
import { createStore, FREE, setup, within } from '../behaviour/support/setup.mjs';

export const reader = () => 'read';
export const PLAN = { steps: [{ id: 'one', agent: 'reader' }] };

/** A trap of the engine's own, which nothing that a host does may cause. @param {any} error */
export const isTrap = (error) => error?.name === 'RuntimeError' || error?.code === 'internal';

/** Refused, or rejected with a sentence; never a trap of the engine's own. @param {Promise<any>} promise @param {string} what */
export async function refusedOrRejected(promise, what) {
  try {
    const outcome = await within(promise, what);
    assert.equal(outcome?.success, false, `${what} went through: ${JSON.stringify(outcome)?.slice(0, 300)}`);
    assert.match(outcome.error, /\w+ \w+/);
    return outcome;
  } catch (error) {
    assert.ok(
      error instanceof Error && error.name !== 'AssertionError',
      error instanceof Error ? error.message : String(error),
    );
    assert.ok(!isTrap(error), error.message);
    assert.match(error.message, /\w+ \w+/);
    return error;
  }
}

/** The orchestrator still does its work. @param {any} w */
export async function assertWorks(w) {
  const id = await within(w.createJob({ fine: true }, FREE, { plan: PLAN }), 'the next createJob');
  assert.deepStrictEqual(await within(w.startJob(id), 'the next startJob'), { success: true });
  assert.equal((await within(w.nextStep(id), 'the next nextStep')).status, 'completed');
}

/** Works, or refuses with a sentence. @param {() => any} call @param {string} what */
export async function worksOrSays(call, what) {
  try {
    const given = await within(Promise.resolve(call()), what);
    if (given?.success === false) assert.match(given.error, /\w+ \w+/, what);
    return given;
  } catch (error) {
    assert.ok(error instanceof Error, `${what}: rejected with ${String(error)}`);
    assert.match(error.message, /\w+ \w+/, what);
    assert.ok(!isTrap(error), `${what}: ${error.message}`);
    return error;
  }
}

/** A store that keeps jobs as they are: the odd ones cannot be frozen. */
function looseStore() {
  const jobs = new Map();
  return {
    ...createStore(),
    jobs,
    saveJob: (/** @type {any} */ job) => void jobs.set(job.id, job),
    getJob: (/** @type {string} */ id) => jobs.get(id) ?? null,
  };
}

export const world = (/** @type {any} */ deps = {}) =>
  setup({ store: looseStore(), agentRegistry: { reader }, ...deps });
