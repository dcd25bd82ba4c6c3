// @ts-check
/** The demo page in a real, headless Chromium, on the installed package, under a strict Content-Security-Policy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { servePage } from '../../scripts/serve.mjs';
import { pkgDir } from '../package/installed.mjs';
import { launchChromium } from './launch.mjs';

const limit = { timeout: 60_000 };

/** @type {Awaited<ReturnType<typeof servePage>>} */
let server;
/** @type {Awaited<ReturnType<typeof launchChromium>>} */
let chromium;

before(async () => {
  server = await servePage({ packageFolder: pkgDir });
  chromium = await launchChromium();
}, limit);

after(async () => {
  await chromium?.close();
  await server?.close();
});

/** A new page, and everything that went wrong on it: errors, console messages, refused loads. */
async function openPage() {
  const page = await chromium.browser.newPage();
  const problems = /** @type {string[]} */ ([]);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('requestfailed', (request) => problems.push(request.url()));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(server.url);
  return { page, problems };
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} status
 */
async function waitForStatus(page, status) {
  await page.locator(`#status[data-status="${status}"]`).waitFor({ timeout: 20_000 });
}

/** @param {import('playwright-core').Page} page */
async function withoutSlowPlay(page) {
  await page.locator('#slow').fill('0');
}

/** @param {import('playwright-core').Page} page */
function stepStates(page) {
  return page
    .locator('#steps li')
    .evaluateAll((items) => items.map((item) => item.getAttribute('data-status')));
}

/** @param {import('playwright-core').Page} page */
function eventTypes(page) {
  return page
    .locator('#events li')
    .evaluateAll((items) => items.map((item) => item.getAttribute('data-type')));
}

test('a job is created, runs, waits for a person and completes', limit, async () => {
  const { page, problems } = await openPage();
  assert.deepEqual(await stepStates(page), Array(5).fill('pending'));
  await withoutSlowPlay(page);
  await page.getByRole('button', { name: 'Run' }).click();
  await waitForStatus(page, 'paused');
  assert.deepEqual(await stepStates(page), ['done', 'done', 'done', 'done', 'waiting']);
  await page.getByRole('button', { name: 'Approve' }).click();
  await waitForStatus(page, 'completed');
  assert.deepEqual(await stepStates(page), Array(5).fill('done'));
  assert.match(
    (await page.locator('#result').textContent()) ?? '',
    /^A report of \d+ words was published\.$/,
  );
  const types = await eventTypes(page);
  assert.equal(types[0], 'job_started');
  assert.equal(types.at(-1), 'job_completed');
  assert.equal(types.filter((type) => type === 'step_completed').length, 5);
  assert.equal(types.filter((type) => type === 'source_read').length, 4);
  assert.deepEqual(problems, []);
});

test('a job is paused, goes on and is cancelled', limit, async () => {
  const { page, problems } = await openPage();
  await page.getByRole('button', { name: 'Run' }).click();
  await waitForStatus(page, 'running');
  await page.getByRole('button', { name: 'Pause' }).click();
  await waitForStatus(page, 'paused');
  await page.getByRole('button', { name: 'Continue' }).click();
  await waitForStatus(page, 'running');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await waitForStatus(page, 'failed');
  assert.match((await page.locator('#result').textContent()) ?? '', /^Ended without a report: /);
  assert.deepEqual(problems, []);
});

test('what breaks the policy is refused, and would be noticed', limit, async () => {
  const { page, problems } = await openPage();
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "inline"';
    document.head.append(script);
  });
  assert.equal(await page.title(), 'jobwright: a job, live');
  assert.equal(problems.length, 1);
  assert.match(problems[0], /Content Security Policy/);
});
