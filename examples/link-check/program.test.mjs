// @ts-check
/** The link check as somebody starts it; stopped or killed in the middle, and started again. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createSqliteStore } from 'jobwright/sqlite';
import { checkFront, makeFolder, start } from '../checks.mjs';
import { makePages } from './make-pages.mjs';

const LIMIT = { timeout: 60_000 };
const main = join(import.meta.dirname, 'main.mjs');

test('the program prints what it found', LIMIT, async (t) => {
  await checkFront(main, t);
  const cwd = makeFolder(t);
  mkdirSync(join(cwd, 'fine'));
  for (const [file, content] of /** @type {[string, string | Uint8Array][]} */ ([
    ['a.md', '[b](b.md)'],
    ['b.md', Uint8Array.of(0xff)],
    ['c.html', '<a href="d.md">'],
    ['fine/a.md', '[a](a.md)'],
  ]))
    writeFileSync(join(cwd, file), content);
  const { code, output, errors } = await start(main, ['.', '--report', 'r.md'], { cwd });
  assert.equal(
    output,
    [
      '4 of 4 pages: 0 pending, 0 running, 3 completed, 1 failed',
      'c.html:1  d.md  no such file',
      'b.md  could not be read: it is not UTF-8',
      '3 pages, 3 links, 1 dead: r.md\n',
    ].join('\n'),
  );
  assert.deepEqual([code, errors], [1, '']);
  assert.equal((await start(main, ['fine'], { cwd })).code, 0);
});

test('the program makes pages to try it on', LIMIT, async (t) => {
  const cwd = makeFolder(t);
  const made = await start(main, ['--generate', 'site', '--pages', '20', '--seed', '7'], { cwd });
  const planted = makePages(join(cwd, 'same'), { pages: 20, seed: 7 });
  const found = `${planted.links} links, ${planted.dead.length} dead: `;
  assert.equal(made.output, `20 pages, ${found}site\n`);
  const { output } = await start(main, ['site'], { cwd });
  assert.ok(output.endsWith(`20 pages, ${found}links.md\n`), output);
  const again = await start(main, ['--generate', 'site'], { cwd });
  assert.equal(again.errors, '--generate must be a folder that is empty or not there; found "site".\n');
  assert.equal(again.code, 2);
});

test('the program refuses what it can not use', LIMIT, async (t) => {
  const cwd = makeFolder(t);
  writeFileSync(join(cwd, 'file'), 'not a database, and long enough to be taken for one'.repeat(20));
  const mistakes = /** @type {[args: string[], error: RegExp][]} */ ([
    [[], /^Which FOLDER\? --help shows the options\.\n$/],
    [['nowhere'], /^FOLDER must be a folder; found "nowhere"\.\n$/],
    [['.', '--report', '.'], /^--report must be a file in a folder that is there; found "/],
    [['.', '--store', 'file'], /^--store can't be used: .*not a SQLite database/],
    [['--generate', 'new', '--pages', '0'], /^--pages must be a whole number from 1/],
    [['--generate', 'new', 'x'], /^Unexpected argument "x"/],
  ]);
  await Promise.all(
    mistakes.map(async ([args, expected]) => {
      const { code, errors, output } = await start(main, args, { cwd });
      assert.match(errors, expected);
      assert.deepEqual([code, output], [2, '']);
    }),
  );
});

/**
 * Starts a check, and sends a signal when so many of its children have ended.
 *
 * @param {string} cwd
 * @param {NodeJS.Signals} signal
 * @returns {Promise<number | null>} the exit code
 */
async function stopped(cwd, signal) {
  const args = [main, 'site', '--store', 'jobs.db'];
  const child = spawn(process.execPath, args, { cwd, stdio: 'ignore' });
  const end = once(child, 'close');
  const store = await createSqliteStore({ path: join(cwd, 'jobs.db') });
  while ((await store.listJobs({ status: 'completed' })).length < 10) await setTimeout(10);
  child.kill(signal);
  const [code] = await end;
  await store.close();
  return code;
}

/** @param {string} cwd */
async function storedJobs(cwd) {
  const store = await createSqliteStore({ path: join(cwd, 'jobs.db') });
  const jobs = await Promise.all((await store.listJobs()).map(({ id }) => store.getJob(id)));
  await store.close();
  return /** @type {import('jobwright').Job[]} */ (jobs);
}

for (const [signal, exitCode] of /** @type {const} */ ([
  ['SIGKILL', null],
  ['SIGINT', 130],
])) {
  test(`${signal}: the same command goes on, and checks no page again`, LIMIT, async (t) => {
    const cwd = makeFolder(t);
    const planted = makePages(join(cwd, 'site'), { pages: 60, seed: 8 });
    assert.equal(await stopped(cwd, signal), exitCode);
    const before = await storedJobs(cwd);
    const ended = before.filter(({ status }) => status === 'completed');
    assert.ok(ended.length >= 10 && ended.length < 60);

    const { output, code } = await start(main, ['site', '--store', 'jobs.db'], { cwd });
    assert.equal(code, 1);
    assert.match(output, /^60 of 60 pages: 0 pending, 0 running, 60 completed, 0 failed\n/m);
    const sum = `60 pages, ${planted.links} links, ${planted.dead.length} dead`;
    assert.ok(output.endsWith(`${sum}: links.md\n`), output);
    assert.ok(readFileSync(join(cwd, 'links.md'), 'utf8').includes(sum));

    const after = new Map((await storedJobs(cwd)).map((job) => [job.id, job]));
    assert.equal(after.size, 61, 'one parent, and one child for each page');
    for (const job of ended) assert.deepEqual(after.get(job.id), job);
    for (const { history } of after.values()) {
      const steps = /** @type {any[]} */ (history.filter(({ type }) => type === 'step_completed'));
      assert.equal(new Set(steps.map(({ payload }) => payload.step)).size, steps.length);
    }
  });
}
