// @ts-check
/** Stores that lie: what they give is refused with a sentence, and the next operation works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, createStore, LIMIT, setup, within } from '../behaviour/support/setup.mjs';
import { jobwright } from '../differential/subject.mjs';
import { isTrap, refusedOrRejected } from './support.mjs';

const PLAN = [{ id: 'one', agent: 'reader' }];
const OPERATIONS = /** @type {const} */ ([
  'startJob',
  'pauseJob',
  'nextStep',
  'completeJob',
  'failJob',
  'cancelJob',
  'approveStep',
  'rejectStep',
  'runJob',
]);

/** A job as a store may hold it. @param {any} change */
const stored = (change) => ({
  id: 'mine',
  status: 'created',
  context: {},
  permissions: { allowTools: false, requireApproval: false, maxSteps: 10 },
  history: [],
  timing: { created: 1 },
  ...change,
});

const JUNK = {
  'a number': 5,
  'a string': 'job',
  true: true,
  'an array': [],
  'an empty object': {},
  'a function': () => {},
  'a symbol': Symbol('s'),
  'a job with another id': stored({ id: 'yours' }),
  'a job without an id': stored({ id: undefined }),
  'a status nobody knows': stored({ status: 'sleeping' }),
  'a status that is no string': stored({ status: 1 }),
  'a status named __proto__': stored({ status: '__proto__' }),
  'no status': stored({ status: undefined }),
  'a run state of an unknown schema': stored({ run: { schema: 99, revision: 1 } }),
  'a run state that is a string': stored({ run: 'later' }),
};

for (const [name, junk] of Object.entries(JUNK)) {
  test(`a store that commits and gives ${name}`, LIMIT, async () => {
    const store = jobwright.createMemoryStore();
    const w = setup({ store, agentRegistry: { reader: () => 1 } });
    const real = await created(w, PLAN);
    // Of a job that it made itself, an orchestrator need not be told what it knows.
    await created(setup({ store }), PLAN, { id: 'mine' });
    for (const method of ['getJob', 'getHead']) {
      const { [method]: working } = store;
      store[method] = (/** @type {string} */ id) => (id === 'mine' ? junk : working(id));
      for (const operation of OPERATIONS) await refusedOrRejected(w[operation]('mine'), operation);
    }
    assert.deepStrictEqual(await w.startJob(real), { success: true });
    assert.equal((await w.nextStep(real)).status, 'completed');
  });

  test(`a store that gives ${name}`, LIMIT, async () => {
    const store = createStore();
    const w = setup({ store, agentRegistry: { reader: () => 1 } });
    const real = await created(w, PLAN);
    const { getJob } = store;
    store.getJob = /** @type {any} */ ((/** @type {string} */ id) => (id === 'mine' ? junk : getJob(id)));
    const saves = store.saved.length;
    for (const operation of OPERATIONS) await refusedOrRejected(w[operation]('mine'), operation);
    await refusedOrRejected(w.setPermissions('mine', { maxSteps: 2 }), 'setPermissions');
    assert.equal(store.saved.length, saves, 'something was saved over junk');
    assert.deepStrictEqual(await w.startJob(real), { success: true });
    assert.equal((await w.nextStep(real)).status, 'completed');
  });
}

/** @returns {any} */
function ring() {
  /** @type {any} */
  const run = {};
  run.failure = run;
  return run;
}

const DAMAGED = {
  'permissions that are missing': stored({ permissions: undefined }),
  'permissions that are junk': stored({ permissions: 'all' }),
  'permissions with NaN': stored({
    permissions: { allowTools: 1, requireApproval: 'yes', maxSteps: Number.NaN },
  }),
  'no history': stored({ history: undefined }),
  'a history that is an object': stored({ history: { length: 3 } }),
  'a history of junk': stored({ history: [null, 5, {}] }),
  'no timing': stored({ timing: undefined }),
  'a timing of junk': stored({ timing: 'today' }),
  'no context': stored({ context: undefined }),
  'a context that is a number': stored({ context: 5 }),
  'a plan that is junk': stored({ run: { schema: 1, revision: 1, plan: 5 } }),
  'steps that are junk': stored({
    run: { schema: 1, revision: 1, plan: { steps: PLAN }, steps: { one: 'done' } },
  }),
  'a step status nobody knows': stored({
    run: { schema: 1, revision: 1, plan: { steps: PLAN }, steps: { one: { status: 'x', attempts: 1 } } },
  }),
  'attempts that are NaN': stored({
    run: {
      schema: 1,
      revision: 1,
      plan: { steps: PLAN },
      steps: { one: { status: 'pending', attempts: Number.NaN } },
    },
  }),
  ...Object.fromEntries(
    Object.entries({
      'approvals that are junk': { approvals: 5 },
      'approvals that are a list of junk': { approvals: [null] },
      'signals that are junk': { signals: 5 },
      'signals that are a list of junk': { signals: [null] },
      'breakpoints that are junk': { breakpoints: { length: 2 } },
      'a run state that goes round in a ring': ring(),
      'a run state that holds a BigInt': { pause: { reason: 'user', at: 5n } },
      'granted calls that are junk': {
        plan: { steps: PLAN },
        steps: { one: { status: 'pending', attempts: 0, grants: 5 } },
      },
    }).map(([name, run]) => [
      name,
      stored({ status: 'running', run: { schema: 1, revision: 1, stepsTaken: 0, ...run } }),
    ]),
  ),
  'a revision that is no number': stored({ run: { schema: 1, revision: 'five' } }),
  'getters that throw': Object.defineProperty(stored({}), 'permissions', {
    enumerable: true,
    get() {
      throw new Error('not for you');
    },
  }),
};

for (const [name, job] of Object.entries(DAMAGED)) {
  test(`a stored job with ${name} works or is refused with a sentence`, LIMIT, async () => {
    const jobs = new Map([['mine', /** @type {any} */ (job)]]);
    const store = {
      getJob: (/** @type {string} */ id) => jobs.get(id) ?? null,
      saveJob: (/** @type {any} */ saved) => void jobs.set(saved.id, saved),
    };
    const w = setup({ store, agentRegistry: { reader: () => 1 } });
    for (const operation of /** @type {const} */ ([
      'startJob',
      'nextStep',
      'pauseJob',
      'setPermissions',
      'failJob',
    ])) {
      try {
        const outcome = await within(/** @type {any} */ (w)[operation]('mine', {}), operation);
        assert.equal(typeof outcome.success, 'boolean');
        if (!outcome.success) assert.match(outcome.error, /\w+ \w+/);
      } catch (error) {
        assert.ok(error instanceof Error && !isTrap(error), `${operation}: ${String(error)}`);
        assert.match(error.message, /\w+ \w+/);
      }
    }
    const id = await created(w, PLAN);
    await w.startJob(id);
    assert.equal((await w.nextStep(id)).status, 'completed');
  });
}
