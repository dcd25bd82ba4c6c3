// @ts-check
import { equal, ok, rejects } from '../expect.js';
import { AWKWARD_NAMES, change, event, head, job, method } from './samples.js';

/**
 * @typedef {import('../../index.d.ts').JobFilter} JobFilter
 * @typedef {import('../../index.d.ts').JobStatus} JobStatus
 * @typedef {import('../../index.d.ts').JobStore} JobStore
 */

const STATUSES = /** @type {const} */ (['created', 'running', 'paused', 'completed', 'failed']);

/**
 * @param {JobStore} store
 * @param {JobFilter} [filter]
 */
export async function ids(store, filter) {
  return (await method(store, 'listJobs')(filter)).map(({ id }) => id);
}

/**
 * @param {JobStore} store
 * @param {JobFilter} filter
 * @param {number} limit
 */
async function idsByPages(store, filter, limit) {
  /** @type {string[]} */
  const all = [];
  for (;;) {
    const cursor = all.at(-1);
    const page = await ids(store, { ...filter, limit, ...(cursor === undefined ? {} : { cursor }) });
    ok(page.length <= limit, `limit ${limit}: found ${page.length}`);
    if (page.length === 0) return all;
    ok(!page.some((id) => all.includes(id)), `limit ${limit}: found a job twice`);
    all.push(...page);
  }
}

/** @param {import('./samples.js').Suite} suite */
export function listCases({ test }) {
  test(
    'listJobs gives heads in order of creation',
    async (store) => {
      equal(await method(store, 'listJobs')(), [], 'nothing yet');
      const names = ['z', 'a', '10', '9', 'm'];
      for (const id of names) await store.saveJob(job(id, { context: { big: 1 }, history: [event(id, 1)] }));
      equal(await ids(store), names, 'ids');
      await store.saveJob(job('a', { status: 'running' }));
      equal(await ids(store, {}), names, 'ids after one was saved again');
      const [first] = await method(store, 'listJobs')({ limit: 1 });
      const { context, history, ...expected } = job('z');
      equal(first, expected, 'head');
      for (const key of ['context', 'history'])
        ok(!(key in (first ?? {})), `head.${key}: expected no such key`);
      /** @type {any} */ (first).permissions.maxSteps = 99;
      equal(await method(store, 'listJobs')({ limit: 1 }), [expected], 'head after the caller changed it');
    },
    ['listJobs'],
  );

  test(
    'listJobs filters by status and parent, and pages',
    async (store) => {
      /** @type {{ id: string, status: JobStatus, parentId?: string }[]} */
      const jobs = Array.from({ length: 60 }, (_, i) => ({
        id: `job ${(i * 37) % 60}`,
        status: /** @type {JobStatus} */ (STATUSES[i % 5]),
        ...(i % 3 === 0 ? {} : { parentId: `parent ${i % 3}` }),
      }));
      for (const { id, ...more } of jobs) await store.saveJob(job(id, more));
      /** @type {(filter: JobFilter) => string[]} */
      const expected = ({ status, parentId }) =>
        jobs
          .filter((one) => status === undefined || [status].flat().includes(one.status))
          .filter((one) => parentId === undefined || one.parentId === parentId)
          .map(({ id }) => id);
      /** @type {JobFilter[]} */
      const filters = [
        {},
        { status: 'running' },
        { status: ['completed', 'failed'] },
        { status: [] },
        { parentId: 'parent 1' },
        { parentId: 'parent 2', status: ['running', 'paused', 'created'] },
        { parentId: 'nobody' },
      ];
      for (const filter of filters) {
        const what = JSON.stringify(filter);
        equal(await ids(store, filter), expected(filter), what);
        equal(await ids(store, { ...filter, limit: 4 }), expected(filter).slice(0, 4), `${what}, limit 4`);
        equal(await ids(store, { ...filter, limit: 0 }), [], `${what}, limit 0`);
        for (const limit of [1, 7, 60]) {
          equal(await idsByPages(store, filter, limit), expected(filter), `${what}, pages of ${limit}`);
        }
      }
    },
    ['listJobs'],
  );

  test(
    'listJobs follows status and parent as they change',
    async (store) => {
      const commit = method(store, 'commit');
      await commit(change('a', 0, { head: head('a', 1, { parentId: 'p' }) }));
      await commit(change('b', 0, { head: head('b', 1, { parentId: 'p' }) }));
      await commit(change('a', 1, { head: head('a', 2, { parentId: 'q', status: 'running' }) }));
      equal(await ids(store, { parentId: 'p' }), ['b'], 'children of p');
      equal(await ids(store, { parentId: 'q' }), ['a'], 'children of q');
      equal(await ids(store, { status: 'created' }), ['b'], 'created');
      await commit(change('a', 2, { head: head('a', 3, { parentId: 'p', status: 'running' }) }));
      equal(await ids(store, { parentId: 'p' }), ['a', 'b'], 'children of p, in order of creation');
    },
    ['listJobs', 'commit'],
  );

  test(
    'listJobs takes any string for ids and parents',
    async (store) => {
      for (const name of AWKWARD_NAMES) await store.saveJob(job(name, { parentId: name }));
      equal(await idsByPages(store, {}, 5), AWKWARD_NAMES, 'ids');
      for (const name of AWKWARD_NAMES) equal(await ids(store, { parentId: name }), [name], 'children');
    },
    ['listJobs'],
  );

  test(
    'a cursor that is no job is refused',
    async (store) => {
      await store.saveJob(job('a'));
      await rejects(() => method(store, 'listJobs')({ cursor: 'missing' }), 'cursor');
    },
    ['listJobs'],
  );

  test(
    'deleteJob leaves nothing',
    async (store) => {
      const deleteJob = method(store, 'deleteJob');
      const commit = method(store, 'commit');
      const steps = { a: { status: /** @type {const} */ ('done'), attempts: 1 } };
      const all = { context: { a: 1 }, steps, plan: { steps: [] }, events: [event('j', 1)] };
      await commit(change('j', 0, { ...all, head: head('j', 1, { parentId: 'p' }) }));
      await commit(change('other', 0, all));
      const other = await store.getJob('other');
      await deleteJob('j');
      await deleteJob('j');
      await deleteJob('missing');
      ok(!(await store.getJob('j')), 'job: expected null');
      equal(await method(store, 'getEvents')('j', 0, 10), [], 'events');
      equal(await ids(store), ['other'], 'ids');
      equal(await ids(store, { parentId: 'p' }), [], 'children');
      await rejects(() => commit(change('j', 1)), 'commit to a deleted job');
      await commit(change('j', 0));
      equal(await store.getJob('j'), { ...job('j'), run: head('j', 1).run }, 'the job made again');
      equal(await ids(store), ['other', 'j'], 'ids after it was made again');
      equal(await store.getJob('other'), other, 'the other job');
    },
    ['deleteJob', 'commit', 'getEvents', 'listJobs'],
  );

  test(
    'control is shared and starts as null',
    async (store) => {
      const getControl = method(store, 'getControl');
      equal((await getControl()) ?? null, null, 'control');
      for (const paused of [true, false, true]) {
        await method(store, 'setControl')({ paused });
        equal(await getControl(), { paused }, 'control');
      }
    },
    ['getControl', 'setControl'],
  );
}
