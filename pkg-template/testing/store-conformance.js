// @ts-check
import { atomicityCases } from './store-cases/atomicity.js';
import { commitCases } from './store-cases/commits.js';
import { concurrencyCases } from './store-cases/concurrency.js';
import { leaseCases } from './store-cases/leases.js';
import { listCases } from './store-cases/lists.js';
import { pruneCases } from './store-cases/prune.js';
import { valueCases } from './store-cases/values.js';
import { watchCases } from './store-cases/watching.js';

/**
 * @typedef {import('../index.d.ts').JobStore} JobStore
 * @typedef {{ skip?(message?: string): unknown }} TestContext
 * @typedef {(context?: TestContext) => Promise<void>} TestBody
 * @typedef {(name: string, body: TestBody) => unknown} Test
 * @typedef {{ test?: Test, it?: Test }} Runner
 * @typedef {{ store: JobStore, open(): JobStore | PromiseLike<JobStore> }} Shared
 */

/**
 * Tests a store against everything that jobwright relies on. `saveJob` and `getJob` are always tested; what
 * needs a method that the store does not have is skipped.
 *
 * @param {string} name what the tests are called by
 * @param {() => JobStore | Shared | PromiseLike<JobStore | Shared>} makeStore gives an empty store, once for
 *   each test, and may give beside it a function that opens further ones on the same data; all are closed
 *   afterwards if they have a `close`
 * @param {Runner} [runner] anything with `test` or `it`; node's own runner where none is given
 */
export function testJobStore(name, makeStore, runner = nodeRunner()) {
  const register = runner.test ?? runner.it;
  if (typeof register !== 'function') {
    throw new TypeError('testJobStore: runner: expected an object with a function `test` or `it`');
  }

  /** @type {import('./store-cases/samples.js').Suite['test']} */
  const test = (title, body, needs = []) => {
    // No parameter that could be counted: Mocha and Jest take one for a callback, and wait for it.
    register(
      `${name}: ${title}`,
      /** @this {TestContext | undefined} */ async function (...[context = this]) {
        const { store, open } = sharedOf(await makeStore());
        /** @type {JobStore[]} */
        const opened = [store];
        try {
          const missing = needs.filter((method) => method !== 'open' && typeof store[method] !== 'function');
          if (missing.length > 0) return void context?.skip?.(`the store has no ${missing.join(', ')}`);
          if (needs.includes('open') && open === null) {
            return void context?.skip?.('makeStore gives no second store on the same data');
          }
          await body(store, async () => {
            const another = await (open === null ? store : open());
            if (!opened.includes(another)) opened.push(another);
            return another;
          });
        } finally {
          for (const each of opened) await /** @type {{ close?: () => unknown }} */ (each).close?.();
        }
      },
    );
  };

  for (const cases of [
    valueCases,
    commitCases,
    atomicityCases,
    concurrencyCases,
    listCases,
    pruneCases,
    leaseCases,
    watchCases,
  ]) {
    cases({ test });
  }
}

/**
 * @param {JobStore | Shared} made
 * @returns {{ store: JobStore, open: Shared['open'] | null }}
 */
function sharedOf(made) {
  if ('saveJob' in made) return { store: made, open: null };
  const { store, open } = made;
  if (typeof store === 'object' && store !== null && typeof open === 'function') return { store, open };
  throw new TypeError('testJobStore: makeStore: expected it to give a store, or { store, open }');
}

/** @returns {Runner} */
function nodeRunner() {
  // Asked for here and not imported, so that the kit also loads where there is no node:test.
  const found = globalThis.process?.getBuiltinModule?.('node:test');
  if (found === undefined)
    throw new TypeError('testJobStore: runner: expected one where there is no node:test');
  return /** @type {Runner} */ (/** @type {unknown} */ (found));
}
