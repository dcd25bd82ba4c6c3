// @ts-check
/** Jobs in the demo: run, asked about, paused, loaded again in the middle, given other limits. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createJob, jobOf, openDemo, waitForStatus } from './demo-page.mjs';
import { until } from './until.mjs';

const limit = { timeout: 180_000 };

/** @type {import('./demo-page.mjs').Demo} */
let demo;

before(async () => {
  demo = await openDemo();
}, limit);

after(() => demo?.close());

/** @param {import('playwright-core').Page} page */
const button = (page) => (/** @type {string | RegExp} */ name) => page.getByRole('button', { name });

/**
 * @param {import('playwright-core').Page} page
 * @param {string} id
 * @param {string} type
 */
async function eventsOf(page, id, type) {
  const job = await jobOf(page, id);
  return job.history.filter((/** @type {any} */ event) => event.type === type);
}

test(
  'a run is paused and started again, loaded again in the middle, approved, and completes',
  limit,
  async () => {
    const { page, problems } = await demo.openPage();
    // So slow that it is still in the middle, however slow the machine is.
    await page.getByLabel('Slow play').fill('5000');
    const id = await createJob(page, /Purchase/);
    const pause = page.getByRole('group', { name: 'This job' }).getByRole('button', { name: 'Pause' });
    await pause.click();
    await waitForStatus(page, 'paused');
    await button(page)('Go on').click();
    // Stored by now: what a reload cuts off before that was never done.
    await waitForStatus(page, 'running');
    await page.reload();
    await page.getByLabel('Slow play').fill('0');
    const approval = page.locator('[data-approval]');
    await approval.waitFor({ timeout: 60_000 });
    for (const text of ['pay', 'cashier', 'transfer', 'Spoke & Chain', '390', '6, of a limit of 40'])
      await approval.getByText(text).first().waitFor();
    await page.getByPlaceholder('Note or reason').fill('a fine bicycle');
    await button(page)('Approve').click();
    await waitForStatus(page, 'completed');
    const job = await jobOf(page, id);
    assert.match(job.context.ship, /on its way/);
    assert.deepEqual(
      await page.evaluate(
        (id) => /** @type {any} */ (globalThis).jobs.replayJob(id).then((/** @type {any} */ r) => r.ok),
        id,
      ),
      true,
    );
    const [approved] = await eventsOf(page, id, 'step_approved');
    assert.equal(approved.payload.note, 'a fine bicycle');
    const { spent, limit: most } = await page.evaluate(
      (id) => /** @type {any} */ (globalThis).jobs.getBudget(id),
      id,
    );
    assert.deepEqual([spent, most], [14, 40]);
    assert.deepEqual(problems, []);
    await page.close();
  },
);

test('what a person rejects is undone', limit, async () => {
  const { page, problems } = await demo.openPage();
  const id = await createJob(page, /Purchase/);
  await page.locator('[data-approval]').waitFor({ timeout: 60_000 });
  await page.getByPlaceholder('Note or reason').fill('too dear');
  await button(page)('Reject').click();
  await waitForStatus(page, 'completed');
  const { context } = await jobOf(page, id);
  assert.match(context.undo, /is undone/);
  assert.equal(context.ship, undefined);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a job that was loaded again in the middle of a run goes on with it', limit, async () => {
  const { page, problems } = await demo.openPage();
  const id = await createJob(page, /Research/);
  await until(page, async (id) => (await /** @type {any} */ (globalThis).jobs.getHead(id)).run.seq > 6, id);
  await page.reload();
  await waitForStatus(page, 'completed');
  const { context } = await jobOf(page, id);
  assert.match(context.publish, /^How do tides work\? .*Fundy/);
  assert.deepEqual(problems, []);
  await page.close();
});

test('one step at a time, up to a breakpoint, with signals and a person', limit, async () => {
  const { page, problems } = await demo.openPage();
  const id = await createJob(page, /plan of your own/, { button: 'Create' });
  await waitForStatus(page, 'created');
  await button(page)('One step').click();
  await waitForStatus(page, 'paused');
  assert.equal((await eventsOf(page, id, 'step_completed')).length, 1);
  await page.evaluate((id) => /** @type {any} */ (globalThis).jobs.setBreakpoints(id, ['pause']), id);
  await button(page)('Go on').click();
  await page
    .getByText('it stands before a breakpoint')
    .or(page.getByText('at a breakpoint'))
    .first()
    .waitFor();
  assert.equal((await eventsOf(page, id, 'step_completed')).length, 1);
  await button(page)('Go on').click();
  await page.getByText('Shall it go on?').first().waitFor();
  await button(page)('Approve').click();
  await page.getByLabel('Signal', { exact: true }).selectOption('yes');
  await page.getByLabel('with', { exact: true }).fill('{oops');
  assert.equal(await button(page)('Send').isDisabled(), true);
  await page.getByLabel('with', { exact: true }).fill('{"n": 5}');
  await button(page)('Send').click();
  await waitForStatus(page, 'completed');
  assert.deepEqual((await jobOf(page, id)).context.last, { signal: 'yes', payload: { n: 5 } });
  assert.deepEqual(problems, []);
  await page.close();
});

test('a job that a limit stopped gets another, and goes on', limit, async () => {
  const { page, problems } = await demo.openPage();
  const steps = ['a', 'b', 'c'].map((id) => ({ id, agent: 'echo', cost: 10 }));
  await page.goto(`${demo.url}#/new`);
  await page.getByRole('radio', { name: /plan of your own/ }).check();
  await page.getByLabel('Budget').fill('15');
  await page.getByLabel('Steps at most').fill('2');
  const id = await createJob(page, /plan of your own/, { plan: { steps }, check: false });
  await page.getByLabel(/Budget: 10 of 15 spent/).fill('100');
  await button(page)('Change and go on').click();
  await page.getByLabel(/2 of 2 steps taken/).fill('3');
  await button(page)('Change and go on').click();
  await waitForStatus(page, 'completed');
  const { spent } = await page.evaluate((id) => /** @type {any} */ (globalThis).jobs.getBudget(id), id);
  assert.equal(spent, 30);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a fork goes on from a step with another context; a cancel is asked about', limit, async () => {
  const { page, problems } = await demo.openPage();
  const plan = {
    steps: [
      { id: 'one', agent: 'echo', input: 1 },
      { id: 'two', agent: 'echo', input: { var: 'word' } },
      { id: 'ask', wait: { signal: 'never' } },
    ],
  };
  const id = await createJob(page, /plan of your own/, { plan, context: { word: 'before' } });
  await page.getByText('waits for a signal').waitFor();
  await button(page)('Fork').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('After the step').selectOption('one');
  await dialog.getByLabel('Changes of the context').fill('{"word": "after"}');
  await dialog.getByRole('button', { name: 'Fork', exact: true }).click();
  await page.waitForFunction((id) => !location.hash.includes(id), id);
  const fork = decodeURIComponent(new URL(page.url()).hash.split('/')[2] ?? '');
  await waitForStatus(page, 'created');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText('waits for a signal').waitFor();
  assert.equal((await jobOf(page, fork)).context.two, 'after');
  await button(page)('Cancel').click();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal((await jobOf(page, fork)).status, 'running');
  await button(page)('Cancel').click();
  await button(page)('Cancel the job').click();
  await waitForStatus(page, 'failed');
  assert.equal((await jobOf(page, fork)).run.failure.code, 'cancelled');
  assert.equal((await jobOf(page, id)).status, 'running', 'the origin goes on');
  await button(page)('Replay').click();
  await page.locator('[data-verdict="ok"]').waitFor();
  assert.deepEqual(problems, []);
  await page.close();
});

test('what is refused is said, and can be dismissed', limit, async () => {
  const { page } = await demo.openPage();
  const id = await createJob(page, /plan of your own/, { button: 'Create' });
  await waitForStatus(page, 'created');
  await page.evaluate(() => /** @type {any} */ (globalThis).jobs.pauseAll());
  await page.getByText('Everything is paused').waitFor();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  const alert = page.getByRole('alert').getByText('globally_paused');
  await alert.waitFor();
  await button(page)(/^Dismiss/)
    .first()
    .click();
  await alert.waitFor({ state: 'hidden' });
  await button(page)('Start again').click();
  await page.getByText('Everything is paused').waitFor({ state: 'hidden' });
  await page.evaluate((id) => /** @type {any} */ (globalThis).jobs.cancelJob(id, 'done'), id);
  await page.close();
});

test(
  'a parent that was loaded again in the middle is monitored and goes on, and ends with its children',
  limit,
  async () => {
    const { page, problems } = await demo.openPage();
    const COUNT = 60;
    const id = await createJob(page, /Parent with/, { context: { parcels: COUNT } });
    await until(
      page,
      async (parentId) => {
        const { jobs } = /** @type {any} */ (globalThis);
        return (await jobs.listJobs({ parentId, status: 'completed' })).length > 5;
      },
      id,
    );
    await page.getByLabel('Slow play').fill('5000');
    await page.reload();
    await until(page, async () => (await /** @type {any} */ (globalThis).jobs?.health())?.monitors === 1);
    await page.getByLabel('Slow play').fill('0');
    await waitForStatus(page, 'completed', 120_000);
    const { context } = await jobOf(page, id);
    assert.equal(context.total.parcels, COUNT);
    const heads = await page.evaluate(
      (id) => /** @type {any} */ (globalThis).jobs.listJobs({ parentId: id }),
      id,
    );
    assert.equal(heads.length, COUNT);
    for (const { status } of heads) assert.equal(status, 'completed');
    const { spent, reserved } = await page.evaluate(
      (id) => /** @type {any} */ (globalThis).jobs.getBudget(id),
      id,
    );
    assert.deepEqual([spent, reserved], [2 * COUNT, 0]);
    assert.deepEqual(problems, []);
    await page.close();
  },
);

test('a child that asks is answered on its own page, and its parent goes on', limit, async () => {
  const { page, problems } = await demo.openPage();
  const child = {
    steps: [
      { id: 'ask', approve: { message: 'Shall the child go on?' } },
      { id: 'end', agent: 'echo' },
    ],
  };
  const plan = {
    steps: [
      { id: 'child', job: { plan: child } },
      { id: 'last', agent: 'echo', input: 'ended' },
    ],
  };
  const id = await createJob(page, /plan of your own/, { plan });
  await until(
    page,
    async (id) => (await /** @type {any} */ (globalThis).jobs.getHead(id)) !== null,
    `${id}:child`,
  );
  await page.goto(`${demo.url}#/jobs/${encodeURIComponent(`${id}:child`)}`);
  await page.getByText('Shall the child go on?').first().waitFor();
  // Nothing is written while nothing can go on: the page looks for what it could take up several times meanwhile.
  const seqOf = () => jobOf(page, id).then(({ run }) => run.seq);
  await until(
    page,
    async (id) => {
      const { jobs } = /** @type {any} */ (globalThis);
      const before = (await jobs.getHead(id)).run.seq;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return before === (await jobs.getHead(id)).run.seq;
    },
    id,
  );
  assert.ok((await seqOf()) < 12, 'it was run again and again');
  await button(page)('Approve').click();
  await waitForStatus(page, 'completed');
  await page.goto(`${demo.url}#/jobs/${encodeURIComponent(id)}`);
  await waitForStatus(page, 'completed');
  assert.equal((await jobOf(page, id)).context.last, 'ended');
  assert.deepEqual(problems, []);
  await page.close();
});
