// @ts-check
/** Several tabs on one database: commits, notices and leases. */
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
 * Takes a lease as soon as the browser is done with the tab that had it.
 *
 * @param {Page} page
 * @param {string} jobId
 */
async function takeSoon(page, jobId) {
  for (const end = Date.now() + 60_000; ; ) {
    const { value } = await ask(page, 'acquireLease', jobId, 'next', LONG);
    if (value !== null) return value;
    assert.ok(Date.now() < end, 'the lease is not free');
  }
}

test('two tabs that count in one job lose nothing, and one wins each revision', limit, () =>
  withTabs(site, 'count', async (pages) => {
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
  withTabs(site, 'watch', async ([one, two]) => {
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
  withTabs(site, 'leases', async ([one, two]) => {
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
  withTabs(site, 'given up', async ([one, two]) => {
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
  withTabs(site, 'race', async (pages) => {
    const third = await site.openPage();
    await openStore(third, 'race');
    await ask(third, 'saveJob', jobOf('j'));
    await ask(third, 'acquireLease', 'j', 'gone', LONG);
    await third.close();
    // Gone as far as the browser is concerned, too.
    await until(pages[0], nobodyPresent);
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
