// @ts-check
/** Random trees of jobs on one budget: it is never exceeded, and in the end it is known to the unit what was spent. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import { FREE, LIMIT, within } from './support/setup.mjs';
import { createHome, createMortalStore, randomSteps, rest } from './support/trees.mjs';

const { createBudgetManager } = jobwright;
const ESTIMATES = [0, 1, 2, 3, 5, 8];

/** @param {string} text a number that depends on all of it */
const hash = (text) =>
  [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);

/**
 * Agents, each with its estimate; what they do and cost follows from the idempotency key.
 * @param {(estimate: number, number: number) => number} costOf
 */
function createAgents(costOf) {
  const agent = (/** @type {number} */ estimate) => ({
    metadata: { cost: estimate },
    async execute(/** @type {any} */ _, /** @type {any} */ { idempotencyKey, attempt }) {
      const number = hash(idempotencyKey);
      for (let turn = number % 4; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
      if (number % 11 === 0 || (number % 5 === 0 && attempt === 1)) throw new Error('no');
      return { success: true, data: attempt, cost: costOf(estimate, number) };
    },
  });
  return Object.fromEntries(ESTIMATES.map((estimate) => [`work${estimate}`, agent(estimate)]));
}

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

/** A manager that is looked at after each call. @param {any} manager @param {(budget: any) => void} look */
function watch(manager, look) {
  const watched = { ...manager };
  for (const name of ['reserve', 'settle', 'release', 'allocate', 'reclaim', 'recordSpend']) {
    watched[name] = (/** @type {any[]} */ ...args) => {
      const answer = manager[name](...args);
      manager.getBudget('root').then(look);
      return answer;
    };
  }
  return watched;
}

/**
 * @param {any} random @param {any} home
 * @returns {Promise<string[]>} the jobs of a tree
 */
async function plant(random, home) {
  const more = () => ({
    agent: `work${random.pick(ESTIMATES)}`,
    ...(random.chance(0.5) && { retry: { maxAttempts: 2, backoffMs: 0 } }),
    ...(random.chance(0.7) && { onError: 'continue' }),
  });
  const given = () => (random.chance(0.5) ? { budget: random.below(15) } : {});
  const ids = /** @type {string[]} */ ([]);
  for (let made = 0; made < 1 + random.below(4); made++) {
    const plan = { steps: randomSteps(random, 2, more, given), concurrency: 1 + random.below(4) };
    const options =
      made === 0
        ? { id: 'root', budget: 5 + random.below(60) }
        : { id: `j${made}`, parentId: random.pick(ids), ...given() };
    const id = await home.createJob({}, FREE, { plan, ...options }).catch((/** @type {any} */ error) => {
      assert.equal(error.code, 'budget_exceeded');
    });
    if (id === undefined) continue;
    ids.push(id);
    await home.startJob(id);
  }
  return ids;
}

/** @param {any} store what the steps cost that were completed, as histories say */
async function costOfCompleted(store) {
  let sum = 0;
  for (const { id } of await store.listJobs()) {
    const { history } = await store.getJob(id);
    for (const { type, payload } of history) {
      if (/^(step|item|round)_completed$/.test(type)) sum += payload.cost ?? 0;
    }
  }
  return sum;
}

/** What was said to have been spent, once by key. */
function createSettled() {
  /** @type {Map<string, number>} */
  const actuals = new Map();
  return {
    /** @param {any} manager */
    note: (manager) => ({
      ...manager,
      settle(/** @type {string} */ id, /** @type {string} */ key, /** @type {number} */ actual) {
        if (!actuals.has(key)) actuals.set(key, actual);
        return manager.settle(id, key, actual);
      },
    }),
    sum: () => [...actuals.values()].reduce((sum, actual) => sum + actual, 0),
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
