// @ts-check
/** Many jobs: a list of 10,000, and everything stopped while 200 children run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createJob, openDemo, shoot } from './demo-page.mjs';

const limit = { timeout: 300_000 };
const JOBS = 10_000;
const CHILDREN = 200;

/** Each test begins with no jobs. @param {(demo: import('./demo-page.mjs').Demo) => Promise<void>} work */
async function withDemo(work) {
  const demo = await openDemo();
  try {
    await work(demo);
  } finally {
    await demo.close();
  }
}

/** @param {import('playwright-core').Page} page @param {string} status */
const countOf = async (page, status) =>
  Number((await page.locator(`[data-count="${status}"] dd`).textContent())?.replaceAll(',', ''));

test(
  'of a list of 10,000 jobs few rows are drawn; it is searched, sorted and scrolled, by keyboard too',
  limit,
  async () => {
    await withDemo(async (demo) => {
      const { page, problems } = await demo.openPage();
      await page.evaluate(async (count) => {
        const { jobs } = /** @type {any} */ (globalThis);
        const plan = { name: 'one of many', steps: [{ id: 'only', agent: 'echo' }] };
        const make = (/** @type {number} */ i) =>
          jobs.createJob({ id: `job-${String(i).padStart(5, '0')}`, plan, context: {}, permissions: {} });
        for (let i = 0; i < count; i += 100)
          await Promise.all(Array.from({ length: 100 }, (_, k) => make(i + k)));
      }, JOBS);
      await page.reload();
      await page.getByText('10,000 jobs').waitFor({ timeout: 60_000 });
      assert.equal(await countOf(page, 'created'), JOBS);
      await page.locator('[data-job]').nth(5).waitFor();
      const drawn = await page.locator('[data-job]').count();
      assert.ok(drawn < 60, `${drawn} rows are drawn`);
      await page.getByRole('link', { name: 'job-09999' }).waitFor();

      await page.getByRole('link', { name: 'job-09999' }).focus();
      await page.keyboard.press('End');
      await page.locator('[data-job="job-00000"] a:focus').waitFor();
      await page.getByPlaceholder('Search by id or type').fill('0777');
      await page.getByRole('link', { name: 'job-07770' }).waitFor();
      await page.getByPlaceholder('Search by id or type').fill('');
      // From the first row on, wherever the list was scrolled to.
      await page.getByRole('link', { name: 'job-09999' }).waitFor();
      await page.getByRole('link', { name: 'job-09999' }).focus();
      await page.keyboard.press('End');
      await page.locator('[data-job="job-00000"] a:focus').waitFor();
      await page.getByLabel('Order').selectOption('oldest');
      await page.getByRole('link', { name: 'job-00001' }).waitFor();
      assert.equal(await page.getByRole('link', { name: 'job-09999' }).count(), 0);

      // One that is run among them is seen to be.
      await page.evaluate(() =>
        /** @type {any} */ (globalThis).jobs
          .setPermissions('job-00000', { requireApproval: false })
          .then(() => /** @type {any} */ (globalThis).jobs.startJob('job-00000')),
      );
      await page.locator('[data-job="job-00000"] [data-status="completed"]').waitFor();
      await shoot(page, 'jobs-10000');
      assert.deepEqual(problems, []);
    });
  },
);

test('everything is stopped while 200 children run, after one question', limit, async () => {
  await withDemo(async (demo) => {
    const { page, problems } = await demo.openPage();
    const plan = {
      name: 'many children',
      concurrency: CHILDREN,
      steps: [
        {
          id: 'each',
          forEach: { var: 'list' },
          job: { plan: { steps: [{ id: 'sleep', agent: 'sleeper', input: { ms: 600_000 } }] } },
        },
      ],
    };
    const context = { list: Array.from({ length: CHILDREN }, (_, i) => i) };
    const id = await createJob(page, /plan of your own/, { plan, context });
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Jobs' }).click();
    await page.locator(`[data-count="running"] dd:text-is("${CHILDREN + 1}")`).waitFor({ timeout: 120_000 });
    await page.locator(`[data-job="${id}"]`).getByText(`0 of ${CHILDREN} ended`).waitFor();
    await shoot(page, 'stop-all-children');

    const stop = page.getByRole('button', { name: 'Stop everything' });
    await stop.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('It is final').waitFor();
    await dialog.getByRole('button', { name: `Stop ${CHILDREN + 1} jobs` }).waitFor();
    await shoot(page, 'stop-everything');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    assert.equal(await countOf(page, 'running'), CHILDREN + 1, 'Escape means no');
    assert.ok(
      await stop.evaluate((button) => button === document.activeElement),
      'the focus is where it was',
    );

    await page.keyboard.press('Enter');
    await dialog.getByRole('button', { name: /^Stop 201/ }).click();
    await page.locator(`[data-count="failed"] dd:text-is("${CHILDREN + 1}")`).waitFor({ timeout: 120_000 });
    await page.locator(`[data-job="${id}"]`).getByText('cancelled').waitFor();
    const heads = await page.evaluate(() => /** @type {any} */ (globalThis).jobs.listJobs());
    assert.equal(heads.length, CHILDREN + 1);
    for (const { status, run } of heads)
      assert.deepEqual([status, run.failure.code], ['failed', 'cancelled']);
    assert.deepEqual(problems, []);
  });
});
