// @ts-check
/** Two tabs on one store: both show and steer the same jobs, and one takes over from the other. */
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

/** A job that waits until it is told to go on. */
const plan = {
  name: 'two tabs',
  steps: [
    { id: 'first', agent: 'echo', input: 1 },
    { id: 'go', wait: { signal: 'go' } },
    { id: 'work', agent: 'sleeper', input: { ms: 10_000 } },
    { id: 'last', agent: 'echo', input: 'done' },
  ],
};

test('a second tab shows the same job live, steers it, and takes it over', limit, async () => {
  const [one, two] = await Promise.all([demo.openPage(), demo.openPage()]);
  const id = await createJob(one.page, /plan of your own/, { plan });
  await two.page.getByRole('link', { name: id }).click();
  await two.page.getByText('waits for a signal').waitFor();

  await two.page.getByRole('button', { name: 'Pause', exact: true }).click();
  await waitForStatus(one.page, 'paused');
  await one.page.getByRole('button', { name: 'Go on' }).click();
  await waitForStatus(two.page, 'running');

  await two.page.getByText('waits for a signal').waitFor();
  await two.page.getByRole('button', { name: 'Send' }).click();
  await until(
    one.page,
    async (id) => {
      const job = await /** @type {any} */ (globalThis).jobs.getJob(id);
      return job.run.steps.work?.status === 'running';
    },
    id,
  );
  // The first runs it; the second goes on with it when the first is gone.
  await one.page.close();
  await waitForStatus(two.page, 'completed');
  const { context, history } = await jobOf(two.page, id);
  assert.equal(context.last, 'done');
  const types = history.map((/** @type {any} */ { type }) => type);
  assert.ok(types.includes('step_recovered'), types.join());
  assert.deepEqual([...one.problems, ...two.problems], []);
  await two.page.close();
});

test('the list, the counts and the pause of everything are the same in both', limit, async () => {
  const [one, two] = await Promise.all([demo.openPage(), demo.openPage()]);
  const id = await createJob(one.page, /plan of your own/, { plan });
  const row = two.page.locator(`[data-job="${id}"]`);
  await row.locator('[data-status="running"]').waitFor();
  await two.page.getByRole('button', { name: 'Pause everything' }).click();
  await one.page.getByText('Everything is paused').waitFor();
  await waitForStatus(one.page, 'paused');
  await row.getByText('paused, with everything').waitFor();
  await one.page.getByRole('button', { name: 'Start again' }).click();
  await two.page.getByText('Everything is paused').waitFor({ state: 'hidden' });
  await row.locator('[data-status="running"]').waitFor();
  await two.page.evaluate((id) => /** @type {any} */ (globalThis).jobs.cancelJob(id, 'the end'), id);
  await waitForStatus(one.page, 'failed');
  assert.deepEqual([...one.problems, ...two.problems], []);
  await Promise.all([one.page.close(), two.page.close()]);
});

test('children that one tab runs are run once, whoever else looks', limit, async () => {
  const [one, two] = await Promise.all([demo.openPage(), demo.openPage()]);
  const COUNT = 80;
  const id = await createJob(one.page, /Parent with/, { context: { parcels: COUNT } });
  await two.page
    .locator(`[data-job="${id}"]`)
    .getByText(`${COUNT} of ${COUNT} ended`)
    .waitFor({ timeout: 120_000 });
  await waitForStatus(one.page, 'completed');
  const runs = await two.page.evaluate(async (id) => {
    const { jobs } = /** @type {any} */ (globalThis);
    const heads = await jobs.listJobs({ parentId: id });
    const all = await Promise.all(heads.map((/** @type {any} */ head) => jobs.getJob(head.id)));
    return all.map(({ status, history }) => {
      const ended = history.filter((/** @type {any} */ event) => event.type === 'step_completed');
      return `${status} ${ended.map((/** @type {any} */ event) => event.payload.step)}`;
    });
  }, id);
  assert.deepEqual([...new Set(runs)], ['completed weigh,label']);
  assert.equal(runs.length, COUNT);
  assert.deepEqual([...one.problems, ...two.problems], []);
  await Promise.all([one.page.close(), two.page.close()]);
});
