// @ts-check
/** What the dashboard shows and does, with the stores and processes around it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importPackage } from '../package/installed.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { jobOf, openDashboard, openStore, until } from './dashboards.mjs';
import { ASKING, atWork, EXIT, LIMIT, makePlace, planOf, waiting } from './support.mjs';

const { createOrchestrator, verifyRun } = await importPackage();

/** @param {Awaited<ReturnType<typeof openDashboard>>} dashboard @param {string} id @param {string} status */
const comesTo = (dashboard, id, status) =>
  until(async () => (await dashboard.get(`head?id=${id}`)).status === status);

/** @param {import('./dashboards.mjs').Told[]} told */
const typesOf = (told) => told.map(({ event, data }) => (event === 'end' ? event : data.type));

test('a job is approved, and goes on here, where its agents are', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'job-1');
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  const hello = await dashboard.get('hello');
  const access = { steer: true, create: true, run: true, redacted: false };
  assert.deepEqual(hello, { name: 'jobs.db', access, slowPlayMs: 0 });
  const [head] = await dashboard.get('jobs?status=paused');
  const events = await dashboard.listen('events?id=job-1&after=2');
  const changes = await dashboard.listen('changes');
  const answer = { jobId: 'job-1', approval: head.run.approvals[0].id, note: 'fine' };
  assert.deepEqual((await dashboard.act('approveStep', answer)).json(), { success: true });
  await events.over();
  const types = [
    'job_paused',
    'step_approved',
    'job_started',
    'step_completed',
    'step_started',
    'step_completed',
  ];
  assert.deepEqual(typesOf(events.told).slice(-8), [...types, 'job_completed', 'end']);
  assert.deepEqual(
    events.told.slice(0, -1).map(({ id }) => id),
    events.told.slice(0, -1).map((_, index) => index + 3),
  );
  await changes.until((told) => told.some(({ data }) => data.status === 'completed'));
  const { data } = /** @type {any} */ (changes.told.at(-1));
  assert.deepEqual([data.type, data.jobId, typeof data.revision], ['job', 'job-1', 'number']);
  const again = (await dashboard.act('approveStep', answer)).json();
  assert.deepEqual([again.success, again.code], [false, 'invalid_transition']);
  const job = await dashboard.get('job?id=job-1');
  assert.equal(
    job.history.find((/** @type {any} */ { type }) => type === 'step_approved').payload.note,
    'fine',
  );
  assert.equal((await dashboard.get('replay?id=job-1')).ok, true);
  const exported = (await dashboard.ask(`${dashboard.path}api/export?id=job-1&redact=1`)).text;
  assert.equal((await verifyRun([exported])).ok, true);
  assert.deepEqual((await dashboard.get('health')).jobs.completed, 1);
});

test('without agents, what is started is left to whoever has them', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'job-1');
  const dashboard = await openDashboard(place);
  assert.equal((await dashboard.get('hello')).access.run, false);
  assert.deepEqual((await dashboard.act('approveStep', { jobId: 'job-1' })).json(), { success: true });
  const step = (await dashboard.act('stepJob', { jobId: 'job-1' })).json();
  assert.deepEqual([step.success, step.code], [false, 'unknown_agent']);
  const head = await dashboard.get('head?id=job-1');
  assert.deepEqual([head.status, head.run.stepsTaken ?? 0], ['running', 0]);
});

test('one step, and then it is paused', LIMIT, async (t) => {
  const place = makePlace(t);
  const store = await openStore(t, place);
  const { createJob } = createOrchestrator({ store });
  const plan = planOf('greet', 'echo', 'greet');
  await createJob({}, { requireApproval: false }, { plan, id: 'job-1' });
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  for (const done of [1, 2]) {
    assert.deepEqual((await dashboard.act('stepJob', { jobId: 'job-1' })).json(), { success: true });
    const head = await dashboard.get('head?id=job-1');
    assert.deepEqual([head.status, head.run.stepsTaken], ['paused', done]);
  }
  assert.deepEqual((await dashboard.act('startJob', { jobId: 'job-1' })).json(), { success: true });
  await comesTo(dashboard, 'job-1', 'completed');
  const over = (await dashboard.act('stepJob', { jobId: 'job-1' })).json();
  assert.deepEqual([over.success, over.code], [false, 'invalid_transition']);
});

test('jobs are made, forked, signalled, changed and cancelled', LIMIT, async (t) => {
  const place = makePlace(t);
  await openStore(t, place);
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  const plan = {
    steps: [
      { id: 'hi', agent: 'greet' },
      { id: 'paid', wait: { signal: 'paid' } },
    ],
  };
  const made = { id: 'a/b?c', plan, context: { name: 'Ada' }, permissions: { requireApproval: false } };
  const id = (await dashboard.act('createJob', made)).json();
  assert.equal(id, 'a/b?c');
  const again = await dashboard.act('createJob', made);
  assert.deepEqual([again.status, again.json().code], [409, 'conflict']);
  for (const wrong of [{ plan: { steps: [{}] } }, {}, { plan: 7 }]) {
    const answer = await dashboard.act('createJob', wrong);
    assert.equal(answer.status, 400, JSON.stringify(wrong));
    assert.match(answer.json().message, /step|plan/i);
  }
  const paid = await dashboard.act('createJob', { plan, budget: 5 });
  assert.deepEqual([paid.status, paid.json().code], [400, 'unsupported']);
  assert.equal((await dashboard.act('setBreakpoints', { jobId: id, steps: ['paid'] })).json().success, true);
  await dashboard.act('startJob', { jobId: id });
  await comesTo(dashboard, encodeURIComponent(id), 'paused');
  assert.equal(
    (await dashboard.act('setPermissions', { jobId: id, permissions: { maxSteps: 3 } })).json().success,
    true,
  );
  const fork = (
    await dashboard.act('forkJob', { jobId: id, afterStep: 'hi', context: { name: 'Bo' } })
  ).json();
  assert.equal((await dashboard.get(`job?id=${fork}`)).context.name, 'Bo');
  await dashboard.act('startJob', { jobId: id });
  await dashboard.act('signal', { jobId: id, name: 'paid', payload: { amount: 80 } });
  await comesTo(dashboard, encodeURIComponent(id), 'completed');
  assert.deepEqual((await dashboard.act('cancelJob', { jobId: fork, reason: 'no' })).json().results, {
    [fork]: 'cancelled',
  });
});

test('all jobs are paused, started and stopped, and every page hears of it', LIMIT, async (t) => {
  const place = makePlace(t);
  const store = await openStore(t, place);
  const { createJob, startJob } = createOrchestrator({ store });
  const plan = { steps: [{ id: 'paid', wait: { signal: 'paid' } }] };
  await createJob({}, { requireApproval: false }, { plan, id: 'job-1' });
  await startJob('job-1');
  const [one, other] = [await openDashboard(place), await openDashboard(place)];
  const [here, there] = [await one.listen('changes'), await other.listen('changes')];
  const hears = (/** @type {typeof here} */ stream, /** @type {boolean} */ paused) =>
    stream.until((told) => told.some(({ data }) => data.type === 'control' && data.paused === paused));
  assert.deepEqual((await one.act('pauseAll')).json(), { paused: ['job-1'], pending: [] });
  await Promise.all([hears(here, true), hears(there, true)]);
  assert.equal(await other.get('paused'), true);
  assert.equal((await other.act('startJob', { jobId: 'job-1' })).json().code, 'globally_paused');
  assert.deepEqual((await other.act('startAll')).json(), { started: ['job-1'], refused: {} });
  await Promise.all([hears(here, false), hears(there, false)]);
  assert.deepEqual((await one.act('stopAll', { reason: 'enough' })).json(), { stopped: ['job-1'] });
  // What another process did is known, too.
  await there.until((told) => told.some(({ data }) => data.type === 'missed'));
  await comesTo(other, 'job-1', 'failed');
});

test('a job that another process runs is seen live, and paused from here', LIMIT, async (t) => {
  const place = makePlace(t);
  const run = await atWork(place, 'job-1');
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  const events = await dashboard.listen('events?id=job-1&after=0');
  await events.until((told) => typesOf(told).includes('step_started'));
  const elsewhere = (await dashboard.act('startJob', { jobId: 'job-1' })).json();
  assert.deepEqual([elsewhere.success, elsewhere.code], [false, 'conflict']);
  const step = (await dashboard.act('stepJob', { jobId: 'job-1' })).json();
  assert.deepEqual([step.success, step.code], [false, 'conflict']);
  assert.equal((await dashboard.get('head?id=job-1')).status, 'running', 'a refused step pauses nothing');
  assert.deepEqual((await dashboard.act('pauseJob', { jobId: 'job-1' })).json(), { success: true });
  place.open();
  assert.equal((await run.end).code, EXIT.waiting);
  await events.until((told) => typesOf(told).includes('step_completed'));
  await dashboard.act('startJob', { jobId: 'job-1' });
  await events.over();
  assert.deepEqual(typesOf(events.told).slice(-2), ['job_completed', 'end']);
});

test('what a dead process left running is taken up', LIMIT, async (t) => {
  const place = makePlace(t);
  const run = await atWork(place, 'job-1');
  run.child.kill('SIGKILL');
  await run.end;
  place.open();
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  assert.deepEqual((await dashboard.act('startJob', { jobId: 'job-1' })).json(), { success: true });
  await comesTo(dashboard, 'job-1', 'completed');
});

test('a step of a child job is approved: the parent is run', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'job-1', { steps: [{ id: 'pack', job: { plan: ASKING } }] });
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  const [child] = await dashboard.get('jobs?parentId=job-1');
  assert.deepEqual((await dashboard.act('approveStep', { jobId: child.id })).json(), { success: true });
  await comesTo(dashboard, 'job-1', 'completed');
});

test('a parent that is made for it is monitored while it runs', LIMIT, async (t) => {
  const place = makePlace(t);
  await openStore(t, place);
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  const plan = { steps: [{ id: 'paid', wait: { signal: 'paid' } }] };
  const made = {
    id: 'job-1',
    plan,
    permissions: { requireApproval: false },
    type: 'parent',
    config: { source_type: 'crawl' },
  };
  assert.equal((await dashboard.act('createJob', made)).json(), 'job-1');
  await dashboard.act('startJob', { jobId: 'job-1' });
  await until(async () => (await dashboard.get('health')).monitors === 1);
  await dashboard.act('signal', { jobId: 'job-1', name: 'paid' });
  await comesTo(dashboard, 'job-1', 'completed');
});

test('Ctrl-C: streams end, steps at work finish, their jobs are paused', LIMIT, async (t) => {
  const place = makePlace(t);
  const store = await openStore(t, place);
  await createOrchestrator({ store }).createJob(
    {},
    { requireApproval: false },
    { plan: planOf('gated', 'greet'), id: 'job-1' },
  );
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  const streams = [await dashboard.listen('changes'), await dashboard.listen('events?id=job-1')];
  await dashboard.act('startJob', { jobId: 'job-1' });
  await place.reached();
  dashboard.child.kill('SIGINT');
  for (const stream of streams) await stream.over();
  place.open();
  const { code, stdout, stderr } = await dashboard.ended;
  assert.equal(code, EXIT.interrupted);
  assert.match(stderr, /^Ending: steps that are running may finish/);
  assert.equal(stdout.split('\n').length, 2, 'the address, and nothing else');
  const job = await store.getJob('job-1');
  assert.deepEqual([job.status, job.run.steps.gated0.status], ['paused', 'done']);
});

test('agents that fail later, jobs and answers that make no sense: it goes on', LIMIT, async (t) => {
  const place = makePlace(t);
  const store = await openStore(t, place);
  place.put(
    'later.mjs',
    "export const later = () => { setTimeout(() => { throw new Error('later'); }, 1); Promise.reject(new Error('too')); return 1; };",
  );
  await createOrchestrator({ store }).createJob(
    {},
    { requireApproval: false },
    { plan: planOf('later'), id: 'job-1' },
  );
  const odd = [
    jobOf('no run', { status: 'running' }),
    jobOf('odd run', { run: { schema: 7, revision: 0, seq: 0, plan: 'x', steps: [], approvals: 5 } }),
    jobOf('odd plan', { status: 'paused', run: { schema: 1, revision: 0, seq: 0, plan: { steps: 'x' } } }),
    jobOf('odd history', { history: [{ seq: 1, type: 'x', payload: null }] }),
  ];
  for (const job of odd) await store.saveJob(job);
  const dashboard = await openDashboard(place, ['--agents', 'later.mjs']);
  await dashboard.act('startJob', { jobId: 'job-1' });
  await comesTo(dashboard, 'job-1', 'completed');
  await dashboard.shows(/too/);
  await dashboard.shows(/later/);
  for (const { id } of odd) {
    for (const name of ['job', 'head', 'replay', 'export'])
      assert.ok(
        (await dashboard.ask(`${dashboard.path}api/${name}?id=${encodeURIComponent(id)}`)).status,
        name,
      );
    for (const name of ['startJob', 'stepJob', 'approveStep', 'forkJob', 'cancelJob']) {
      const { json } = await dashboard.act(name, { jobId: id });
      assert.ok('success' in json() || json().message, `${name} ${id}`);
    }
    (await dashboard.listen(`events?id=${encodeURIComponent(id)}`)).close();
  }
  assert.equal((await dashboard.get('jobs')).length, 5);
});

test('ten thousand jobs are listed in pages, quickly', LIMIT, async (t) => {
  const place = makePlace(t);
  const store = await openStore(t, place);
  const [sample] = await Promise.all([
    jobOf('x', { run: { schema: 1, revision: 3, seq: 9, stepsTaken: 4 } }),
  ]);
  for (let n = 0; n < 10_000; n++) {
    const status = n % 100 === 0 ? 'failed' : 'completed';
    await store.saveJob({
      ...sample,
      id: `job-${String(n).padStart(5, '0')}`,
      status,
      context: { long: 'x'.repeat(500) },
    });
  }
  const dashboard = await openDashboard(place);
  const ids = [];
  for (let cursor = ''; ; ) {
    const { bytes, headers, json } = await dashboard.ask(`${dashboard.path}api/jobs${cursor}`, {
      headers: { ...dashboard.bearer, 'accept-encoding': 'gzip' },
    });
    if (json().length > 0) assert.equal(headers['content-encoding'], 'gzip');
    assert.ok(bytes < 50_000, `${bytes} bytes`);
    ids.push(...json().map((/** @type {any} */ { id }) => id));
    if (json().length < 1_000) break;
    cursor = `?cursor=${ids.at(-1)}`;
  }
  assert.equal(new Set(ids).size, 10_000);
  assert.equal((await dashboard.get('jobs?status=failed&limit=1000')).length, 100);
  assert.equal((await dashboard.get('jobs?limit=20')).length, 20);
  assert.equal((await dashboard.get('jobs?limit=999999')).length, 1_000);
});

test('the same over PostgreSQL, whose password nobody is shown', LIMIT, async (t) => {
  const server = await startPostgres();
  // Nothing else keeps this process alive while the server ends.
  const alive = setInterval(() => {}, 1_000);
  t.after(async () => {
    await server.stop();
    clearInterval(alive);
  });
  const place = makePlace(t);
  place.put('plan.json', ASKING);
  const run = await place.run([
    'run',
    'plan.json',
    '--agents',
    'agents.mjs',
    '--id',
    'job-1',
    '--store',
    server.url,
  ]);
  assert.equal(run.code, EXIT.waiting);
  const one = await openDashboard(place, ['--agents', 'agents.mjs'], { store: server.url });
  const other = await openDashboard(place, [], { store: server.url });
  assert.match((await one.get('hello')).name, /^postgres:\/\/tester:\*\*\*@/);
  const [changes, events] = [await other.listen('changes'), await other.listen('events?id=job-1&after=0')];
  await one.act('approveStep', { jobId: 'job-1' });
  await events.over();
  assert.deepEqual(typesOf(events.told).slice(-2), ['job_completed', 'end']);
  await changes.until((told) =>
    told.some(({ data }) => data.jobId === 'job-1' && data.status === 'completed'),
  );
  await one.end();
  await other.end();
});
