// @ts-check
/** Does the kit notice? Each of its cases fails against a store that is broken in just that way. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMemoryStore } from '../../pkg-template/parts/memory-store.js';
import { testJobStore } from '../../pkg-template/testing/store-conformance.js';
import { BROKEN_LISTS } from './broken-lists.mjs';
import { BROKEN_VALUES } from './broken-values.mjs';

const BROKEN = { ...BROKEN_VALUES, ...BROKEN_LISTS };

/** @param {() => any} makeStore @param {'test' | 'it'} [key] @returns {Map<string, any>} the bodies of the cases, by title */
function casesFor(makeStore, key = 'test') {
  const cases = new Map();
  testJobStore('kit', makeStore, {
    [key]: (/** @type {string} */ name, /** @type {any} */ body) => cases.set(name.slice(5), body),
  });
  return cases;
}

/** @param {any} breaker */
function makeBroken(breaker) {
  const good = createMemoryStore();
  const shared = {};
  const open = () => ({ ...good, ...breaker(good, shared) });
  return { store: open(), open };
}

test('every case of the kit has a store that fails it', () => {
  assert.deepEqual([...casesFor(createMemoryStore).keys()].sort(), Object.keys(BROKEN).sort());
});

describe('the kit notices', { concurrency: true }, () => {
  for (const [title, breakers] of Object.entries(BROKEN)) {
    for (const [what, breaker] of Object.entries(breakers)) {
      test(`${title}: a store that ${what}`, async () => {
        const body = casesFor(() => makeBroken(breaker)).get(title);
        await assert.rejects(body({ skip: () => {} }), (/** @type {any} */ error) => {
          // An error of the kit's own, or of a store that could not go on.
          assert.ok(error instanceof Error && !(error instanceof TypeError), String(error?.stack));
          return true;
        });
      });
    }
  }
});

test('a store that is closed when a case has ended, and so is every other one that was opened', async () => {
  for (const fails of [false, true]) {
    let [opened, closed] = [0, 0];
    const good = createMemoryStore();
    const open = () => {
      opened += 1;
      const close = async () => {
        closed += 1;
      };
      const store = { ...good, close };
      return fails ? { ...store, getJob: () => null } : store;
    };
    const body = casesFor(() => ({ store: open(), open })).get(
      'what one store wrote the other reads at once',
    );
    if (fails) await assert.rejects(body());
    else await body();
    assert.deepEqual([opened, closed], [2, 2]);
  }
});

test('what a store or makeStore lacks is skipped, by whatever way the runner has', async () => {
  const { saveJob, getJob } = createMemoryStore();
  const plain = casesFor(() => ({ saveJob, getJob }), 'it');
  const commit = plain.get('commit replaces the head whole');
  const told = /** @type {string[]} */ ([]);
  const skip = (/** @type {string} */ message) => told.push(message);
  await commit({ skip });
  await commit.call({ skip });
  await commit();
  const alone = casesFor(createMemoryStore).get('what one store wrote the other reads at once');
  await alone({ skip });
  assert.deepEqual(told, [
    'the store has no commit',
    'the store has no commit',
    'makeStore gives no second store on the same data',
  ]);
});

test('no body has a parameter that a runner could take for a callback', () => {
  for (const [title, body] of casesFor(createMemoryStore)) assert.equal(body.length, 0, title);
});

test('what is no runner and no store is refused', async () => {
  assert.throws(() => testJobStore('kit', createMemoryStore, {}), {
    name: 'TypeError',
    message: 'testJobStore: runner: expected an object with a function `test` or `it`',
  });
  for (const made of [{}, { store: createMemoryStore() }, { open: createMemoryStore }]) {
    const [body] = casesFor(() => made).values();
    await assert.rejects(body(), {
      name: 'TypeError',
      message: 'testJobStore: makeStore: expected it to give a store, or { store, open }',
    });
  }
});
