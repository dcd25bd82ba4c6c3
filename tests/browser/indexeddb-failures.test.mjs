// @ts-check
/** What the IndexedDB store says where it can't be opened or written. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { importPackage } from '../package/installed.mjs';
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

/**
 * What opening a store is refused with.
 *
 * @param {Page | import('playwright-core').Frame} where
 * @param {unknown} [options]
 */
async function refusalOf(where, options) {
  const { error } = await where.evaluate((options) => {
    const { kit, ending } = /** @type {any} */ (globalThis);
    return ending(kit.createIndexedDbStore(options));
  }, options);
  assert.equal(error?.name, 'JobwrightError', JSON.stringify(options));
  return `${error.code}: ${error.message}`;
}

test('where there is no IndexedDB, a sentence says so', limit, async () => {
  const { createIndexedDbStore } = await importPackage('jobwright/indexeddb');
  const error = await createIndexedDbStore().catch((/** @type {unknown} */ error) => error);
  assert.equal(error.code, 'unsupported');
  assert.match(error.message, /no IndexedDB here to open "jobwright" in\. In Node, use jobwright\/sqlite/);
});

test('where the browser refuses it, a sentence says so', limit, async () => {
  const other = await site.openPage();
  await other.evaluate(async () => {
    const frame = document.createElement('iframe');
    frame.sandbox.add('allow-scripts');
    frame.src = location.href;
    document.body.append(frame);
  });
  const frame = await other.waitForSelector('iframe').then((handle) => handle.contentFrame());
  assert.ok(frame);
  await frame.waitForFunction('globalThis.kit');
  assert.match(await refusalOf(frame, { name: 'boxed' }), /^unsupported: .*does not let this page.*"boxed"/);
  await other.close();
});

test('options that mean nothing are refused', limit, async () => {
  for (const [options, expected] of /** @type {const} */ ([
    [5, /expected options, found 5/],
    [{ name: '' }, /name: expected the name of a database, found ""/],
    [{ name: 7 }, /name: .*found 7/],
    [{ durability: 'none' }, /durability: expected "relaxed" or "strict", found "none"/],
  ])) {
    assert.match(await refusalOf(page, options), expected);
  }
});

test('what is asked wrongly is refused in words', limit, async () => {
  const messages = await page.evaluate(async () => {
    const { kit, ending } = /** @type {any} */ (globalThis);
    const store = await kit.createIndexedDbStore({ name: 'words' });
    const answers = await Promise.all([
      ending(store.getEvents('j', 'x')),
      ending(store.getEvents('j', 0, -1)),
      ending(store.watch(5)),
      ending(store.acquireLease('j', 5, 1)),
      ending(store.prune({ endedBefore: 'yesterday' })),
      ending(store.saveJob({ id: 'j', context: { a: [() => {}] } })),
    ]);
    // Nothing is found under what is no id.
    const none = [await store.getJob(undefined), await store.getHead(null), await store.getEvents(5)];
    await store.deleteJob({});
    await store.close();
    const late = await ending(store.getJob('j'));
    return { answers: [...answers, late].map(({ error }) => `${error.code}: ${error.message}`), none };
  });
  assert.deepEqual(messages.none, [null, null, []]);
  const expected = [
    /^invalid_argument: getEvents: afterSeq: expected a number, found "x"/,
    /^invalid_argument: getEvents: limit/,
    /^invalid_argument: watch: expected a function, found 5/,
    /^invalid_argument: acquireLease: owner/,
    /^invalid_argument: prune: endedBefore/,
    /^invalid_argument: job\.context\.a\[0\]: expected a JSON value, found a function/,
    /^closed: The store on "words" is closed/,
  ];
  assert.equal(messages.answers.length, expected.length);
  for (const [i, pattern] of expected.entries()) assert.match(messages.answers[i] ?? '', pattern);
});

test("a database that is somebody else's is refused and left as it is", limit, async () => {
  for (const [name, version] of /** @type {const} */ ([
    ['theirs', 1],
    ['theirs, later', 7],
  ])) {
    await page.evaluate(
      ([name, version]) =>
        new Promise((resolve) => {
          const request = indexedDB.open(name, version);
          request.onupgradeneeded = () => request.result.createObjectStore('notes').put('theirs', 1);
          request.onsuccess = () => {
            request.result.close();
            resolve(null);
          };
        }),
      /** @type {[string, number]} */ ([name, version]),
    );
  }
  assert.match(
    await refusalOf(page, { name: 'theirs' }),
    /^invalid_argument: "theirs" is an IndexedDB database, but/,
  );
  // It can't be told from one of ours that is newer.
  assert.match(await refusalOf(page, { name: 'theirs, later' }), /^unsupported: .*newer version/);
  const kept = await page.evaluate(async () => {
    const { openDatabase, MIGRATIONS } = await import(/** @type {any} */ ('/inside.js'));
    const refused = await openDatabase('theirs', () => {}, [...MIGRATIONS, () => {}]).catch(
      (/** @type {any} */ error) => error.code,
    );
    const request = indexedDB.open('theirs');
    await new Promise((resolve) => {
      request.onsuccess = resolve;
    });
    const { version, objectStoreNames } = request.result;
    return { refused, version, stores: [...objectStoreNames] };
  });
  assert.deepEqual(kept, { refused: 'invalid_argument', version: 1, stores: ['notes'] });
});

test('where there is no more room, nothing is half written, and jobs can be deleted', limit, async () => {
  // A site of its own: the browser remembers for a while how much room there was.
  const small = await openSite();
  try {
    const page = await small.openPage();
    const session = await small.browser.newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin: small.origin, quotaSize: 4_000_000 });
    await page.evaluate(async () => {
      /** @type {any} */
      const world = globalThis;
      world.store = await world.kit.createIndexedDbStore({ name: 'full' });
      const change = world.changeOf('j', 0, { context: { before: true }, events: [world.eventOf(1)] });
      await world.store.commit(change);
      // The browser looks at what there is before it adds to it.
      for (let isFull = false; !isFull; ) {
        const job = world.jobOf(`large ${Math.random()}`, { context: { text: 'x'.repeat(1_500_000) } });
        isFull = (await world.ending(world.store.saveJob(job))).error !== undefined;
      }
    });
    const { refused, job, heads } = await page.evaluate(async () => {
      const { store, jobOf, changeOf, eventOf, ending } = /** @type {any} */ (globalThis);
      const context = { before: false, small: 1, text: 'y'.repeat(1_500_000) };
      const refused = await Promise.all([
        ending(store.commit(changeOf('j', 1, { context, events: [eventOf(2)] }))),
        ending(store.saveJob(jobOf('new', { context, history: [eventOf(1)] }))),
        ending(store.saveJob(jobOf('j', { context }))),
      ]);
      return { refused, job: await store.getJob('j'), heads: await store.listJobs() };
    });
    for (const { error } of refused) {
      assert.equal(error?.code, 'internal');
      assert.match(
        error.message,
        /^The database "full" could not be written: .*no more room\. Delete or prune/,
      );
      assert.deepEqual(error.details, { name: 'full', indexedDb: 'QuotaExceededError' });
    }
    assert.deepEqual([job.context, job.run.revision, job.history.length], [{ before: true }, 1, 1]);
    const ids = heads.map((/** @type {any} */ { id }) => id);
    assert.ok(ids.length > 1 && !ids.includes('new'), String(ids));
    const after = await page.evaluate(async (ids) => {
      const { store } = /** @type {any} */ (globalThis);
      for (const id of ids.slice(1)) await store.deleteJob(id);
      return (await store.listJobs()).map((/** @type {any} */ { id }) => id);
    }, ids);
    assert.deepEqual(after, ['j']);
  } finally {
    await small.close();
  }
});
