// @ts-check
/** Plans, contexts and stored jobs of somebody who means harm are text, and break nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDemo } from './demo-page.mjs';

const limit = { timeout: 180_000 };

const IMAGE = '<img src=x onerror="globalThis.harmed = true">';
const SCRIPT = '<script>globalThis.harmed = true</script>';
const LINK = 'javascript:globalThis.harmed=true';
const TURNED = 'a\u202egnp.exe';
const LONG = 5_000_000;

const VIEWS = ['graph', 'timeline', 'trace', 'context', 'log', 'budget', 'children'];

/**
 * Nothing of what is shown has become a part of the page, and the values of megabytes are cut.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} where
 */
async function assertHarmless(page, where) {
  const found = await page.evaluate(() => ({
    harmed: /** @type {any} */ (globalThis).harmed,
    images: [...document.images].map(({ src }) => src).filter((src) => !src.endsWith('icon.svg')),
    links: [...document.links].map(({ href }) => href).filter((href) => !href.startsWith(location.origin)),
    scripts: document.scripts.length,
    isShort: document.body.textContent.length < 200_000,
    turned: document.body.textContent.includes('\u202e'),
  }));
  const harmless = { harmed: undefined, images: [], links: [], scripts: 1, isShort: true, turned: false };
  assert.deepEqual(found, harmless, where);
}

test('a hostile plan, context and tool call are shown as text in every view', limit, async () => {
  const demo = await openDemo();
  try {
    const { page, problems } = await demo.openPage();
    // A list may cut it, and shows at least how it begins.
    const id = `${TURNED}${IMAGE}/%2e%2e/${LINK}`;
    await page.evaluate(
      async ([id, image, script, link, long]) => {
        const { jobs } = /** @type {any} */ (globalThis);
        const plan = {
          name: image,
          steps: [
            { id: image, agent: 'echo', input: { [script]: link, long: { var: 'long' } } },
            { id: link, agent: script, after: [image], onError: 'continue' },
            { id: 'ask', approve: { message: `${image}${link}` } },
          ],
        };
        const context = { [image]: script, link, long: 'x'.repeat(Number(long)) };
        await jobs.createJob({ id, plan, context, permissions: { requireApproval: false } });
        await jobs.startJob(id);
      },
      /** @type {[string, string, string, string, number]} */ ([id, IMAGE, SCRIPT, LINK, LONG]),
    );
    const row = page.locator('[data-job]');
    await row.getByText('waits for approval').or(row.getByText('failed')).first().waitFor();
    const listed = (await row.textContent()) ?? '';
    assert.ok(listed.includes('<img src=x'), 'the id is there as text');
    assert.ok(listed.includes('a\\u202egnp.exe'), 'what can not be seen is written out');
    await assertHarmless(page, 'the list');
    await row.getByRole('link').click();
    for (const view of VIEWS) {
      await page.goto(`${demo.url}#/jobs/${encodeURIComponent(id)}/${view}`);
      await page.locator('.job-controls').waitFor();
      await page.locator(`[data-view="${view}"]`).waitFor();
      await assertHarmless(page, view);
    }
    assert.deepEqual(problems, []);
  } finally {
    await demo.close();
  }
});

test('jobs in the store that are no jobs do not break the list, or each other', limit, async () => {
  const demo = await openDemo();
  try {
    const { page, problems } = await demo.openPage();
    await page.evaluate(async (image) => {
      const { jobs } = /** @type {any} */ (globalThis);
      const plan = { steps: [{ id: 'a', agent: 'echo' }] };
      for (const id of ['spoilt', 'sound'])
        await jobs.createJob({ id, plan, context: {}, permissions: { requireApproval: false } });
      /** @type {IDBDatabase} */
      const database = await new Promise((resolve) => {
        const request = indexedDB.open('jobwright-demo');
        request.onsuccess = () => resolve(request.result);
      });
      await new Promise((resolve) => {
        const transaction = database.transaction('jobs', 'readwrite');
        transaction.oncomplete = resolve;
        transaction.objectStore('jobs').openCursor().onsuccess = ({ target }) => {
          const cursor = /** @type {IDBRequest<IDBCursorWithValue | null>} */ (target).result;
          if (cursor === null) return;
          const head = JSON.parse(cursor.value.head);
          if (head.id === 'spoilt') {
            const timing = { created: 'soon', started: image, completed: {} };
            const run = { ...head.run, approvals: image, pause: 5, failure: { code: image }, stepsTaken: [] };
            const spoilt = { ...head, timing, type: image, config: 7, permissions: null, run };
            cursor.update({ ...cursor.value, head: JSON.stringify(spoilt) });
          }
          cursor.continue();
        };
      });
      database.close();
    }, IMAGE);
    await page.reload();
    await page.getByText('2 jobs').waitFor();
    const spoilt = await page.evaluate(() => /** @type {any} */ (globalThis).jobs.getHead('spoilt'));
    assert.deepEqual([spoilt.type, spoilt.run.pause], [IMAGE, 5], 'it is spoilt');
    await page.locator('[data-job="spoilt"]').waitFor();
    await page.evaluate(() => {
      location.hash = '#/jobs/spoilt';
    });
    await page.locator('.job-controls').waitFor();
    await page.evaluate(() => {
      location.hash = '#/';
    });
    await page.evaluate(() => /** @type {any} */ (globalThis).jobs.startJob('sound'));
    await page.locator('[data-job="sound"] [data-status="completed"]').waitFor();
    assert.equal(await page.evaluate(() => /** @type {any} */ (globalThis).harmed), undefined);
    assert.deepEqual(problems, []);
  } finally {
    await demo.close();
  }
});

test('a job whose id holds half a letter breaks no list, and its row leads nowhere else', limit, async () => {
  const demo = await openDemo();
  try {
    const { page, problems } = await demo.openPage();
    await page.evaluate(async () => {
      const { jobs } = /** @type {any} */ (globalThis);
      const plan = { steps: [{ id: 'a', agent: 'echo' }] };
      for (const id of ['half \ud83d', 'whole'])
        await jobs.createJob({ id, plan, context: {}, permissions: {} });
    });
    await page.getByRole('link', { name: 'half \\ud83d' }).waitFor();
    await page.getByRole('link', { name: 'whole' }).waitFor();
    await page.getByRole('link', { name: 'half' }).click();
    await page.getByRole('heading', { name: 'Job not found' }).waitFor();
    assert.deepEqual(problems, []);
  } finally {
    await demo.close();
  }
});
