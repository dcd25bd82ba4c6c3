// @ts-check
import { equal, ok, rejects } from '../expect.js';
import { change, event, head, method } from './samples.js';

/**
 * @typedef {import('../../index.d.ts').JobChange} JobChange
 * @typedef {import('../../index.d.ts').JobStore} JobStore
 * @typedef {import('../../index.d.ts').StepState} StepState
 */

/** @type {StepState} */
const DONE = { status: 'done', attempts: 1 };
/** @type {StepState} */
const RUNNING = { status: 'running', attempts: 1 };

/**
 * A change that touches every part of a job.
 *
 * @param {string} id
 * @param {number} revision
 * @param {Partial<JobChange>} [more]
 */
function changeOfAll(id, revision, more) {
  const status = /** @type {const} */ ('running');
  return change(id, revision, {
    head: head(id, revision + 1, { status, parentId: 'new parent', config: { fresh: true } }),
    plan: { steps: [{ id: 'fresh', agent: 'A' }] },
    steps: { a: DONE, fresh: RUNNING },
    context: { kept: 'changed', fresh: 1, gone: undefined },
    events: [event(id, revision * 2 + 1), event(id, revision * 2 + 2)],
    ...more,
  });
}

/** Ways in which a change turns out to be wrong only after a part of it could have been written. */
const FAULTS = {
  /** @param {JobChange} good */
  'an event that is stored already, after a new one': (good) => {
    const [first, second] = /** @type {[any, any]} */ (good.events);
    return { ...good, events: [first, { ...second, seq: 1 }] };
  },
  /** @param {JobChange} good */
  'a bad value in the last event': (good) => {
    const [first, second] = /** @type {[any, any]} */ (good.events);
    return { ...good, events: [first, { ...second, payload: { bad: 1n } }] };
  },
  /** @param {JobChange} good */
  'a bad value in the last step': (good) => ({
    ...good,
    steps: { ...good.steps, last: /** @type {any} */ ({ bad: () => {} }) },
  }),
  /** @param {JobChange} good */
  'a getter that throws, in the last key of the context': (good) => ({
    ...good,
    context: {
      ...good.context,
      last: {
        get bad() {
          throw new Error('not for you');
        },
      },
    },
  }),
  /** @param {JobChange} good */
  'a fencing token of nobody': (good) => ({ ...good, fencingToken: 123_456_789 }),
  /** @param {JobChange} good */
  'another revision': (good) => ({ ...good, expectedRevision: good.expectedRevision + 1 }),
};

/**
 * All that can be seen of a job.
 *
 * @param {JobStore} store
 * @param {string} id
 */
async function seen(store, id) {
  /** @param {import('../../index.d.ts').JobFilter} filter */
  const list = async (filter) => (await store.listJobs?.(filter))?.map((one) => one.id);
  return {
    job: (await store.getJob(id)) ?? null,
    head: (await store.getHead?.(id)) ?? null,
    events: await store.getEvents?.(id, 0, 100),
    all: await list({}),
    running: await list({ status: 'running' }),
    children: await list({ parentId: 'new parent' }),
  };
}

/** @param {import('./samples.js').Suite} suite */
export function atomicityCases({ test }) {
  for (const [what, spoil] of Object.entries(FAULTS)) {
    test(
      `a commit refused for ${what} changes nothing at all`,
      async (store) => {
        const commit = method(store, 'commit');
        await commit(
          change('j', 0, {
            head: head('j', 1, { parentId: 'old parent' }),
            plan: { steps: [{ id: 'a', agent: 'A' }] },
            steps: { a: RUNNING },
            context: { kept: 1, gone: 2 },
            events: [event('j', 1), event('j', 2)],
          }),
        );
        await commit(change('other', 0, { context: { mine: 1 } }));
        const before = await seen(store, 'j');
        const good = changeOfAll('j', 1);
        await rejects(() => commit(spoil(good)), what);
        equal(await seen(store, 'j'), before, 'what can be seen of the job');
        await commit(good);
        const after = await store.getJob('j');
        equal(after?.context, { kept: 'changed', fresh: 1 }, 'context after the change was put right');
        equal(after?.history.length, 4, 'events after the change was put right');
        equal((await store.getJob('other'))?.context, { mine: 1 }, 'the other job');
      },
      ['commit'],
    );
  }

  test(
    'a new job whose commit is refused is not there at all',
    async (store) => {
      const commit = method(store, 'commit');
      for (const [what, spoil] of Object.entries(FAULTS)) {
        const before = await seen(store, 'new');
        // Nothing is stored yet that its events could collide with, but each other.
        const good = changeOfAll('new', 0);
        await rejects(() => commit(spoil(good)), what);
        equal(await seen(store, 'new'), before, `after ${what}, what can be seen of the job`);
      }
      await commit(changeOfAll('new', 0));
      equal((await store.getJob('new'))?.history.length, 2, 'events after the change was put right');
    },
    ['commit'],
  );

  test(
    'who reads while others commit sees whole commits, one after the other',
    async (store, open) => {
      const stores = [store, await open()];
      const rounds = 40;
      /** @param {number} n */
      const parts = (n) => ({
        head: head('j', n, { status: n % 2 === 0 ? 'running' : 'paused', config: { n } }),
        context: { first: n, last: n },
        steps: { a: { status: /** @type {const} */ ('done'), attempts: n }, b: { ...DONE, attempts: n } },
        events: [event('j', n * 2 - 1, n), event('j', n * 2, n)],
      });
      await method(store, 'commit')(change('j', 0, parts(1)));
      let ended = false;
      const write = async () => {
        for (let n = 1; n < rounds; n += 1) {
          const writer = /** @type {JobStore} */ (stores[n % stores.length]);
          await method(writer, 'commit')(change('j', n, parts(n + 1)));
          await null;
        }
        ended = true;
      };
      /** @param {JobStore} reader */
      const read = async (reader) => {
        for (let last = 0; !ended; await turn()) {
          const found = await reader.getJob('j');
          const n = Number(found?.run?.revision);
          const { first, last: end } = /** @type {any} */ (found?.context ?? {});
          const attempts = Object.values(found?.run?.steps ?? {}).map((step) => step.attempts);
          const told = found?.history.map(({ payload }) => payload);
          const expected = Array.from({ length: n * 2 }, (_, i) => (i >> 1) + 1);
          const whole = [n, n, n, [n, n], expected];
          equal([found?.config?.n, first, end, attempts, told], whole, `the job at revision ${n}`);
          ok(n >= last, `expected revision ${last} or a later one, found ${n}`);
          last = n;
        }
      };
      const answers = await Promise.allSettled([write(), ...[...stores, ...stores].map(read)]);
      ended = true;
      for (const answer of answers) if (answer.status === 'rejected') throw answer.reason;
    },
    ['commit'],
  );
}

/** Lets others have their turn, stores too that answer at once. */
const turn = () => new Promise((resolve) => setTimeout(resolve));
