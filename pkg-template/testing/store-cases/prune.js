// @ts-check
import { equal } from '../expect.js';
import { ids } from './lists.js';
import { change, event, job, method } from './samples.js';

/**
 * @typedef {import('../../index.d.ts').Job} Job
 * @typedef {import('../../index.d.ts').JobStatus} JobStatus
 * @typedef {import('../../index.d.ts').JobStore} JobStore
 */

/** More than a store may like to remove at once. */
const MANY = 450;

/** @param {import('./samples.js').Suite} suite */
export function pruneCases({ test }) {
  test(
    'prune removes jobs that ended before',
    async (store) => {
      await saveEnded(store);
      const prune = method(store, 'prune');
      equal(await prune({ endedBefore: 100 }), 0, 'pruned before the first end');
      equal(await prune({ endedBefore: 201 }), 2, 'pruned');
      equal(await ids(store), ['late', 'running', 'paused'], 'ids');
      equal(await prune({ endedBefore: 201 }), 0, 'pruned again');
      equal(await method(store, 'getEvents')('early', 0, 10), [], 'events of a removed job');
    },
    ['prune', 'listJobs', 'getEvents'],
  );

  test(
    'prune with keepJob removes only the history',
    async (store) => {
      await saveEnded(store);
      const prune = method(store, 'prune');
      equal(await prune({ endedBefore: 201, keepJob: true }), 2, 'pruned');
      equal(await prune({ endedBefore: 201, keepJob: true }), 0, 'pruned again');
      equal(await ids(store), ['early', 'late', 'middle', 'running', 'paused'], 'ids');
      const { history, ...kept } = /** @type {Job} */ (await store.getJob('early'));
      const { history: _, ...before } = ended('early', 'completed', 100);
      equal([kept, history], [before, []], 'a job without its history');
      equal((await store.getJob('late'))?.history.length, 2, 'events of a job that ended later');
      equal((await store.getJob('running'))?.history.length, 2, 'events of a job that has not ended');
    },
    ['prune', 'listJobs'],
  );

  test(
    'a job that was pruned leaves nothing behind, and its id may be used again',
    async (store) => {
      await store.saveJob(ended('j', 'failed', 100, { parentId: 'p' }));
      await store.saveJob(ended('other', 'failed', 300, { parentId: 'p' }));
      await method(store, 'prune')({ endedBefore: 200 });
      equal((await store.getJob('j')) ?? null, null, 'job');
      equal(await ids(store, { parentId: 'p' }), ['other'], 'children');
      await method(store, 'commit')(change('j', 0, { events: [event('j', 1)] }));
      const found = await store.getJob('j');
      equal(found?.context, {}, 'context of the job made again');
      equal(found?.history, [event('j', 1)], 'history of the job made again');
      equal(await ids(store), ['other', 'j'], 'ids after it was made again');
    },
    ['prune', 'commit', 'listJobs'],
  );

  test(
    'a job whose history was pruned goes on counting its events',
    async (store) => {
      await store.saveJob(ended('j', 'failed', 100));
      await method(store, 'prune')({ endedBefore: 200, keepJob: true });
      await method(store, 'commit')(change('j', 0, { events: [event('j', 3)] }));
      equal((await store.getJob('j'))?.history, [event('j', 3)], 'history');
      equal(await method(store, 'getEvents')('j', 2, 10), [event('j', 3)], 'events after the second');
    },
    ['prune', 'commit', 'getEvents'],
  );

  test(
    'prune removes any number of jobs, and says how many',
    async (store) => {
      for (let i = 0; i < MANY; i += 1) await store.saveJob(ended(`job ${i}`, 'completed', i));
      const prune = method(store, 'prune');
      equal(await prune({ endedBefore: MANY - 10, keepJob: true }), MANY - 10, 'histories pruned');
      equal(await prune({ endedBefore: MANY - 10 }), MANY - 10, 'jobs pruned');
      const left = Array.from({ length: 10 }, (_, i) => `job ${MANY - 10 + i}`);
      equal(await ids(store), left, 'ids');
    },
    ['prune', 'listJobs'],
  );
}

/**
 * @param {string} id
 * @param {JobStatus} status
 * @param {number} [completed]
 * @param {Partial<Job>} [more]
 */
function ended(id, status, completed, more) {
  const timing = { created: 1, started: 2, ...(completed === undefined ? {} : { completed }) };
  return job(id, { status, timing, history: [event(id, 1), event(id, 2)], context: { kept: true }, ...more });
}

/** @param {JobStore} store */
async function saveEnded(store) {
  await store.saveJob(ended('early', 'completed', 100));
  await store.saveJob(ended('late', 'completed', 300));
  await store.saveJob(ended('middle', 'failed', 200));
  await store.saveJob(ended('running', 'running'));
  await store.saveJob(ended('paused', 'paused'));
}
