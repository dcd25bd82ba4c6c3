// @ts-check
/** Values that mean harm, and plans that are large, on every view of a job. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { openJobViews } from './job-views/open.mjs';

const limit = { timeout: 180_000 };
const patient = { timeout: 60_000 };
const VIEWS = ['graph', 'timeline', 'trace', 'context', 'log', 'budget', 'children'];
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** @type {Awaited<ReturnType<typeof openJobViews>>} */
let views;
before(async () => {
  views = await openJobViews();
}, limit);
after(() => views?.close());

/** @param {import('playwright-core').Page} page @param {string} id @param {string} view */
async function goTo(page, id, view) {
  await page.evaluate(
    (hash) => {
      location.hash = hash;
    },
    `#/jobs/${encodeURIComponent(id)}/${view}`,
  );
  await page.locator(`[data-view="${view}"]`).waitFor(patient);
}

const IMAGE = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

/** A job that nobody ran: a file that somebody wrote. */
function foreignJob() {
  const id = `${IMAGE} \u202eevil`;
  const ids = [
    '__proto__',
    'constructor',
    IMAGE,
    'javascript:alert(3)',
    'a\u202eb\u0000c',
    'toString',
    'x'.repeat(5_000),
  ];
  const steps = ids.map((step) => ({ id: step, agent: IMAGE, when: true, cost: Number.NaN }));
  const at = (/** @type {number} */ seq) => ({ spanId: `s${seq}`, parentId: `s${seq - 1}` });
  const event = (
    /** @type {string} */ type,
    /** @type {any} */ payload,
    /** @type {number} */ seq,
    time = 1e12 + seq,
  ) => ({
    ...{ id: `s${seq}`, seq, type, payload, trace: at(seq), meta: { timestamp: time, source: 'jobwright' } },
  });
  const output = JSON.parse(`{"__proto__": {"polluted": true}, "constructor": ${JSON.stringify(IMAGE)}}`);
  const history = [
    event(
      'job_created',
      {
        plan: { name: IMAGE, steps },
        context: { big: 'x'.repeat(5_000_000), url: 'javascript:alert(4)' },
      },
      1,
    ),
    event('job_started', { jobId: id }, 2),
    ...ids.flatMap((step, n) => [
      event(
        'step_started',
        { step, agent: IMAGE, attempt: 1, status: 'running', input: IMAGE },
        3 + 2 * n,
        Number.NaN,
      ),
      event('step_completed', { step, agent: IMAGE, attempt: 1, status: 'done', output, cost: 1 }, 4 + 2 * n),
    ]),
    event(IMAGE, IMAGE, 90),
    event('step_failed', { step: IMAGE, status: 'failed', error: { code: IMAGE, message: IMAGE } }, 1),
    ...[null, undefined, 7, 'event', [], { seq: -1, type: {}, payload: 3, trace: 'x', meta: null }],
    event('job_failed', { jobId: id, status: 'failed' }, 91),
  ];
  return {
    id,
    status: 'failed',
    context: {},
    permissions: { allowTools: true, requireApproval: false, maxSteps: 10 },
    history,
    timing: { created: Number.NaN, started: 1e300, completed: -1 },
    parentId: 'javascript:alert(5)',
    run: {
      schema: 1,
      revision: 1,
      seq: history.length,
      failure: { code: IMAGE, message: IMAGE, step: IMAGE },
    },
  };
}

test('what means harm is text on every view, at every moment', limit, async () => {
  const { page, problems } = await views.newPage();
  const job = foreignJob();
  // As an object of the page's own: what JSON can't hold gets there too.
  await page.evaluate((/** @type {any} */ given) => {
    const { jobs } = /** @type {any} */ (window);
    // What goes deep, or round in a circle, is no JSON.
    let deep = {};
    for (let n = 0; n < 5_000; n++) deep = { deep };
    const circle = {};
    Object.assign(circle, { circle });
    Object.assign(given.history[0].payload.context, { deep, circle });
    jobs.addForeign(given);
  }, job);
  for (const view of VIEWS) {
    await goTo(page, job.id, view);
    if (view === 'graph') {
      await page.locator('[data-step]').first().waitFor(patient);
      await page.getByRole('searchbox', { name: 'Find a step' }).fill('img');
      await page.getByRole('button', { name: 'Find', exact: true }).click();
      await page.getByRole('region', { name: /^Step / }).waitFor(patient);
    }
    if (view === 'context') {
      const region = page.getByRole('region', { name: 'Context', exact: true });
      await region.getByText('5,000,000 characters').waitFor(patient);
      await region
        .getByRole('button', { name: /^show .* more$/ })
        .first()
        .click();
      await region.getByText('javascript:alert(4)').waitFor(patient);
      await region.getByRole('button', { name: 'circle:' }).click();
      await region.getByRole('button', { name: 'circle:' }).nth(1).click();
      assert.equal(await region.getByRole('button', { name: 'circle:' }).count(), 3);
    }
    if (view === 'log') await page.getByRole('button', { name: 'job_created' }).click();
    for (const position of ['0', '5', '12', '20']) {
      await page.getByRole('slider', { name: 'Event' }).fill(position);
      await page.getByText(`As of event ${position}`, { exact: true }).waitFor(patient);
    }
    await page.getByRole('button', { name: 'Back to live' }).click();
    const found = await page.evaluate(() => ({
      images: document.querySelectorAll('img').length,
      scripts: document.querySelectorAll('body script').length,
      links: [...document.querySelectorAll('a')].filter(({ href }) => !href.startsWith(location.origin))
        .length,
      marks: /[\u202a-\u202e\u2066-\u2069]/u.test(document.body.textContent ?? ''),
      polluted: Object.hasOwn(Object.prototype, 'polluted') || /** @type {any} */ ({}).polluted,
      text: (document.body.textContent ?? '').length,
    }));
    assert.deepEqual(
      { ...found, text: 0 },
      { images: 0, scripts: 0, links: 0, marks: false, polluted: undefined, text: 0 },
      view,
    );
    assert.ok(found.text < 200_000, `${view} shows ${found.text} characters`);
  }
  assert.deepEqual(problems, []);
  await page.close();
});

test('a plan of 2,000 steps is drawn in part, follows its run, and is panned', limit, async () => {
  const { page, problems } = await views.newPage();
  const steps = Array.from({ length: 2_000 }, (_, n) => ({
    ...{ id: `step-${n}`, agent: n === 1_500 ? 'gated' : 'short' },
    ...(n > 0 && {
      after: [
        ...new Set([n - 1 - ((n * 7) % 30), n - 1 - ((n * 3) % 11)].map((m) => `step-${Math.max(0, m)}`)),
      ],
    }),
  }));
  await page.evaluate(
    async (/** @type {any} */ plan) => {
      const { jobs } = /** @type {any} */ (window);
      await jobs.make(plan, { id: 'large' });
    },
    { steps },
  );
  const began = Date.now();
  await goTo(page, 'large', 'graph');
  await page.locator('[data-step]').first().waitFor(patient);
  const drawnIn = Date.now() - began;
  const nodes = () => page.locator('[data-step]').count();
  assert.ok((await nodes()) < 400, `${await nodes()} steps are drawn at once`);
  await page.evaluate(() => /** @type {any} */ (window).jobs.run('large'));
  await page.locator('.counts', { hasText: 'running' }).waitFor(patient);
  await page.getByRole('searchbox', { name: 'Find a step' }).fill('step-1500');
  await page.getByRole('button', { name: 'Find', exact: true }).click();
  await page.locator('[data-step="step-1500"] [data-status="running"]').waitFor(patient);
  // Frames while the graph is moved about.
  const box = await page.getByTestId('graph').boundingBox();
  assert.ok(box);
  await page.evaluate(() => {
    const times = /** @type {number[]} */ ([]);
    /** @type {any} */ (window).frames_ = times;
    const tick = (/** @type {number} */ now) => {
      times.push(now);
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const transform = () =>
    page.locator('.svelte-flow__viewport').evaluate((element) => getComputedStyle(element).transform);
  const before = await transform();
  await page.mouse.move(box.x + 20, box.y + 20);
  await page.mouse.down();
  for (let n = 0; n < 60; n++) await page.mouse.move(box.x + 20 + 4 * n, box.y + 20 + 6 * n);
  await page.mouse.up();
  assert.notEqual(await transform(), before);
  const frames = await page.evaluate(() => /** @type {any} */ (window).frames_.length);
  console.log(`# 2,000 steps: drawn in ${drawnIn} ms, ${frames} frames while panned`);
  assert.ok(frames > 5);
  assert.deepEqual(problems, []);
  await page.close();
});

for (const [name, look] of /** @type {const} */ ([
  ['light', {}],
  ['dark', { dark: true }],
  ['narrow', { width: 390, height: 800 }],
])) {
  test(`no view has a fault that axe finds, ${name}`, limit, async () => {
    const { page, problems } = await views.newPage(look);
    await page.evaluate(async () => {
      const { jobs } = /** @type {any} */ (window);
      const steps = [
        { id: 'start', agent: 'echo', cost: 3 },
        { id: 'never', agent: 'echo', when: false, after: ['start'] },
        { id: 'files', agent: 'gated', forEach: [1, 2, 3], after: ['start'] },
        {
          id: 'flaky',
          agent: 'flaky',
          after: ['start'],
          retry: { maxAttempts: 4, backoffMs: 5 },
          breakpoint: false,
        },
        { id: 'broken', agent: 'flaky', onError: 'continue', after: ['start'] },
        { id: 'pack', job: { plan: { steps: [{ id: 'wrap', agent: 'echo' }] } }, after: ['start'] },
        { id: 'ask', approve: {}, after: ['start'] },
        { id: 'end', agent: 'echo', after: ['files', 'ask'], breakpoint: true },
      ];
      jobs.open('files[0]');
      await jobs.make(
        { name: 'a report', steps },
        { id: 'report', context: { topic: 'rust', list: [1, { a: 1 }] } },
      );
      await jobs.run('report');
    });
    for (const view of [...VIEWS, 'numbers']) {
      if (view === 'numbers') {
        await page.evaluate(() => {
          location.hash = '#/numbers';
        });
        await page.getByRole('rowheader', { name: 'echo' }).waitFor(patient);
        await page.locator('canvas').waitFor(patient);
      } else await goTo(page, 'report', view);
      if (view === 'graph') await page.getByRole('button', { name: 'files', exact: true }).click();
      if (view === 'budget') await page.locator('canvas').waitFor(patient);
      if (view === 'log') await page.getByRole('button', { name: 'step_failed' }).first().click();
      if (view === 'children') await page.getByRole('link', { name: 'report:pack' }).waitFor(patient);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${view} is ${wide} px too wide`);
      const found = await faults(page);
      assert.deepEqual(found, [], view);
    }
    assert.deepEqual(problems, []);
    await page.close();
  });
}

/** @param {import('playwright-core').Page} page */
async function faults(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => /** @type {any} */ (window).axe.run());
  return violations.flatMap((/** @type {any} */ { id, nodes }) =>
    nodes.map(
      (/** @type {any} */ { html, failureSummary }) =>
        `${id}: ${html.slice(0, 200)} ${failureSummary.slice(0, 300)}`,
    ),
  );
}
