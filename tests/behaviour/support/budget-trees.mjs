// @ts-check
/** Random trees of jobs on one budget, and what is known of what they spend. */
import assert from 'node:assert/strict';
import { FREE } from './setup.mjs';
import { randomSteps } from './trees.mjs';

const ESTIMATES = [0, 1, 2, 3, 5, 8];

/** @param {string} text a number that depends on all of it */
const hash = (text) =>
  [...text].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) >>> 0, 7);

/**
 * Agents, each with its estimate; what they do and cost follows from the idempotency key.
 * @param {(estimate: number, number: number) => number} costOf
 * @param {Map<string, number>} [calls] by idempotency key
 */
export function createAgents(costOf, calls = new Map()) {
  const agent = (/** @type {number} */ estimate) => ({
    metadata: { cost: estimate },
    async execute(/** @type {any} */ _, /** @type {any} */ { idempotencyKey, attempt }) {
      const number = hash(idempotencyKey);
      calls.set(idempotencyKey, (calls.get(idempotencyKey) ?? 0) + 1);
      for (let turn = number % 4; turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve));
      if (number % 11 === 0 || (number % 5 === 0 && attempt === 1)) throw new Error('no');
      return { success: true, data: attempt, cost: costOf(estimate, number) };
    },
  });
  return Object.fromEntries(ESTIMATES.map((estimate) => [`work${estimate}`, agent(estimate)]));
}

/** A manager that is looked at after each call. @param {any} manager @param {(budget: any) => void} look */
export function watch(manager, look) {
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
 * A manager whose connection is lost now and then when it is told what was spent, before or after it did what it was told.
 * @param {any} manager @param {any} random
 */
export function createLossy(manager, random) {
  const lossy = { ...manager, lost: 0, isMended: false };
  for (const name of ['settle', 'release', 'reclaim']) {
    lossy[name] = async (/** @type {any[]} */ ...args) => {
      const isLost = !lossy.isMended && random.chance(0.3);
      const answer = isLost && random.chance(0.5) ? undefined : manager[name](...args);
      if (!isLost) return answer;
      lossy.lost += 1;
      throw new Error('connection lost');
    };
  }
  return lossy;
}

/**
 * @param {any} random @param {any} home
 * @returns {Promise<string[]>} the jobs of a tree
 */
export async function plant(random, home) {
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
export async function costOfCompleted(store) {
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
export function createSettled() {
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
