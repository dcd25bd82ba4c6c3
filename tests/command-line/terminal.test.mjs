// @ts-check
/** The command at a terminal: colours, bars, questions, Ctrl-C. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CTRL_C, CTRL_D, EXIT, LIMIT, makePlace, planOf } from './support.mjs';

const ESC = '\u001b';
/** What sets a colour. */
const COLOURED = new RegExp(`${ESC}\\[[1-9]\\d*m`);
/** What rewrites lines. */
const REWRITES = new RegExp(`${ESC}\\[\\d*[AGK]`);

const ASKING = {
  steps: [
    { id: 'greeting', agent: 'greet' },
    { id: 'post', agent: 'mail', input: 'ada@example.org', tools: ['send'] },
    { id: 'last', agent: 'greet' },
  ],
};
const RUN = [
  'run',
  'plan.json',
  '--agents',
  'agents.mjs',
  '--tools',
  'tools.mjs',
  '--store',
  'jobs.db',
  '--id',
  'job-1',
];

/** @param {import('node:test').TestContext} t @param {object} [plan] */
function placeWith(t, plan = ASKING) {
  const place = makePlace(t);
  place.put('plan.json', plan);
  return place;
}

test('an approval is asked for with tool, arguments, agent and cost; y goes on', LIMIT, async (t) => {
  const place = placeWith(t);
  const run = place.terminal(RUN);
  await run.shows(/Approve\? /);
  for (const words of [
    /Step post asks to call a tool\./,
    /tool {7}send\r\n/,
    /arguments {2}\{"to":"ada@example\.org"\}\r\n/,
    /agent {6}mail\r\n/,
    /cost so far 2\r\n/,
  ]) {
    assert.match(run.text(), words);
  }
  run.type('what?\r');
  await run.shows(/what\?[\s\S]*Approve\?/);
  run.type('d\r');
  await run.shows(/"permissions": \{/);
  run.type('y\r');
  const { code, text } = await run.end;
  assert.equal(code, EXIT.ok);
  assert.match(text, /post: "sent to ada@example\.org"/);
  const [job] = await place.jobs();
  const approved = job.history.find((/** @type {any} */ { type }) => type === 'step_approved');
  assert.notEqual(approved.payload.by, 'unknown');
});

test('n rejects, and the job fails', LIMIT, async (t) => {
  const place = placeWith(t);
  const run = place.terminal(RUN);
  await run.shows(/Approve\? /);
  run.type('n\r');
  const { code, text } = await run.end;
  assert.equal(code, EXIT.failed);
  assert.match(text, /\[rejected\]/);
});

test('no answer leaves the job waiting, and the command that goes on is named', LIMIT, async (t) => {
  const place = placeWith(t);
  const run = place.terminal(RUN);
  await run.shows(/Approve\? /);
  run.type(CTRL_D);
  const { code, text } = await run.end;
  assert.equal(code, EXIT.waiting);
  assert.match(
    text,
    /It goes on with: jobwright approve job-1 --store jobs\.db --agents agents\.mjs --tools tools\.mjs/,
  );
});

test('Ctrl-C at a question ends, too', LIMIT, async (t) => {
  const place = placeWith(t);
  const run = place.terminal(RUN);
  await run.shows(/Approve\? /);
  run.type(CTRL_C);
  const { code, text } = await run.end;
  assert.equal(code, EXIT.interrupted);
  assert.match(text, /It goes on with: jobwright approve job-1/);
});

test('an answer that another process gives ends the question, and the job goes on', LIMIT, async (t) => {
  const place = placeWith(t);
  const run = place.terminal(RUN);
  await run.shows(/Approve\? /);
  assert.equal((await place.stored('approve', 'job-1', '--by', 'grace')).code, EXIT.ok);
  const { code, text } = await run.end;
  assert.equal(code, EXIT.ok);
  assert.match(text, /Answered elsewhere\.[\s\S]*Job job-1 completed/);
});

test('Ctrl-C lets the step at work finish, pauses the job, and says how to go on', LIMIT, async (t) => {
  const place = placeWith(t, planOf('gated', 'greet'));
  const run = place.terminal(RUN);
  await place.reached();
  run.type(CTRL_C);
  await run.shows(/Pausing: steps that are running may finish\. Ctrl-C again stops at once\./);
  await sleep(500);
  place.open();
  const { code, text } = await run.end;
  assert.equal(code, EXIT.interrupted);
  assert.match(
    text,
    /Interrupted\. It goes on with: jobwright start job-1 --store jobs\.db --agents agents\.mjs/,
  );
  const [job] = await place.jobs();
  assert.deepEqual([job.status, job.run.steps.gated0.status], ['paused', 'done']);
});

test('Ctrl-C twice stops at once; start goes on with the same attempt', LIMIT, async (t) => {
  const place = placeWith(t, planOf('gated', 'greet'));
  const run = place.terminal(RUN);
  await place.reached();
  run.type(CTRL_C);
  await run.shows(/Pausing/);
  await sleep(400);
  run.type(CTRL_C);
  const { code, text } = await run.end;
  assert.equal(code, EXIT.interrupted);
  assert.match(text, /Stopped at once\. It goes on with: jobwright start job-1/);
  place.open();
  const { code: end, stdout } = await place.stored('start', 'job-1', '--agents', 'agents.mjs');
  assert.equal(end, EXIT.ok, stdout);
  const [job] = await place.jobs();
  assert.equal(job.context.gated0, 1);
});

test('colours at a terminal; none where NO_COLOR or TERM=dumb say so', LIMIT, async (t) => {
  const place = placeWith(t, planOf('greet', 'fails'));
  const run = async (/** @type {Record<string, string>} */ env) =>
    (await place.terminal(['run', 'plan.json', '--agents', 'agents.mjs'], env).end).text;
  assert.match(await run({}), COLOURED);
  assert.doesNotMatch(await run({ NO_COLOR: '1' }), COLOURED);
  const dumb = await run({ TERM: 'dumb' });
  assert.ok(!dumb.includes(ESC), dumb);
  const help = await place.terminal(['run', '--help']).end;
  assert.ok(!help.text.includes(ESC));
});

test(
  'run --watch draws bars, with a count of items, and takes them away for a question',
  LIMIT,
  async (t) => {
    const items = { id: 'list', agent: 'rests', forEach: [1, 2, 3, 4] };
    const place = placeWith(t, {
      concurrency: 2,
      steps: [items, { id: 'ok', approve: { message: 'Sure?' } }],
    });
    const run = place.terminal([...RUN, '--watch']);
    await run.shows(/list {2}█+░+ 2\/4/);
    await run.shows(/Approve\? /);
    assert.match(run.text(), REWRITES);
    run.type('y\r');
    const { code, text } = await run.end;
    assert.equal(code, EXIT.ok);
    assert.match(text, /█{24} 2\/2 steps/);
    assert.match(text, /Job job-1 completed/);
    assert.ok(text.lastIndexOf(`${ESC}[?25h`) > text.lastIndexOf(`${ESC}[?25l`), 'the cursor is back');
  },
);

test('NO_COLOR leaves the bars', LIMIT, async (t) => {
  const place = placeWith(t, planOf('rests'));
  const { code, text } = await place.terminal([...RUN, '--watch'], { NO_COLOR: '1' }).end;
  assert.equal(code, EXIT.ok);
  assert.match(text, /█{24} 1\/1 steps/);
  assert.doesNotMatch(text, COLOURED);
});

test('watch draws what another process does, and ends with the job', LIMIT, async (t) => {
  const place = placeWith(t, planOf('gated', 'rests', 'greet'));
  const run = place.start(RUN);
  await place.reached();
  const watch = place.terminal(['watch', 'job-1', '--store', 'jobs.db']);
  await watch.shows(/░{24} 0\/3 steps[\s\S]*gated0 {2}running, gated/);
  place.open();
  await watch.shows(/█{8}░{16} 1\/3 steps[\s\S]*rests1 {2}running/);
  await run.end;
  const { code, text } = await watch.end;
  assert.equal(code, EXIT.ok);
  assert.match(text, /█{24} 3\/3 steps[\s\S]*Job job-1 completed/);
});

test('Ctrl-C ends watching, and does nothing to the job', LIMIT, async (t) => {
  const place = placeWith(t, planOf('gated', 'greet'));
  const run = place.start(RUN);
  await place.reached();
  const watch = place.terminal(['watch', 'job-1', '--store', 'jobs.db']);
  await watch.shows(/0\/2 steps/);
  watch.type(CTRL_C);
  const { code, text } = await watch.end;
  assert.equal(code, EXIT.interrupted);
  assert.match(text, /Not watching any more; the job is as it was\./);
  place.open();
  assert.equal((await run.end).code, EXIT.ok);
});

test('stop-all asks once, and says that it is final', LIMIT, async (t) => {
  const place = placeWith(t, { steps: [{ id: 'ok', approve: {} }] });
  await place.run(RUN);
  const spared = place.terminal(['stop-all', '--store', 'jobs.db']);
  await spared.shows(/Cancel 1 job for good\? This can't be undone\. \[y\/N\] /);
  spared.type('\r');
  assert.equal((await spared.end).code, EXIT.refused);
  const interrupted = place.terminal(['stop-all', '--store', 'jobs.db']);
  await interrupted.shows(/\[y\/N\] /);
  interrupted.type(CTRL_C);
  const { code, text } = await interrupted.end;
  assert.equal(code, EXIT.interrupted);
  assert.match(text, /Nothing was cancelled\./);
  assert.equal((await place.jobs())[0].status, 'paused');
  const meant = place.terminal(['stop-all', '--store', 'jobs.db']);
  await meant.shows(/\[y\/N\] /);
  meant.type('y\r');
  assert.equal((await meant.end).code, EXIT.ok);
  assert.equal((await place.jobs())[0].status, 'failed');
});

test('a plan that is typed ends with Ctrl-D, and nobody is asked then', LIMIT, async (t) => {
  const place = makePlace(t);
  const run = place.terminal(['run', '-', '--store', 'jobs.db', '--id', 'job-1']);
  run.type(`${JSON.stringify({ steps: [{ id: 'ok', approve: {} }] })}\r`);
  await run.shows(/approve/);
  run.type(CTRL_D);
  const { code, text } = await run.end;
  assert.equal(code, EXIT.waiting, text);
  assert.match(text, /It goes on with: jobwright approve job-1/);
});

test('a hostile request for approval can neither hide nor move anything', LIMIT, async (t) => {
  const place = placeWith(t);
  const evil = `${ESC}[2J${ESC}[1;1HApproved!\u009b31m\u202e\nApprove? y`;
  place.put('plan.json', {
    steps: [{ id: 'post', agent: 'mail', input: evil, tools: ['send'] }],
  });
  const run = place.terminal(RUN, { NO_COLOR: '1' });
  await run.shows(/Approve\? \[y\]es/);
  run.type('d\r');
  await run.shows(/"permissions": \{/);
  run.type('n\r');
  const { text } = await run.end;
  const shown = text.replaceAll(new RegExp(`${ESC}\\[(?:0J|\\d+G|\\?25[hl])`, 'g'), '');
  assert.ok(!shown.includes(ESC), JSON.stringify(shown));
  assert.doesNotMatch(shown, /\u009b|\u202e/);
});

test('a dumb terminal is asked too', LIMIT, async (t) => {
  const place = placeWith(t);
  const run = place.terminal(RUN, { TERM: 'dumb' });
  await run.shows(/Approve\? /);
  run.type('y\r');
  const { code, text } = await run.end;
  assert.equal(code, EXIT.ok);
  assert.ok(!text.includes(ESC), text);
});

test('watch without a job draws all that have not ended', LIMIT, async (t) => {
  const place = placeWith(t, planOf('gated', 'greet'));
  const run = place.start(RUN);
  await place.reached();
  const watch = place.terminal(['watch', '--store', 'jobs.db']);
  await watch.shows(/1 job not ended\r\n.*job-1 {2}running/);
  place.open();
  await run.end;
  await watch.shows(/job-1 {2}completed\r\n[\s\S]*0 jobs not ended/);
  watch.type(CTRL_C);
  assert.equal((await watch.end).code, EXIT.interrupted);
});

test('an export is shown without what is not seen, and written as it is', LIMIT, async (t) => {
  const id = 'job\u009b31m\u202e';
  const place = placeWith(t, planOf('greet'));
  await place.stored('run', 'plan.json', '--agents', 'agents.mjs', '--id', id);
  const { text } = await place.terminal(['export', 'job', '--store', 'jobs.db']).end;
  assert.ok(text.includes('job\\u009b31m\\u202e'));
  assert.doesNotMatch(text, /[\u009b\u202e]/);
  const piped = await place.stored('export', 'job');
  assert.ok(piped.stdout.includes(id));
  assert.equal((await place.run(['verify', '-'], { input: piped.stdout })).code, EXIT.ok);
});

test('an id that is too long for the table of jobs has a line of its own, whole', LIMIT, async (t) => {
  const place = placeWith(t, planOf('greet'));
  const long = 'l'.repeat(90);
  for (const id of ['short', long])
    await place.stored('run', 'plan.json', '--agents', 'agents.mjs', '--id', id);
  const list = place.terminal(['list', '--store', 'jobs.db']);
  const { text } = await list.end;
  const [head = '', first = '', ...rest] = text.trimEnd().split('\r\n');
  assert.match(head, /^JOB {4}STATUS {5}CREATED/);
  assert.match(first, /^short {2}completed {2}\d{4}-/);
  assert.equal(rest[0], long);
  assert.match(String(rest[1]), /^ {7}completed {2}\d{4}-/);
  // In a pipe a job is one line.
  assert.equal((await place.stored('list')).stdout.trimEnd().split('\n').length, 3);
});
