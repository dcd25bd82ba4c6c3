// @ts-check
/** The page's side of the dashboard's API, in the page: `www/src/source/server.ts`. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { root } from '../../scripts/process.mjs';
import { jobOf, openDashboard, openStore, until } from '../command-line/dashboards.mjs';
import { ASKING, makePlace, waiting } from '../command-line/support.mjs';
import { importPackage } from '../package/installed.mjs';
import { launchChromium } from './launch.mjs';
import { openWire } from './wire.mjs';

const { createOrchestrator } = await importPackage();
const limit = { timeout: 120_000 };

/** @type {Awaited<ReturnType<typeof launchChromium>>} */
let chromium;
/** What opens the source, as a script. @type {string} */
let script;

before(async () => {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'www/src/source/server.ts')],
    ...{ bundle: true, format: 'iife', globalName: 'server', write: false },
  });
  script = `${outputFiles?.[0]?.text};globalThis.opened = server.openServerSource().then((source) => {
    globalThis.source = source;
    /** What an iteration gives, as far as it is. */
    globalThis.gather = (iterable) => {
      const told = [];
      const over = (async () => { for await (const one of iterable) told.push(one); })();
      return Object.assign(told, { over });
    };
    globalThis.ending = (promise) => promise.then((value) => ({ value }), ({ code, message }) => ({ code, message }));
  })`;
  chromium = await launchChromium();
}, limit);

after(() => chromium?.close());

/**
 * @param {import('node:test').TestContext} t
 * @param {string} url
 */
async function openSource(t, url) {
  const page = await chromium.browser.newPage();
  t.after(() => page.close());
  await page.goto(url);
  await page.locator('main').waitFor();
  await page.evaluate(script);
  await page.evaluate('opened');
  return {
    page,
    /** @param {string} code @returns {Promise<any>} */
    run: (code) => page.evaluate(code),
    /** The page's policy lets nobody wait in it. @param {string} code */
    until: (code) =>
      until(
        async () => (await page.evaluate(code)) === true,
        () => code,
      ),
  };
}

/** @param {import('node:test').TestContext} t */
async function placeWithStore(t) {
  const place = makePlace(t);
  return { place, store: await openStore(t, place) };
}

test('jobs are listed however many they are, and one is followed through its approval', limit, async (t) => {
  const { place, store } = await placeWithStore(t);
  for (let n = 0; n < 2_100; n++) await store.saveJob(jobOf(`job ${n}`, n % 3 ? { parentId: 'p' } : {}));
  await waiting(place, 'a/b?c=1&d');
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  const { run, until: becomes } = await openSource(t, dashboard.url);
  assert.deepEqual(await run('[source.home, source.name, source.access.run]'), ['server', 'jobs.db', true]);
  assert.equal(
    await run('source.listJobs().then((heads) => new Set(heads.map(({ id }) => id)).size)'),
    2_101,
  );
  assert.equal(await run('source.listJobs({ limit: 1_500 }).then(({ length }) => length)'), 1_500);
  assert.equal(await run("source.listJobs({ parentId: 'p' }).then(({ length }) => length)"), 1_400);
  assert.equal(
    await run("source.listJobs({ status: ['paused', 'failed'] }).then(([{ id }]) => id)"),
    'a/b?c=1&d',
  );
  assert.deepEqual(
    await run("source.listJobs({ cursor: 'job 2098', limit: 1 }).then(([{ id }]) => id)"),
    'job 2099',
  );
  assert.equal(await run("source.getJob('none')"), null);
  assert.deepEqual(await run('Promise.all([source.isPaused(), source.getBudget("x")])'), [false, null]);

  await run(`globalThis.id = 'a/b?c=1&d'; globalThis.stop = new AbortController();
    globalThis.all = [gather(source.changes(stop.signal)), gather(source.changes(stop.signal))];
    globalThis.some = gather(source.events(id, { after: 3, signal: stop.signal })); 0`);
  await becomes('some.length > 0');
  assert.deepEqual(await run('source.approveStep(id, { note: "fine" })'), { success: true });
  await run('some.over');
  const seqs = await run('some.map(({ seq }) => seq)');
  assert.deepEqual(
    seqs,
    seqs.map((/** @type {unknown} */ _, /** @type {number} */ n) => n + 4),
  );
  assert.equal(await run('some.at(-1).type'), 'job_completed');
  await becomes(
    "all.every((told) => told.some(({ jobId, status }) => jobId === id && status === 'completed'))",
  );
  await run('stop.abort(); Promise.all(all.map(({ over }) => over))');
  assert.deepEqual(await run('source.replayJob(id).then(({ ok }) => ok)'), true);
  assert.match(await run('source.exportJob(id, { redact: true })'), /^\{"format":"jobwright-run"/);
});

test('refusals are answers, errors say why, and a server that is gone is no riddle', limit, async (t) => {
  const { place } = await placeWithStore(t);
  await waiting(place, 'job-1');
  const dashboard = await openDashboard(place, ['--read-only']);
  const { run } = await openSource(t, dashboard.url);
  assert.deepEqual(await run("ending(source.pauseJob('job-1'))"), {
    code: 'read_only',
    message: 'This dashboard only shows jobs: it was started with --read-only.',
  });
  assert.equal((await run("ending(source.replayJob('none'))")).code, 'not_found');
  const follow = "gather(source.events('none', { after: 0, signal: new AbortController().signal })).over";
  assert.equal((await run(`ending(${follow})`)).code, 'not_found');
  await dashboard.end();
  const gone = await run('ending(source.health())');
  assert.deepEqual([gone.code, /still running/.test(gone.message)], ['unreachable', true]);
});

test('what is done is done, and what is refused says so', limit, async (t) => {
  const { place } = await placeWithStore(t);
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  const { run } = await openSource(t, dashboard.url);
  await run(`globalThis.plan = ${JSON.stringify(ASKING)}; 0`);
  const id = await run(
    'source.createJob({ plan, context: { a: 1 }, permissions: { requireApproval: false } })',
  );
  await run(`globalThis.id = ${JSON.stringify(id)}; 0`);
  const yes = { success: true };
  assert.deepEqual(await run("source.setBreakpoints(id, ['greeting'])"), yes);
  assert.deepEqual(await run('source.startJob(id)'), yes);
  assert.equal((await run('source.setBudget(id, 5)')).code, 'unsupported');
  assert.equal(await run('source.setSlowPlay(1)'), undefined);
  assert.deepEqual(await run('source.setPermissions(id, { maxSteps: 7 })'), yes);
  await until(async () => (await run('source.getHead(id)')).status === 'paused');
  assert.deepEqual(await run("source.rejectStep(id, { reason: 'no' })"), yes);
  assert.equal((await run("source.signal(id, 'x', null)")).code, 'invalid_transition');
  assert.deepEqual(await run('source.pauseAll()'), { paused: [], pending: [] });
  assert.equal(await run('source.isPaused()'), true);
  assert.deepEqual(await run('source.startAll()'), { started: [], refused: {} });
  assert.deepEqual(await run("source.stopAll('x')"), { stopped: [] });
  assert.equal((await run('ending(source.forkJob(id, { afterStep: "none" }))')).code, 'unknown_step');
});

test(
  'a connection that is lost is begun anew: no event twice, none missing, and changes say "missed"',
  limit,
  async (t) => {
    const { place, store } = await placeWithStore(t);
    const { createJob, startJob, signal, runJob } = createOrchestrator({ store });
    const steps = Array.from({ length: 6 }, (_, n) => ({ id: `wait${n}`, wait: { signal: 'go' } }));
    await createJob({}, { requireApproval: false }, { id: 'job-1', plan: { steps } });
    await startJob('job-1');
    const dashboard = await openDashboard(place, ['--allow-host', '127.0.0.1']);
    const wire = await openWire(t, dashboard.port);
    const { run, until: becomes } = await openSource(
      t,
      dashboard.url.replace(`:${dashboard.port}/`, `:${wire.port}/`),
    );
    await run(`globalThis.stop = new AbortController();
    globalThis.all = gather(source.changes(stop.signal));
    globalThis.some = gather(source.events('job-1', { after: 0, signal: stop.signal })); 0`);
    const running = runJob('job-1');
    await becomes('some.length >= 3');
    for (let round = 0; round < 6; round++) {
      if (round % 2 === 0) wire.cut();
      await signal('job-1', 'go');
      await becomes(`some.filter(({ type }) => type === 'step_completed').length > ${round}`);
    }
    await running;
    await run('some.over');
    const seqs = await run('some.map(({ seq }) => seq)');
    assert.deepEqual(
      seqs,
      (await store.getJob('job-1')).history.map((/** @type {any} */ { seq }) => seq),
    );
    await becomes("all.filter(({ type }) => type === 'missed').length > 0");
    assert.equal(await run('stop.abort(); all.over.then(() => "over")'), 'over');
  },
);
