// @ts-check
/** What the served page shows stays where it was: rows that could not be read, the focus, long texts. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { goTo, openBrowser, openWithAgents, press, stepIs } from './served-page.mjs';

const limit = { timeout: 180_000 };

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;

before(async () => {
  browser = await openBrowser();
}, limit);

after(() => browser?.close());

test('a row that could not be read is read when it can be', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  for (let n = 0; n < 60; n += 1) await create(`job-${n}`, [{ id: 'only', agent: 'echo' }]);
  const { page } = await browser.openPage(t, dashboard.url);
  await page.locator('[data-job="job-59"]').getByText('0 of 1 steps').waitFor();
  const failed = page.waitForEvent('requestfailed', (request) => /api\/job\?id=first$/.test(request.url()));
  await page.context().setOffline(true);
  await page.getByRole('link', { name: 'job-59' }).focus();
  await page.keyboard.press('End');
  await failed;
  await page.context().setOffline(false);
  await page.locator('[data-job="first"]').getByText('1 of 1 steps').waitFor();
});

test('what is closed at the keyboard gives the focus back to what opened it', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  await create('job', [{ id: 'one', agent: 'echo' }]);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  /** @param {import('playwright-core').Locator} opener @param {string} name of the button that closes it */
  const openAndClose = async (opener, name) => {
    await opener.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name }).waitFor({ state: 'detached' });
    assert.equal(await opener.evaluate((element) => element === document.activeElement), true, name);
  };
  await goTo(page, '#/jobs/job/graph');
  await stepIs(page, 'one', 'pending');
  await openAndClose(page.getByRole('button', { name: 'one', exact: true }), 'Close the step');
  await goTo(page, '#/jobs/job/log');
  await openAndClose(page.getByRole('button', { name: 'job_created' }), 'Close the event');
  await goTo(page, '#/jobs/job/trace');
  await openAndClose(page.getByRole('tree'), 'Close the event');
  assert.deepEqual(problems, []);
});

test('a text of many characters fits into a narrow page', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  const context = { text: 'many words '.repeat(50_000) };
  await create('job', [{ id: 'one', agent: 'echo', input: { var: 'text' } }], { context });
  const { page, problems } = await browser.openPage(t, dashboard.url);
  await page.setViewportSize({ width: 360, height: 800 });
  await goTo(page, '#/jobs/job/context');
  await press(page, 'Start');
  await page.getByRole('region', { name: 'Changes' }).getByText('550,000 characters').waitFor();
  assert.ok((await page.evaluate('document.documentElement.scrollWidth')) <= 360);
  assert.deepEqual(problems, []);
});
