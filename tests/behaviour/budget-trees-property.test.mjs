// @ts-check
/** Random trees of jobs on one budget: it is never exceeded, and in the end it is known to the unit what was spent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import {
  costOfCompleted,
  createAgents,
  createLossy,
  createSettled,
  plant,
  watch,
} from './support/budget-trees.mjs';
import { LIMIT, within } from './support/setup.mjs';
import { createHome, createMortalStore, rest } from './support/trees.mjs';

const { createBudgetManager } = jobwright;

/** Calls `look` with what the scope of the tree's root holds, whenever that is written. @param {(scope: any) => void} look */
function createBooks(look) {
  const books = new Map();
  return {
    get: (/** @type {string} */ key) => books.get(key),
    set(/** @type {string} */ key, /** @type {any} */ value) {
      books.set(key, JSON.parse(JSON.stringify(value)));
      if (key === 'budget:root') look(value);
    },
  };
}

/** @param {any} random @param {any} home @param {string[]} ids runs jobs, and cancels some meanwhile */
async function play(random, home, ids) {
  const runs = ids.map((id) => home.runJob(id).catch(() => {}));
  while (random.chance(0.4)) {
    await rest(random.below(6));
    home.cancelJob(random.pick(ids)).catch(() => {});
  }
  return runs;
}

const COSTS = /** @type {const} */ ({
  'at most their estimates': (/** @type {number} */ estimate, /** @type {number} */ number) =>
    number % (estimate + 1),
  'more than their estimates, too': (/** @type {number} */ estimate, /** @type {number} */ number) =>
    number % (2 * estimate + 3),
});

for (const [what, costOf] of Object.entries(COSTS)) {
  const agentRegistry = createAgents(costOf);
  const isExact = what.startsWith('at most');
  for (const isDurable of [false, true]) {
    for (const dies of isDurable ? [false, true] : [false]) {
      const where = `${isDurable ? 'in a slow store' : 'in memory'}${dies ? ', when a process dies' : ''}`;
      test(`steps that cost ${what}; budgets ${where}`, LIMIT, async () => {
        for (let seed = 0; seed < 50; seed++) {
          const random = createRandom(seed);
          const over = /** @type {any[]} */ ([]);
          const look = (/** @type {any} */ scope) => {
            if (scope?.limit != null && scope.spent + scope.reserved > scope.limit) over.push({ ...scope });
          };
          const settled = createSettled();
          const store = createMortalStore();
          const books = createBooks(look);
          const manager = createBudgetManager();
          const home = () =>
            createHome(random, store, {
              agentRegistry,
              note: settled.note,
              ...(isDurable ? { books } : { budgetManager: settled.note(watch(manager, look)) }),
            });
          const first = home();
          const ids = await plant(random, first);
          if (dies) first.process.dieAfter(random.below(150));
          const runs = await play(random, first, ids);
          let last = first;
          if (dies) {
            await rest();
            store.endLeases();
            last = home();
            await within(last.recover(), `seed ${seed}: recover`);
            const again = await play(random, last, ids);
            await within(Promise.all(again), `seed ${seed}: runs`);
          } else {
            await within(Promise.all(runs), `seed ${seed}: runs`);
          }
          await within(last.stopAll(), `seed ${seed}: stopAll`);
          await rest(10);

          const budget = await (isDurable ? createBudgetManager({ store: books }) : manager).getBudget(
            'root',
          );
          if (isExact) assert.deepStrictEqual(over, [], `seed ${seed}: more than there is`);
          assert.equal(budget.reserved, 0, `seed ${seed}: nothing is held, and all is back`);
          const completed = await costOfCompleted(store);
          assert.ok(completed <= budget.spent, `seed ${seed}: ${completed} of ${budget.spent}`);
          if (dies) assert.ok(budget.spent <= settled.sum(), `seed ${seed}`);
          else assert.equal(budget.spent, settled.sum(), `seed ${seed}`);
        }
      });
    }
  }
}

test('what a manager could not be told is known to the unit once it can be told', LIMIT, async () => {
  let lost = 0;
  for (let seed = 0; seed < 80; seed++) {
    const random = createRandom(seed);
    const settled = createSettled();
    const store = createMortalStore();
    const manager = createBudgetManager();
    const lossy = createLossy(manager, createRandom(random.fork()));
    const agentRegistry = createAgents(COSTS['more than their estimates, too']);
    const home = createHome(random, store, {
      agentRegistry,
      budgetManager: settled.note(lossy),
      logger: { error() {} },
    });
    const ids = await plant(random, home);
    const runs = await play(random, home, ids);
    await within(Promise.all(runs), `seed ${seed}: runs`);
    await within(home.stopAll(), `seed ${seed}: stopAll`);
    await rest(10);
    lossy.isMended = true;
    await within(home.recover(), `seed ${seed}: recover`);
    const budget = await manager.getBudget('root');
    assert.equal(budget.reserved, 0, `seed ${seed}: nothing is held, and all is back`);
    assert.equal(budget.spent, settled.sum(), `seed ${seed}`);
    lost += lossy.lost;
  }
  assert.ok(lost > 100, `${lost} calls were lost: the test does not disturb anything`);
});
