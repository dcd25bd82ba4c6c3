// @ts-check
/** The served page where not all is allowed or shown, where jobs mean harm, and where the server is not heard. */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { openDashboard, until } from '../command-line/dashboards.mjs';
import { goTo, jobIs, openBrowser, openWithAgents, placeWithGates, press, within } from './served-page.mjs';

const limit = { timeout: 240_000 };
const VIEWS = ['graph', 'timeline', 'trace', 'context', 'log', 'budget', 'children'];
const SECRET = 's3cret';

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;

before(async () => {
  browser = await openBrowser();
}, limit);

after(() => browser?.close());

/**
 * Jobs of every kind, with a secret wherever values are.
 *
 * @param {import('node:test').TestContext} t
 */
async function placeWithSecrets(t) {
  const place = placeWithGates(t);
  const input = { cat: [SECRET, { var: 'name' }] };
  const one = { id: 'one', agent: 'echo', input };
  const context = JSON.stringify({ name: SECRET, deep: { list: [SECRET] } });
  const run = (/** @type {string} */ id, /** @type {any[]} */ ...steps) => {
    place.put(`${id}.json`, { steps });
    const args = ['--agents', 'agents.mjs', '--id', id, '--context', context];
    return place.stored('run', `${id}.json`, ...args);
  };
  await run('asks', one, { id: 'ask', approve: { message: SECRET }, after: ['one'] });
  await run('fails', one, { id: 'stop', wait: { ms: 1 }, when: { throw: SECRET }, after: ['one'] });
  await run('family', { id: 'child', job: { plan: { steps: [one] }, context: { name: input } } });
  await run('done', one, { id: 'each', agent: 'echo', forEach: [SECRET, SECRET], after: ['one'] });
  return place;
}

/** @param {import('playwright-core').Page} page */
const controls = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('button:not(:disabled), input, select, textarea')].map(
      (one) => one.getAttribute('aria-label') ?? (one.textContent.trim().replace(/\s+/g, ' ') || one.tagName),
    ),
  );

/** What changes a job, or all. */
const CHANGING =
  /^(Start|Go on|One step|Pause|Cancel|Fork|Approve|Reject|Send|Stop everything|Start again|Set a break|Remove the break|Change)/;

test('a dashboard that is read-only offers nothing that changes, and sends nothing', limit, async (t) => {
  const place = await placeWithSecrets(t);
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs', '--read-only']);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  const sent = /** @type {string[]} */ ([]);
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push(request.url());
  });
  await page.locator('[data-job="asks"]').waitFor();
  for (const hash of ['#/', '#/numbers', ...VIEWS.map((view) => `#/jobs/asks/${view}`), '#/jobs/done']) {
    await goTo(page, hash);
    if (hash.startsWith('#/jobs/')) await page.locator('[data-view]').waitFor();
    if (hash.endsWith('graph')) await page.locator('[data-step="ask"]').waitFor();
    const found = await controls(page);
    assert.ok(found.length > 2, found.join());
    assert.deepEqual(
      found.filter((name) => CHANGING.test(name)),
      [],
      hash,
    );
  }
  await goTo(page, '#/jobs/asks');
  await page.locator('[data-approval]').getByText(SECRET).waitFor();
  await press(page, 'Replay');
  await page.locator('[data-verdict="ok"]').waitFor();
  await goTo(page, '#/new');
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  assert.deepEqual(sent, []);
  assert.deepEqual(problems, []);
});

test('a redacted dashboard has no secret in any view, and offers no export', limit, async (t) => {
  const place = await placeWithSecrets(t);
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs', '--redact']);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  const bodies = /** @type {Promise<[string, string]>[]} */ ([]);
  page.on('response', (response) => {
    const isStream = /api\/(events|changes)/.test(response.url());
    if (!isStream) bodies.push(response.text().then((text) => [response.url(), text]));
  });
  await page.locator('[data-job="asks"]').waitFor();
  const holdsNone = async (/** @type {string} */ where) =>
    assert.doesNotMatch(await page.evaluate('document.documentElement.outerHTML'), new RegExp(SECRET), where);
  await holdsNone('the list');
  for (const id of ['asks', 'fails', 'family', 'family:child', 'done']) {
    for (const view of VIEWS) {
      await goTo(page, `#/jobs/${encodeURIComponent(id)}/${view}`);
      await page.locator('h1', { hasText: id }).waitFor();
      await page.locator(`[data-view="${view}"]`).waitFor();
      assert.equal(await page.getByRole('button', { name: /Export/ }).count(), 0);
      await holdsNone(`${id}, ${view}`);
    }
  }
  // With what unfolds.
  await goTo(page, '#/jobs/done/graph');
  await page.getByRole('button', { name: 'one', exact: true }).click();
  await page.getByRole('region', { name: 'Step one' }).getByText('[hidden: ').first().waitFor();
  await holdsNone('a step');
  await goTo(page, '#/numbers');
  await page.getByRole('heading', { name: 'Numbers', exact: true }).waitFor();
  await holdsNone('the numbers');
  await goTo(page, '#/jobs/asks');
  await press(page, 'Replay');
  await page.locator('[data-verdict]').waitFor();
  await holdsNone('a replay');
  await press(page, 'Approve');
  await jobIs(page, 'completed');
  await holdsNone('a run that went on');
  for (const [url, text] of await Promise.all(bodies)) assert.ok(!text.includes(SECRET), url);
  assert.deepEqual(problems, []);
});

const IMAGE = '<img src=x onerror="globalThis.harmed = true">';
const SCRIPT = '<script>globalThis.harmed = true</script>';
const LINK = 'javascript:globalThis.harmed=true';

test(
  'a hostile plan and context are text in every view, under the policy that is served',
  limit,
  async (t) => {
    const { dashboard, create } = await openWithAgents(t);
    const id = `${LINK}//${IMAGE}/%2e%2e/a\u202egnp.exe`;
    const context = { [IMAGE]: SCRIPT, link: LINK, long: 'x'.repeat(900_000) };
    const steps = [
      { id: IMAGE, agent: 'echo', input: { [SCRIPT]: LINK, long: { var: 'long' } } },
      { id: LINK, agent: 'echo', after: [IMAGE] },
      { id: 'ask', approve: { message: IMAGE + LINK }, after: [LINK] },
    ];
    await create(id, steps, { context, plan: { name: IMAGE, steps } });
    const { page, problems } = await browser.openPage(t, dashboard.url);
    await page.locator('[data-job]', { hasText: '<img src=x' }).getByRole('link').click();
    await press(page, 'Start');
    await page.locator('[data-approval]').getByText('<img src=x').first().waitFor();
    for (const view of VIEWS) {
      await goTo(page, `#/jobs/${encodeURIComponent(id)}/${view}`);
      await page.locator(`[data-view="${view}"]`).waitFor();
      const found = await page.evaluate(() => ({
        harmed: /** @type {any} */ (globalThis).harmed,
        images: [...document.images].map(({ src }) => src).filter((src) => !src.endsWith('icon.svg')),
        links: [...document.links]
          .map(({ href }) => href)
          .filter((href) => !href.startsWith(location.origin)),
        scripts: document.scripts.length,
        isShort: document.body.textContent.length < 200_000,
        turned: document.body.textContent.includes('\u202e'),
      }));
      const expected = { harmed: undefined, images: [], links: [], scripts: 1, isShort: true, turned: false };
      assert.deepEqual(found, expected, view);
    }
    await page.reload();
    await press(page, 'Approve');
    await jobIs(page, 'completed');
    assert.deepEqual(problems, []);
  },
);

/**
 * What stands between the page and the server: it can be cut, and refuse.
 *
 * @param {import('node:test').TestContext} t
 * @param {number} port
 */
async function openWire(t, port) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  let isCut = false;
  const wire = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    if (isCut) return void socket.destroy();
    const far = connect(port, '127.0.0.1').on('error', () => {});
    socket.pipe(far).pipe(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      far.destroy();
    });
    far.on('close', () => socket.destroy());
  });
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  const mend = () => {
    isCut = false;
  };
  await new Promise((resolve) => wire.listen(0, '127.0.0.1', () => resolve(undefined)));
  t.after(() => {
    cut();
    wire.close();
  });
  return { port: /** @type {import('node:net').AddressInfo} */ (wire.address()).port, cut, mend };
}

test(
  'a server that is not heard is said to be, and the page catches up when it is again',
  limit,
  async (t) => {
    const { place, dashboard, create } = await openWithAgents(t, '--allow-host', '127.0.0.1');
    await create('job', [{ id: 'one', agent: 'gated', input: 'a' }]);
    const wire = await openWire(t, dashboard.port);
    const url = dashboard.url.replace(`:${dashboard.port}/`, `:${wire.port}/`);
    const { page } = await browser.openPage(t, url);
    const list = (await browser.openPage(t, within(url))).page;
    await list.locator('[data-job="job"]').waitFor();
    await goTo(page, '#/jobs/job');
    await press(page, 'Start');
    await place.reachedGate('a');
    await jobIs(page, 'running');
    wire.cut();
    for (const one of [page, list])
      await one.getByRole('alert').getByText('Not connected: The server does not answer').waitFor();
    await press(page, 'Cancel');
    await press(page, 'Cancel the job');
    await page.getByRole('alert').getByText('unreachable').waitFor();
    place.openGate('a');
    await create('other', [{ id: 'only', agent: 'echo' }]);
    wire.mend();
    for (const one of [page, list]) await one.getByText('Not connected').waitFor({ state: 'hidden' });
    await jobIs(page, 'completed');
    await list.locator('[data-job="job"] [data-status="completed"]').waitFor();
    await list.locator('[data-job="other"]').waitFor();
  },
);

test(
  'a server that was started anew at the same place has another address, and the page says so',
  limit,
  async (t) => {
    const { place, dashboard } = await openWithAgents(t);
    const { page } = await browser.openPage(t, dashboard.url);
    await page.locator('[data-job="first"]').waitFor();
    await dashboard.end();
    await page.getByText('Not connected: The server does not answer').waitFor();
    await openDashboard(place, ['--port', String(dashboard.port)]);
    const said = page.getByText('Not connected: The server was started anew');
    await said.waitFor();
    // And at the next attempts.
    for (let ms = 0; ms < 3_000; ms += 100) {
      await page.waitForTimeout(100);
      assert.ok(await said.isVisible(), (await page.getByRole('alert').allTextContents()).join());
    }
  },
);

test('a server that stands still is noticed by its silence', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  const { page } = await browser.openPage(t, dashboard.url);
  await page.clock.install();
  await page.reload();
  await page.locator('[data-job="first"]').waitFor();
  dashboard.child.kill('SIGSTOP');
  // So that the test does not take as long as the page is patient: the silence, the pause after it, and the answer.
  await until(async () => {
    await page.clock.fastForward(10_000);
    return page.getByText('Not connected: The server does not answer.').isVisible();
  });
  dashboard.child.kill('SIGCONT');
  await create('later', [{ id: 'only', agent: 'echo' }]);
  await page.clock.fastForward(10_000);
  await page.locator('[data-job="later"]').waitFor();
  await page.getByText('Not connected').waitFor({ state: 'hidden' });
});
