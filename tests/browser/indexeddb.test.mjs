// @ts-check
/** The IndexedDB store in a real Chromium: what every store must do, and what it costs. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openSite } from './store-page.mjs';

/** @typedef {import('playwright-core').Page} Page */

const limit = { timeout: 120_000 };

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;
/** @type {Page} */
let page;

before(async () => {
  site = await openSite();
  page = await site.openPage();
}, limit);

after(() => site?.close());

test('the store is as every store must be', limit, async (t) => {
  const names = await page.evaluate(() => {
    /** @type {any} */
    const world = globalThis;
    world.cases = [];
    let databases = 0;
    const makeStore = async () => {
      databases += 1;
      const name = `case ${databases}`;
      const open = () => world.kit.createIndexedDbStore({ name });
      return { store: await open(), open };
    };
    const runner = {
      test: (/** @type {string} */ name, /** @type {any} */ body) => world.cases.push({ name, body }),
    };
    world.kit.testJobStore('IndexedDB', makeStore, runner);
    return world.cases.map((/** @type {any} */ { name }) => name);
  });
  assert.ok(names.length > 30, `${names.length} cases`);
  for (const [place, name] of names.entries()) {
    await t.test(name, async () => {
      const skipped = await page.evaluate(async (at) => {
        /** @type {string[]} */
        const said = [];
        await /** @type {any} */ (globalThis).cases[at].body({
          skip: (/** @type {string} */ why) => said.push(why),
        });
        return said;
      }, place);
      assert.deepEqual(skipped, []);
    });
  }
});

test('what was committed is there when the database is opened again', limit, async () => {
  const found = await page.evaluate(async () => {
    const { kit, changeOf, eventOf } = /** @type {any} */ (globalThis);
    const first = await kit.createIndexedDbStore({ name: 'again', durability: 'strict' });
    const steps = { b: { status: 'done', attempts: 1 }, a: { status: 'running', attempts: 1 } };
    await first.commit(
      changeOf('j', 0, { context: { z: 1, a: 2, m: 3 }, steps, plan: { steps: [] }, events: [eventOf(1)] }),
    );
    await first.commit(changeOf('j', 1, { context: { a: undefined, m: 4, b: 5 }, events: [eventOf(2)] }));
    const token = await first.acquireLease('j', 'A', 600_000);
    await first.setControl({ paused: true });
    const before = await first.getJob('j');
    await first.close();
    const second = await kit.createIndexedDbStore({ name: 'again' });
    const answer = {
      before: JSON.stringify(before),
      after: JSON.stringify(await second.getJob('j')),
      control: await second.getControl(),
      renewed: await second.renewLease('j', token, 600_000),
    };
    await second.close();
    return answer;
  });
  assert.equal(found.after, found.before);
  const { context, run, history } = JSON.parse(found.after);
  // In the order in which they came, as in an object.
  assert.deepEqual(Object.entries(context), [
    ['z', 1],
    ['m', 4],
    ['b', 5],
  ]);
  assert.deepEqual(Object.keys(run.steps), ['b', 'a']);
  assert.equal(history.length, 2);
  assert.deepEqual(found.control, { paused: true });
  assert.equal(found.renewed, true);
});

test('a commit writes what changed and nothing else', limit, async () => {
  const written = await page.evaluate(async () => {
    const { kit, changeOf, eventOf } = /** @type {any} */ (globalThis);
    const store = await kit.createIndexedDbStore({ name: 'little' });
    const events = Array.from({ length: 1000 }, (_, i) => eventOf(i + 1));
    const context = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`key ${i}`, 'x'.repeat(100)]));
    await store.commit(changeOf('j', 0, { context, events, plan: { steps: [] } }));
    const { put, add } = IDBObjectStore.prototype;
    /** @type {[string, number][]} */
    const puts = [];
    for (const [name, method] of Object.entries({ put, add })) {
      /** @type {any} */ (IDBObjectStore.prototype)[name] = /** @this {IDBObjectStore} */ function (
        /** @type {any[]} */ ...args
      ) {
        puts.push([this.name, JSON.stringify(args[0]).length]);
        return /** @type {any} */ (method).apply(this, args);
      };
    }
    await store.commit(changeOf('j', 1, { context: { 'key 500': 1 }, events: [eventOf(1001)] }));
    Object.assign(IDBObjectStore.prototype, { put, add });
    await store.close();
    return puts;
  });
  assert.deepEqual(written.map(([store]) => store).sort(), ['context', 'events', 'jobs']);
  assert.ok(
    written.every(([, size]) => size < 700),
    JSON.stringify(written),
  );
});

test('the caller may change what it has given while it is written', limit, async () => {
  const found = await page.evaluate(async () => {
    const { kit, changeOf, jobOf, eventOf } = /** @type {any} */ (globalThis);
    const store = await kit.createIndexedDbStore({ name: 'early' });
    const change = changeOf('a', 0, { context: { list: [1] }, events: [eventOf(1, { list: [1] })] });
    const job = jobOf('b', { context: { list: [1] } });
    const writes = [store.commit(change), store.saveJob(job)];
    change.jobId = 'c';
    change.context.list.push(2);
    change.events[0].seq = 7;
    change.events[0].payload.list.push(2);
    job.context.list.push(2);
    job.id = 'd';
    await Promise.all(writes);
    const answer = [
      await store.getJob('a'),
      await store.getJob('b'),
      await store.getJob('c'),
      await store.getJob('d'),
    ];
    const page = await store.getEvents('a', 0, 10);
    await store.close();
    return [
      ...answer.map((job) => job?.context ?? null),
      page.map((/** @type {any} */ { seq, payload }) => [seq, payload]),
    ];
  });
  assert.deepEqual(found, [{ list: [1] }, { list: [1] }, null, null, [[1, { list: [1] }]]]);
});

test('two thousand jobs are listed by pages without reading them all', limit, async () => {
  const { pages, reads, sums } = await page.evaluate(async () => {
    const { kit, jobOf } = /** @type {any} */ (globalThis);
    const store = await kit.createIndexedDbStore({ name: 'many' });
    const statuses = ['created', 'running', 'paused', 'completed', 'failed'];
    for (let i = 0; i < 2000; i += 500) {
      await Promise.all(
        Array.from({ length: 500 }, (_, j) => {
          const n = i + j;
          const timing = { created: 1, completed: n };
          return store.saveJob(
            jobOf(`job ${n}`, { status: statuses[n % 5], parentId: `parent ${n % 2}`, timing }),
          );
        }),
      );
    }
    // What the browser is asked to hand over is counted.
    const reads = { count: 0 };
    const { getAll: fromStore } = IDBObjectStore.prototype;
    const { getAll: fromIndex } = IDBIndex.prototype;
    const counted = (/** @type {any} */ method) =>
      /** @this {any} */ function (/** @type {any[]} */ ...args) {
        const request = method.apply(this, args);
        request.addEventListener('success', () => (reads.count += request.result.length));
        return request;
      };
    IDBObjectStore.prototype.getAll = counted(fromStore);
    IDBIndex.prototype.getAll = counted(fromIndex);
    const questions = [
      {},
      { status: 'paused' },
      { status: ['completed', 'failed'] },
      { parentId: 'parent 1' },
    ];
    questions.push(/** @type {any} */ ({ parentId: 'parent 1', status: ['created', 'running'] }));
    const pages = [];
    for (const question of questions) {
      const page = await store.listJobs({ ...question, cursor: 'job 1004', limit: 3 });
      pages.push(page.map((/** @type {any} */ { id }) => id));
    }
    const answer = { pages, reads: reads.count, sums: /** @type {number[]} */ ([]) };
    IDBObjectStore.prototype.getAll = fromStore;
    IDBIndex.prototype.getAll = fromIndex;
    answer.sums.push(
      (await store.listJobs()).length,
      (await store.listJobs({ parentId: 'parent 0' })).length,
    );
    answer.sums.push(
      await store.prune({ endedBefore: 1000, keepJob: true }),
      await store.prune({ endedBefore: 1000 }),
    );
    answer.sums.push((await store.listJobs()).length);
    await store.close();
    return answer;
  });
  const ids = (/** @type {number[]} */ ...numbers) => numbers.map((n) => `job ${n}`);
  assert.deepEqual(pages, [
    ids(1005, 1006, 1007),
    ids(1007, 1012, 1017),
    ids(1008, 1009, 1013),
    ids(1005, 1007, 1009),
    ids(1005, 1011, 1015),
  ]);
  // A page of three, or of three for each status.
  assert.ok(reads <= 3 * 7, `${reads} rows were read`);
  assert.deepEqual(sums, [2000, 1000, 0, 400, 1600]);
});

test('a head is read without the history, and prune goes on where it stopped', limit, async () => {
  const found = await page.evaluate(async () => {
    const { kit, jobOf, eventOf } = /** @type {any} */ (globalThis);
    const store = await kit.createIndexedDbStore({ name: 'prune' });
    const count = 450;
    await Promise.all(
      Array.from({ length: count }, (_, n) => {
        const timing = { created: 1, completed: n };
        return store.saveJob(jobOf(`job ${n}`, { status: 'completed', timing, history: [eventOf(1)] }));
      }),
    );
    const { transaction } = IDBDatabase.prototype;
    const scopes = /** @type {string[]} */ ([]);
    IDBDatabase.prototype.transaction = function (names, ...rest) {
      scopes.push(String(names));
      return transaction.call(this, names, ...rest);
    };
    const head = await store.getHead('job 7');
    IDBDatabase.prototype.transaction = transaction;
    const answer = {
      scopes,
      head,
      kept: await store.prune({ endedBefore: 400, keepJob: true }),
      again: await store.prune({ endedBefore: 400, keepJob: true }),
      left: (await store.getEvents('job 399', 0)).length,
      next: (await store.getEvents('job 400', 0)).length,
      removed: await store.prune({ endedBefore: 449 }),
      ids: (await store.listJobs()).map((/** @type {any} */ { id }) => id),
    };
    await store.close();
    return answer;
  });
  assert.deepEqual(found.scopes, ['jobs']);
  assert.equal(found.head.id, 'job 7');
  assert.ok(!('history' in found.head));
  assert.deepEqual(
    [found.kept, found.again, found.left, found.next, found.removed, found.ids],
    [400, 0, 0, 1, 449, ['job 449']],
  );
});
