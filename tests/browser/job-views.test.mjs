// @ts-check
/** The page of one job in a real Chromium, on a real orchestrator, under a strict Content-Security-Policy. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openJobViews } from './job-views/open.mjs';

const limit = { timeout: 120_000 };
const patient = { timeout: 60_000 };

/** @type {Awaited<ReturnType<typeof openJobViews>>} */
let views;
before(async () => {
  views = await openJobViews();
}, limit);
after(() => views?.close());

/** Every kind of step, two of them waiting for what a test opens. */
const PLAN = {
  name: 'a report',
  steps: [
    { id: 'start', agent: 'echo', cost: 3 },
    { id: 'count', agent: 'counter', repeat: { until: { '>=': [{ var: 'count.n' }, 3] }, max: 5 } },
    { id: 'never', agent: 'echo', when: false, after: ['start'] },
    { id: 'files', agent: 'gated', forEach: [1, 2, 3, 4, 5], after: ['start'], cost: 3 },
    { id: 'flaky', agent: 'flaky', after: ['start'], retry: { maxAttempts: 4, backoffMs: 5 } },
    {
      id: 'pack',
      job: {
        plan: {
          steps: [
            { id: 'wrap', agent: 'echo' },
            { id: 'label', agent: 'gated' },
          ],
        },
      },
      after: ['count'],
    },
    { id: 'publish', agent: 'gated', after: ['files', 'pack', 'flaky', 'never'] },
  ],
};

/**
 * Makes a job in the page, runs it, and shows a view of it.
 *
 * @param {import('playwright-core').Page} page
 * @param {any} plan
 * @param {{ id?: string, view?: string, open?: string[], context?: any, run?: boolean }} [options]
 */
async function show(page, plan, { id = 'report', view = 'graph', open = [], context = {}, run = true } = {}) {
  await page.evaluate(
    async (/** @type {any} */ [given, options]) => {
      const { jobs } = /** @type {any} */ (window);
      for (const gate of options.open) jobs.open(gate);
      await jobs.make(given, { id: options.id, context: options.context });
      if (options.run) await jobs.run(options.id);
    },
    [plan, { id, open, context, run }],
  );
  await goTo(page, view, id);
}

/** @param {import('playwright-core').Page} page @param {string} view @param {string} [id] */
async function goTo(page, view, id = 'report') {
  await page.evaluate(
    (hash) => {
      location.hash = hash;
    },
    `#/jobs/${encodeURIComponent(id)}/${view}`,
  );
  await page.locator(`[data-view="${view}"]`).waitFor(patient);
}

/** @param {import('playwright-core').Page} page @param {string} step @param {string} status */
async function stepIs(page, step, status) {
  await page.locator(`[data-step="${step}"] [data-status="${status}"]`).waitFor(patient);
}

/** @param {import('playwright-core').Page} page @param {string} gate */
const openGate = (page, gate) => page.evaluate((name) => /** @type {any} */ (window).jobs.open(name), gate);

/** @param {import('playwright-core').Page} page @param {string} status */
async function jobIs(page, status) {
  await page.locator(`.job-status[data-status="${status}"]`).waitFor(patient);
}

test('the graph follows a run as it goes', limit, async () => {
  const { page, problems } = await views.newPage();
  await show(page, PLAN);
  await stepIs(page, 'files', 'running');
  await stepIs(page, 'never', 'skipped');
  await stepIs(page, 'publish', 'pending');
  await stepIs(page, 'flaky', 'done');
  await page.locator('[data-step="flaky"]', { hasText: 'attempt 3' }).waitFor(patient);
  await page.locator('[data-step="count"]', { hasText: 'round 3/5' }).waitFor(patient);
  // Items and the child job are folded into their steps.
  await page.locator('[data-step="files"]', { hasText: '0/5 items' }).waitFor(patient);
  await openGate(page, 'files[1]');
  await page.locator('[data-step="files"]', { hasText: '1/5 items' }).waitFor(patient);
  assert.equal(await page.locator('[data-step="pack"] a').getAttribute('href'), '#/jobs/report%3Apack');
  const taken = () => page.locator('.way.taken').count();
  const before = await taken();
  for (const n of [0, 2, 3, 4]) await openGate(page, `files[${n}]`);
  await stepIs(page, 'files', 'done');
  await openGate(page, 'label');
  await stepIs(page, 'publish', 'running');
  await page.waitForFunction(
    (count) => document.querySelectorAll('.way.taken').length > count,
    before,
    patient,
  );
  await openGate(page, 'publish');
  await jobIs(page, 'completed');
  const steps = await page.evaluate(async () => {
    const { jobs } = /** @type {any} */ (window);
    return (await jobs.source.getHead('report')).run.stepsTaken;
  });
  assert.ok(steps > 1);
  await page
    .locator('.facts', { hasText: new RegExp(`${steps} of\\s+[\\d,]+\\s+steps\\s+taken`) })
    .waitFor(patient);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a step shows what it was given and gave, and its items unfold', limit, async () => {
  const { page, problems } = await views.newPage();
  await show(page, PLAN, { open: ['files[0]'] });
  await stepIs(page, 'files', 'running');
  await page.getByRole('button', { name: 'files', exact: true }).click();
  const panel = page.getByRole('region', { name: 'Step files' });
  await panel.getByText('5 items').first().waitFor(patient);
  const items = panel.getByRole('list', { name: 'Items' }).getByRole('listitem');
  await items.filter({ hasText: 'done' }).waitFor(patient);
  await items.filter({ hasText: 'running' }).nth(3).waitFor(patient);
  await panel.getByRole('button', { name: '0', exact: true }).click();
  await panel.getByText('said:').waitFor(patient);
  await panel.getByRole('button', { name: 'Close the step' }).click();
  // The child job is a page of its own, with a way back.
  await page.locator('[data-step="pack"] a').click();
  await stepIs(page, 'wrap', 'done');
  await page.getByRole('link', { name: 'report', exact: true }).click();
  await stepIs(page, 'files', 'running');
  assert.deepEqual(problems, []);
  await page.close();
});

test(
  'a breakpoint is set by a click on a step, taken away by keyboard, and stops the job',
  limit,
  async () => {
    const { page, problems } = await views.newPage();
    await show(page, PLAN, { run: false });
    const breakpoints = () =>
      page.evaluate(
        async () => (await /** @type {any} */ (window).jobs.source.getHead('report')).run.breakpoints ?? [],
      );
    await page.getByRole('button', { name: 'Set a breakpoint before files' }).click();
    await page.getByRole('button', { name: 'Remove the breakpoint before files' }).waitFor(patient);
    await page.getByRole('button', { name: 'Set a breakpoint before flaky' }).click();
    await page.getByRole('button', { name: 'Remove the breakpoint before flaky' }).waitFor(patient);
    await page.getByText('2 breakpoints', { exact: true }).waitFor(patient);
    assert.deepEqual(await breakpoints(), ['files', 'flaky']);
    await page.getByRole('button', { name: 'Remove the breakpoint before flaky' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Set a breakpoint before flaky' }).waitFor(patient);
    await page.getByText('1 breakpoint', { exact: true }).waitFor(patient);
    assert.deepEqual(await breakpoints(), ['files']);
    await page.evaluate(() => /** @type {any} */ (window).jobs.run('report'));
    await jobIs(page, 'paused');
    await page.getByText('stands before a breakpoint').waitFor(patient);
    assert.deepEqual(problems, []);
    await page.close();
  },
);

test('at every moment the graph shows the job as it was then', limit, async () => {
  const { page, problems } = await views.newPage();
  const all = [0, 1, 2, 3, 4].map((n) => `files[${n}]`);
  await show(page, PLAN, { open: [...all, 'label', 'publish'] });
  await jobIs(page, 'completed');
  const total = await page.evaluate(async () => {
    const { jobs } = /** @type {any} */ (window);
    return (await jobs.orchestrator.getJob('report')).history.length;
  });
  const slider = page.getByRole('slider', { name: 'Event' });
  await page.waitForFunction(
    (most) => document.querySelector('input[type=range]')?.getAttribute('max') === String(most),
    total,
    patient,
  );
  for (const position of [3, total - 2, 0, Math.floor(total / 2), 7, total - 1]) {
    await slider.fill(String(position));
    await page.getByText(`As of event ${position}`, { exact: true }).waitFor(patient);
    const expected = await page.evaluate(async (at) => {
      const { jobs } = /** @type {any} */ (window);
      const job = await jobs.orchestrator.getJob('report');
      const beginning = new jobs.history.History('report', job.run.plan);
      beginning.append(job.history.slice(0, at));
      return Object.fromEntries(
        job.run.plan.steps.map(({ id }) => [id, beginning.now.steps.get(id)?.status ?? 'pending']),
      );
    }, position);
    for (const [step, status] of Object.entries(expected)) await stepIs(page, step, status);
  }
  await slider.focus();
  await page.keyboard.press('Home');
  await page.getByText('before anything happened').waitFor(patient);
  await page.keyboard.press('ArrowRight');
  await page.getByText('As of event 1', { exact: true }).waitFor(patient);
  await page.getByLabel('Speed').selectOption('64 a second');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await page.getByText(`As of event ${total}`, { exact: true }).waitFor(patient);
  await page.getByRole('button', { name: 'Back to live' }).click();
  await page.getByText(`Live, ${total} events`).waitFor(patient);
  assert.deepEqual(problems, []);
  await page.close();
});

test('log, context and budget are as they were at a moment, too', limit, async () => {
  const { page, problems } = await views.newPage();
  const all = [0, 1, 2, 3, 4].map((n) => `files[${n}]`);
  await show(page, PLAN, { open: [...all, 'label', 'publish'], view: 'context', context: { topic: 'rust' } });
  await jobIs(page, 'completed');
  const context = page.getByRole('region', { name: 'Context', exact: true });
  await context.getByText('publish:').waitFor(patient);
  await page.getByRole('slider', { name: 'Event' }).fill('3');
  await context.getByText('1 key').waitFor(patient);
  await page.getByText('Nothing yet.').waitFor(patient);
  await goTo(page, 'log');
  await page.getByText('3 events').waitFor(patient);
  assert.equal(await page.locator('.line[data-seq]').count(), 3);
  await goTo(page, 'budget');
  assert.equal(await page.getByTestId('spent').textContent(), '0');
  await page.getByRole('button', { name: 'Back to live' }).click();
  await page.locator('[data-testid=spent]', { hasText: '25' }).waitFor(patient);
  await goTo(page, 'log');
  await page.getByLabel('Type').selectOption('errors');
  await page.getByText('attempt 2 did not work').waitFor(patient);
  await page.getByLabel('Type').selectOption('all');
  await page.getByRole('searchbox', { name: 'Step' }).fill('flaky');
  await page.getByRole('searchbox', { name: 'Text' }).fill('third time');
  await page.getByText(/^1 of \d+ events$/).waitFor(patient);
  await page.getByRole('button', { name: 'step_completed' }).click();
  await page
    .getByRole('region', { name: /^Event / })
    .getByText('"third time lucky"')
    .waitFor(patient);
  assert.deepEqual(problems, []);
  await page.close();
});

test('the trace is walked by keyboard, and leads to the child job', limit, async () => {
  const { page, problems } = await views.newPage();
  await show(page, PLAN, { view: 'trace' });
  const tree = page.getByRole('tree');
  await tree.getByText('trace of the child').waitFor(patient);
  const rows = () => page.getByRole('treeitem').count();
  await tree.focus();
  await page.keyboard.press('ArrowDown');
  const before = await rows();
  await page.keyboard.press('ArrowLeft');
  await page.waitForFunction(
    () => document.querySelectorAll('[role=treeitem]').length === 2,
    undefined,
    patient,
  );
  await page.keyboard.press('ArrowRight');
  await page.waitForFunction(
    (count) => document.querySelectorAll('[role=treeitem]').length >= count,
    before,
    patient,
  );
  await page.keyboard.press('Enter');
  await page.getByRole('region', { name: 'Event 2' }).waitFor(patient);
  await tree.getByText('trace of the child').click();
  await page.locator('h1', { hasText: 'report:pack' }).waitFor(patient);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a view that is left while it is scrolled ends in peace', limit, async () => {
  const { page, problems } = await views.newPage();
  const steps = Array.from({ length: 30 }, (_, n) => ({ id: `step-${n}`, agent: 'echo' }));
  await show(page, { steps }, { view: 'budget' });
  await jobIs(page, 'completed');
  for (const [view, scrolls] of [
    ['log', '.rows'],
    ['trace', '.tree'],
  ]) {
    await goTo(page, view);
    const wasThere = await page.locator(scrolls).evaluate(async (box) => {
      await new Promise(requestAnimationFrame);
      box.scrollTop = 200;
      history.replaceState(null, '', '#/jobs/report/budget');
      dispatchEvent(new Event('hashchange'));
      return new Promise((resolve) => {
        box.addEventListener('scroll', () => resolve(box.isConnected));
      });
    });
    assert.equal(wasThere, false);
    await page.locator('[data-view="budget"]').waitFor(patient);
  }
  assert.deepEqual(problems, []);
  await page.close();
});

test('the timeline has a row for each step and unfolds items; tabs go by keyboard', limit, async () => {
  const { page, problems } = await views.newPage();
  await show(page, PLAN, { view: 'timeline', open: ['files[0]'] });
  await page.locator('[data-key="files"]').waitFor(patient);
  await page.getByRole('button', { name: 'Items of files' }).click();
  await page.locator('[data-key="files[4]"]').waitFor(patient);
  await page.locator('[data-key="flaky"] .fail').first().waitFor(patient);
  await page.locator('[data-key="flaky"] .wait').first().waitFor(patient);
  const wide = () => page.locator('.inner').evaluate((element) => element.clientWidth);
  const before = await wide();
  await page.getByRole('button', { name: 'Zoom in' }).click();
  assert.ok((await wide()) > before);
  await page.getByRole('tab', { name: 'Timeline' }).focus();
  await page.keyboard.press('ArrowRight');
  await page.locator('[data-view="trace"]').waitFor(patient);
  assert.equal(await page.getByRole('tab', { name: 'Trace' }).getAttribute('aria-selected'), 'true');
  assert.deepEqual(problems, []);
  await page.close();
});

test('five hundred child jobs are listed, counted, and followed', limit, async () => {
  const { page, problems } = await views.newPage();
  const each = { plan: { steps: [{ id: 'work', agent: 'echo' }] } };
  const plan = {
    concurrency: 50,
    steps: [
      { id: 'all', forEach: Array.from({ length: 500 }, (_, n) => n), job: each },
      { id: 'one', job: { plan: { steps: [{ id: 'label', agent: 'gated' }] } } },
    ],
  };
  await show(page, plan, { view: 'children' });
  await page.getByText('501 child jobs').waitFor(patient);
  assert.ok((await page.locator('.line').count()) < 60);
  await page.getByLabel('Show').selectOption('running');
  await page.getByRole('link', { name: 'report:one' }).waitFor(patient);
  await openGate(page, 'label');
  await page.getByLabel('Show').selectOption('completed');
  await page.locator('.roll', { hasText: '501 ✓completed' }).waitFor(patient);
  assert.deepEqual(problems, []);
  await page.close();
});

test('a job that is not there, and one that can not be read, say so', limit, async () => {
  const { page, problems } = await views.newPage();
  await page.evaluate(() => {
    location.hash = '#/jobs/nobody/graph';
  });
  await page.getByText('Job not found').waitFor(patient);
  await page.evaluate(() => {
    /** @type {any} */ (window).jobs.failing = 'the disk is full';
    location.hash = '#/jobs/somebody/graph';
  });
  await page.getByRole('alert').getByText('the disk is full').waitFor(patient);
  assert.deepEqual(problems, []);
  await page.close();
});

test('numbers count what was before and what comes, each agent by itself', limit, async () => {
  const { page, problems } = await views.newPage();
  const steps = [
    { id: 'start', agent: 'echo' },
    { id: 'flaky', agent: 'flaky', retry: { maxAttempts: 3, backoffMs: 5 } },
    { id: 'gate', agent: 'gated' },
  ];
  await show(page, { steps });
  await stepIs(page, 'gate', 'running');
  await page.evaluate(() => {
    location.hash = '#/numbers';
  });
  await page.getByTestId('steps').getByText('2', { exact: true }).waitFor(patient);
  const row = (/** @type {string} */ agent) =>
    page.getByRole('row').filter({ hasText: agent }).getByRole('cell');
  assert.deepEqual((await row('flaky').allTextContents()).slice(0, 2), ['3', '2']);
  await openGate(page, 'gate');
  await page.getByTestId('steps').getByText('3', { exact: true }).waitFor(patient);
  assert.deepEqual((await row('gated').allTextContents()).slice(0, 2), ['1', '0']);
  await page.getByText('As a table').click();
  assert.ok((await page.getByRole('row').count()) > 4);
  assert.deepEqual(problems, []);
  await page.close();
});
