// @ts-check
/** The dashboard's page as it is served, in a real Chromium, and what other sites' pages can do to it. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { openDashboard, openStore } from '../command-line/dashboards.mjs';
import { makePlace, waiting } from '../command-line/support.mjs';
import { launchChromium } from './launch.mjs';

const limit = { timeout: 120_000 };

/** @type {Awaited<ReturnType<typeof launchChromium>>} */
let chromium;

before(async () => {
  chromium = await launchChromium();
}, limit);

after(() => chromium?.close());

/**
 * A page, and everything that went wrong on it: errors, console messages, refused loads.
 *
 * @param {import('node:test').TestContext} t
 */
async function openPage(t) {
  const page = await chromium.browser.newPage();
  t.after(() => page.close());
  const problems = /** @type {string[]} */ ([]);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('response', (response) => {
    if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
  });
  return { page, problems };
}

test('the page loads from the address that was printed, and keeps the token to itself', limit, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'job-1');
  const dashboard = await openDashboard(place);
  const { page, problems } = await openPage(t);
  await page.goto(dashboard.url);
  await page.locator('main').waitFor();
  assert.match(await page.title(), /jobwright/);
  assert.doesNotMatch(page.url(), /token/);
  assert.equal(await page.evaluate('document.cookie'), '', 'no script can read it');
  assert.doesNotMatch(await page.content(), new RegExp(dashboard.token));
  await page.reload();
  await page.locator('main').waitFor();
  assert.deepEqual(problems, []);
});

/** What a page elsewhere may try; each says what became of it. */
const attempts = `
  const base = new URLSearchParams(location.search).get('base');
  const body = '{"jobId":"job-1"}';
  const ended = (promise) => promise.then(({ status, type }) => type + ' ' + status, () => 'refused');
  const loaded = (tag, at, name = 'src') =>
    new Promise((resolve) => {
      const element = document.createElement(tag);
      element.onload = () => resolve('loaded');
      element.onerror = () => resolve('refused');
      element[name] = at;
      document.body.append(element);
    });
  globalThis.tried = Promise.all([
    ended(fetch(base + 'api/jobs', { credentials: 'include' })),
    ended(fetch(base + 'api/pauseJob', { method: 'POST', mode: 'no-cors', credentials: 'include', body })),
    ended(fetch(base + 'api/pauseJob', {
      method: 'POST', credentials: 'include', headers: { 'Content-Type': 'application/json' }, body,
    })),
    loaded('script', base + 'api/jobs'),
    loaded('img', base + 'icon.svg'),
  ]);
`;

test(
  "another site's page reads nothing and changes nothing, with the cookie in the browser",
  limit,
  async (t) => {
    const place = makePlace(t);
    const store = await openStore(t, place);
    await waiting(place, 'job-1');
    const dashboard = await openDashboard(place);
    const { page } = await openPage(t);
    await page.goto(dashboard.url);
    await page.locator('main').waitFor();
    const before = await store.getHead('job-1');

    const evil = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end(
        `<!doctype html><title>evil</title><body><form method="post" enctype="text/plain"><input name="x"></form><script>${attempts}</script>`,
      );
    });
    await new Promise((resolve) => evil.listen(0, '127.0.0.1', () => resolve(undefined)));
    t.after(() => {
      evil.closeAllConnections();
      evil.close();
    });
    const { port } = /** @type {import('node:net').AddressInfo} */ (evil.address());
    const base = `http://127.0.0.1:${dashboard.port}${dashboard.path}`;
    // Another port is another origin of the same site; another name is another site.
    for (const host of ['127.0.0.1', 'localhost']) {
      const { page: other } = await openPage(t);
      await other.goto(`http://${host}:${port}/?base=${encodeURIComponent(base)}`);
      const [read, sent, posted, ...loads] = await other.evaluate(
        () => /** @type {any} */ (globalThis).tried,
      );
      // Of what was sent without being asked first, nobody is told what became of it.
      assert.match(sent, /^(opaque 0|refused)$/);
      assert.deepEqual([read, posted, ...loads], ['refused', 'refused', 'refused', 'refused']);
      // A form, and a link.
      await other.evaluate((to) => {
        const form = document.forms[0];
        if (form) form.action = `${to}api/pauseJob`;
        form?.submit();
      }, base);
      await other.getByText('foreign_origin').or(other.getByText('cross_site')).waitFor();
      await other.goto(`http://${host}:${port}/?base=${encodeURIComponent(base)}`);
      await other.evaluate((to) => location.assign(to), base);
      await other.getByText('cross_site').waitFor();
    }
    assert.deepEqual(await store.getHead('job-1'), before);
  },
);

test('no view of a redacted job shows a value, or fails for want of one', limit, async (t) => {
  const place = makePlace(t);
  const secret = 's3cret';
  const step = { id: 'greeting', agent: 'greet', input: { cat: [secret, { var: 'name' }] } };
  place.put('plan.json', { steps: [step, { id: 'ok', approve: { message: secret } }] });
  const args = ['--agents', 'agents.mjs', '--id', 'job-1', '--context', JSON.stringify({ name: secret })];
  await place.stored('run', 'plan.json', ...args);
  const dashboard = await openDashboard(place, ['--redact']);
  const { page, problems } = await openPage(t);
  await page.goto(dashboard.url);
  for (const view of ['graph', 'timeline', 'trace', 'context', 'log', 'budget', 'children']) {
    await page.goto(`${dashboard.url.replace(/\?.*/, '')}#/jobs/job-1/${view}`);
    await page.reload();
    await page.locator('main').getByText('job-1').first().waitFor();
    assert.doesNotMatch(await page.content(), new RegExp(secret), view);
  }
  assert.deepEqual(problems, []);
});
