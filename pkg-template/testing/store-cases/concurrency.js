// @ts-check
import { equal, isConflict, ok } from '../expect.js';
import { ids } from './lists.js';
import { change, event, job, method } from './samples.js';

/**
 * What happens side by side: several callers on one store, and on a second one on the same data where makeStore
 * can open one (else `open` gives the same store again).
 *
 * @typedef {import('../../index.d.ts').JobStore} JobStore
 */

/** @param {number} length */
const upTo = (length) => Array.from({ length }, (_, i) => i + 1);

/**
 * Commits until it is not beaten to it: reads, and tries again at what it read.
 *
 * @param {JobStore} store
 * @param {(now: import('../../index.d.ts').Job, revision: number) => Partial<import('./samples.js').JobChange>} parts
 */
async function commitInTheEnd(store, parts) {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const now = await store.getJob('j');
    if (!now) throw new Error('the job is gone');
    const revision = now.run?.revision ?? 0;
    try {
      await method(store, 'commit')(change('j', revision, parts(now, revision)));
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
    await turn();
  }
  throw new Error(`expected one of ${MOST_TRIES} commits to succeed, each at the revision just read`);
}

/** Many more than there are others to be beaten by. */
const MOST_TRIES = 2_000;

/** Lets others have their turn, stores too that answer at once. */
const turn = () => new Promise((resolve) => setTimeout(resolve));

/** @param {import('./samples.js').Suite} suite */
export function concurrencyCases({ test }) {
  test(
    'of commits at the same moment one wins',
    async (store, open) => {
      const stores = [store, await open()];
      for (let revision = 0; revision < 5; revision += 1) {
        const answers = await Promise.allSettled(
          Array.from({ length: 20 }, async (_, i) => {
            await null;
            const commit = method(/** @type {JobStore} */ (stores[i % 2]), 'commit');
            await commit(
              change('j', revision, {
                context: { [`${revision} by ${i}`]: i },
                events: [event('j', revision + 1, i)],
              }),
            );
            return i;
          }),
        );
        const won = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
        const lost = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
        equal(won.length, 1, `winners at revision ${revision}`);
        ok(lost.every(isConflict), 'losers: expected ConflictErrors');
        const found = await store.getJob('j');
        equal(found?.run?.revision, revision + 1, 'revision');
        equal(found?.history.at(-1)?.payload, won[0], 'the last event');
        equal(
          Object.keys(found?.context ?? {}).includes(`${revision} by ${won[0]}`),
          true,
          "the winner's key",
        );
        equal(Object.keys(found?.context ?? {}).length, revision + 1, 'keys');
        equal(found?.history.length, revision + 1, 'events');
      }
    },
    ['commit'],
  );

  test(
    'many at once on one job, each trying again, lose nothing',
    async (store, open) => {
      const stores = [store, await open()];
      await method(store, 'commit')(change('j', 0, { context: { count: 0 } }));
      const callers = 25;
      await Promise.all(
        upTo(callers).map((n) =>
          commitInTheEnd(/** @type {JobStore} */ (stores[n % 2]), ({ context }, revision) => ({
            context: { count: Number(context.count) + 1, [`by ${n}`]: revision },
            events: [event('j', revision, n)],
          })),
        ),
      );
      const found = await store.getJob('j');
      equal(found?.context.count, callers, 'count');
      equal(Object.keys(found?.context ?? {}).length, callers + 1, 'keys');
      equal(found?.run?.revision, callers + 1, 'revision');
      equal(
        found?.history.map(({ seq }) => seq),
        upTo(callers),
        'events',
      );
      equal(
        found?.history.map(({ payload }) => Number(payload)).sort((a, b) => a - b),
        upTo(callers),
        'who wrote the events',
      );
    },
    ['commit'],
  );

  test(
    'who follows the events while many commit meets each once, in order and without gaps',
    async (store, open) => {
      const stores = [store, await open()];
      const [writers, commits, each] = [4, 10, 3];
      await method(store, 'commit')(change('j', 0));
      let writing = true;
      /** @param {number} n */
      const write = async (n) => {
        for (let done = 0; done < commits; done += 1) {
          await commitInTheEnd(/** @type {JobStore} */ (stores[n % 2]), ({ history }) => ({
            events: upTo(each).map((i) => event('j', history.length + i, { by: n, i })),
          }));
        }
      };
      /** @param {JobStore} reader @param {number} limit */
      const follow = async (reader, limit) => {
        /** @type {number[]} */
        const met = [];
        for (let last = false; ; await turn()) {
          const page = await method(reader, 'getEvents')('j', met.length, limit);
          met.push(...page.map(({ seq }) => seq));
          equal(met, upTo(met.length), 'events that were followed');
          if (page.length === 0 && last) return met;
          last = !writing;
        }
      };
      const following = stores.flatMap((reader) => [follow(reader, 1), follow(reader, 7)]);
      const written = Promise.all(upTo(writers).map(write)).finally(() => {
        writing = false;
      });
      const [, ...met] = await Promise.all([written, ...following]);
      for (const seqs of met) equal(seqs.length, writers * commits * each, 'events');
      const events = await method(store, 'getEvents')('j', 0, 1000);
      equal(
        events.map(({ payload }) => /** @type {any} */ (payload).i),
        upTo(writers * commits).flatMap(() => upTo(each)),
        'the events of a commit, side by side',
      );
    },
    ['commit', 'getEvents'],
  );

  test(
    'listJobs pages through all that was there, each once, while jobs are added, changed and removed',
    async (store, open) => {
      const before = upTo(60).map((i) => `old ${i}`);
      for (const id of before) await store.saveJob(job(id, { parentId: 'p' }));
      const other = await open();
      let paging = true;
      const meddle = async () => {
        for (let n = 0; n < 10 || (paging && n < 200); n += 1) {
          await other.saveJob(job(`new ${n}`, { parentId: 'p' }));
          await other.saveJob(job(`old ${((n * 7) % 60) + 1}`, { parentId: 'p', status: 'running' }));
          if (n % 3 === 0) await other.deleteJob?.(`new ${n - 1}`);
          await turn();
        }
      };
      /** @param {import('../../index.d.ts').JobFilter} filter @param {number} limit */
      const page = async (filter, limit) => {
        /** @type {string[]} */
        const met = [];
        // A new job may be removed while it is the cursor: the pages go on from the last old one, which stays.
        for (let cursor = met.at(-1); ; ) {
          const found = await ids(store, { ...filter, limit, ...(cursor === undefined ? {} : { cursor }) });
          const old = found.filter((id) => id.startsWith('old'));
          ok(!found.some((id) => met.includes(id) && id.startsWith('old')), 'a job that came twice');
          met.push(...found);
          if (found.length < limit || old.length === 0) return met;
          cursor = old.at(-1);
          await turn();
        }
      };
      const pages = Promise.all([page({}, 1), page({}, 7), page({ parentId: 'p' }, 7)]).finally(() => {
        paging = false;
      });
      const [, all] = await Promise.all([meddle(), pages]);
      for (const met of all) {
        equal(
          met.filter((id) => id.startsWith('old')),
          before,
          'jobs that were there',
        );
      }
    },
    ['listJobs'],
  );

  test(
    'jobs that many make at the same moment are all listed, each once',
    async (store, open) => {
      const stores = [store, await open()];
      const names = upTo(40).map((i) => `job ${i}`);
      await Promise.all(
        names.map(async (id, i) => {
          await null;
          await method(/** @type {JobStore} */ (stores[i % 2]), 'commit')(change(id, 0));
        }),
      );
      equal((await ids(store)).sort(), [...names].sort(), 'ids');
      equal(await ids(store), await ids(/** @type {JobStore} */ (stores[1])), 'the order, in both stores');
    },
    ['commit', 'listJobs'],
  );

  test(
    'what one store wrote the other reads at once',
    async (store, open) => {
      const other = await open();
      for (let revision = 0; revision < 5; revision += 1) {
        const [writer, reader] = revision % 2 === 0 ? [store, other] : [other, store];
        await method(writer, 'commit')(change('j', revision, { context: { revision } }));
        equal((await reader.getJob('j'))?.context, { revision }, 'context');
        await writer.saveJob(job('saved', { context: { revision } }));
        equal((await reader.getJob('saved'))?.context, { revision }, 'context of the saved job');
        await writer.setControl?.({ paused: revision % 2 === 0 });
        if (reader.getControl) equal(await reader.getControl(), { paused: revision % 2 === 0 }, 'control');
      }
    },
    ['commit', 'open'],
  );

  test(
    'a lease taken in one store is held in the other, and fences both',
    async (store, open) => {
      const other = await open();
      await method(store, 'commit')(change('j', 0));
      const token = Number(await method(store, 'acquireLease')('j', 'A', 600_000));
      equal(await method(other, 'acquireLease')('j', 'B', 600_000), null, 'while A holds it');
      await method(store, 'releaseLease')('j', token);
      const next = Number(await method(other, 'acquireLease')('j', 'B', 600_000));
      ok(next > token, `expected a token above ${token}, found ${next}`);
      let refused = false;
      try {
        await method(store, 'commit')(change('j', 1, { fencingToken: token }));
      } catch (error) {
        refused = isConflict(error);
      }
      ok(refused, 'a commit by the old owner: expected a ConflictError');
      await method(store, 'commit')(change('j', 1, { fencingToken: next }));
    },
    ['commit', 'acquireLease', 'releaseLease', 'open'],
  );
}
