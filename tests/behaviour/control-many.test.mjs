// @ts-check
/** What is done to all jobs is done to many at a time, and to the others too where it fails for one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { LIMIT, setup } from './support/setup.mjs';

const { createMemoryStore } = jobwright;

const COUNT = 100;
const plan = { steps: [{ id: 'sent', wait: { signal: 'go' } }] };

/** A store that takes a while to commit or to lease, and can't commit one job. */
function createSlowStore() {
  const inner = createMemoryStore();
  const seen = { now: 0, most: 0, broken: '' };
  async function takeAWhile() {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    await new Promise(setImmediate);
    seen.now -= 1;
  }
  return {
    ...inner,
    seen,
    async commit(/** @type {any} */ change) {
      await takeAWhile();
      if (change.head.id === seen.broken) throw new Error('disk full');
      return inner.commit(change);
    },
    async acquireLease(/** @type {[string, string, number]} */ ...asked) {
      await takeAWhile();
      return inner.acquireLease(...asked);
    },
  };
}

/** @param {any} store @param {() => Promise<any>} act @returns {Promise<any>} what came of it */
async function watched(store, act) {
  store.seen.most = 0;
  const answer = await act().catch((error) => error);
  assert.ok(store.seen.most > 8 && store.seen.most <= 32, `${store.seen.most} calls side by side`);
  return answer;
}

test('all jobs are paused, started and taken over many at a time', LIMIT, async () => {
  const store = createSlowStore();
  const w = setup({ store });
  /** @type {string[]} */
  const ids = [];
  for (let n = 0; n < COUNT; n++) {
    ids.push(await w.createJob({}, { requireApproval: false }, { plan }));
    await w.startJob(ids[n]);
  }
  const paused = await watched(store, () => w.pauseAll());
  assert.deepEqual(paused, { paused: ids, pending: [] });
  assert.equal((await w.listJobs({ status: 'paused' })).length, COUNT);
  assert.deepEqual((await watched(store, () => w.startAll())).started, ids);
  assert.equal((await w.listJobs({ status: 'running' })).length, COUNT);

  const next = setup({ store });
  const { resumed } = await watched(store, () => next.recover());
  assert.deepEqual(resumed, ids, 'in the order in which they were made');

  store.seen.broken = ids[3] ?? '';
  const failed = await watched(store, () => w.pauseAll());
  assert.equal(failed.message, 'disk full');
  const running = await w.listJobs({ status: 'running' });
  assert.deepEqual(
    running.map(({ id }) => id),
    [ids[3]],
  );
});
