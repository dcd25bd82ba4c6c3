// @ts-check
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { checkFront, checkRun, makeFolder, start } from '../checks.mjs';
import { checkLinks, permissions } from './check-links.mjs';
import { plan } from './plan.mjs';

const main = join(import.meta.dirname, 'main.mjs');

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string | Uint8Array>} files
 */
function makePages(t, files) {
  const folder = makeFolder(t);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return { folder, report: join(makeFolder(t), 'links.md') };
}

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string | Uint8Array>} files
 */
async function checked(t, files) {
  const desk = makePages(t, files);
  const job = await checkLinks(desk);
  await checkRun(plan, permissions, job);
  return { job, ...job.context.result, report: readFileSync(desk.report, 'utf8') };
}

const BAD = Uint8Array.of(0xff, 0xfe);

test('links lead to files and to headings, or are dead', async (t) => {
  const { dead, links, report } = await checked(t, {
    'a.md':
      '# A & B\n\n[b](sub/b.md#b-1) [gone](gone.md)\n[a](#a--b) [no](#b)\n[picture](<p.png>) ![q](q.png)',
    'p.png': '',
    'sub/b.md':
      '# B\n\n## B\n\n```\n# Not one\n[c](c.md)\n```\n\n`[c](c.md)` [not](#not-one) [up](../a.md)\n',
    'else.md': '[site](https://example.com/gone) [root](/gone) [mail](mailto:a@example.com)',
  });
  assert.equal(links, 11);
  assert.deepEqual(
    dead.map(({ file, line, target, why }) => `${file}:${line} ${target}: ${why}`),
    [
      'a.md:3 gone.md: no such file',
      'a.md:4 #b: no such heading',
      'a.md:5 q.png: no such file',
      'sub/b.md:10 #not-one: no such heading',
    ],
  );
  assert.match(report, /^# Links\n\n3 pages, 11 links, 4 dead\.\n\n\| where/);
});

test('one bad file loses nobody else, and at most four are read at a time', async (t) => {
  const pages = Array.from({ length: 40 }, (_, index) => [`${index + 10}.md`, '[gone](gone.md)']);
  const {
    job,
    pages: read,
    dead,
    unread,
    report,
  } = await checked(t, { ...Object.fromEntries(pages), '25.md': BAD });
  assert.deepEqual([read, dead.length, unread], [39, 39, ['25.md']]);
  assert.match(report, /Could not be read:\n\n- 25\.md\n$/);
  assert.equal(job.run?.steps?.['pages[15]']?.error?.message, 'it is not UTF-8');
  let [reading, most] = [0, 0];
  for (const { type } of job.history) {
    if (type === 'item_started') most = Math.max(most, ++reading);
    if (type === 'item_completed' || type === 'item_failed') reading -= 1;
  }
  assert.deepEqual([reading, most], [0, 4]);
});

test('a folder without pages has a report too', async (t) => {
  assert.equal(
    (await checked(t, { 'a.txt': '[gone](gone.md)' })).report,
    '# Links\n\n0 pages, 0 links, 0 dead.\n',
  );
});

test('the links of these docs lead somewhere', async (t) => {
  const report = join(makeFolder(t), 'links.md');
  const { context } = await checkLinks({ folder: join(import.meta.dirname, '../../docs'), report });
  assert.deepEqual([context.result.dead, context.result.unread], [[], []]);
  assert.ok(context.result.links > 0);
});

test('the program prints what it found', async (t) => {
  await checkFront(main, t);
  const { folder, report } = makePages(t, { 'a.md': '[b](b.md)', 'b.md': BAD, 'c.md': '[d](d.md)' });
  const cwd = dirname(report);
  const { code, output, errors } = await start(main, [folder], { cwd });
  const lines = ['c.md:1  d.md  no such file', 'b.md  could not be read: it is not UTF-8'];
  assert.equal(output, `${[...lines, '2 pages, 2 links, 1 dead: links.md'].join('\n')}\n`);
  assert.deepEqual([code, errors], [1, '']);
  const fine = makePages(t, { 'a.md': '[a](a.md)' });
  assert.equal((await start(main, [fine.folder], { cwd })).code, 0);
});

test('the program refuses what it can not use', async (t) => {
  const cwd = makeFolder(t);
  const mistake = async (/** @type {string[]} */ ...args) => (await start(main, args, { cwd })).errors;
  assert.equal(await mistake(), 'Which FOLDER? --help shows the options.\n');
  assert.equal(await mistake('nowhere'), 'FOLDER must be a folder; found "nowhere".\n');
  assert.match(
    await mistake('.', '--report', '.'),
    /^--report must be a file in a folder that is there; found "/,
  );
});
