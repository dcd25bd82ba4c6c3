// @ts-check
import { commitCases } from './store-cases/commits.js';
import { leaseCases } from './store-cases/leases.js';
import { listCases } from './store-cases/lists.js';
import { valueCases } from './store-cases/values.js';

/**
 * @typedef {import('../index.d.ts').JobStore} JobStore
 * @typedef {(context?: { skip?(message?: string): unknown }) => Promise<void>} TestBody
 * @typedef {(name: string, body: TestBody) => unknown} Test
 * @typedef {{ test?: Test, it?: Test }} Runner
 */

/**
 * Tests a store against everything that jobwright relies on. `saveJob` and `getJob` are always tested; what
 * needs a method that the store does not have is skipped.
 *
 * @param {string} name what the tests are called by
 * @param {() => JobStore | PromiseLike<JobStore>} makeStore gives an empty store, once for each test; it is
 *   closed afterwards if it has a `close`
 * @param {Runner} [runner] anything with `test` or `it`; node's own runner where none is given
 */
export function testJobStore(name, makeStore, runner = nodeRunner()) {
  const register = runner.test ?? runner.it;
  if (typeof register !== 'function') {
    throw new TypeError('testJobStore: runner: expected an object with a function `test` or `it`');
  }

  /** @type {import('./store-cases/samples.js').Suite['test']} */
  const test = (title, body, needs = []) => {
    register(`${name}: ${title}`, async (context) => {
      const store = await makeStore();
      try {
        const missing = needs.filter((method) => typeof store[method] !== 'function');
        if (missing.length === 0) await body(store);
        else context?.skip?.(`the store has no ${missing.join(', ')}`);
      } finally {
        await /** @type {{ close?: () => unknown }} */ (store).close?.();
      }
    });
  };

  for (const cases of [valueCases, commitCases, listCases, leaseCases]) cases({ test });
}

/** @returns {Runner} */
function nodeRunner() {
  // Asked for here and not imported, so that the kit also loads where there is no node:test.
  const found = globalThis.process?.getBuiltinModule?.('node:test');
  if (found === undefined)
    throw new TypeError('testJobStore: runner: expected one where there is no node:test');
  return /** @type {Runner} */ (/** @type {unknown} */ (found));
}
