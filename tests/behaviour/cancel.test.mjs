// @ts-check
/** cancelJob takes the tree below a job, whatever a store makes of the question for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStore, FREE, LIMIT, setup, within } from './support/setup.mjs';

/** A store that lists every job it has, whatever it is asked. */
function chattyStore() {
  const store = createStore();
  return { ...store, listJobs: async () => [...store.jobs.values()] };
}

test('a store whose listJobs heeds no filter: children are cancelled, others stay', LIMIT, async () => {
  const w = setup({ store: chattyStore() });
  const parent = await w.createJob({}, FREE, { id: 'parent' });
  await w.createJob({}, FREE, { id: 'other' });
  await w.createJob({}, FREE, { id: 'child', parentId: parent });
  await w.createJob({}, FREE, { id: 'grandchild', parentId: 'child' });
  const outcome = await within(w.cancelJob(parent), 'cancelJob');
  assert.deepStrictEqual(outcome.results, {
    parent: 'cancelled',
    child: 'cancelled',
    grandchild: 'cancelled',
  });
  assert.equal(w.store.jobs.get('other').status, 'created');
});

test('jobs that are each other\u2019s parents come to an end', LIMIT, async () => {
  const store = chattyStore();
  const w = setup({ store });
  await w.createJob({}, FREE, { id: 'a' });
  await w.createJob({}, FREE, { id: 'b', parentId: 'a' });
  store.jobs.set('a', { ...store.jobs.get('a'), parentId: 'b' });
  const outcome = await within(w.cancelJob('a'), 'cancelJob');
  assert.deepStrictEqual(outcome.results, { a: 'cancelled', b: 'cancelled' });
});

test('ten thousand children are cancelled in the order they were made', LIMIT, async () => {
  const w = setup({ store: undefined });
  const parent = await w.createJob({}, FREE, { id: 'parent' });
  const ids = [];
  for (let n = 0; n < 10_000; n++)
    ids.push(await w.createJob({}, FREE, { id: `child-${n}`, parentId: parent }));
  const outcome = await w.cancelJob(parent);
  assert.deepStrictEqual(Object.keys(outcome.results), ['parent', ...ids]);
});
