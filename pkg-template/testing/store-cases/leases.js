// @ts-check
import { equal, isConflict, ok, rejects } from '../expect.js';
import { AWKWARD_NAMES, change, job, method } from './samples.js';

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const LEASES = /** @type {const} */ (['acquireLease', 'renewLease', 'releaseLease']);

/** Time enough that a slow machine does not end a lease in the middle of a test. */
const LONG = 600_000;

/** @param {import('./samples.js').Suite} suite */
export function leaseCases({ test }) {
  test(
    'one owner at a time holds the lease of a job',
    async (store) => {
      const acquire = method(store, 'acquireLease');
      equal(await acquire('missing', 'A', LONG), null, 'a lease on no job');
      await store.saveJob(job('j'));
      await store.saveJob(job('other'));
      const token = await acquire('j', 'A', LONG);
      ok(typeof token === 'number', `token: expected a number, found ${token}`);
      equal(await acquire('j', 'B', LONG), null, 'while A holds it');
      ok((await acquire('other', 'B', LONG)) !== null, 'the lease of another job');
      await method(store, 'releaseLease')('j', token);
      const next = await acquire('j', 'B', LONG);
      ok(next !== null && next > token, `expected a token above ${token}, found ${next}`);
      equal(await acquire('j', 'A', LONG), null, 'while B holds it');
    },
    [...LEASES],
  );

  test(
    'of many that ask for a lease at the same moment one gets it',
    async (store) => {
      await store.saveJob(job('j'));
      const asked = Array.from({ length: 20 }, async (_, i) => {
        await null;
        return method(store, 'acquireLease')('j', `owner ${i}`, LONG);
      });
      equal((await Promise.all(asked)).filter((token) => token !== null).length, 1, 'leases');
    },
    [...LEASES],
  );

  test(
    'a lease ends by the clock of the store, unless it is renewed',
    async (store) => {
      const acquire = method(store, 'acquireLease');
      const renew = method(store, 'renewLease');
      await store.saveJob(job('j'));
      const first = Number(await acquire('j', 'A', 30));
      equal(await renew('j', first, LONG), true, 'renewed');
      await sleep(60);
      equal(await acquire('j', 'B', LONG), null, 'after it was renewed');
      equal(await renew('j', first, 1), true, 'renewed for a moment');
      await sleep(30);
      const second = Number(await acquire('j', 'B', LONG));
      ok(second > first, `expected a token above ${first}, found ${second}`);
      equal(await renew('j', first, LONG), false, 'renewed by an owner that lost it');
      await method(store, 'releaseLease')('j', first);
      equal(await acquire('j', 'A', LONG), null, 'after an owner that lost it released it');
      equal(await renew('j', second, LONG), true, 'renewed by the owner');
      equal(await renew('missing', second, LONG), false, 'renewed on no job');
    },
    [...LEASES],
  );

  test(
    'the owner may take its lease again, with a new token',
    async (store) => {
      await store.saveJob(job('j'));
      const first = Number(await method(store, 'acquireLease')('j', 'A', LONG));
      const second = Number(await method(store, 'acquireLease')('j', 'A', LONG));
      ok(second > first, `expected a token above ${first}, found ${second}`);
      equal(await method(store, 'renewLease')('j', first, LONG), false, 'renewed by the old token');
    },
    [...LEASES],
  );

  test(
    'a commit under a lease that is no longer held is a conflict',
    async (store) => {
      const acquire = method(store, 'acquireLease');
      const commit = method(store, 'commit');
      await rejects(() => commit(change('j', 0, { fencingToken: 1 })), 'a new job', isConflict);
      ok(!(await store.getJob('j')), 'job: expected null');
      await commit(change('j', 0));
      const first = Number(await acquire('j', 'A', 1));
      await commit(change('j', 1, { fencingToken: first, context: { by: 'A' } }));
      await sleep(30);
      const second = Number(await acquire('j', 'B', LONG));
      const late = change('j', 2, { fencingToken: first, context: { by: 'late' } });
      await rejects(() => commit(late), 'the old owner', isConflict);
      await rejects(() => commit({ ...late, fencingToken: second + 1 }), 'a token from nowhere', isConflict);
      equal((await store.getJob('j'))?.context, { by: 'A' }, 'context');
      await commit(change('j', 2, { fencingToken: second, context: { by: 'B' } }));
      await commit(change('j', 3, { context: { by: 'a person' } }));
      await method(store, 'releaseLease')('j', second);
      await rejects(() => commit(change('j', 4, { fencingToken: second })), 'after the release', isConflict);
      equal((await store.getJob('j'))?.context, { by: 'a person' }, 'context');
    },
    [...LEASES, 'commit'],
  );

  test(
    'a lease does not outlive its job, and stays while the job is saved',
    async (store) => {
      await store.saveJob(job('j'));
      const first = Number(await method(store, 'acquireLease')('j', 'A', LONG));
      await store.saveJob(job('j', { status: 'running' }));
      equal(await method(store, 'renewLease')('j', first, LONG), true, 'renewed after the job was saved');
      await method(store, 'deleteJob')('j');
      equal(await method(store, 'renewLease')('j', first, LONG), false, 'renewed after the job was deleted');
      await store.saveJob(job('j'));
      const second = Number(await method(store, 'acquireLease')('j', 'B', LONG));
      ok(second > first, `expected a token above ${first}, found ${second}`);
    },
    [...LEASES, 'deleteJob'],
  );

  test(
    'leases take any string for jobs and owners',
    async (store) => {
      const tokens = new Set();
      for (const name of AWKWARD_NAMES) {
        await store.saveJob(job(name));
        const token = await method(store, 'acquireLease')(name, name, LONG);
        equal(await method(store, 'acquireLease')(name, `${name}!`, LONG), null, 'another owner');
        equal(await method(store, 'renewLease')(name, Number(token), LONG), true, 'renewed');
        tokens.add(token);
      }
      equal(tokens.has(null), false, 'no lease');
    },
    [...LEASES],
  );
}
