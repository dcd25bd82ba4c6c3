/** A store to which things happen: which, when, and always the same by the same seed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../pkg-template/parts/memory-store.js';
import { faulty } from '../../pkg-template/testing/faulty.js';
import { changeOf, jobOf } from '../parts/jobs.mjs';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A store in which job `j` counts its commits. */
function createStore() {
  const store = createMemoryStore();
  store.saveJob(jobOf('j'));
  return store;
}

/** Makes the same calls of any store. @param {any} store @param {number} calls */
async function use(store, calls) {
  for (let n = 0; n < calls; n += 1) {
    const call = n % 2 === 0 ? store.getJob('j') : store.saveJob(jobOf('j', { context: { n } }));
    await Promise.race([call.catch(() => {}), turn().then(turn).then(turn).then(turn).then(turn).then(turn)]);
  }
}

test('the same seed does the same to the same calls, another one something else', async () => {
  const faultsOf = async (/** @type {number} */ seed) => {
    const store = faulty(createStore(), { seed, rate: 0.5 });
    await use(store, 60);
    return store.faults;
  };
  assert.deepEqual(await faultsOf(1), await faultsOf(1));
  assert.notDeepEqual(await faultsOf(1), await faultsOf(2));
});

test('of many calls so many meet a fault as the rate says, of every kind', async () => {
  const kinds = /** @type {const} */ (['before', 'after', 'delay', 'stale', 'hang']);
  const store = faulty(createStore(), { seed: 3, rate: 0.5, kinds });
  await use(store, 400);
  // Half of the calls are writes, which are never stale.
  assert.ok(store.faults.length > 130 && store.faults.length < 230, String(store.faults.length));
  for (const kind of kinds) {
    assert.ok(store.faults.filter((fault) => fault.kind === kind).length > 10, kind);
  }
  for (const kind of ['delay', 'hang']) {
    const acted = store.faults.filter((fault) => fault.kind === kind).map((fault) => fault.acted);
    assert.deepEqual(new Set(acted), new Set([true, false]), kind);
  }
  for (const rate of [0, 1]) {
    const other = faulty(createStore(), { seed: 3, rate, kinds: ['before'] });
    await use(other, 20);
    assert.equal(other.faults.length, rate * 20);
  }
});

test('what rejects before did nothing, what rejects after did all', async () => {
  for (const kind of /** @type {const} */ (['before', 'after'])) {
    const good = createStore();
    const store = faulty(good, { seed: 1, rate: 1, kinds: [kind] });
    await assert.rejects(
      async () => store.commit(changeOf('j', 0, { context: { a: 1 } })),
      (/** @type {any} */ error) => {
        const when = kind === 'before' ? 'before anything was done' : 'after it was done';
        assert.equal(error.message, `Fault at call 1 of seed 1: commit of "j" was rejected ${when}`);
        assert.deepEqual([error.name, error.code], ['FaultError', 'fault']);
        assert.equal(error.fault, store.faults[0]);
        return true;
      },
    );
    assert.equal(/** @type {any} */ (good.getJob('j')).context.a, kind === 'after' ? 1 : undefined);
    assert.deepEqual(store.faults, [
      { call: 1, method: 'commit', kind, acted: kind === 'after', jobId: 'j' },
    ]);
  }
});

test('a stale read gives what was read before, as a copy, and nothing that never was', async () => {
  const good = createStore();
  const store = faulty(good, { seed: 5, rate: 0.5, kinds: ['stale'] });
  const seen = new Set();
  let stale = 0;
  for (let n = 1; n <= 60; n += 1) {
    good.saveJob(jobOf('j', { context: { n } }));
    const before = store.faults.length;
    const job = /** @type {any} */ (await store.getJob('j'));
    if (store.faults.length > before) {
      stale += 1;
      assert.ok(seen.has(job.context.n), `${job.context.n} was never read`);
    } else assert.equal(job.context.n, n);
    seen.add(job.context.n);
    job.context.n = 'changed by the caller';
  }
  assert.ok(stale > 15, String(stale));
});

test('a delay goes by the clock that was given', async () => {
  const good = createStore();
  /** @type {(() => void)[]} */
  const sleepers = [];
  const clock = {
    now: () => 0,
    sleep: (/** @type {number} */ ms) => {
      assert.ok(ms >= 0 && ms <= 50, String(ms));
      return new Promise((/** @type {(value?: any) => void} */ resolve) => sleepers.push(resolve));
    },
  };
  const store = faulty(good, { seed: 1, rate: 1, kinds: ['delay'], delayMs: 50, clock });
  for (let n = 1; n <= 10; n += 1) {
    let done = false;
    const saved = Promise.resolve(store.saveJob(jobOf('j', { context: { n } }))).then(() => {
      done = true;
    });
    await turn();
    assert.equal(done, false);
    const { acted } = /** @type {any} */ (store.faults.at(-1));
    assert.equal(/** @type {any} */ (good.getJob('j')).context.n === n, acted);
    for (const wake of sleepers.splice(0)) wake();
    await saved;
    assert.equal(/** @type {any} */ (good.getJob('j')).context.n, n);
  }
});

test('what hangs never settles, until it is released', async () => {
  const store = faulty(createStore(), { seed: 1, rate: 1, kinds: ['hang'] });
  let settled = 0;
  const call = Promise.resolve(store.getJob('j')).finally(() => {
    settled += 1;
  });
  const ended = assert.rejects(call, /^FaultError: Fault at call 1 of seed 1: getJob of "j" never settled/);
  for (let turns = 0; turns < 20; turns += 1) await turn();
  assert.deepEqual([settled, store.hanging()], [0, 1]);
  assert.equal(store.release(), 1);
  await ended;
  assert.deepEqual([store.hanging(), store.release()], [0, 0]);
});

test('by default nothing hangs', async () => {
  const store = faulty(createStore(), { seed: 1, rate: 1 });
  await use(store, 100);
  assert.deepEqual([...new Set(store.faults.map(({ kind }) => kind))].sort(), [
    'after',
    'before',
    'delay',
    'stale',
  ]);
});

test('a store has the methods it had, and no more', async () => {
  const { saveJob, getJob, watch } = createMemoryStore();
  const plain = faulty({ saveJob, getJob, watch, close: () => 'closed' }, { seed: 1, rate: 0 });
  assert.deepEqual(Object.keys(plain).sort(), [
    'close',
    'faults',
    'getJob',
    'hanging',
    'release',
    'saveJob',
    'watch',
  ]);
  assert.equal(plain.close(), 'closed');
  class Store {
    jobs = new Map();
    saveJob(/** @type {any} */ job) {
      this.jobs.set(job.id, job);
    }
    getJob(/** @type {string} */ id) {
      return this.jobs.get(id);
    }
  }
  const store = faulty(new Store(), { seed: 1, rate: 0 });
  await store.saveJob(jobOf('j'));
  assert.deepEqual(await store.getJob('j'), jobOf('j'));
});

for (const [options, message] of /** @type {[any, string][]} */ ([
  [undefined, 'faulty: seed: expected an integer, found undefined'],
  [{ seed: 1.5 }, 'faulty: seed: expected an integer, found 1.5'],
  [{ seed: 1, rate: 2 }, 'faulty: rate: expected a number from 0 to 1, found 2'],
  [{ seed: 1, rate: Number.NaN }, 'faulty: rate: expected a number from 0 to 1, found NaN'],
  [
    { seed: 1, kinds: ['never'] },
    'faulty: kinds: expected some of before, after, delay, stale, hang, found "never"',
  ],
  [
    { seed: 1, kinds: 'hang' },
    'faulty: kinds: expected some of before, after, delay, stale, hang, found "hang"',
  ],
  [{ seed: 1, kinds: [] }, 'faulty: kinds: expected some of before, after, delay, stale, hang, found none'],
  [{ seed: 1, delayMs: -1 }, 'faulty: delayMs: expected milliseconds, found -1'],
])) {
  test(`refused: ${message}`, () => {
    assert.throws(() => faulty(createStore(), options), { name: 'TypeError', message });
  });
}

test('what is no store is refused', () => {
  for (const store of /** @type {any[]} */ ([undefined, {}, { getJob: () => null }])) {
    assert.throws(() => faulty(store, { seed: 1 }), /^TypeError: faulty: store: expected a store, found/);
  }
});
