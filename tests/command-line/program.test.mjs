// @ts-check
/** The command as a whole: its help, its stores, its package. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { findNode, nodeVersions } from '../../scripts/nodes.mjs';
import { root } from '../../scripts/process.mjs';
import { consumerDir, importPackage, pkgDir } from '../package/installed.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { EXIT, LIMIT, makePlace, planOf, program } from './support.mjs';

const NAMES = [
  ...['run', 'list', 'show', 'watch', 'dashboard', 'start', 'pause', 'cancel', 'approve', 'reject', 'signal'],
  ...['pause-all', 'start-all', 'stop-all', 'validate', 'simulate', 'graph'],
  ...['export', 'verify', 'replay', 'fork', 'prune'],
];
const page = readFileSync(join(root, 'docs/command-line.md'), 'utf8');

test(
  'help lists every command and the exit codes; each has an example, and stands in the docs',
  LIMIT,
  async (t) => {
    const place = makePlace(t);
    const all = await place.run(['--help']);
    assert.equal(all.code, EXIT.ok);
    const listed = [...all.stdout.matchAll(/^ {2}([a-z-]+) (?:\[options\])/gm)].map(([, name]) => name);
    assert.deepEqual(listed, NAMES);
    assert.match(all.stdout, /Exit codes: 0 done;/);
    for (const name of NAMES) {
      const { code, stdout } = await place.run([name, '--help']);
      assert.equal(code, EXIT.ok);
      assert.match(stdout, new RegExp(`Example:\\n  \\$ jobwright ${name} ?`), name);
      assert.match(page, new RegExp(`^\\| \`${name}\\b`, 'm'), `${name} is not in docs/command-line.md`);
      for (const [flag] of stdout.matchAll(/^ {2}--[a-z-]+/gm))
        assert.ok(page.includes(flag.trim()), `${name} ${flag}`);
    }
    for (const words of [['-h'], ['help']]) assert.deepEqual(await place.run(words), all, words[0]);
    const one = await place.run(['fork', '--help']);
    for (const words of [
      ['fork', '-h'],
      ['help', 'fork'],
    ])
      assert.deepEqual(await place.run(words), one, words.join(' '));
    const none = await place.run([]);
    assert.deepEqual([none.code, none.stdout], [EXIT.usage, '']);
  },
);

test('the exit codes are those that the docs have', () => {
  const documented = [...page.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));
  assert.deepEqual(documented, Object.values(EXIT));
});

test('the package has the command, which needs no other package', async () => {
  const manifest = JSON.parse(readFileSync(join(pkgDir, 'package.json'), 'utf8'));
  assert.deepEqual(manifest.bin, { jobwright: 'command-line/index.js' });
  assert.equal(manifest.dependencies, undefined);
  const file = join(pkgDir, manifest.bin.jobwright);
  const source = readFileSync(file, 'utf8');
  assert.ok(source.startsWith('#!/usr/bin/env node\n'));
  assert.ok((statSync(file).mode & 0o111) === 0o111, 'it may be executed');
  for (const [, name] of source.matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)) {
    assert.match(String(name), /^(node:|jobwright(\/|$))/, 'all else is in the file');
  }
});

test('npx finds it, and --version is the version of the package', () => {
  const { version } = JSON.parse(readFileSync(join(pkgDir, 'package.json'), 'utf8'));
  const args = ['--no', '--offline', 'jobwright', '--version'];
  assert.equal(execFileSync('npx', args, { cwd: consumerDir, encoding: 'utf8' }).trim(), version);
});

const WRONG_STORES = /** @type {const} */ ([
  [[], EXIT.usage, /No store is named: give --store, or set JOBWRIGHT_STORE/],
  [['--store', 'memory'], EXIT.usage, /The store "memory" has no jobs of other commands/],
  [['--store', 'absent.db'], EXIT.refused, /There is no store "absent\.db": the file does not exist/],
  [['--store', 'sqlite:absent.db'], EXIT.refused, /There is no store "absent\.db"/],
  [['--store', 'text.db'], EXIT.broken, /The database "text\.db" is not a SQLite database \[internal\]/],
  [
    ['--store', 'mysql://ada:secret@host/x'],
    EXIT.usage,
    /The store "mysql:\/\/ada:\*\*\*@host\/x" is not known/,
  ],
]);

test('a store that is none is a sentence, without its password', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('text.db', 'not a database, but quite a long text that is no header of one either'.repeat(20));
  for (const [args, exit, sentence] of WRONG_STORES) {
    const { code, stdout, stderr } = await place.run(['list', ...args]);
    assert.match(stderr, sentence);
    assert.doesNotMatch(stderr, /secret/);
    assert.deepEqual([stdout, stderr.split('\n').length], ['', 2]);
    assert.equal(code, exit, stderr);
  }
});

test('the store may be named by JOBWRIGHT_STORE, and by sqlite:', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', { steps: [{ id: 'ok', approve: {} }] });
  const env = { JOBWRIGHT_STORE: 'jobs.db' };
  const { code, stderr } = await place.run(['run', 'plan.json', '--id', 'job-1'], { env });
  assert.equal(code, EXIT.waiting);
  assert.match(
    stderr,
    /It goes on with: jobwright approve job-1\n$/,
    'where the variable is, no flag is needed',
  );
  for (const store of ['jobs.db', 'sqlite:jobs.db', `sqlite://${place.folder}/jobs.db`]) {
    const { stdout } = await place.run(['list', '--store', store, '--json']);
    assert.equal(JSON.parse(stdout).jobs[0].id, 'job-1', store);
  }
});

test('a driver that is missing is a sentence that says what to install', LIMIT, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-bare-'));
  t.after(() => rmSync(folder, { recursive: true }));
  execFileSync('cp', ['-r', pkgDir, join(folder, 'jobwright')]);
  writeFileSync(join(folder, 'jobs.db'), '');
  const list = (/** @type {string} */ store) => {
    const args = [join(folder, 'jobwright/command-line/index.js'), 'list', '--store', store];
    try {
      execFileSync(process.execPath, args, { cwd: folder, stdio: 'pipe' });
      return 'found';
    } catch (error) {
      return `${error.status} ${error.stderr}`;
    }
  };
  assert.match(
    list('postgres://localhost/x'),
    /^2 jobwright: .*needs pg \("npm install pg"\) \[unsupported\]\n$/,
  );
  const hasSqlite = Number(process.versions.node.split('.')[0]) >= 22;
  const sqlite = hasSqlite
    ? /found/
    : /^2 jobwright: .*\("npm install better-sqlite3"\).* \[unsupported\]\n$/;
  assert.match(list('jobs.db'), sqlite);
  if (hasSqlite) return;
  // As a bundler leaves it: the code without its binary.
  mkdirSync(join(folder, 'node_modules/better-sqlite3'), { recursive: true });
  const broken = "module.exports = function () { throw new Error('No binary.\\nTried: ...'); };";
  writeFileSync(join(folder, 'node_modules/better-sqlite3/index.js'), broken);
  assert.match(list('jobs.db'), /, and what is there fails: No binary\. \[unsupported\]\n$/);
});

test(
  'on PostgreSQL, a job is run, left, and taken up by another process; the password is not printed',
  LIMIT,
  async (t) => {
    const server = await startPostgres();
    // Nothing else keeps this process alive while the server ends.
    const alive = setInterval(() => {}, 1_000);
    t.after(async () => {
      await server.stop();
      clearInterval(alive);
    });
    const place = makePlace(t);
    place.put('plan.json', { steps: [{ id: 'ok', approve: {} }, ...planOf('greet').steps] });
    const flags = ['--store', server.url, '--agents', 'agents.mjs'];
    const run = await place.run(['run', 'plan.json', ...flags, '--id', 'job-1']);
    assert.equal(run.code, EXIT.waiting);
    assert.match(
      run.stderr,
      /approve job-1 --store 'postgres:\/\/tester:\*\*\*@127\.0\.0\.1:\d+\/postgres' --agents/,
    );
    const env = { JOBWRIGHT_STORE: server.url };
    const approved = await place.run(['approve', 'job', '--agents', 'agents.mjs'], { env });
    assert.equal(approved.code, EXIT.ok, approved.stderr);
    assert.equal(
      JSON.parse((await place.run(['list', '--json'], { env })).stdout).jobs[0].status,
      'completed',
    );
    await server.halt();
    const gone = await place.run(['list', '--store', `postgres://a:secret@127.0.0.1:${server.port}/x`]);
    assert.equal(gone.code, EXIT.broken);
    assert.match(gone.stderr, /PostgreSQL could not be reached/);
    assert.doesNotMatch(gone.stderr, /secret/);
  },
);

for (const version of nodeVersions) {
  test(
    `on Node ${version}, with the SQLite that is there, no warning stands beside what was asked for`,
    LIMIT,
    async (t) => {
      const place = makePlace(t);
      place.put('plan.json', planOf('greet'));
      const node = await findNode(version);
      const run = (/** @type {string[]} */ ...args) =>
        promisify(execFile)(node, [realpathSync(program), ...args, '--store', 'jobs.db'], {
          cwd: place.folder,
        });
      const { stdout, stderr } = await run('run', 'plan.json', '--agents', 'agents.mjs', '--id', 'job-1');
      assert.match(stdout, /Job job-1 completed/);
      assert.equal(stderr, '');
      assert.equal((await run('replay', 'job-1')).stderr, '');
    },
  );
}

test('agents may use the package that the command is of', LIMIT, async (t) => {
  const { NonRetryableError } = await importPackage();
  assert.equal(typeof NonRetryableError, 'function');
  const folder = mkdtempSync(join(consumerDir, 'agents-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const place = makePlace(t);
  const file = join(folder, 'agents.mjs');
  writeFileSync(
    file,
    `import { createAgentRegistry, NonRetryableError } from 'jobwright';
export default createAgentRegistry({ fails: () => { throw new NonRetryableError('for good'); } });`,
  );
  place.put('plan.json', {
    steps: [{ id: 'a', agent: 'fails', retry: { maxAttempts: 5, backoffMs: 60_000 } }],
  });
  const { code, stderr } = await place.run(['run', 'plan.json', '--agents', file]);
  assert.equal(code, EXIT.failed);
  assert.match(stderr, /for good \[agent_failed\]/);
});
