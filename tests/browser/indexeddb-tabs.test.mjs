// @ts-check
/** Several tabs on one database: commits, notices, leases, and what happens when one of them changes or deletes it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openSite } from './store-page.mjs';

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
 * Two tabs with a store each, as `store` there.
 *
 * @param {string} name of the database
 * @param {(pages: [Page, Page]) => Promise<void>} work
 */
async function withTabs(name, work) {
  const pages = /** @type {[Page, Page]} */ (await Promise.all([site.openPage(), site.openPage()]));
  try {
    for (const page of pages) await openStore(page, name);
    await work(pages);
  } finally {
    await Promise.all(pages.map((page) => page.close()));
  }
}

/**
 * @param {Page} page
 * @param {string} name
 */
async function openStore(page, name) {
  await page.evaluate(async (name) => {
    /** @type {any} */
    const world = globalThis;
    world.store = await world.kit.createIndexedDbStore({ name });
  }, name);
}

/**
 * Calls a method of a tab's store.
 *
 * @param {Page} page
 * @param {string} method
 * @param {...unknown} args
 * @returns {Promise<{ value?: any, error?: { name: string, code: string, message: string, details: any } }>}
 */
function ask(page, method, ...args) {
  return page.evaluate(
    ([method, args]) => {
      const { store, ending } = /** @type {any} */ (globalThis);
      return ending(Promise.resolve(store[method](...args)));
    },
    /** @type {[string, any[]]} */ ([method, args]),
  );
}

/**
 * Takes a lease as soon as the browser is done with the tab that had it.
 *
 * @param {Page} page
 * @param {string} jobId
 */
async function takeSoon(page, jobId) {
  for (const end = Date.now() + 20_000; ; ) {
    const { value } = await ask(page, 'acquireLease', jobId, 'next', LONG);
    if (value !== null) return value;
    assert.ok(Date.now() < end, 'the lease is not free');
  }
}

/** @param {string} id */
const jobOf = (id, more = {}) => ({
  id,
  status: 'created',
  context: {},
  permissions: { allowTools: false, requireApproval: true, maxSteps: 10 },
  history: [],
  timing: { created: 1 },
  ...more,
});

test('two tabs that count in one job lose nothing, and one wins each revision', limit, () =>
  withTabs('count', async (pages) => {
    await ask(pages[0], 'saveJob', jobOf('j', { context: { count: 0 } }));
    const won = await Promise.all(
      pages.map((page, tab) =>
        page.evaluate(async (tab) => {
          const { store, changeOf, eventOf } = /** @type {any} */ (globalThis);
          const won = [];
          while (won.length < 40) {
            const { context, run } = await store.getJob('j');
            const revision = run?.revision ?? 0;
            const change = {
              context: { count: context.count + 1 },
              events: [eventOf(revision + 1, { tab })],
            };
            try {
              await store.commit(changeOf('j', revision, change));
              won.push(revision);
            } catch (error) {
              if (/** @type {any} */ (error).code !== 'conflict') throw error;
            }
          }
          return won;
        }, tab),
      ),
    );
    const { value: job } = await ask(pages[0], 'getJob', 'j');
    const all = Array.from({ length: 80 }, (_, i) => i);
    assert.deepEqual(
      won.flat().sort((a, b) => a - b),
      all,
    );
    assert.deepEqual([job.context, job.run.revision], [{ count: 80 }, 80]);
    const events = job.history.map((/** @type {any} */ { seq, payload }) => [seq, payload.tab]);
    assert.deepEqual(
      events,
      all.map((revision) => [revision + 1, won[0]?.includes(revision) ? 0 : 1]),
    );
  }),
);

test('a tab is told what another writes, until it stops listening', limit, () =>
  withTabs('watch', async ([one, two]) => {
    await two.evaluate(async () => {
      /** @type {any} */
      const world = globalThis;
      world.told = [];
      world.stop = await world.store.watch((/** @type {any} */ notice) => world.told.push(notice));
      await world.store.watch(() => {
        throw new Error('a listener that fails is in nobody’s way');
      });
      await world.store.watch((/** @type {any} */ notice) => world.told.push(notice.type));
      // Anything on the site may speak on the channel.
      const channel = new BroadcastChannel('jobwright:watch');
      for (const junk of [
        null,
        5,
        [],
        {},
        { type: 'job' },
        { type: 'job', jobId: 1, revision: 1 },
        { type: 'x' },
      ]) {
        channel.postMessage(junk);
      }
    });
    await one.evaluate(async () => {
      const { store, changeOf, jobOf } = /** @type {any} */ (globalThis);
      await store.commit(
        changeOf('j', 0, { head: { ...changeOf('j', 0).head, parentId: 'p', status: 'running' } }),
      );
      await store.saveJob(jobOf('saved'));
      await store.deleteJob('nobody');
      await store.setControl({ paused: true });
      await store.commit(changeOf('j', 7)).catch(() => {});
      await store.deleteJob('saved');
      await store.prune({ endedBefore: 1 });
    });
    await two.waitForFunction('told.length >= 8');
    const told = await two.evaluate(() => /** @type {any} */ (globalThis).told);
    assert.deepEqual(told, [
      { type: 'job', jobId: 'j', parentId: 'p', status: 'running', revision: 1 },
      'job',
      { type: 'job', jobId: 'saved', status: 'created', revision: 0 },
      'job',
      { type: 'control' },
      'control',
      { type: 'missed' },
      'missed',
    ]);
    await two.evaluate(() => /** @type {any} */ (globalThis).stop());
    await ask(one, 'setControl', { paused: false });
    await two.waitForFunction('told.length >= 9');
    assert.deepEqual(await two.evaluate(() => /** @type {any} */ (globalThis).told.slice(8)), ['control']);
    // What was told is there to be read.
    assert.deepEqual((await ask(two, 'getControl')).value, { paused: false });
  }),
);

test('the lease of a tab that is closed is free at once, and its token is worth nothing', limit, () =>
  withTabs('leases', async ([one, two]) => {
    await ask(one, 'saveJob', jobOf('j'));
    await ask(one, 'saveJob', jobOf('mine'));
    const { value: token } = await ask(one, 'acquireLease', 'j', 'A', LONG);
    const { value: mine } = await ask(two, 'acquireLease', 'mine', 'B', LONG);
    assert.deepEqual(await ask(two, 'acquireLease', 'j', 'B', LONG), { value: null });
    assert.deepEqual(await ask(one, 'acquireLease', 'mine', 'A', LONG), { value: null });
    await one.close();
    const next = await takeSoon(two, 'j');
    assert.ok(next > token && next > mine, `${next} after ${token} and ${mine}`);
    assert.deepEqual(await ask(two, 'renewLease', 'j', token, LONG), { value: false });
    assert.deepEqual(await ask(two, 'renewLease', 'mine', mine, LONG), { value: true });
    const late = await two.evaluate(
      ([fencingToken]) => {
        const { store, changeOf, ending } = /** @type {any} */ (globalThis);
        return ending(store.commit(changeOf('j', 0, { fencingToken })));
      },
      [token],
    );
    assert.equal(late.error.name, 'ConflictError');
  }),
);

test('so is that of a store that is closed, and of a tab that is loaded again', limit, () =>
  withTabs('given up', async ([one, two]) => {
    await ask(one, 'saveJob', jobOf('j'));
    await ask(one, 'acquireLease', 'j', 'A', LONG);
    await ask(one, 'close');
    assert.notEqual((await ask(two, 'acquireLease', 'j', 'B', LONG)).value, null);
    await two.reload();
    await two.waitForFunction('globalThis.kit');
    await openStore(two, 'given up');
    await takeSoon(two, 'j');
  }),
);

test('of many in two tabs that ask for the lease of a tab that is gone, one gets it', limit, () =>
  withTabs('race', async (pages) => {
    const third = await site.openPage();
    await openStore(third, 'race');
    await ask(third, 'saveJob', jobOf('j'));
    await ask(third, 'acquireLease', 'j', 'gone', LONG);
    await third.close();
    // Gone as far as the browser is concerned, too.
    await pages[0].waitForFunction(async () => (await navigator.locks.query()).held?.length === 0);
    const answers = await Promise.all(
      pages.map((page, tab) =>
        page.evaluate(
          ([tab, ms]) => {
            const { store } = /** @type {any} */ (globalThis);
            const asked = Array.from({ length: 10 }, (_, i) => store.acquireLease('j', `${tab} ${i}`, ms));
            return Promise.all(asked);
          },
          /** @type {const} */ ([tab, LONG]),
        ),
      ),
    );
    assert.equal(answers.flat().filter((token) => token !== null).length, 1);
  }),
);

test(
  'without Web Locks and BroadcastChannel a lease ends by its time, and nobody is told',
  limit,
  async () => {
    const pages = await Promise.all([site.openPage(), site.openPage()]);
    for (const page of pages) {
      await page.evaluate(() => {
        Object.defineProperty(navigator, 'locks', { value: undefined });
        Object.assign(globalThis, { BroadcastChannel: undefined });
      });
      await openStore(page, 'bare');
    }
    const [one, two] = /** @type {[Page, Page]} */ (pages);
    await two.evaluate(async () => {
      /** @type {any} */
      const world = globalThis;
      world.told = [];
      await world.store.watch((/** @type {any} */ notice) => world.told.push(notice));
    });
    await ask(one, 'saveJob', jobOf('j'));
    await ask(one, 'saveJob', jobOf('short'));
    await ask(one, 'acquireLease', 'j', 'A', LONG);
    await ask(one, 'acquireLease', 'short', 'A', 1);
    await one.close();
    assert.deepEqual(await ask(two, 'acquireLease', 'j', 'B', LONG), { value: null });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.notEqual((await ask(two, 'acquireLease', 'short', 'B', LONG)).value, null);
    assert.deepEqual(await two.evaluate(() => /** @type {any} */ (globalThis).told), []);
    await two.close();
  },
);

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
    withTabs('upgrade', async ([one, two]) => {
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
      const methods = ['getJob', 'saveJob', 'listJobs', 'acquireLease', 'watch', 'getControl'];
      const args = /** @type {Record<string, unknown[]>} */ ({
        saveJob: [jobOf('k')],
        acquireLease: ['j', 'A', 1],
      });
      for (const method of methods.filter((name) => name !== 'watch')) {
        const { error } = await ask(one, method, ...(args[method] ?? ['j']));
        assert.deepEqual([error?.name, error?.code], ['JobwrightError', 'closed'], method);
        assert.match(error?.message ?? '', /newer version of jobwright.*load this page again/);
      }
      assert.equal((await ask(one, 'close')).error, undefined);
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
  withTabs('waiting', async ([one, two]) => {
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
  withTabs('deleted', async ([one, two]) => {
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

test('a store whose database the browser takes away says so', limit, async () => {
  const page = await site.openPage();
  await openStore(page, 'cleared');
  await ask(page, 'saveJob', jobOf('j'));
  const session = await site.browser.newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin: site.origin, storageTypes: 'indexeddb' });
  await page.waitForFunction(async () => {
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
