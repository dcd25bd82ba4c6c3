// @ts-check
import { equal, ok } from '../expect.js';
import { change, head, job, method } from './samples.js';

/**
 * @typedef {import('../../index.d.ts').JobStore} JobStore
 * @typedef {import('../../index.d.ts').StoreNotice} StoreNotice
 */

/** How long a notice may take. It only makes early what is found by asking. */
const LONGEST_MS = 10_000;

/** @param {number} ms */
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * @param {StoreNotice[]} notices
 * @param {(notice: StoreNotice) => boolean} isIt
 * @param {string} what
 */
async function told(notices, isIt, what) {
  for (const end = Date.now() + LONGEST_MS; !notices.some(isIt); await sleep(5)) {
    ok(
      Date.now() < end,
      `${what}: expected a notice within ${LONGEST_MS} ms, found ${JSON.stringify(notices)}`,
    );
  }
}

/** @param {StoreNotice} notice */
const isMissed = ({ type }) => type === 'missed';

/**
 * @param {string} jobId
 * @param {number} revision
 * @returns {(notice: StoreNotice) => boolean} that the job has come to this revision, at least
 */
const comesTo = (jobId, revision) => (notice) =>
  isMissed(notice) || (notice.type === 'job' && notice.jobId === jobId && notice.revision >= revision);

/**
 * @param {JobStore} store
 * @param {StoreNotice} notice
 */
async function check(store, notice) {
  checkShape(notice);
  if (notice.type !== 'job') return;
  const revision = (await store.getJob(notice.jobId))?.run?.revision ?? 0;
  ok(revision >= notice.revision, `told of revision ${notice.revision} when ${revision} could be read`);
}

/** @param {StoreNotice} notice */
function checkShape(notice) {
  const { type } = notice;
  ok(['job', 'control', 'missed'].includes(type), `type: expected job, control or missed, found ${type}`);
  if (notice.type !== 'job') return;
  const { jobId, status, revision, parentId } = notice;
  const right = typeof jobId === 'string' && typeof status === 'string' && Number.isSafeInteger(revision);
  ok(
    right && (parentId === undefined || typeof parentId === 'string'),
    `a notice of a job: expected jobId, status, revision, found ${JSON.stringify(notice)}`,
  );
}

/**
 * @param {JobStore} store
 * @param {StoreNotice[]} notices
 */
function watchInto(store, notices) {
  return method(
    store,
    'watch',
  )((notice) => {
    notices.push(notice);
  });
}

/** @param {import('./samples.js').Suite} suite */
export function watchCases({ test }) {
  test(
    'watch tells what is written through another store, after it can be read',
    async (store, open) => {
      const other = await open();
      /** @type {StoreNotice[]} */
      const notices = [];
      /** @type {unknown[]} */
      const problems = [];
      const stop = await method(
        store,
        'watch',
      )((notice) => {
        notices.push(notice);
        check(store, notice).catch((error) => problems.push(error));
      });
      /** @type {[string, () => unknown, (notice: StoreNotice) => boolean][]} */
      const writes = [
        ['a new job', () => method(other, 'commit')(change('j', 0)), comesTo('j', 1)],
        [
          'a commit',
          () => method(other, 'commit')(change('j', 1, { head: head('j', 2, { status: 'running' }) })),
          comesTo('j', 2),
        ],
        [
          'a child',
          () => method(other, 'commit')(change('c', 0, { head: head('c', 1, { parentId: 'j' }) })),
          (notice) =>
            isMissed(notice) || (comesTo('c', 1)(notice) && /** @type {any} */ (notice).parentId === 'j'),
        ],
        ['a job that is saved', () => other.saveJob(job('s')), comesTo('s', 0)],
      ];
      if (typeof other.setControl === 'function') {
        writes.push([
          'control',
          () => other.setControl?.({ paused: true }),
          (notice) => isMissed(notice) || notice.type === 'control',
        ]);
      }
      for (const [what, write, isIt] of writes) {
        notices.length = 0;
        await write();
        await told(notices, isIt, what);
      }
      await stop();
      if (problems.length > 0) throw problems[0];
    },
    ['watch', 'commit', 'open'],
  );

  test(
    'watch leaves nothing out, however fast it comes',
    async (store, open) => {
      const other = await open();
      /** @type {StoreNotice[]} */
      const notices = [];
      const stop = await watchInto(store, notices);
      const names = Array.from({ length: 5 }, (_, i) => `job ${i}`);
      for (let revision = 0; revision < 20; revision += 1) {
        for (const id of names) await method(other, 'commit')(change(id, revision));
      }
      for (const id of names) await told(notices, comesTo(id, 20), `the last commit of ${id}`);
      await stop();
    },
    ['watch', 'commit', 'open'],
  );

  test(
    'who has stopped watching is told nothing more, others are',
    async (store, open) => {
      const other = await open();
      /** @type {StoreNotice[]} */
      const stopped = [];
      /** @type {StoreNotice[]} */
      const notices = [];
      const stop = await watchInto(store, stopped);
      const stopOther = await watchInto(store, notices);
      await method(other, 'commit')(change('j', 0));
      await told(stopped, comesTo('j', 1), 'while watching');
      await stop();
      const before = stopped.length;
      notices.length = 0;
      await method(other, 'commit')(change('k', 0));
      await told(notices, comesTo('k', 1), 'the other watcher');
      equal(stopped.length, before, 'notices after the watcher stopped');
      await stop();
      await stopOther();
    },
    ['watch', 'commit', 'open'],
  );

  test(
    'a watcher that throws harms neither those that write nor other watchers',
    async (store, open) => {
      const other = await open();
      /** @type {StoreNotice[]} */
      const notices = [];
      const stopBad = await method(
        store,
        'watch',
      )(() => {
        throw new Error('not today');
      });
      const stop = await watchInto(store, notices);
      for (const writer of [other, store]) {
        notices.length = 0;
        const revision = (await store.getJob('j'))?.run?.revision ?? 0;
        await method(writer, 'commit')(change('j', revision));
        await writer.saveJob(job('s'));
        equal((await store.getJob('j'))?.run?.revision, revision + 1, 'revision');
        if (writer === other) await told(notices, comesTo('j', revision + 1), 'the other watcher');
      }
      await stopBad();
      await stop();
    },
    ['watch', 'commit', 'open'],
  );

  test(
    'watch gives a function that stops it, on a store alone too',
    async (store) => {
      /** @type {StoreNotice[]} */
      const notices = [];
      const stop = await watchInto(store, notices);
      ok(typeof stop === 'function', `expected a function, found ${typeof stop}`);
      await store.saveJob(job('j'));
      await stop();
      for (const notice of notices) checkShape(notice);
    },
    ['watch'],
  );
}
