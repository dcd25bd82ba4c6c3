// @ts-check
/** The demo for everybody: no violations that axe-core knows, by keyboard alone, narrow, dark, and soon there. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createJob, jobOf, openDemo, shoot, waitForStatus } from './demo-page.mjs';
import { until } from './until.mjs';

const limit = { timeout: 300_000 };
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const FIRST_LOAD_BYTES = 250_000;
const WIDE = { width: 1280, height: 800 };
const NARROW = { width: 390, height: 844 };

/** @type {import('./demo-page.mjs').Demo} */
let demo;

before(async () => {
  demo = await openDemo();
}, limit);

after(() => demo?.close());

/**
 * @param {import('playwright-core').Page} page
 * @param {string} what
 */
async function assertAccessible(page, what) {
  // Given to the page by the debugger, which its policy does not bind.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const found = await /** @type {any} */ (globalThis).axe.run({ exclude: ['[data-view]'] });
    return found.violations.map((/** @type {any} */ { id, nodes }) => ({
      id,
      nodes: nodes
        .map((/** @type {any} */ { html, failureSummary }) => `${html} ${failureSummary}`)
        .slice(0, 3),
    }));
  });
  assert.deepEqual(violations, [], what);
  const { scrollWidth, clientWidth } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scrollWidth, clientWidth };
  });
  assert.ok(scrollWidth <= clientWidth, `${what}: ${scrollWidth - clientWidth} pixels too wide`);
}

test('no view breaks a rule of axe-core, in light and dark, wide and narrow', limit, async () => {
  const { page, problems } = await demo.openPage();
  await createJob(page, /Research/);
  await waitForStatus(page, 'completed');
  const asked = await createJob(page, /Purchase/);
  await page.locator('[data-approval]').waitFor({ timeout: 60_000 });
  await createJob(page, /children/);
  const wait = await createJob(page, /plan of your own/, {
    plan: { steps: [{ id: 'w', wait: { signal: 's' } }] },
  });
  await page.getByText('waits for a signal').waitFor();

  /** @type {[string, string, () => Promise<void>][]} */
  const views = [
    ['jobs', '#/', () => page.getByRole('table', { name: 'Jobs' }).waitFor()],
    ['new', '#/new', () => page.getByRole('textbox', { name: 'Plan, as JSON' }).waitFor()],
    ['approval', `#/jobs/${asked}`, () => page.locator('[data-approval]').waitFor()],
    ['signal', `#/jobs/${wait}`, () => page.getByText('waits for a signal').waitFor()],
    ['nowhere', '#/nowhere', () => page.getByText('There is no such page').waitFor()],
  ];
  for (const theme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme: theme });
    for (const [name, hash, ready] of views) {
      for (const size of [WIDE, NARROW]) {
        await page.setViewportSize(size);
        await page.goto(demo.url + hash);
        await ready();
        const what = `${name}-${theme}-${size.width}`;
        await assertAccessible(page, what);
        await shoot(page, what);
      }
    }
    await page.setViewportSize(WIDE);
    await page.goto(`${demo.url}#/`);
    await page.getByRole('button', { name: 'Stop everything' }).click();
    await page.getByRole('dialog').waitFor();
    await assertAccessible(page, `the dialog, ${theme}`);
    await page.keyboard.press('Escape');
  }
  assert.deepEqual(problems, []);
  await page.evaluate(() => /** @type {any} */ (globalThis).jobs.stopAll('the end of the test'));
  await page.close();
});

test('the theme follows the system until it is switched, and is remembered', limit, async () => {
  const { page, problems } = await demo.openPage();
  const isDark = () =>
    page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.[0] ?? '');
  await page.emulateMedia({ colorScheme: 'light' });
  assert.ok(Number(await isDark()) > 128);
  await page.emulateMedia({ colorScheme: 'dark' });
  assert.ok(Number(await isDark()) < 128);
  await page.getByLabel('Theme').selectOption('light');
  assert.ok(Number(await isDark()) > 128);
  await page.reload();
  await page.getByRole('banner').waitFor();
  assert.ok(Number(await isDark()) > 128);
  await page.getByLabel('Theme').selectOption('system');
  assert.deepEqual(problems, []);
  await page.close();
});

test('a job is made, run, approved and found again by keyboard alone', limit, async () => {
  const { page, problems } = await demo.openPage();
  const press = (/** @type {string} */ key) => page.keyboard.press(key);
  /** Goes on with Tab until the focus is there. @param {RegExp} name */
  const tabTo = async (name) => {
    for (let i = 0; i < 80; i++) {
      await press('Tab');
      const focused = await page.evaluate(() => {
        const element = document.activeElement;
        const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : '';
        return `${element?.getAttribute('aria-label') ?? ''} ${label} ${element?.textContent ?? ''}`.trim();
      });
      if (name.test(focused)) {
        const outline = await page.evaluate(
          () => getComputedStyle(/** @type {Element} */ (document.activeElement)).outlineStyle,
        );
        assert.notEqual(outline, 'none', `the focus can be seen on ${name}`);
        return;
      }
    }
    assert.fail(`Tab never comes to ${name}`);
  };
  await tabTo(/^New$/);
  await press('Enter');
  await page.getByRole('radio').first().waitFor();
  await tabTo(/Research loop/);
  await press('ArrowDown');
  await press('ArrowDown');
  await tabTo(/^Create and run$/);
  await press('Enter');
  await page.locator('[data-approval]').waitFor({ timeout: 60_000 });
  await tabTo(/^Approve$/);
  await press('Enter');
  await waitForStatus(page, 'completed');
  const id = decodeURIComponent(new URL(page.url()).hash.split('/')[2] ?? '');
  assert.match((await jobOf(page, id)).context.ship, /on its way/);
  await page.reload();
  await page.getByRole('banner').waitFor();
  await tabTo(/^Jobs$/);
  await press('Enter');
  await page.getByRole('link', { name: id }).waitFor();
  await tabTo(new RegExp(`^${id}$`));
  await press('End');
  await press('Home');
  await page.locator(`[data-job="${id}"] a:focus`).waitFor();
  await press('Enter');
  await waitForStatus(page, 'completed');
  assert.deepEqual(problems, []);
  await page.close();
});

test('slow play is kept, told to other tabs, and slows what runs', limit, async () => {
  const [one, two] = await Promise.all([demo.openPage(), demo.openPage()]);
  await one.page.getByLabel('Slow play').fill('5000');
  await two.page.locator('.slow-play output', { hasText: '5.0 s' }).waitFor();
  const id = await createJob(one.page, /plan of your own/);
  await until(
    one.page,
    async (id) => {
      const { history } = await /** @type {any} */ (globalThis).jobs.getJob(id);
      return history.some((/** @type {any} */ { type }) => type === 'slow_play_changed');
    },
    id,
  );
  await one.page.getByLabel('Slow play').fill('0');
  await one.page.locator('[data-approval]').waitFor();
  const { history } = await jobOf(one.page, id);
  const first = history.findIndex((/** @type {any} */ { type }) => type === 'step_started');
  const [before, step] = history.slice(first - 1);
  // A slow machine may have come to the first step before it was told that it need not wait.
  const waited = step.meta.timestamp - before.meta.timestamp;
  assert.ok(before.payload.ms === 0 || waited > 4_900, `${before.type}, then nothing for ${waited} ms`);
  await one.page.evaluate((id) => /** @type {any} */ (globalThis).jobs.cancelJob(id, 'the end'), id);
  assert.deepEqual([...one.problems, ...two.problems], []);
  await Promise.all([one.page.close(), two.page.close()]);
});

test('the first load is small', limit, async (t) => {
  const page = await demo.browser.newPage();
  /** @type {Promise<[string, number]>[]} */
  const loads = [];
  page.on('response', (response) =>
    loads.push(response.body().then((body) => [response.url(), gzipSync(body).length])),
  );
  await page.goto(demo.url);
  await page
    .getByText(/jobs yet|\d+ jobs?$/)
    .first()
    .waitFor();
  await page.waitForLoadState('networkidle');
  const sizes = await Promise.all(loads);
  const total = sizes.reduce((sum, [, size]) => sum + size, 0);
  t.diagnostic(`first load: ${total} bytes gzipped in ${sizes.length} files`);
  assert.ok(total < FIRST_LOAD_BYTES, JSON.stringify(sizes));
  for (const [url] of sizes)
    assert.doesNotMatch(url, /NewJob|Canvas|uPlot/, 'what is not shown is not loaded');
  await page.close();
});
