// @ts-check
/** `jobwright run`, where nobody looks: in a pipe. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { EXIT, LIMIT, makePlace, planOf, program, RAW } from './support.mjs';

const GREETING = { steps: [{ id: 'greeting', agent: 'greet', input: { var: 'name' } }] };

test('a plan is run, each step on a line, and its context is shown', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', GREETING);
  const args = ['run', 'plan.json', '--agents', 'agents.mjs', '--context', '{"name":"Ada"}', '--id', 'one'];
  const { code, stdout, stderr } = await place.run(args);
  assert.equal(code, EXIT.ok);
  assert.equal(
    stdout.replace(/\d+ ms/g, 'N ms'),
    [
      'Job one',
      '▸ greeting  running, greet',
      '✔ greeting  done (N ms)',
      'Job one completed: 1 step done, cost 2, N ms',
      '  name: "Ada"',
      '  greeting: "Hello Ada"',
      '',
    ].join('\n'),
  );
  assert.match(stderr, /^Nothing of it is kept when this ends; --store jobs\.db keeps jobs\.\n$/);
});

test('with --json, one document; with --watch, an event on each line before it', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', { steps: [...GREETING.steps, { id: 'talk', agent: 'talks' }] });
  place.put('context.json', { name: 'Ada' });
  const args = ['run', 'plan.json', '--agents', 'agents.mjs', '--context', '@context.json', '--json'];
  const { code, stdout, stderr } = await place.run(args);
  assert.equal(code, EXIT.ok);
  const result = JSON.parse(stdout);
  assert.equal(result.status, 'completed');
  assert.deepEqual(result.context, { name: 'Ada', greeting: 'Hello Ada', talk: 1 });
  assert.equal(result.cost, 2);
  assert.match(stderr, /an agent says so/, 'what agents print does not stand among the JSON');

  const watched = await place.run([...args, '--watch']);
  const lines = watched.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const types = lines.slice(0, -1).map(({ event }) => event.type);
  assert.deepEqual(types.slice(0, 3), ['job_started', 'step_started', 'step_completed']);
  assert.equal(lines.at(-1).status, 'completed');
});

test('a job that fails ends with 1, and says at which step and why', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', planOf('greet', 'fails'));
  const { code, stdout, stderr } = await place.run(['run', 'plan.json', '--agents', 'agents.mjs']);
  assert.equal(code, EXIT.failed);
  assert.match(stdout, /✘ fails1 {2}failed: no network\n/);
  assert.match(stderr, /jobwright: The job failed at step "fails1": no network \[agent_failed\]\n$/);
});

test(
  'what would fail later is said before a job is made: agents and tools that nobody gave',
  LIMIT,
  async (t) => {
    const place = makePlace(t);
    const child = { steps: [{ id: 'a', agent: 'deep' }] };
    place.put('plan.json', {
      steps: [
        { id: 'x', agent: 'absent', tools: ['hammer'] },
        { id: 'y', job: { plan: child } },
      ],
    });
    const none = await place.stored('run', 'plan.json');
    assert.equal(none.code, EXIT.usage);
    assert.equal(
      none.stderr,
      'jobwright: The plan needs agents that nobody gave: "absent", "deep"; give a module with them by --agents. [unknown_agent]\n',
    );
    place.put('some.mjs', 'export const absent = () => 1; export const deep = () => 2;');
    const tools = await place.stored('run', 'plan.json', '--agents', 'some.mjs');
    assert.match(tools.stderr, /needs tools that nobody gave: "hammer".*\[unknown_tool\]/);
    assert.ok(!existsSync(join(place.folder, 'jobs.db')), 'nothing was made');
  },
);

test('a plan comes from a file, a module or the standard input', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.mjs', `export const plan = ${JSON.stringify(GREETING)};`);
  place.put('standard.mjs', `export default ${JSON.stringify(GREETING)};`);
  for (const [file, input] of [
    ['plan.mjs', ''],
    ['standard.mjs', ''],
    ['-', JSON.stringify(GREETING)],
  ]) {
    const { code, stdout } = await place.run(['run', String(file), '--agents', 'agents.mjs', '--json'], {
      input,
    });
    assert.equal(code, EXIT.ok, file);
    assert.equal(JSON.parse(stdout).context.greeting, 'Hello null');
  }
});

test('what is slow to come by the standard input is waited for', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', GREETING);
  const command = `(cat plan.json | head -c 5; sleep 1; cat plan.json | tail -c +6) | '${program}' validate -`;
  const { stdout } = await promisify(execFile)('sh', ['-c', command], { cwd: place.folder });
  assert.equal(stdout, '-: no problems\n');
});

test('JSON may begin with a byte order mark, as some editors write it', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', `\ufeff${JSON.stringify(GREETING)}`);
  place.put('context.json', '\ufeff{"name":"Ada"}');
  const args = ['run', 'plan.json', '--agents', 'agents.mjs', '--context', '@context.json', '--json'];
  const { code, stdout, stderr } = await place.run(args);
  assert.equal(code, EXIT.ok, stderr);
  assert.equal(JSON.parse(stdout).context.greeting, 'Hello Ada');
});

test('a job that has reached its limit of steps goes on with another, as it says', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', planOf('greet', 'greet', 'greet'));
  const agents = ['--agents', 'agents.mjs'];
  const run = await place.stored('run', 'plan.json', ...agents, '--id', 'one', '--max-steps', '1');
  assert.equal(run.code, EXIT.waiting);
  const next = 'jobwright start one --store jobs.db --agents agents.mjs --max-steps N';
  assert.ok(run.stderr.includes(`Step limit reached. It goes on with: ${next}\n`), run.stderr);
  const more = await place.stored('start', 'one', ...agents, '--max-steps', '2', '--json');
  assert.equal(more.code, EXIT.waiting);
  assert.equal(JSON.parse(more.stdout).next, next);
  assert.equal((await place.stored('start', 'one', '--max-steps', 'x')).code, EXIT.usage);
  assert.equal((await place.stored('start', 'one', ...agents, '--max-steps', '3')).code, EXIT.ok);
});

const MISTAKES = /** @type {const} */ ([
  [['run'], /missing required argument 'plan' \[usage\]/],
  [['run', 'absent.json'], /The plan "absent\.json" can't be read: there is no such file\. \[unreadable\]/],
  [['run', 'torn.json'], /The plan "torn\.json" is not JSON: .*\[invalid_json\]/],
  [['run', 'wrong.json'], /The plan "wrong\.json" can't be run: steps.*\[invalid_plan\]/],
  [
    ['run', 'plan.json', '--agents', 'absent.mjs'],
    /The module "absent\.mjs" of the agents can't be loaded.*\[unreadable\]/,
  ],
  [['run', 'plan.json', '--agents', 'empty.mjs'], /"empty\.mjs" exports no agents.*\[invalid_argument\]/],
  [
    ['run', 'plan.json', '--context', '[1]'],
    /--context: expected a JSON object, found \[1\]\. \[invalid_argument\]/,
  ],
  [['run', 'plan.json', '--context', '{'], /--context \(\{\) is not JSON.*\[invalid_json\]/],
  [
    ['run', 'plan.json', '--max-steps', 'x'],
    /--max-steps: expected a whole number, found "x"\. \[invalid_argument\]/,
  ],
  [
    ['run', 'plan.json', '--agents', 'agents.mjs', '--slow', '-1'],
    /--slow: expected milliseconds, found "-1"/,
  ],
  [['run', 'plan.json', '--nonsense'], /unknown option '--nonsense' \[usage\]/],
  [
    ['run', 'plan.json', 'more'],
    /: too many arguments for 'run'\. Expected 1 argument but got 2\. \[usage\]/,
  ],
  [['run', 'plan.json', '-x'], /: unknown option '-x' \[usage\]/],
  [['run', 'plan.json', '--agent', 'a'], /unknown option '--agent' \(Did you mean --agents\?\) \[usage\]/],
  [['run', 'plan.json', '--wtach'], /unknown option '--wtach' \(Did you mean --watch\?\) \[usage\]/],
  [['run', 'plan.json', '--yes=1'], /unknown option '--yes=1' \(Did you mean --yes\?\) \[usage\]/],
  [['list', '-5'], /too many arguments for 'list'\. Expected 0 arguments but got 1\. \[usage\]/],
  [['--vers'], /unknown option '--vers' \(Did you mean --version\?\) \[usage\]/],
  [['rum', 'plan.json'], /unknown command 'rum' \(Did you mean run\?\) \[usage\]/],
  [['stat-all'], /unknown command 'stat-all' \(Did you mean start-all\?\) \[usage\]/],
  [['help', 'nothing'], /unknown command 'nothing' \[usage\]/],
  [[''], /unknown command '' \[usage\]/],
]);

test('mistakes end with 2 and one sentence with its code', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', GREETING);
  place.put('torn.json', '{"steps":');
  place.put('wrong.json', { steps: [{ id: 'a' }] });
  place.put('empty.mjs', 'export const text = "none";');
  for (const [args, sentence] of MISTAKES) {
    const { code, stdout, stderr } = await place.run([...args]);
    assert.equal(code, EXIT.usage, stderr);
    assert.match(stderr, sentence);
    assert.equal(stderr.split('\n').length, 2, stderr);
    assert.equal(stdout, '');
    const forProgram = await place.run([...args, '--json']);
    assert.equal(typeof JSON.parse(forProgram.stderr).error.code, 'string');
  }
});

test(
  'nothing of what comes from plans, contexts and agents reaches the terminal raw, or fills it',
  LIMIT,
  async (t) => {
    const place = makePlace(t);
    const evil = '\u001b[31mred\u0007\u009b2J\u202e\r\nnext\u2028\ud800';
    const step = `step ${evil.replace('\ud800', '')}`;
    place.put('plan.json', {
      name: evil,
      steps: [
        { id: step, agent: 'echo', input: { var: 'text' } },
        { id: 'bad', agent: 'throws' },
      ],
    });
    place.put('context.json', { text: evil, [evil]: 'x'.repeat(5_000_000) });
    place.put(
      'evil.mjs',
      `export const echo = (text) => text + 'y'.repeat(5_000_000);
export const throws = () => { throw new Error(${JSON.stringify(evil)} + 'z'.repeat(1_000_000)); };`,
    );
    const args = [
      'run',
      'plan.json',
      '--agents',
      'evil.mjs',
      '--context',
      '@context.json',
      '--id',
      `job ${evil}`,
    ];
    const outputs = [
      await place.stored(...args),
      await place.stored('show', 'job', '--history'),
      await place.stored('list'),
      await place.stored('watch', 'job'),
      await place.stored('replay', 'job'),
    ];
    for (const { stdout, stderr } of outputs) {
      assert.doesNotMatch(stdout, RAW);
      assert.doesNotMatch(stderr, RAW);
      assert.ok(stdout.length + stderr.length < 20_000, `${stdout.length} and ${stderr.length} characters`);
    }
    assert.equal(outputs[0]?.code, EXIT.failed);
    const { stdout } = await place.stored('show', 'job', '--json');
    assert.doesNotMatch(stdout, RAW);
    const lengths = Object.values(JSON.parse(stdout).job.context).map(({ length }) => length);
    assert.ok(lengths.includes(5_000_000), 'a program gets all of it');
  },
);

test('a reader that goes away does no harm', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', planOf('gated', 'rests', 'greet'));
  const run = place.start(['run', 'plan.json', '--agents', 'agents.mjs', '--store', 'jobs.db']);
  await place.reached();
  run.child.stdout.destroy();
  place.open();
  const { code } = await run.end;
  const [job] = await place.jobs();
  assert.deepEqual([code, job.status], [EXIT.interrupted, 'paused']);
});

test('behind --, everything is an argument', LIMIT, async (t) => {
  const { code, stderr } = await makePlace(t).run(['run', '--slow', '5', '--', '--watch', '--help']);
  assert.match(
    stderr,
    /^jobwright: too many arguments for 'run'\. Expected 1 argument but got 2\. \[usage\]\n$/,
  );
  assert.equal(code, EXIT.usage);
});
