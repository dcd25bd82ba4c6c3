import type { JobStore } from '../index.js';

/** A test's body. Where the runner gives it a context with `skip`, that is called for what can't be tested. */
export type TestBody = (context?: { skip?(message?: string): unknown }) => Promise<void>;

/** What registers a test: node's own runner, Vitest, Mocha, Jest and others have such a `test` or `it`. */
export interface TestRunner {
  test?: (name: string, body: TestBody) => unknown;
  it?: (name: string, body: TestBody) => unknown;
}

/**
 * Tests a store against everything that jobwright relies on. What needs an optional method that the store does
 * not have is skipped.
 *
 * @param name What the tests are called by.
 * @param makeStore Gives an empty store, once for each test. It is closed afterwards if it has a `close`.
 * @param runner Node's own test runner where none is given.
 *
 * @example
 * testJobStore('my store', () => createMyStore());
 */
export function testJobStore(
  name: string,
  makeStore: () => JobStore | PromiseLike<JobStore>,
  runner?: TestRunner,
): void;
