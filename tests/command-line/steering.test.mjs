// @ts-check
/** Jobs are looked at and steered, those too that another process runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ASKING, atWork, EXIT, LIMIT, makePlace, planOf, waiting } from './support.mjs';

test(
  'in a pipe, a job that needs approval pauses and says which command goes on; that one does',
  LIMIT,
  async (t) => {
    const place = makePlace(t);
    const { code, stderr } = await waiting(place, 'job-1');
    assert.equal(code, EXIT.waiting);
    const [, command = ''] = /It goes on with: jobwright (.+)\n$/.exec(stderr) ?? [];
    assert.equal(command, 'approve job-1 --store jobs.db --agents agents.mjs');
    const { stdout } = await place.stored('show', 'job-1');
    assert.match(stdout, /Status {6}paused \(approval\)\n/);
    assert.match(stdout, /Waits {7}ok\nAnswer {6}jobwright approve job-1 --store jobs\.db\n/);

    const approved = await place.run(command.split(' '));
    assert.equal(approved.code, EXIT.ok);
    assert.match(approved.stdout, /✔ ok {2}approved by .+\n[\s\S]*Job job-1 completed/);
  },
);

test('without agents, approve and start set the job running, and say who runs it', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'job-1');
  const approved = await place.stored('approve', 'job-1', '--by', 'ada', '--note', 'fine');
  assert.deepEqual([approved.code, approved.stdout], [EXIT.ok, 'Approved in job-1.\n']);
  assert.match(approved.stderr, /here: jobwright start job-1 --store jobs\.db --agents FILE\n$/);
  const { job } = await place.answer('show', 'job-1');
  assert.equal(job.status, 'running');
  const { payload } = job.history.find((/** @type {any} */ { type }) => type === 'step_approved');
  assert.deepEqual([payload.by, payload.note], ['ada', 'fine']);

  const started = await place.stored('start', 'job-1', '--agents', 'agents.mjs');
  assert.equal(started.code, EXIT.ok);
  assert.match(started.stdout, /Job job-1 completed/);
});

test('a job whose steps need no agent goes on where it is approved', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'job-1', { steps: [{ id: 'ok', approve: {} }] });
  const { code, stdout } = await place.stored('approve', 'job-1');
  assert.equal(code, EXIT.ok);
  assert.match(stdout, /Job job-1 completed/);
});

test('reject fails the step, or lets a plan go on that says so', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'job-1');
  const rejected = await place.stored('reject', 'job-1', '--reason', 'too dear', '--agents', 'agents.mjs');
  assert.equal(rejected.code, EXIT.failed);
  assert.match(rejected.stderr, /The job failed at step "ok": too dear \[rejected\]\n$/);

  const [first, second] = ASKING.steps;
  await waiting(place, 'job-2', { steps: [{ ...first, onError: 'continue' }, second] });
  const goesOn = await place.stored('reject', 'job-2', '--agents', 'agents.mjs');
  assert.equal(goesOn.code, EXIT.ok);
  assert.match(goesOn.stdout, /✘ ok {2}rejected[\s\S]*Job job-2 completed/);
});

test('a child job that waits is named, and its approval runs the parent on', LIMIT, async (t) => {
  const place = makePlace(t);
  const plan = { steps: [{ id: 'label', agent: 'greet', approval: true }] };
  const { code, stderr } = await waiting(place, 'parent-1', { steps: [{ id: 'pack', job: { plan } }] });
  assert.equal(code, EXIT.waiting);
  assert.match(stderr, /jobwright approve parent-1:pack --store/);
  const { stdout, code: end } = await place.stored('approve', 'par:pack', '--agents', 'agents.mjs');
  assert.equal(end, EXIT.ok);
  assert.match(stdout, /✔ pack:label {2}done[\s\S]*Job parent-1 completed/);
});

test('what a job that has ended did not begin is shown as not run', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'job-1');
  assert.match(
    (await place.stored('show', 'job-1')).stdout,
    /\n {2}ok {8}waiting\n {2}greeting {2}pending\n/,
  );
  await place.stored('cancel', 'job-1');
  assert.match(
    (await place.stored('show', 'job-1')).stdout,
    /\n {2}ok {8}not run\n {2}greeting {2}not run\n/,
  );
});

test('a tool call that needs approval is shown with its arguments', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', {
    steps: [{ id: 'post', agent: 'mail', input: 'ada@example.org', tools: ['send'] }],
  });
  const parts = ['--agents', 'agents.mjs', '--tools', 'tools.mjs'];
  const { code, stdout } = await place.stored('run', 'plan.json', ...parts, '--id', 'mail-1');
  assert.equal(code, EXIT.waiting);
  assert.match(stdout, /\? post {2}asks to call send \{"to":"ada@example\.org"\}\n/);
  const approved = await place.stored('approve', 'mail-1', ...parts);
  assert.match(approved.stdout, /post: "sent to ada@example\.org"\n/);
  const again = await place.stored('run', 'plan.json', ...parts, '--yes');
  assert.equal(again.code, EXIT.ok);
  assert.match(again.stdout, /approved by .+: --yes\n/);
});

test('pause and start reach a job that another process runs', LIMIT, async (t) => {
  const place = makePlace(t);
  const run = await atWork(place, 'job-1');
  const paused = await place.stored('pause', 'job');
  assert.deepEqual([paused.code, paused.stdout], [EXIT.ok, 'Paused job-1.\n']);
  place.open();
  const { code, stdout, stderr } = await run.end;
  assert.equal(code, EXIT.waiting);
  assert.match(stdout, /✔ gated0 {2}done/, 'what was at work has ended, and was committed');
  assert.match(
    stderr,
    /Job paused\. It goes on with: jobwright start job-1 --store jobs\.db --agents agents\.mjs\n$/,
  );
  const started = await place.stored('start', 'job-1', '--agents', 'agents.mjs');
  assert.equal(started.code, EXIT.ok);
  assert.doesNotMatch(started.stdout, /gated0 {2}/, 'it is not run again');
});

test('cancel ends a job that another process runs, and aborts its agent', LIMIT, async (t) => {
  const place = makePlace(t);
  const run = await atWork(place, 'job-1');
  const cancelled = await place.stored('cancel', 'job-1', '--reason', 'not needed');
  assert.deepEqual([cancelled.code, cancelled.stdout], [EXIT.ok, 'Cancelled job-1.\n']);
  const { code, stderr } = await run.end;
  assert.equal(code, EXIT.failed);
  assert.match(stderr, /The job failed: not needed \[cancelled\]\n$/);
});

test('a job that is run elsewhere is not run here too', LIMIT, async (t) => {
  const place = makePlace(t);
  const run = await atWork(place, 'job-1');
  const second = await place.stored('start', 'job-1', '--agents', 'agents.mjs');
  assert.equal(second.code, EXIT.refused);
  assert.match(second.stderr, /Job "job-1": Job is being run elsewhere\. \[conflict\]\n$/);
  place.open();
  assert.equal((await run.end).code, EXIT.ok);
});

test('signal sends what a step waits for, in another process', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', { steps: [{ id: 'paid', wait: { signal: 'paid' } }] });
  const run = place.start(['run', 'plan.json', '--store', 'jobs.db', '--id', 'job-1']);
  await run.shows(/paid {2}running/);
  const sent = await place.stored('signal', 'job-1', 'paid', '{"amount":80}');
  assert.deepEqual([sent.code, sent.stdout], [EXIT.ok, 'Sent "paid" to job-1.\n']);
  const { code, stdout } = await run.end;
  assert.equal(code, EXIT.ok);
  assert.match(stdout, /paid: \{"signal":"paid","payload":\{"amount":80\}\}\n/);
});

test('watch follows what another process does, until the job ends', LIMIT, async (t) => {
  const place = makePlace(t);
  const run = await atWork(place, 'job-1');
  const watch = place.start(['watch', 'job-1', '--store', 'jobs.db']);
  const forProgram = place.start(['watch', 'job-1', '--store', 'jobs.db', '--json']);
  await watch.shows(/gated0 {2}running/);
  place.open();
  await run.end;
  const { code, stdout } = await watch.end;
  assert.equal(code, EXIT.ok);
  assert.match(
    stdout,
    /✔ gated0 {2}done.*\n▸ greet1 {2}running, greet\n✔ greet1 {2}done.*\nJob job-1 completed\n$/,
  );
  const lines = (await forProgram.end).stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ event }) => event?.seq),
    [1, 2, 3, 4, 5, 6, 7, undefined],
  );
  assert.deepEqual(lines.at(-1), { result: { jobId: 'job-1', status: 'completed' } });
});

test('pause-all, start-all and stop-all reach what other processes run', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'waits');
  const run = await atWork(place, 'works');
  assert.deepEqual((await place.answer('pause-all')).pending, ['works']);
  const refused = await place.stored('start', 'waits');
  assert.equal(refused.code, EXIT.refused);
  assert.match(refused.stderr, /\[globally_paused\]/);
  place.open();
  assert.equal((await run.end).code, EXIT.waiting);
  assert.deepEqual(await place.answer('start-all'), { started: ['works'], refused: {} });

  const asked = await place.stored('stop-all');
  assert.equal(asked.code, EXIT.usage);
  assert.match(asked.stderr, /give --yes, or ask at a terminal/);
  const { stopped } = await place.answer('stop-all', '--yes', '--reason', 'enough');
  assert.deepEqual(stopped.sort(), ['waits', 'works']);
  const { jobs } = await place.answer('list', '--status', 'failed');
  assert.deepEqual(
    jobs.map((/** @type {any} */ { run: { failure } }) => failure.message),
    ['enough', 'enough'],
  );
});

test('list shows jobs in order, by status, by parent, in pages', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', planOf('greet'));
  for (const id of ['b', 'a', 'c']) {
    await place.stored('run', 'plan.json', '--agents', 'agents.mjs', '--id', id);
  }
  await waiting(place, 'd');
  const ids = async (/** @type {string[]} */ ...args) =>
    (await place.answer('list', ...args)).jobs.map((/** @type {any} */ { id }) => id);
  assert.deepEqual(await ids(), ['b', 'a', 'c', 'd']);
  assert.deepEqual(await ids('--status', 'paused,created'), ['d']);
  assert.deepEqual(await ids('--limit', '2'), ['b', 'a']);
  assert.deepEqual(await ids('--after', 'a', '--limit', '1'), ['c']);
  assert.deepEqual(await ids('--parent', 'a'), []);
  const { stdout } = await place.stored('list');
  assert.match(stdout, /^JOB {2}STATUS {13}CREATED {15}STEPS {2}TYPE\nb {4}completed {10}\d{4}-/);
  const wrong = await place.stored('list', '--status', 'done');
  assert.equal(wrong.code, EXIT.usage);
  assert.match(wrong.stderr, /--status: expected created, running, .*; found "done"/);
});

test('ids may be shortened as long as one job is meant', LIMIT, async (t) => {
  const place = makePlace(t);
  for (const id of ['abc-1', 'abd-2', 'abd-22']) await waiting(place, id);
  const code = async (/** @type {string} */ id) => {
    const { stderr, code } = await place.stored('show', id);
    return code === EXIT.ok ? 'ok' : [code, /\[(\w+)\]\n$/.exec(stderr)?.[1]];
  };
  assert.equal(await code('abc'), 'ok');
  assert.equal(await code('abd-2'), 'ok', 'a whole id is meant, whatever others begin with it');
  assert.deepEqual(await code('ab'), [EXIT.refused, 'ambiguous']);
  assert.deepEqual(await code('x'), [EXIT.refused, 'not_found']);
  assert.deepEqual(await code(''), [EXIT.refused, 'not_found']);
});

test('what a job does not allow is refused with 4, and changes nothing', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', planOf('greet'));
  await place.stored('run', 'plan.json', '--agents', 'agents.mjs', '--id', 'job-1');
  const before = await place.jobs();
  for (const args of [
    ['pause'],
    ['start'],
    ['start', '--agents', 'agents.mjs'],
    ['cancel'],
    ['approve'],
    ['reject'],
  ]) {
    const [name = '', ...rest] = args;
    const { code, stderr } = await place.stored(name, 'job-1', ...rest);
    assert.equal(code, EXIT.refused, `${args}: ${stderr}`);
    assert.match(stderr, /^jobwright: .+ \[\w+\]\n$/);
  }
  assert.deepEqual(await place.jobs(), before);
});

test('an answer reaches a job that is at work elsewhere, and leaves it there', LIMIT, async (t) => {
  const place = makePlace(t);
  const steps = [
    { id: 'gated0', agent: 'gated', after: [] },
    { id: 'ok', approve: {}, after: [] },
  ];
  place.put('plan.json', { steps });
  const flags = ['--agents', 'agents.mjs', '--store', 'jobs.db'];
  const run = place.start(['run', 'plan.json', ...flags, '--id', 'job-1']);
  await place.reached();
  await run.shows(/\? ok {2}needs approval/);
  const approved = await place.run(['approve', 'job-1', ...flags]);
  assert.equal(approved.code, EXIT.ok, approved.stderr);
  assert.match(approved.stdout, /The job is being run elsewhere, and goes on there\.\n$/);
  place.open();
  const { code, stdout } = await run.end;
  assert.equal(code, EXIT.ok);
  assert.match(stdout, /Job job-1 completed/);
});

test('where several approvals wait, the command names one', LIMIT, async (t) => {
  const place = makePlace(t);
  const steps = ['a', 'b'].map((id) => ({ id, approve: {}, after: [] }));
  const { stderr } = await waiting(place, 'job-1', { steps });
  const [, command = ''] = /It goes on with: jobwright (.+)\n$/.exec(stderr) ?? [];
  assert.match(command, /^approve job-1 --approval a:\d+ --store/);
  const unnamed = await place.stored('approve', 'job-1');
  assert.equal(unnamed.code, EXIT.refused);
  assert.match(unnamed.stderr, /Several approvals are waiting; name one/);
  assert.equal((await place.run(command.split(' '))).code, EXIT.waiting);
  assert.equal((await place.stored('approve', 'job-1', '--step', 'b')).code, EXIT.ok);
});

test('watch without a job follows all that have not ended', LIMIT, async (t) => {
  const place = makePlace(t);
  await waiting(place, 'waits');
  const watch = place.start(['watch', '--store', 'jobs.db']);
  await watch.shows(/^waits {2}paused \(approval\)\n$/);
  const run = await atWork(place, 'works');
  await watch.shows(/\nworks {2}running\n/);
  place.open();
  assert.equal((await run.end).code, EXIT.ok);
  await watch.shows(/\nworks {2}completed\n/);
  watch.child.kill('SIGINT');
  assert.equal((await watch.end).code, EXIT.interrupted);
});
