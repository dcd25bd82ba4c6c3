// @ts-check
/** No descendant escapes a cancel, whatever is being made or run at that moment, and by whom. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSqliteStore } from '../../pkg-template/sqlite/index.js';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, created, createStore, FREE, LIMIT, latch, setup, started } from './support/setup.mjs';
import { createMortalStore } from './support/trees.mjs';

const { createMemoryStore } = jobwright;
const ENDED = { name: 'JobwrightError', code: 'invalid_argument', message: /The parent job has ended/ };
const steps = [{ id: 'one', agent: 'work' }];

/** A store whose answers come after some turns, as its seed says. @param {any} store @param {any} random */
function lateStore(store, random) {
  const late = { ...store };
  for (const name of ['saveJob', 'getJob', 'getHead', 'listJobs', 'commit']) {
    if (typeof store[name] !== 'function') continue;
    late[name] = async (/** @type {any[]} */ ...args) => {
      for (let n = random.below(8); n > 0; n--) await undefined;
      const answer = await store[name](...args);
      for (let n = random.below(8); n > 0; n--) await undefined;
      return answer;
    };
  }
  return late;
}

const worlds = {
  plain: () => ({ stores: [createStore()], end: () => undefined }),
  memory: () => ({ stores: Array(2).fill(createMemoryStore()), end: () => undefined }),
  sqlite: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jobwright-cancel-'));
    const path = join(folder, 'jobs.db');
    const stores = [await createSqliteStore({ path }), await createSqliteStore({ path })];
    const end = async () => {
      for (const store of stores) await store.close();
      rmSync(folder, { recursive: true });
    };
    return { stores, end };
  },
};

for (const [kind, open] of Object.entries(worlds)) {
  test(`${kind} store: whoever makes children while the tree is cancelled`, LIMIT, async () => {
    for (let seed = 1; seed <= (kind === 'sqlite' ? 15 : 60); seed++) await raceOnce(seed, open);
  });
}

/** @param {number} seed @param {() => any} open */
async function raceOnce(seed, open) {
  const random = createRandom(seed);
  const { stores, end } = await open();
  const worlds = stores.map((/** @type {any} */ store) => setup({ store: lateStore(store, random) }));
  const any = () => worlds[random.below(worlds.length)];
  const root = await created(any(), steps);
  const ids = [root];
  const outcomes = /** @type {string[]} */ ([]);
  const create = async () => {
    for (let n = random.below(40); n > 0; n--) await undefined;
    const parentId = ids[random.below(ids.length)];
    try {
      ids.push(await created(any(), steps, { parentId }));
    } catch (error) {
      assert.equal(/** @type {any} */ (error).code, 'invalid_argument', `seed ${seed}: ${error}`);
      outcomes.push('refused');
    }
  };
  const creators = Array.from({ length: 12 }, create);
  for (let n = random.below(60); n > 0; n--) await undefined;
  const { results } = await any().cancelJob(root);
  await Promise.all(creators);
  for (const id of ids) {
    const job = await stores[0].getJob(id);
    assert.equal(job.run?.failure?.code, 'cancelled', `seed ${seed}: ${id} escaped: ${job.status}`);
  }
  for (const [id, result] of Object.entries(results))
    assert.equal(result, 'cancelled', `seed ${seed}: ${id}`);
  await end();
}

test(
  'a child that is stored after its parent was cancelled is cancelled, and its maker is told',
  LIMIT,
  async () => {
    const store = createMemoryStore();
    const gate = latch();
    const asked = latch();
    const slow = {
      ...store,
      commit: async (/** @type {any} */ change) => {
        if (change.jobId === 'child') {
          asked.open();
          await gate.promise;
        }
        return store.commit(change);
      },
    };
    // The parent's runner elsewhere does not know of the cancel.
    const [here, there] = [
      setup({ store }),
      setup({ store: slow, agentRegistry: { work: () => new Promise(() => {}) } }),
    ];
    const parent = await started(there, steps);
    void there.runJob(parent);
    const making = there.createJob({}, FREE, { id: 'child', parentId: parent });
    await asked.promise;
    assert.deepStrictEqual((await here.cancelJob(parent)).results, { [parent]: 'cancelled' });
    gate.open();
    await assert.rejects(making, ENDED);
    assert.equal((await store.getJob('child')).run.failure.code, 'cancelled');
  },
);

test('no agent hears of the cancel before all of the tree has ended', LIMIT, async () => {
  const store = createMemoryStore();
  const begun = latch();
  const heard = latch();
  /** @type {any} */
  let seen;
  const work = async (/** @type {any} */ _, /** @type {any} */ { signal }) => {
    signal.addEventListener('abort', async () => {
      const made = w
        .createJob({}, FREE, { parentId: 'grandchild' })
        .catch((/** @type {any} */ error) => error);
      seen = {
        statuses: ['child', 'grandchild'].map((id) => store.getHead(id).status),
        code: (await made).code,
      };
      heard.open();
    });
    begun.open();
    return new Promise(() => {});
  };
  const w = setup({ store: lateStore(store, createRandom(1)), agentRegistry: { work } });
  const root = await started(w, steps);
  await created(w, steps, { id: 'child', parentId: root });
  await w.createJob({}, FREE, { id: 'grandchild', parentId: 'child' });
  const run = w.runJob(root);
  await begun.promise;
  await w.cancelJob(root);
  await heard.promise;
  assert.deepStrictEqual(seen, { statuses: ['failed', 'failed'], code: 'invalid_argument' });
  assertRefused(await run, 'cancelled');
});

test('a cancel that the store cut short goes on with the rest, and can be finished', LIMIT, async () => {
  const store = createMemoryStore();
  const failure = new Error('no disk');
  let fails = true;
  const w = setup({
    store: {
      ...store,
      commit: (/** @type {any} */ change) =>
        fails && change.jobId === 'a' && change.head.status === 'failed'
          ? Promise.reject(failure)
          : store.commit(change),
    },
  });
  const root = await created(w, steps);
  for (const [id, parentId] of [
    ['a', root],
    ['aa', 'a'],
    ['b', root],
  ])
    await created(w, steps, { id, parentId });
  await assert.rejects(w.cancelJob(root), failure);
  const statuses = async () =>
    Promise.all([root, 'a', 'aa', 'b'].map(async (id) => (await w.getJob(id)).status));
  assert.deepStrictEqual(await statuses(), ['failed', 'created', 'failed', 'failed']);
  fails = false;
  await w.clock.advance(1);
  const { results } = await w.cancelJob(root);
  assert.deepStrictEqual(results, {
    [root]: 'already_ended',
    a: 'cancelled',
    aa: 'already_ended',
    b: 'already_ended',
  });
  assertRefused(await w.cancelJob(root), 'invalid_transition');
});

test('recover cancels what a step of a job that was cancelled made', LIMIT, async () => {
  const store = createMemoryStore();
  const first = setup({ store: { ...store, listJobs: () => Promise.reject(new Error('cut short')) } });
  const root = await started(first, steps);
  // As a step of the root would have made it, and one that somebody else made.
  const child = await started(first, steps, { parentId: root, id: `${root}:sub` });
  const left = await started(first, steps, { parentId: root });
  const other = await started(first, steps);
  await assert.rejects(first.cancelJob(root), /cut short/);
  const second = setup({ store });
  assert.deepStrictEqual(await second.recover(), { resumed: [left, other] });
  assert.equal((await second.getJob(child)).run.failure.code, 'cancelled');
  // A monitor that is aborted leaves them running too; who cancelled the tree cancels it again.
  assert.deepStrictEqual((await second.cancelJob(root)).results[left], 'cancelled');
});

for (const [how, items] of /** @type {[string, any][]} */ ([
  ['a step', {}],
  ['an item', { forEach: [1, 2] }],
]))
  test(`recover cancels what ${how} made of a job that failed when its process died`, LIMIT, async () => {
    const store = createMortalStore();
    let isDead = false;
    const mortal = Object.fromEntries(
      Object.entries(store).map(([name, method]) => [
        name,
        (/** @type {any[]} */ ...asked) => {
          if (isDead) return new Promise(() => {});
          const answer = /** @type {any} */ (method)(...asked);
          const [{ jobId, head } = /** @type {any} */ ({})] = asked;
          isDead = name === 'commit' && jobId === 'root' && head.status === 'failed';
          return answer;
        },
      ]),
    );
    const begun = latch();
    const agentRegistry = {
      slow() {
        begun.open();
        return new Promise(() => {});
      },
      fails: async () => {
        await begun.promise;
        throw new Error('no');
      },
    };
    const first = setup({ store: mortal, agentRegistry });
    const inner = { plan: { steps: [{ id: 'deep', agent: 'slow' }] } };
    const root = await started(
      first,
      [
        { id: 'sub', job: inner, after: [], ...items },
        { id: 'bad', agent: 'fails', after: [] },
      ],
      { id: 'root' },
    );
    void first.runJob(root);
    while (!isDead) await new Promise((resolve) => setImmediate(resolve));
    // Somebody else's, though its id is like those that steps give.
    const second = setup({ store, agentRegistry });
    const children = await second.listJobs({ parentId: root, status: 'running' });
    assert.ok(children.length > 0, 'no child was left running');
    const like = /** @type {any} */ (await store.getJob(children[0].id));
    await store.saveJob({ ...like, id: `${root}:other` });
    store.endLeases();
    assert.deepStrictEqual(await second.recover(), { resumed: [`${root}:other`] });
    for (const { id } of children) assert.equal((await second.getJob(id)).run.failure?.code, 'cancelled', id);
  });
