// @ts-check
/** The served page with many jobs, and for everybody: no violations that axe-core knows, in light and dark, wide and narrow. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { jobOf, openDashboard, openStore } from '../command-line/dashboards.mjs';
import { goTo, jobIs, openBrowser, openWithAgents, PATIENCE, placeWithGates, press } from './served-page.mjs';
import { openWire } from './wire.mjs';

const limit = { timeout: 300_000 };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WIDTHS = [1280, 360];
const JOBS = 10_000;
const CHILDREN = 100;

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;

before(async () => {
  browser = await openBrowser();
}, limit);

after(() => browser?.close());

/** @param {() => Promise<unknown>} work */
async function took(work) {
  const start = Date.now();
  await work();
  return Date.now() - start;
}

test(
  'a list of 10,000 jobs of one file is soon there, and scrolled and searched at once',
  limit,
  async (t) => {
    const place = placeWithGates(t);
    const store = await openStore(t, place);
    const idOf = (/** @type {number} */ n) => `job-${String(n).padStart(5, '0')}`;
    // Their age is as long as ages get: 23 h 53 min.
    const began = Date.now() - 86_000_000;
    for (let n = 0; n < JOBS; n += 1) await store.saveJob(jobOf(idOf(n), { timing: { created: began + n } }));
    const dashboard = await openDashboard(place);
    const { page, problems } = await browser.openPage(t, dashboard.url);
    const times = {
      open: await took(() => page.getByText('10,000 jobs').waitFor()),
      end: await took(async () => {
        await page.getByRole('link', { name: 'job-09999' }).focus();
        await page.keyboard.press('End');
        await page.locator('[data-job="job-00000"] a:focus').waitFor();
      }),
      search: await took(async () => {
        await page.getByPlaceholder('Search by id or type').fill('0777');
        await page.getByRole('link', { name: 'job-07770' }).waitFor();
      }),
    };
    for (const [what, ms] of Object.entries(times)) assert.ok(ms < 10_000, `${what} took ${ms} ms`);
    t.diagnostic(`10,000 jobs: ${JSON.stringify(times)} ms`);
    await page.locator('[data-job]').nth(5).waitFor();
    for (const width of [1280, 890, 360]) {
      await page.setViewportSize({ width, height: 800 });
      assert.deepEqual(await page.evaluate(cutOff), [], `${width} pixels`);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
    const drawn = await page.locator('[data-job]').count();
    assert.ok(drawn < 60, `${drawn} rows are drawn`);
    await store.saveJob(jobOf('newcomer', { timing: { created: began + JOBS } }));
    await page.getByPlaceholder('Search by id or type').fill('newcomer');
    await page.locator('[data-job="newcomer"]').waitFor();
    assert.deepEqual(problems, []);
  },
);

test('a list that is read again after a lost connection stays as long as it was', limit, async (t) => {
  const place = placeWithGates(t);
  const store = await openStore(t, place);
  const jobs = 1_200;
  for (let n = 0; n < jobs; n += 1)
    await store.saveJob(jobOf(`job-${n}`, { timing: { created: 1_000 + n } }));
  const dashboard = await openDashboard(place, ['--allow-host', '127.0.0.1']);
  const wire = await openWire(t, dashboard.port);
  const { page } = await browser.openPage(t, dashboard.url.replace(`:${dashboard.port}/`, `:${wire.port}/`));
  const count = page.locator('.toolbar [role="status"]');
  await count.getByText('1,200 jobs').waitFor();
  await page.getByRole('link', { name: 'job-1199' }).focus();
  await page.keyboard.press('End');
  await page.locator('[data-job="job-0"] a:focus').waitFor();
  await count.evaluate((element) => {
    const counts = new Set([element.textContent]);
    Object.assign(globalThis, { counts });
    new MutationObserver(() => counts.add(element.textContent)).observe(element, {
      ...{ characterData: true, childList: true, subtree: true },
    });
  });
  // What is removed while nobody hears of it goes too.
  const last = page.waitForResponse((response) => /jobs\?.*cursor=job-(999|1000)\b/.test(response.url()));
  wire.cut();
  await store.deleteJob('job-500');
  await last;
  await count.getByText('1,199 jobs').waitFor();
  assert.deepEqual(await page.evaluate('[...counts]'), ['1,200 jobs', '1,199 jobs']);
  await page.locator('[data-job="job-0"] a:focus').waitFor();
});

test('everything is stopped while many children run, after one question', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  const child = { plan: { steps: [{ id: 'sleep', agent: 'gated', input: 'never' }] } };
  const steps = [{ id: 'each', forEach: { var: 'list' }, job: child }];
  const context = { list: Array.from({ length: CHILDREN }, (_, n) => n) };
  const permissions = { requireApproval: false, maxSteps: 10 * CHILDREN };
  await create('family', [], { plan: { concurrency: CHILDREN, steps }, context, permissions });
  const { page, problems } = await browser.openPage(t, dashboard.url);
  await goTo(page, '#/jobs/family');
  await press(page, 'Start');
  const running = page.locator(`[data-count="running"] dd:text-is("${CHILDREN + 1}")`);
  await running.waitFor({ timeout: 3 * PATIENCE.timeout });
  await page.locator('[data-step="each"]', { hasText: `0/${CHILDREN} items` }).waitFor();

  await press(page, 'Stop everything');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: `Stop ${CHILDREN + 1} jobs` }).waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await running.waitFor();
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: `Stop ${CHILDREN + 1} jobs` }).click();
  await jobIs(page, 'failed');
  const failed = page.locator(`[data-count="failed"] dd:text-is("${CHILDREN + 1}")`);
  await failed.waitFor({ timeout: 3 * PATIENCE.timeout });
  const heads = await dashboard.get('jobs?limit=1000');
  const stopped = heads.filter((/** @type {any} */ { run }) => run.failure?.code === 'cancelled');
  assert.equal(stopped.length, CHILDREN + 1);
  assert.deepEqual(problems, []);
});

/** In the page: what needs more room than it has, and so lies under its neighbour or outside. */
function cutOff() {
  const parts = [...document.querySelectorAll('.top .brand, .job-list .row, .job-list .row .number')];
  return parts.filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.textContent);
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} what
 */
async function assertAccessible(page, what) {
  // Given to the page by the debugger, which its policy does not bind.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const found = await /** @type {any} */ (globalThis).axe.run();
    return found.violations.map((/** @type {any} */ { id, nodes }) => ({
      id,
      nodes: nodes.map((/** @type {any} */ { html }) => html).slice(0, 3),
    }));
  });
  assert.deepEqual(violations, [], what);
  const tooWide = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.ok(tooWide <= 0, `${what}: ${tooWide} pixels too wide`);
}

test('no view breaks a rule of axe-core, in light and dark, wide and narrow', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  // What has no place to break has to be broken.
  const long = 'x'.repeat(300);
  await create('job', [
    {
      id: 'one',
      agent: 'echo',
      input: { success: true, data: { [long]: [long] }, cost: 12_345_678 },
      cost: 3,
    },
    { id: 'ask', approve: { message: long }, after: ['one'] },
  ]);
  await goTo(page, '#/jobs/job');
  await press(page, 'Start');
  await page.locator('[data-approval]').waitFor();
  const views = ['graph', 'timeline', 'trace', 'context', 'log', 'budget', 'children'];
  for (const theme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme: theme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 800 });
      await goTo(page, '#/');
      await page.locator('[data-job="job"]').waitFor();
      await assertAccessible(page, `the list, ${theme}, ${width}`);
      await goTo(page, '#/numbers');
      await page.getByRole('heading', { name: 'Numbers', exact: true }).waitFor();
      await assertAccessible(page, `numbers, ${theme}, ${width}`);
      for (const view of views) {
        await goTo(page, `#/jobs/job/${view}`);
        await page.locator(`[data-view="${view}"]`).waitFor();
        if (view === 'graph') await page.locator('[data-step="ask"]').waitFor();
        // 10,000,000, in letters of 12 pixels.
        if (view === 'budget')
          assert.ok(
            (await page.locator('.u-over').evaluate((/** @type {any} */ plot) => plot.offsetLeft)) > 70,
          );
        await assertAccessible(page, `${view}, ${theme}, ${width}`);
      }
    }
  }
  assert.deepEqual(problems, []);
});

test('a chart has the colours of the theme that is chosen', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  await create('job', [{ id: 'one', agent: 'echo', input: { success: true, data: 1, cost: 2 } }]);
  await goTo(page, '#/jobs/job/budget');
  await press(page, 'Start');
  await jobIs(page, 'completed');
  const drawn = () => page.locator('canvas').evaluate((canvas) => /** @type {any} */ (canvas).toDataURL());
  await page.emulateMedia({ colorScheme: 'light' });
  await page.getByLabel('Theme').selectOption('dark');
  await page.waitForTimeout(500);
  const chosen = await drawn();
  await page.reload();
  await page.locator('canvas').waitFor();
  await page.waitForTimeout(500);
  assert.equal(chosen, await drawn());
  assert.deepEqual(problems, []);
});
