// @ts-check
/** A database that is upgraded, deleted or taken away while a tab has it open. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openSite } from './store-page.mjs';
import { ask, jobOf, nobodyPresent, openStore, withTabs } from './tabs.mjs';
import { until } from './until.mjs';

/** @typedef {import('playwright-core').Page} Page */

const limit = { timeout: 120_000 };
/** Time enough that a slow machine does not end a lease in the middle of a test. */
const LONG = 600_000;

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;

before(async () => {
  site = await openSite();
}, limit);

after(() => site?.close());

/**
 * Opens the next version of the database, as a newer release does; `globalThis.newer` is its promise.
 *
 * @param {Page} page
 * @param {string} name
 */
function beginUpgrade(page, name) {
  return page.evaluate(async (name) => {
    /** @type {any} */
    const world = globalThis;
    const { openDatabase, MIGRATIONS } = await import(/** @type {any} */ ('/inside.js'));
    const next = (/** @type {any} */ database) => database.createObjectStore('more');
    world.newer = openDatabase(name, () => {}, [...MIGRATIONS, next]);
    world.opened = false;
    world.newer.then(() => {
      world.opened = true;
    });
  }, name);
}

/** @param {Page} page */
const upgraded = (page) =>
  page.evaluate(async () => [...(await /** @type {any} */ (globalThis).newer).database.objectStoreNames]);

test(
  'a newer version upgrades while an older tab is open, which says so and gives up its leases',
  limit,
  () =>
    withTabs(site, 'upgrade', async ([one, two]) => {
      await ask(two, 'close');
      await ask(one, 'saveJob', jobOf('j', { context: { kept: 1 } }));
      await ask(one, 'acquireLease', 'j', 'A', LONG);
      // One that is under way is finished first.
      await one.evaluate(() => {
        /** @type {any} */
        const world = globalThis;
        world.late = world.store.saveJob(world.jobOf('late'));
      });
      await beginUpgrade(two, 'upgrade');
      assert.ok((await upgraded(two)).includes('more'));
      await one.evaluate(() => /** @type {any} */ (globalThis).late);
      const methods = ['getJob', 'saveJob', 'listJobs', 'acquireLease', 'getControl'];
      const args = /** @type {Record<string, unknown[]>} */ ({
        saveJob: [jobOf('k')],
        acquireLease: ['j', 'A', 1],
      });
      for (const method of methods) {
        const { error } = await ask(one, method, ...(args[method] ?? ['j']));
        assert.deepEqual([error?.name, error?.code], ['JobwrightError', 'closed'], method);
        assert.match(error?.message ?? '', /newer version of jobwright.*load this page again/);
      }
      assert.equal((await ask(one, 'close')).error, undefined);
      await until(two, nobodyPresent);
      assert.match(
        await refusalOf(one, 'upgrade'),
        /^unsupported: .*newer version of jobwright.*up to version 1/,
      );
      const jobs = await two.evaluate(async () => {
        const { database } = await /** @type {any} */ (globalThis).newer;
        return (await database.getAll('jobs')).map((/** @type {any} */ { id }) => id);
      });
      assert.deepEqual(jobs, ['j', 'late']);
    }),
);

test('a newer version waits for a tab that does not close its connection, and goes on', limit, () =>
  withTabs(site, 'waiting', async ([one, two]) => {
    await ask(two, 'close');
    await one.evaluate(async () => {
      /** @type {any} */
      const world = globalThis;
      world.stubborn = await new Promise((resolve) => {
        const request = indexedDB.open('waiting');
        request.onsuccess = () => resolve(request.result);
      });
    });
    await beginUpgrade(two, 'waiting');
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(await two.evaluate(() => /** @type {any} */ (globalThis).opened), false);
    await one.evaluate(() => /** @type {any} */ (globalThis).stubborn.close());
    assert.ok((await upgraded(two)).includes('more'));
  }),
);

/**
 * What opening a store is refused with.
 *
 * @param {Page} page
 * @param {string} name
 */
async function refusalOf(page, name) {
  const { error } = await page.evaluate((name) => {
    const { kit, ending } = /** @type {any} */ (globalThis);
    return ending(kit.createIndexedDbStore({ name }));
  }, name);
  return `${error.code}: ${error.message}`;
}

test('a store whose database is deleted says so, and a new one begins empty', limit, () =>
  withTabs(site, 'deleted', async ([one, two]) => {
    await ask(one, 'saveJob', jobOf('j'));
    await two.evaluate(() =>
      new Promise((resolve) => {
        indexedDB.deleteDatabase('deleted').onsuccess = resolve;
      }).then(() => {}),
    );
    for (const page of [one, two]) {
      const { error } = await ask(page, 'getJob', 'j');
      assert.equal(error?.code, 'closed');
      assert.match(
        error?.message ?? '',
        /"deleted" was closed because the database was deleted: open a new store/,
      );
      await openStore(page, 'deleted');
      assert.deepEqual(await ask(page, 'listJobs'), { value: [] });
    }
  }),
);

test('who follows a job hears that its database was deleted', limit, () =>
  withTabs(site, 'followed', async ([one, two]) => {
    await one.evaluate(async () => {
      /** @type {any} */
      const world = globalThis;
      const { createOrchestrator } = world.kit;
      const orchestrator = createOrchestrator({ store: world.store });
      const id = await orchestrator.createJob({}, {}, { plan: { steps: [{ id: 'a', agent: 'nobody' }] } });
      const follow = async () => {
        for await (const _ of orchestrator.events(id));
      };
      world.followed = world.ending(follow());
      // Whoever begins to watch looks around once, and would find it by that.
      await new Promise((resolve) => setTimeout(resolve, 400));
    });
    await two.evaluate(() =>
      new Promise((resolve) => {
        indexedDB.deleteDatabase('followed').onsuccess = resolve;
      }).then(() => {}),
    );
    const { error } = await one.evaluate(() => /** @type {any} */ (globalThis).followed);
    assert.equal(error?.code, 'closed');
    assert.match(error?.message ?? '', /"followed" was closed because the database was deleted/);
  }),
);

test('a store whose database the browser takes away says so', limit, async () => {
  const page = await site.openPage();
  await openStore(page, 'cleared');
  await ask(page, 'saveJob', jobOf('j'));
  const session = await site.browser.newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'indexeddb' });
  await until(page, async () => {
    const { error } = await /** @type {any} */ (globalThis).ending(
      /** @type {any} */ (globalThis).store.getJob('j'),
    );
    return error !== undefined;
  });
  const { error } = await ask(page, 'getJob', 'j');
  assert.equal(error?.code, 'closed');
  assert.match(error?.message ?? '', /was closed (by the browser|because the database was deleted)/);
  await page.close();
});
