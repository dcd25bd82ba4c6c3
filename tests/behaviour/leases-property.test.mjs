// @ts-check
/** Whoever dies, sleeps or comes back late, in whatever order: every step is committed once, and every run is one run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { FREE, LIMIT, within } from './support/setup.mjs';
import { createHome, createMortalStore, randomSteps, rest } from './support/trees.mjs';

const QUIET = { warn() {}, error() {} };

/** @param {import('../differential/random.mjs').Random} random @param {any} store @param {Map<string, number>} calls */
function newHome(random, store, calls) {
  const work = async (/** @type {any} */ _, /** @type {any} */ { idempotencyKey, step }) => {
    calls.set(idempotencyKey, (calls.get(idempotencyKey) ?? 0) + 1);
    await rest(random.below(4));
    return step;
  };
  return createHome(random, store, { agentRegistry: { work }, clock: null, logger: QUIET });
}

/** Takes up what was left and runs all, as far as it comes. @param {any} home @param {string[]} ids */
function runAll(home, ids) {
  const runs = ids.map((id) => home.runJob(id).catch(() => undefined));
  return Promise.all([home.recover().catch(() => undefined), ...runs]);
}

/** @param {any} store @param {string} where */
async function assertEachStepOnce(store, where) {
  for (const { id } of await store.listJobs()) {
    const { status, history, run } = await store.getJob(id);
    assert.equal(status, 'completed', `${where}: ${id}`);
    assert.deepStrictEqual(
      history.map((/** @type {any} */ { seq }) => seq),
      history.map((/** @type {any} */ _, /** @type {number} */ place) => place + 1),
    );
    /** @type {Record<string, number>} */
    const ended = {};
    for (const { type, payload } of history) {
      if (type !== 'step_completed' && type !== 'item_completed') continue;
      const key = payload.item === undefined ? payload.step : `${payload.step}[${payload.item}]`;
      ended[key] = (ended[key] ?? 0) + 1;
    }
    const once = Object.fromEntries(Object.keys(run.steps).map((step) => [step, 1]));
    assert.deepStrictEqual(ended, once, `${where}: ${id}`);
  }
}

test(
  'in any number of processes that die, sleep and come back, each step is committed once',
  LIMIT,
  async () => {
    let repeated = 0;
    for (let seed = 0; seed < 30; seed++) {
      const random = createRandom(seed);
      const store = createMortalStore();
      const calls = new Map();
      const home = () => newHome(random, store, calls);
      const first = home();
      const ids = ['a', 'b', 'c'].map((name) => `${name}${seed}`);
      for (const id of ids) {
        await first.createJob({}, FREE, { id, plan: { steps: randomSteps(random, 2), concurrency: 2 } });
        await first.startJob(id);
      }
      const homes = [first, home()];
      for (let round = 0; round < 8; round++) {
        if (random.chance(0.4)) random.pick(homes).process.dieAfter(random.below(30));
        for (const each of homes) void runAll(each, ids);
        await rest(random.below(25));
        // Whoever has a lease is too slow to renew it: dead, asleep, or cut off.
        if (random.chance(0.6)) store.endLeases();
        if (random.chance(0.4)) homes.push(home());
      }
      for (const each of homes) each.process.dieAfter(random.below(10));
      await rest();
      store.endLeases();
      const last = home();
      const where = `seed ${seed}`;
      await within(last.recover(), `${where}: recover`);
      const outcomes = await within(Promise.all(ids.map((id) => last.runJob(id))), where);
      assert.ok(
        outcomes.every(({ status }) => status === 'completed'),
        `${where}: ${JSON.stringify(outcomes)}`,
      );
      await assertEachStepOnce(store, where);
      for (const { id } of await store.listJobs()) {
        const replayed = await last.replayJob(id);
        assert.equal(replayed.ok, true, `${where}, ${id}: ${JSON.stringify(replayed)}`);
      }
      repeated += [...calls.values()].filter((count) => count > 1).length;
    }
    assert.ok(
      repeated > 10,
      `agents were called again ${repeated} times: the test does not disturb anything`,
    );
  },
);
