// @ts-check
/** Jobs that go on: pages with an orchestrator each, on one IndexedDB, of which some are loaded again or closed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import sirv from 'sirv';
import { root } from '../../scripts/process.mjs';
import { markedExamples } from '../docs/markdown.mjs';
import { consumerDir, pkgDir } from '../package/installed.mjs';
import { openSite } from './store-page.mjs';

/** @typedef {import('playwright-core').Page} Page */

const limit = { timeout: 120_000 };

/** @type {Awaited<ReturnType<typeof openSite>>} */
let site;

before(async () => {
  site = await openSite();
}, limit);

after(() => site?.close());

/**
 * An orchestrator in the page, whose second agent answers once it is let.
 *
 * @param {Page} page
 * @param {string} name
 */
function orchestrate(page, name) {
  return page.evaluate(async (name) => {
    /** @type {any} */
    const world = globalThis;
    const { createOrchestrator, createIndexedDbStore } = world.kit;
    world.calls = [];
    world.let = new Promise((resolve) => {
      world.letGo = resolve;
    });
    const called = (/** @type {any} */ { step, attempt, idempotencyKey }) =>
      world.calls.push({ step, attempt, idempotencyKey });
    const agentRegistry = {
      quick: (/** @type {unknown} */ input, /** @type {any} */ context) => {
        called(context);
        return `${input}!`;
      },
      slow: async (/** @type {unknown} */ input, /** @type {any} */ context) => {
        called(context);
        await world.let;
        return `${input}?`;
      },
    };
    world.store = await createIndexedDbStore({ name });
    world.orchestrator = createOrchestrator({ store: world.store, agentRegistry });
    world.plan = {
      steps: [
        { id: 'first', agent: 'quick' },
        { id: 'second', agent: 'slow' },
        { id: 'third', agent: 'quick' },
      ],
    };
    world.begin = async (/** @type {string} */ id) => {
      await world.orchestrator.createJob({}, { requireApproval: false }, { id, plan: world.plan });
      await world.orchestrator.startJob(id);
      world.run = world.orchestrator.runJob(id, { input: 'hello' });
      world.run.catch(() => {});
    };
    world.goOn = async () => {
      const { resumed } = await world.orchestrator.recover();
      world.letGo();
      for (const id of resumed) await world.orchestrator.runJob(id);
      return resumed;
    };
  }, name);
}

/**
 * @param {Page} page
 * @param {string} id
 */
async function begin(page, id) {
  await page.evaluate((id) => /** @type {any} */ (globalThis).begin(id), id);
  await page.waitForFunction('calls.length === 2');
}

/** @param {Page} page */
const calls = (page) => page.evaluate(() => /** @type {any} */ (globalThis).calls);

/**
 * Takes over what nobody runs any more: as soon as the browser is done with the tab that ran it.
 *
 * @param {Page} page
 * @param {number} count
 */
async function goOn(page, count) {
  const resumed = [];
  for (const end = Date.now() + 60_000; resumed.length < count; ) {
    resumed.push(...(await page.evaluate(() => /** @type {any} */ (globalThis).goOn())));
    assert.ok(Date.now() < end, `only ${resumed} were taken over`);
  }
  return resumed;
}

/**
 * @param {Page} page
 * @param {string} id
 */
async function assertWhole(page, id) {
  const { job, replayed } = await page.evaluate(async (id) => {
    const { orchestrator } = /** @type {any} */ (globalThis);
    return { job: await orchestrator.getJob(id), replayed: await orchestrator.replayJob(id) };
  }, id);
  assert.equal(job.status, 'completed');
  assert.deepEqual(job.context, { first: 'hello!', second: 'hello!?', third: 'hello!?!' });
  const seqs = job.history.map((/** @type {any} */ { seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.map((/** @type {number} */ _, /** @type {number} */ i) => i + 1),
  );
  const finished = job.history.filter((/** @type {any} */ { type }) => type === 'step_completed');
  assert.deepEqual(
    finished.map((/** @type {any} */ { payload }) => payload.step),
    ['first', 'second', 'third'],
  );
  assert.equal(replayed.ok, true);
}

test('a job goes on in a page that was loaded again in the middle of a step', limit, async () => {
  const page = await site.openPage();
  await orchestrate(page, 'reload');
  await begin(page, 'j');
  const [, cut] = await calls(page);
  await page.reload();
  await page.waitForFunction('globalThis.kit');
  await orchestrate(page, 'reload');
  assert.deepEqual(await goOn(page, 1), ['j']);
  const [again, ...rest] = await calls(page);
  assert.deepEqual(again, cut);
  assert.deepEqual(
    rest.map((/** @type {any} */ { step }) => step),
    ['third'],
  );
  await assertWhole(page, 'j');
  await page.close();
});

test('a job goes on in another tab when the one that ran it is closed', limit, async () => {
  const [one, two] = /** @type {[Page, Page]} */ (await Promise.all([site.openPage(), site.openPage()]));
  await orchestrate(one, 'handed over');
  await orchestrate(two, 'handed over');
  await begin(one, 'theirs');
  await begin(two, 'mine');
  await one.close();
  // What this tab runs itself goes on beside it.
  assert.deepEqual(await goOn(two, 1), ['theirs']);
  await two.evaluate(() => /** @type {any} */ (globalThis).run);
  for (const id of ['theirs', 'mine']) await assertWhole(two, id);
  const steps = (await calls(two)).map((/** @type {any} */ { step }) => step).sort();
  assert.deepEqual(steps, ['first', 'second', 'second', 'third', 'third']);
  await two.close();
});

test('a job that one tab runs is run by no other, and cancelled from any', limit, async () => {
  const [one, two] = /** @type {[Page, Page]} */ (await Promise.all([site.openPage(), site.openPage()]));
  await orchestrate(one, 'shared');
  await orchestrate(two, 'shared');
  await begin(one, 'j');
  const seen = await two.evaluate(async () => {
    const { orchestrator } = /** @type {any} */ (globalThis);
    const { success, code } = await orchestrator.runJob('j');
    return {
      success,
      code,
      recovered: await orchestrator.recover(),
      cancelled: await orchestrator.cancelJob('j'),
    };
  });
  assert.deepEqual(seen, {
    success: false,
    code: 'conflict',
    recovered: { resumed: [] },
    cancelled: { success: true, results: { j: 'cancelled' } },
  });
  // Its agent never answers: it is told by the other tab.
  const ended = await one.evaluate(async () => (await /** @type {any} */ (globalThis).run).code);
  assert.equal(ended, 'cancelled');
  await Promise.all([one.close(), two.close()]);
});

test('orchestrators that share a store hear of each other at once', limit, async () => {
  const page = await site.openPage();
  const heard = await page.evaluate(async () => {
    const { createOrchestrator, createIndexedDbStore } = /** @type {any} */ (globalThis).kit;
    const pause = () => new Promise((resolve) => setTimeout(resolve, 400));
    // So long that nothing is found by renewing a lease.
    const deps = { store: await createIndexedDbStore({ name: 'one for two' }), leaseMs: 3_600_000 };
    const [one, other] = [createOrchestrator(deps), createOrchestrator(deps)];
    const plan = { steps: [{ id: 'wait', wait: { signal: 'go' } }] };
    const id = await one.createJob({}, { requireApproval: false }, { plan });
    const seen = /** @type {string[]} */ ([]);
    const followed = (async () => {
      for await (const { type } of other.events(id)) seen.push(type);
    })();
    // Whoever begins to watch looks around once; what is told from here on is told.
    await pause();
    await one.startJob(id);
    const run = one.runJob(id);
    await pause();
    await other.signal(id, 'go');
    const { success } = await run;
    await followed;
    return { success, seen: seen.slice(-2) };
  });
  assert.deepEqual(heard, { success: true, seen: ['step_completed', 'job_completed'] });
  await page.close();
});

test('a page without a bundler finds the entry and idb by an import map', limit, async () => {
  const idb = dirname(createRequire(join(consumerDir, 'package.json')).resolve('idb/package.json'));
  const folders = { '/jobwright/': sirv(pkgDir, { dev: true }), '/idb/': sirv(idb, { dev: true }) };
  const { exports } = JSON.parse(readFileSync(join(pkgDir, 'package.json'), 'utf8'));
  const at = (/** @type {string} */ entry) => exports[entry].default.replace('./', '/jobwright/');
  const imports = {
    jobwright: at('.'),
    'jobwright/indexeddb': at('./indexeddb'),
    idb: '/idb/build/index.js',
  };
  const html = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script><script type="module">
    import { createOrchestrator, JobwrightError } from 'jobwright';
    import { createIndexedDbStore } from 'jobwright/indexeddb';
    const store = await createIndexedDbStore();
    const orchestrator = createOrchestrator({ store });
    const id = await orchestrator.createJob({ a: 1 });
    const refused = await store.getEvents('j', 'x').catch((error) => error instanceof JobwrightError);
    globalThis.answer = { context: (await store.getJob(id)).context, refused };
  </script>`;
  const server = createServer((request, response) => {
    const [folder, serve] = Object.entries(folders).find(([name]) => request.url?.startsWith(name)) ?? [];
    response.setHeader('Content-Type', 'text/html');
    if (folder === undefined || serve === undefined) return response.end(html);
    response.removeHeader('Content-Type');
    request.url = request.url?.slice(folder.length - 1);
    return serve(request, response);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const page = await site.browser.newPage();
  try {
    await page.goto(`http://127.0.0.1:${/** @type {any} */ (server.address()).port}/`);
    await page.waitForFunction('globalThis.answer');
    // One package, so one of each error class, however many entries a page has of it.
    assert.deepEqual(await page.evaluate('answer'), { context: { a: 1 }, refused: true });
  } finally {
    await page.close();
    server.closeAllConnections();
    server.close();
  }
});

test('the example of docs/stores/indexeddb.md runs as it is printed', limit, async () => {
  const page = readFileSync(join(root, 'docs/stores/indexeddb.md'), 'utf8');
  const [example, ...others] = markedExamples(page);
  assert.ok(example?.output && others.length === 0, 'one example is marked to be run');
  const shown = await openSite(`${example.code} globalThis.done = true;`);
  try {
    const printed = /** @type {string[]} */ ([]);
    const tab = await shown.browser.newPage();
    tab.on('console', (message) => printed.push(message.text()));
    await tab.goto(shown.origin);
    await tab.waitForFunction('globalThis.done');
    assert.equal(printed.join('\n'), example.output.trim());
  } finally {
    await shown.close();
  }
});
