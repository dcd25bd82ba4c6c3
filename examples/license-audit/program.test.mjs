// @ts-check
/** The whole program, started as a user starts it. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { audit, countByStep, makeProject, start, storedJobs } from './fixture.mjs';
import { plan } from './plan.mjs';

const LIMIT = { timeout: 60_000 };

/** @param {import('node:test').TestContext} t */
function emptyFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'license-audit-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { folder };
}

test('what can not be done gets one sentence and exit code 2', LIMIT, async (t) => {
  const { folder } = emptyFolder(t);
  writeFileSync(join(folder, 'bad.json'), '{"allowed": ["nonsense"]}');
  writeFileSync(join(folder, 'file'), '');
  /** @type {[args: string[], expected: RegExp][]} */
  const cases = [
    [['--frobnicate'], /Unknown option '--frobnicate'; --help shows/],
    [['-x'], /Unknown option '-x'/],
    [['--slow'], /--slow/],
    [['--yes=no'], /--yes/],
    [['extra'], /Unexpected argument 'extra'/],
    [['--slow', 'fast'], /--slow must be a whole number from 0 to 2147483647; found "fast"/],
    [['--slow=-1'], /--slow must be a whole number/],
    [['--slow', '9999999999'], /--slow must be a whole number/],
    [['--budget', '1.5'], /--budget must be a whole number/],
    [['--project', 'nowhere'], /nowhere is not a directory/],
    [['--project', 'file'], /file is not a directory/],
    [['--project', '.'], /There is no Cargo\.lock and no package-lock\.json in /],
    [['--policy', 'nowhere.json'], /nowhere\.json can't be read: it does not exist/],
    [['--policy', '.'], /can't be read: it is a directory/],
    [['--policy', 'bad.json'], /is not valid: allowed\[0\], "nonsense", is not an SPDX expression/],
    [['--report', 'nowhere/report.md'], /nowhere is not a directory/],
    [['--report', '.'], /is a directory/],
    [['--slow', '-5'], /--slow' needs a value that does not begin with '-'/],
  ];
  for (const [args, expected] of cases) {
    const { code, output, errors } = await start({ folder }, args).end;
    assert.equal(code, 2, args.join(' '));
    assert.match(errors, /^license-audit: [^\n]+\.\n$/);
    assert.match(errors, expected);
    assert.equal(output, '');
  }
  assert.ok(!existsSync(join(folder, '.cache')), 'nothing was begun');
});

test('a store that can not be used gets one sentence and exit code 2', LIMIT, async (t) => {
  const project = makeProject(t);
  const file = join(project.folder, 'file');
  writeFileSync(file, 'not a database, and long enough to be taken for the beginning of one'.repeat(20));
  for (const [store, expected] of /** @type {[string, RegExp][]} */ ([
    [file, /is not a SQLite database/],
    [join(file, 'jobs.db'), /a part of its path is not a directory/],
    [project.folder, /can't be used: /],
  ])) {
    const { code, output, errors } = await audit(project, ['--yes', '--store', store]);
    assert.equal(code, 2, errors);
    assert.match(errors, /^license-audit: The store [^\n]+\.\n$/);
    assert.match(errors, expected);
    assert.equal(output, '');
  }
});

test('--help tells of every option and exit code', LIMIT, async (t) => {
  const { code, output } = await start(emptyFolder(t), ['--help']).end;
  assert.equal(code, 0);
  for (const word of ['project', 'policy', 'report', 'store', 'budget', 'slow', 'yes'])
    assert.match(output, new RegExp(`--${word} `));
  for (const exitCode of [0, 1, 2, 3, 4, 130]) assert.match(output, new RegExp(`\\b${exitCode}\\b`));
});

test('a project of crates and npm packages, with --yes', LIMIT, async (t) => {
  const project = makeProject(t);
  const { code, output, errors } = await audit(project, ['--yes']);
  assert.equal(errors, '');
  assert.equal(code, 0);

  for (const { id } of plan.steps) assert.match(output, new RegExp(`✔ \\d/7 ${id} `));
  assert.match(output, /read-npm {4}25 of 122\n/);
  assert.match(output, /read-npm {4}122 of 122\n/);
  assert.match(output, /1 package needs a review:\n {2}weak 1\.0\.0 \(npm\): MPL-2\.0 needs review\n/);
  assert.match(output, /124 packages: 123 allowed, 1 reviewed, 0 denied\n/);
  assert.ok(!output.includes('\x1b'), 'no colours where nobody looks');

  const [job, ...others] = await storedJobs(project);
  assert.deepEqual(others, []);
  assert.equal(job.status, 'completed');
  assert.ok(
    output.includes(
      `Report  ${project.report}\nJob     ${job.id} completed: 7 steps, 128 of 100000 tool calls, `,
    ),
  );
  assert.deepEqual(job.run?.approvals ?? [], []);

  const report = readFileSync(project.report, 'utf8');
  assert.match(report, /\| Needs review \| 1 \| approved by --yes \|/);
  assert.match(
    report,
    /\| ancient \| 1\.0\.0 \| MIT\/Apache-2\.0 \| cargo metadata \| MIT is allowed, and may be chosen/,
  );
  assert.match(report, /\| modern \| 1\.0\.0 \| Apache-2\.0 WITH LLVM-exception \| cargo metadata \|/);
  assert.match(report, /\| plain \| 1\.0\.0 \| ISC \| node_modules \|/);
  assert.match(report, /\| ordinary-7 \| 1\.0\.0 \| MIT \| package-lock\.json \|/);
  assert.match(report, /Not judged: 2 packages of the project itself\./);
});

test('a second start is a new audit with the same report', LIMIT, async (t) => {
  const project = makeProject(t, { npm: {} });
  assert.equal((await audit(project)).code, 0);
  const first = readFileSync(project.report, 'utf8');
  assert.equal((await audit(project)).code, 0);
  assert.equal(readFileSync(project.report, 'utf8'), first);
  assert.deepEqual(
    (await storedJobs(project)).map(({ status }) => status),
    ['completed', 'completed'],
  );
});

test('a denied package: the report is written, and the exit code is 1', LIMIT, async (t) => {
  const project = makeProject(t, {
    npm: { viral: 'GPL-3.0', closed: 'UNLICENSED', free: '(MIT OR GPL-3.0)' },
  });
  const { code, output } = await audit(project);
  assert.equal(code, 1);
  assert.match(output, /123 allowed, 0 reviewed, 2 denied/);
  const report = readFileSync(project.report, 'utf8');
  assert.match(report, /\*\*2 packages are denied\.\*\*/);
  assert.match(
    report,
    /## Denied \(2\)\n\n.*\n.*\n\| closed .*UNLICENSED.*\n\| viral .*GPL-3\.0-only is denied/,
  );
});

test(
  'without a terminal and without --yes it waits, as often as it is started, and --yes goes on',
  LIMIT,
  async (t) => {
    const project = makeProject(t);
    for (const _ of ['first', 'again']) {
      const { code, output, errors } = await audit(project);
      assert.equal(code, 3);
      assert.match(output, /weak 1\.0\.0 \(npm\): MPL-2\.0 needs review/);
      assert.match(errors, /^license-audit: A person has to approve: start again with --yes[^\n]+\n$/);
      assert.ok(!existsSync(project.report));
    }
    const { code, output } = await audit(project, ['--yes']);
    assert.equal(code, 0);
    assert.match(output, /going on with step review/);
    const [job, ...others] = await storedJobs(project);
    assert.deepEqual(others, []);
    assert.deepEqual(Object.values(countByStep(job, 'step_completed')), [1, 1, 1, 1, 1, 1, 1]);
  },
);

test('a budget that is spent stops it, and a larger one goes on', LIMIT, async (t) => {
  const project = makeProject(t, { npm: {} });
  const stopped = await audit(project, ['--budget', '10']);
  assert.equal(stopped.code, 3);
  assert.match(
    stopped.errors,
    /^license-audit: Budget exceeded: start again with a larger --budget; job [^\n]+\n$/,
  );
  const again = await audit(project, ['--budget', '100']);
  assert.equal(again.code, 3, 'what was spent still counts');
  const { code, output } = await audit(project, ['--budget', '1000']);
  assert.equal(code, 0);
  assert.match(output, /7 steps, 126 of 1000 tool calls/);
});

test('an audit whose lock file has changed begins anew', LIMIT, async (t) => {
  const project = makeProject(t);
  assert.equal((await audit(project)).code, 3);
  const lock = join(project.folder, 'package-lock.json');
  writeFileSync(lock, readFileSync(lock, 'utf8').replace('ordinary-7"', 'extraordinary"'));
  const { code, output } = await audit(project, ['--yes']);
  assert.equal(code, 0);
  assert.match(output, /^The policy or a lock file has changed/);
  const jobs = await storedJobs(project);
  assert.deepEqual(
    jobs.map(({ status, run }) => [status, run?.failure?.code]),
    [
      ['failed', 'cancelled'],
      ['completed', undefined],
    ],
  );
  assert.match(readFileSync(project.report, 'utf8'), /extraordinary/);
});

test('crates that Cargo can not tell of are shown as unread', LIMIT, async (t) => {
  const project = makeProject(t, { npm: {} });
  const run = start(project, ['--project', project.folder, '--yes'], { env: { PATH: '/nowhere' } });
  const { code, output } = await run.end;
  assert.equal(code, 0);
  assert.match(output, /ancient 1\.0\.0 \(cargo\): no licence is stated: cargo is not installed/);
  assert.match(readFileSync(project.report, 'utf8'), /\| ancient \| 1\.0\.0 \| \*none\* \| nowhere \|/);
});

test('a step that fails for good is told in one sentence, exit code 4', LIMIT, async (t) => {
  const project = makeProject(t, { npm: {} });
  writeFileSync(join(project.folder, 'package-lock.json'), '[');
  const { code, errors } = await audit(project);
  assert.equal(code, 4);
  assert.match(
    errors,
    /^license-audit: The audit failed at step list: package-lock\.json is not a lock file[^\n]+[^.]\.\n$/,
  );
});
