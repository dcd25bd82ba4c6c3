// @ts-check
/** Processes that are cut off from the store, lose their leases and come back: a tree's budget holds all the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import { costOfCompleted, createAgents, createSettled, plant, watch } from './support/budget-trees.mjs';
import { LIMIT, within } from './support/setup.mjs';
import { createHome, createMortalStore, rest } from './support/trees.mjs';

const QUIET = { warn() {}, error() {} };

/** Takes up what was left and runs all, as far as it comes. @param {any} home @param {string[]} ids */
function runAll(home, ids) {
  const runs = ids.map((id) => home.runJob(id).catch(() => undefined));
  return Promise.all([home.recover().catch(() => undefined), ...runs]);
}

test('a budget that several processes spend is kept, whoever is cut off and comes back', LIMIT, async () => {
  let repeated = 0;
  for (let seed = 0; seed < 60; seed++) {
    const random = createRandom(seed);
    const where = `seed ${seed}`;
    const over = /** @type {any[]} */ ([]);
    const look = (/** @type {any} */ scope) => {
      if (scope?.limit != null && scope.spent + scope.reserved > scope.limit) over.push({ ...scope });
    };
    const settled = createSettled();
    const store = createMortalStore();
    const manager = jobwright.createBudgetManager();
    const budgetManager = settled.note(watch(manager, look));
    /** @type {Map<string, number>} */
    const calls = new Map();
    const agentRegistry = createAgents((estimate, number) => number % (estimate + 1), calls);
    const home = () =>
      createHome(random, store, { agentRegistry, budgetManager, clock: null, logger: QUIET });

    const first = home();
    const ids = await plant(random, first);
    const homes = [first, home()];
    for (let round = 0; round < 8; round++) {
      for (const each of homes) each.process.cutOff(random.chance(0.3));
      if (random.chance(0.2)) random.pick(homes).process.dieAfter(random.below(30));
      for (const each of homes) void runAll(each, ids);
      await rest(random.below(25));
      if (random.chance(0.6)) store.endLeases();
      if (random.chance(0.3)) homes.push(home());
    }
    for (const each of homes) each.process.cutOff(false);
    for (const each of homes) each.process.dieAfter(random.below(10));
    await rest();
    // Some of them have calls left, and may still end jobs when they hear of what the last one does.
    for (const each of homes) each.process.dieAfter(0);
    store.endLeases();
    const last = home();
    await within(last.recover(), `${where}: recover`);
    await within(Promise.all(ids.map((id) => last.runJob(id).catch(() => {}))), `${where}: runs`);
    await within(last.stopAll(), `${where}: stopAll`);
    await rest(10);

    const budget = await manager.getBudget('root');
    assert.deepStrictEqual(over, [], `${where}: more than there is`);
    assert.equal(budget.reserved, 0, `${where}: nothing is held, and all is back`);
    const completed = await costOfCompleted(store);
    assert.ok(completed <= budget.spent, `${where}: ${completed} of ${budget.spent}`);
    assert.ok(budget.spent <= settled.sum(), where);
    repeated += [...calls.values()].filter((count) => count > 1).length;
  }
  assert.ok(repeated > 10, `agents were called again ${repeated} times: the test does not disturb anything`);
});
