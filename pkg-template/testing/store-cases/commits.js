// @ts-check
import { equal, isConflict, ok, rejects } from '../expect.js';
import { change, event, head, job, method } from './samples.js';

/** @typedef {import('../../index.d.ts').StepState} StepState */

/**
 * @param {string} id
 * @param {number} from
 * @param {number} count
 */
function eventsFrom(id, from, count) {
  return Array.from({ length: count }, (_, i) => event(id, from + i));
}

/** @param {import('./samples.js').Suite} suite */
export function commitCases({ test }) {
  /** @type {StepState} */
  const done = { status: 'done', attempts: 1 };
  const plan = { steps: [{ id: 'a', agent: 'A' }] };

  test(
    'commit creates a job and then applies what changed, and nothing else',
    async (store) => {
      const commit = method(store, 'commit');
      const steps = { a: /** @type {StepState} */ ({ status: 'running', attempts: 1 }), b: done };
      await commit(
        change('j', 0, {
          context: { one: 1, two: { deep: 2 } },
          steps,
          plan,
          events: [event('j', 1), event('j', 2)],
        }),
      );
      await commit(
        change('j', 1, {
          head: head('j', 2, { status: 'running', run: { schema: 1, revision: 2, seq: 3, stepsTaken: 1 } }),
          context: { two: 'replaced', three: 3 },
          steps: { a: done },
          events: [event('j', 3)],
        }),
      );
      const expected = job('j', {
        status: 'running',
        context: { one: 1, two: 'replaced', three: 3 },
        history: eventsFrom('j', 1, 3),
        run: { schema: 1, revision: 2, seq: 3, stepsTaken: 1, plan, steps: { a: done, b: done } },
      });
      equal(await store.getJob('j'), expected, 'job');
    },
    ['commit'],
  );

  test(
    'commit replaces the head whole',
    async (store) => {
      const commit = method(store, 'commit');
      const run = /** @type {const} */ ({ schema: 1, revision: 1, seq: 0, pause: { reason: 'user' } });
      await commit(change('j', 0, { head: head('j', 1, { type: 'parent', config: { a: 1 }, run }) }));
      await commit(change('j', 1));
      equal(await store.getJob('j'), { ...job('j'), run: { schema: 1, revision: 2, seq: 0 } }, 'job');
    },
    ['commit'],
  );

  test(
    'the stored revision is the expected one plus one',
    async (store) => {
      const commit = method(store, 'commit');
      for (let revision = 0; revision < 5; revision += 1) {
        await commit(change('j', revision, { head: head('j', 99) }));
        equal((await store.getJob('j'))?.run?.revision, revision + 1, 'revision');
      }
    },
    ['commit'],
  );

  test(
    'a context key that is undefined in a commit is gone',
    async (store) => {
      const commit = method(store, 'commit');
      await commit(change('j', 0, { context: { a: 1, b: 2 } }));
      await commit(change('j', 1, { context: { a: undefined } }));
      equal((await store.getJob('j'))?.context, { b: 2 }, 'context');
      ok(!Object.hasOwn((await store.getJob('j'))?.context ?? {}, 'a'), 'context.a: expected no such key');
    },
    ['commit'],
  );

  test(
    'a commit at another revision is a conflict and changes nothing',
    async (store) => {
      const commit = method(store, 'commit');
      const more = { context: { x: 1 }, events: [event('j', 1)], steps: { a: done } };
      for (const revision of [1, 2, -1]) {
        await rejects(() => commit(change('j', revision, more)), `no job, revision ${revision}`, isConflict);
      }
      ok(!(await store.getJob('j')), 'job: expected null after refused commits');
      await commit(change('j', 0));
      await commit(change('j', 1));
      const before = await store.getJob('j');
      for (const revision of [0, 1, 3, -1]) {
        await rejects(() => commit(change('j', revision, more)), `revision ${revision}`, isConflict);
      }
      equal(await store.getJob('j'), before, 'job');
    },
    ['commit'],
  );

  test(
    'an event that is stored already is a conflict',
    async (store) => {
      const commit = method(store, 'commit');
      await commit(change('j', 0, { events: eventsFrom('j', 1, 3) }));
      const before = await store.getJob('j');
      await rejects(() => commit(change('j', 1, { events: [event('j', 3)] })), 'event 3', isConflict);
      await rejects(
        () => commit(change('j', 1, { events: [event('j', 5), event('j', 4)] })),
        'order',
        isConflict,
      );
      equal(await store.getJob('j'), before, 'job');
    },
    ['commit'],
  );

  test(
    'commit goes on with a job that was saved',
    async (store) => {
      await store.saveJob(job('plain', { context: { a: 1 }, history: [event('plain', 1)] }));
      await method(store, 'commit')(change('plain', 0, { context: { b: 2 }, events: [event('plain', 2)] }));
      const found = await store.getJob('plain');
      equal(found?.context, { a: 1, b: 2 }, 'context');
      equal(found?.history, eventsFrom('plain', 1, 2), 'history');
      equal(found?.run?.revision, 1, 'revision');
    },
    ['commit'],
  );

  test(
    'nothing of a change is shared with the caller',
    async (store) => {
      const mine = change('j', 0, {
        context: { list: [1] },
        steps: { a: { ...done } },
        events: [event('j', 1, { list: [1] })],
        plan: { steps: [{ id: 'a', agent: 'A' }] },
      });
      await method(store, 'commit')(mine);
      const before = await store.getJob('j');
      /** @type {any} */ (mine.context.list).push(2);
      /** @type {any} */ (mine.events[0]).payload.list.push(2);
      /** @type {any} */ (mine.steps).a.status = 'failed';
      /** @type {any} */ (mine.plan).steps.length = 0;
      mine.head.permissions.maxSteps = 99;
      /** @type {any} */ (mine.head.run).revision = 99;
      equal(await store.getJob('j'), before, 'job');
    },
    ['commit'],
  );

  test(
    'getHead gives what does not grow',
    async (store) => {
      const getHead = method(store, 'getHead');
      equal((await getHead('j')) ?? null, null, 'no job');
      await method(
        store,
        'commit',
      )(change('j', 0, { context: { a: 1 }, plan, steps: { a: done }, events: [event('j', 1)] }));
      const found = await getHead('j');
      equal(found, head('j', 1), 'head');
      for (const key of ['context', 'history'])
        ok(!(key in (found ?? {})), `head.${key}: expected no such key`);
      for (const key of ['plan', 'steps'])
        ok(!(key in (found?.run ?? {})), `head.run.${key}: expected no such key`);
      /** @type {any} */ (found).permissions.maxSteps = 99;
      equal(await getHead('j'), head('j', 1), 'head after the caller changed it');
    },
    ['commit', 'getHead'],
  );

  test(
    'getEvents pages through the history without gaps',
    async (store) => {
      const getEvents = method(store, 'getEvents');
      equal(await getEvents('j', 0, 10), [], 'no job');
      for (let i = 0; i < 10; i += 1) {
        await method(store, 'commit')(change('j', i, { events: eventsFrom('j', i * 10 + 1, 10) }));
      }
      await method(store, 'commit')(change('other', 0, { events: [event('other', 1)] }));
      for (const limit of [1, 7, 10, 99, 100, 1000]) {
        const pages = [];
        for (let after = 0; ; ) {
          const page = await getEvents('j', after, limit);
          ok(page.length <= limit, `limit ${limit}: found ${page.length}`);
          if (page.length === 0) break;
          equal(page[0]?.seq, after + 1, `limit ${limit}: the first event after ${after}`);
          pages.push(...page);
          after = /** @type {import('../../index.d.ts').JobEvent} */ (page.at(-1)).seq;
        }
        equal(pages, eventsFrom('j', 1, 100), `pages of ${limit}`);
      }
      equal(await getEvents('j', 100, 10), [], 'after the last');
      equal(await getEvents('j', 0, 0), [], 'limit 0');
      const page = await getEvents('j', 0, 1);
      /** @type {any} */ (page[0]).payload.jobId = 'changed';
      equal(await getEvents('j', 0, 1), [event('j', 1)], 'events after the caller changed one');
    },
    ['commit', 'getEvents'],
  );
}
