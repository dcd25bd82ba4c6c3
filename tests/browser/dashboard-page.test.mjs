// @ts-check
/** Jobs of a SQLite file on the served dashboard: run, asked about, stepped, forked, and those of other processes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openDashboard, until } from '../command-line/dashboards.mjs';
import {
  goTo,
  jobIs,
  openBrowser,
  openWithAgents,
  placeWithGates,
  press,
  stepIs,
  within,
} from './served-page.mjs';

const limit = { timeout: 180_000 };

/** @type {Awaited<ReturnType<typeof openBrowser>>} */
let browser;

before(async () => {
  browser = await openBrowser();
}, limit);

after(() => browser?.close());

test(
  'a run is paused, started again, loaded again in the middle and approved, and a second page sees it all',
  limit,
  async (t) => {
    const { place, dashboard, create } = await openWithAgents(t);
    const { page, problems } = await browser.openPage(t, dashboard.url);
    await page.locator('[data-job="first"] [data-status="completed"]').waitFor();
    await create('run', [
      { id: 'one', agent: 'gated', input: 'a' },
      { id: 'ask', approve: { message: 'Shall it go on?' }, after: ['one'] },
      { id: 'two', agent: 'gated', input: 'b', after: ['ask'] },
    ]);
    await page.locator('[data-job="run"] [data-status="created"]').waitFor();
    await page.getByRole('link', { name: 'run', exact: true }).click();
    await stepIs(page, 'one', 'pending');
    const other = await browser.openPage(t, within(dashboard.url, '#/jobs/run'));
    await press(page, 'Start');
    await place.reachedGate('a');
    for (const one of [page, other.page]) await stepIs(one, 'one', 'running');
    await page.getByRole('group', { name: 'This job' }).getByRole('button', { name: 'Pause' }).click();
    place.openGate('a');
    for (const one of [page, other.page]) {
      await jobIs(one, 'paused');
      await stepIs(one, 'one', 'done');
    }
    await press(page, 'Go on');
    await page.locator('[data-approval]').getByText('Shall it go on?').waitFor();
    await page.reload();
    await page.getByPlaceholder('Note or reason').fill('a fine bicycle');
    await press(page, 'Approve');
    await place.reachedGate('b');
    for (const one of [page, other.page]) await stepIs(one, 'two', 'running');
    place.openGate('b');
    for (const one of [page, other.page]) {
      await stepIs(one, 'two', 'done');
      await jobIs(one, 'completed');
    }
    await press(page, 'Replay');
    await page.locator('[data-verdict="ok"]').waitFor();
    const { history } = await dashboard.get('job?id=run');
    const { payload } = history.find((/** @type {any} */ { type }) => type === 'step_approved');
    assert.deepEqual([payload.step, payload.note, typeof payload.by], ['ask', 'a fine bicycle', 'string']);
    assert.deepEqual([...problems, ...other.problems], []);
  },
);

test('whoever presses buttons at the keyboard stays among them', limit, async (t) => {
  const { place, dashboard, create } = await openWithAgents(t);
  await create('keys', [
    { id: 'ask', approve: {} },
    { id: 'one', agent: 'gated', input: 'k', after: ['ask'] },
    { id: 'two', agent: 'gated', input: 'l', after: ['one'] },
  ]);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  await goTo(page, '#/jobs/keys');
  await press(page, 'Start');
  const focused = (/** @type {string} */ selector) => page.locator(`#main ${selector}:focus`).waitFor();
  await page.getByRole('button', { name: 'Approve' }).focus();
  await page.keyboard.press('Enter');
  await place.reachedGate('k');
  await page.locator('[data-approval]').waitFor({ state: 'detached' });
  await focused('*');
  const group = page.getByRole('group', { name: 'This job' });
  await group.getByRole('button', { name: 'Pause' }).focus();
  await page.keyboard.press('Enter');
  place.openGate('k');
  await jobIs(page, 'paused');
  await focused('fieldset button:has-text("Go on")');
  await page.keyboard.press('Enter');
  await place.reachedGate('l');
  await focused('fieldset button:has-text("Pause")');
  place.openGate('l');
  await jobIs(page, 'completed');
  assert.deepEqual(problems, []);
});

test('what a cancelled job did not begin is not run, and waits for nobody', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  await create('ended', [
    { id: 'ask', approve: {} },
    { id: 'next', agent: 'echo', after: ['ask'] },
  ]);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  await goTo(page, '#/jobs/ended');
  await press(page, 'Start');
  await stepIs(page, 'ask', 'waiting');
  await press(page, 'Cancel');
  await press(page, 'Cancel the job');
  for (const step of ['ask', 'next']) await stepIs(page, step, 'not run');
  await page.getByText('not run', { exact: true }).first().waitFor();
  assert.deepEqual(problems, []);
});

test('what is rejected fails, with the reason', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  await create('refused', [{ id: 'ask', approve: { message: 'sure?' } }]);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  await goTo(page, '#/jobs/refused');
  await press(page, 'Start');
  await page.getByPlaceholder('Note or reason').fill('too dear');
  await press(page, 'Reject');
  await jobIs(page, 'failed');
  await page.getByText('too dear').first().waitFor();
  assert.deepEqual(problems, []);
});

test('one step, a breakpoint set in the graph, moments before, a fork, and a cancel', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  const echo = (/** @type {string} */ id, /** @type {string[]} */ ...after) => ({
    id,
    agent: 'echo',
    input: id,
    after,
  });
  await create('steps', [
    echo('a'),
    echo('b', 'a'),
    { ...echo('c', 'b'), input: { var: 'word' } },
    { id: 'd', wait: { signal: 'go' }, after: ['c'] },
  ]);
  const { page, problems } = await browser.openPage(t, dashboard.url);
  await goTo(page, '#/jobs/steps');
  await press(page, 'One step');
  await stepIs(page, 'a', 'done');
  await jobIs(page, 'paused');
  await press(page, 'Set a breakpoint before c');
  await page.getByText('1 breakpoint', { exact: true }).waitFor();
  await press(page, 'Go on');
  await page.getByText('it stands before a breakpoint').waitFor();
  await stepIs(page, 'b', 'done');
  await stepIs(page, 'c', 'pending');

  await page.getByRole('button', { name: 'To the beginning' }).click();
  await stepIs(page, 'a', 'pending');
  await page.getByText('As of event 0').waitFor();
  await page.getByRole('slider', { name: 'Event' }).press('End');
  await page.getByRole('button', { name: 'One event back' }).click();
  await page.getByText(/As of event [1-9]/).waitFor();
  await page.getByRole('button', { name: 'Back to live' }).click();
  await stepIs(page, 'b', 'done');

  await press(page, 'Fork …');
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('After the step').selectOption('b');
  await dialog.getByLabel('Changes of the context').fill('{"word": "changed"}');
  await dialog.getByRole('button', { name: 'Fork', exact: true }).click();
  await page.waitForURL((url) => !url.hash.endsWith('/steps'));
  const fork = decodeURIComponent(new URL(page.url()).hash.split('/')[2] ?? '');
  await page.getByText('forked from').waitFor();
  await jobIs(page, 'created');
  await press(page, 'Start');
  // It has the breakpoints of the one it was made of.
  await page.getByText('it stands before a breakpoint').waitFor();
  await press(page, 'Go on');
  await page.getByText('waits for a signal').waitFor();
  assert.equal((await dashboard.get(`job?id=${encodeURIComponent(fork)}`)).context.c, 'changed');
  await press(page, 'Cancel');
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  await jobIs(page, 'running');
  await press(page, 'Cancel');
  await press(page, 'Cancel the job');
  await jobIs(page, 'failed');

  // The one it was made of goes on.
  await goTo(page, '#/jobs/steps');
  await press(page, 'Remove the breakpoint before c');
  await page.getByText('0 breakpoints').waitFor();
  await press(page, 'Go on');
  await page.getByText('waits for a signal').waitFor();
  await page.getByLabel('with', { exact: true }).fill('{"n": 5}');
  await press(page, 'Send');
  await jobIs(page, 'completed');
  assert.deepEqual(problems, []);
});

test('the pace that is shown is the one of this server', limit, async (t) => {
  const { dashboard } = await openWithAgents(t, '--slow', '700');
  const { page, problems } = await browser.openPage(t, dashboard.url);
  const pace = page.getByLabel('Slow play');
  const value = () => pace.inputValue();
  assert.equal(await value(), '700');
  await pace.press('End');
  await until(async () => (await dashboard.get('hello')).slowPlayMs === 5_000);
  const other = await browser.openPage(t, within(dashboard.url));
  assert.equal(await other.page.getByLabel('Slow play').inputValue(), '5000');
  await pace.press('Home');
  await other.page.locator('output:text-is("none")').waitFor();
  await until(async () => (await dashboard.get('hello')).slowPlayMs === 0);
  // What another tab likes otherwise says nothing of the server.
  await page.evaluate(() => localStorage.setItem('jobwright:slow-play', '3000'));
  await page.reload();
  await page.getByRole('banner').waitFor();
  assert.equal(await value(), '0');
  assert.deepEqual([...problems, ...other.problems], []);
});

test('a signal can be sent while other steps keep the job changing', limit, async (t) => {
  const { dashboard, create } = await openWithAgents(t);
  const beats = Array.from({ length: 5 }, (_, n) => ({
    id: `beat${n}`,
    agent: 'echo',
    after: [],
    repeat: { until: { var: 'stop' }, max: 1_000_000 },
  }));
  await create('busy', [{ id: 'ask', wait: { signal: 'go' }, after: [] }, ...beats], { slowPlayMs: 100 });
  const { page, problems } = await browser.openPage(t, dashboard.url);
  await goTo(page, '#/jobs/busy');
  await press(page, 'Start');
  await page.getByText('waits for a signal').waitFor();
  await press(page, 'Send');
  await stepIs(page, 'ask', 'done');
  await press(page, 'Cancel');
  await press(page, 'Cancel the job');
  await jobIs(page, 'failed');
  assert.deepEqual(problems, []);
});

test(
  'a job of another process is seen as it comes, paused, taken up here, and one is cancelled',
  limit,
  async (t) => {
    const place = placeWithGates(t);
    const step = (/** @type {string} */ name) => ({ id: name, agent: 'gated', input: name });
    place.put('one.json', { steps: [step('a'), { ...step('b'), after: ['a'] }] });
    place.put('two.json', { steps: [step('c')] });
    place.put('empty.json', { steps: [{ id: 'only', agent: 'echo' }] });
    await place.stored('run', 'empty.json', '--agents', 'agents.mjs', '--id', 'first');
    const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
    const { page, problems } = await browser.openPage(t, `${dashboard.url}#/jobs/theirs`);
    // Its page is looked at before it is there.
    await page.getByRole('heading', { name: 'Job not found' }).waitFor();
    const start = (/** @type {string} */ plan, /** @type {string} */ id) =>
      place.start(['run', plan, '--agents', 'agents.mjs', '--store', 'jobs.db', '--id', id]);
    const theirs = start('one.json', 'theirs');
    await stepIs(page, 'a', 'running');
    await page.getByRole('group', { name: 'This job' }).getByRole('button', { name: 'Pause' }).click();
    await jobIs(page, 'paused');
    place.openGate('a');
    const { code } = await theirs.end;
    assert.equal(code, 3, 'it says that its job waits');
    await stepIs(page, 'a', 'done');
    await press(page, 'Go on');
    await place.reachedGate('b');
    place.openGate('b');
    await jobIs(page, 'completed');

    const cancelled = start('two.json', 'cancelled');
    await goTo(page, '#/');
    await page.locator('[data-job="cancelled"] [data-status="running"]').waitFor();
    await page.getByRole('link', { name: 'cancelled', exact: true }).click();
    await stepIs(page, 'c', 'running');
    await press(page, 'Cancel');
    await press(page, 'Cancel the job');
    await jobIs(page, 'failed');
    assert.equal((await cancelled.end).code, 1, 'the other process ends it');
    await until(async () => (await dashboard.get('head?id=cancelled')).run.failure.code === 'cancelled');
    assert.deepEqual(problems, []);
  },
);
