// @ts-check
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { checkReplay, checkRun, makeFolder } from '../checks.mjs';
import { checkLinks, permissions } from './check-links.mjs';
import { makePages } from './make-pages.mjs';
import { plan } from './plan.mjs';
import { createTargets } from './targets.mjs';

/** @typedef {import('jobwright').Job} Job */

const root = join(import.meta.dirname, '../..');
const BAD = Uint8Array.of(0xff, 0xfe);

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string | Uint8Array>} files
 */
function folderOf(t, files) {
  const folder = makeFolder(t);
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
  return folder;
}

/**
 * Checks a folder: what was found, what was told meanwhile, and the jobs as they were stored.
 *
 * @param {import('node:test').TestContext} t
 * @param {string} folder
 */
async function checked(t, folder) {
  const report = join(makeFolder(t), 'links.md');
  const store = createMemoryStore();
  /** @type {string[]} */
  const told = [];
  const done = await checkLinks({ folder, report, store, progress: (text) => told.push(text) });
  assert.ok(done !== null);
  const { job, unread } = done;
  await checkRun(plan, permissions, /** @type {any} */ (job));
  const orchestrator = createOrchestrator({ store });
  const heads = await orchestrator.listJobs({ parentId: job.id });
  const children = /** @type {Job[]} */ (await Promise.all(heads.map(({ id }) => orchestrator.getJob(id))));
  const stats = await orchestrator.childStats(job.id);
  await orchestrator.close();
  return { ...job.context.result, job, unread, told, children, stats, report: readFileSync(report, 'utf8') };
}

/** @param {import('./agents.mjs').DeadLink & { file: string }} link */
const lineOf = ({ file, line, target, why }) => `${file}:${line} ${target}: ${why}`;

test('links lead to files, folders and anchors, or are dead', async (t) => {
  const folder = folderOf(t, {
    'a.md':
      '# A & B\n\n[b](sub/b.md#b-1) [gone](gone.md)\n[a](#a--b) [no](#b)\n[picture](<p.png>) ![q](q.png)',
    'p.png': '',
    'sub/b.md':
      '# B\n\n## B\n\n```\n# Not one\n[c](c.md)\n```\n\n`[c](c.md)` [not](#not-one) [up](../a.md)\n',
    'sub/README.md': '# Read <a id="Me"></a>me\n\n[a](../A.md) [a](../a.md/) [a](../a.md?x#a--b)',
    'c.html': '<p id=C>\n<a href="sub#Me">1<a href=sub/#me>2<a href=#C>3<a href=#c>4<a href="#top">5',
    'else.md': '[site](https://example.com/gone) [root](/gone) [mail](mailto:a@example.com) [p](p.png#any)',
  });
  const { dead, links, pages, report, job, children } = await checked(t, folder);
  assert.deepEqual([pages, links], [5, 20]);
  assert.deepEqual(dead.map(lineOf), [
    'a.md:3 gone.md: no such file',
    'a.md:4 #b: no such anchor',
    'a.md:5 q.png: no such file',
    'c.html:2 sub/#me: no such anchor',
    'c.html:2 #c: no such anchor',
    'sub/README.md:3 ../A.md: no such file',
    'sub/README.md:3 ../a.md/: no such file',
    'sub/b.md:10 #not-one: no such anchor',
  ]);
  assert.match(report, /^# Links\n\n5 pages, 20 links, 8 dead\.\n\n\| where/);
  // What a child read stays in its history; the parent is given what it found.
  assert.deepEqual(/** @type {any} */ (job.context).pages[1], {
    folder,
    file: 'c.html',
    page: { links: 5, dead: dead.slice(3, 5).map(({ file, ...link }) => link) },
  });
  for (const child of children) await checkReplay(child);
});

for (const seed of [2, 3, 4]) {
  test(`what was planted is found, and nothing else: seed ${seed}`, async (t) => {
    const folder = makeFolder(t);
    const planted = makePages(folder, { pages: 30, seed });
    const { pages, links, dead } = await checked(t, folder);
    assert.ok(planted.dead.length > 20);
    assert.deepEqual([pages, links, dead.map(lineOf)], [30, planted.links, planted.dead.map(lineOf)]);
  });
}

test('200 pages and these docs: a child for each, and progress until all have ended', async (t) => {
  const folder = makeFolder(t);
  const planted = makePages(join(folder, 'site'), { pages: 200, seed: 5 });
  const docs = join(folder, 'project');
  for (const { name } of readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile()))
    cpSync(join(root, name), join(docs, name));
  cpSync(join(root, 'docs'), join(docs, 'docs'), { recursive: true });
  cpSync(join(root, 'bench/README.md'), join(docs, 'bench/README.md'));
  // They link to examples, of which one has pages with dead links.
  cpSync(join(root, 'examples'), join(docs, 'examples'), {
    recursive: true,
    filter: (path) => path !== join(import.meta.dirname, 'pages'),
  });
  const { job, told, children, stats, links, dead } = await checked(t, folder);
  const { files } = job.context;

  assert.ok(files.includes('project/docs/examples.md') && links > planted.links);
  assert.deepEqual(
    dead.map(lineOf),
    planted.dead.map(({ file, ...link }) => lineOf({ file: `site/${file}`, ...link })),
  );
  assert.deepEqual(
    children.map(({ context }) => context.file),
    files,
  );
  assert.equal(stats.completed, files.length);
  for (const { parentId, status, history } of children) {
    assert.deepEqual([parentId, status], [job.id, 'completed']);
    const steps = history.filter(({ type }) => type === 'step_completed').map(({ payload }) => payload);
    assert.deepEqual(
      /** @type {any[]} */ (steps).map(({ step }) => step),
      ['read', 'check'],
    );
  }

  const done = told.map((text) => Number(/^\d+/.exec(text)?.[0]));
  assert.ok(new Set(done).size > 3, 'progress was told now and then');
  assert.deepEqual(
    done,
    done.toSorted((a, b) => a - b),
  );
  const all = files.length;
  assert.equal(told.at(-1), `${all} of ${all} pages: 0 pending, 0 running, ${all} completed, 0 failed`);
});

test('pages that can not be read lose nobody else, and at most eight are open at a time', async (t) => {
  const pages = Array.from({ length: 40 }, (_, index) => [`${index + 10}.md`, '[gone](gone.md)']);
  const folder = folderOf(t, { ...Object.fromEntries(pages), '25.md': BAD });
  symlinkSync(join(folder, 'nowhere'), join(folder, '60.html'));
  const { job, pages: read, dead, unread, report, stats, told, children } = await checked(t, folder);
  assert.deepEqual([read, dead.length], [39, 39]);
  assert.deepEqual(
    unread.map(({ file }) => file),
    ['25.md', '60.html'],
  );
  assert.equal(unread[0].why, 'it is not UTF-8');
  assert.match(unread[1].why, /ENOENT/);
  assert.match(report, /Could not be read:\n\n- 25\.md\n- 60\.html\n$/);
  assert.equal(told.at(-1), '41 of 41 pages: 0 pending, 0 running, 39 completed, 2 failed');
  assert.deepEqual([job.status, stats.overallStatus], ['completed', 'failed']);
  const failed = children.filter(({ status }) => status === 'failed');
  assert.deepEqual(
    failed.map(({ run }) => run?.steps?.read.attempts),
    [1, 1],
    'what will be no better is not tried again',
  );
  let [open, most] = [0, 0];
  for (const { type } of job.history) {
    if (type === 'item_started') most = Math.max(most, ++open);
    if (type === 'item_completed' || type === 'item_failed') open -= 1;
  }
  assert.deepEqual([open, most], [0, 8]);
});

test('upper case counts, also where the file system does not mind it', async (t) => {
  const folder = folderOf(t, { 'sub/a.md': '', 'b.md': '' });
  const careless = createTargets((path) => stat(path.replaceAll('SUB', 'sub').replace('A.md', 'a.md')));
  for (const dead of ['SUB/a.md', 'sub/A.md', 'SUB/'])
    assert.equal(await careless(folder, 'b.md', dead), 'no such file');
  assert.equal(await careless(folder, 'sub/a.md', '../b.md'), null);
});

test('a page that changes is read again for its anchors', async (t) => {
  const folder = folderOf(t, { 'a.md': '# A', 'b.md': '# B' });
  t.mock.timers.enable({ apis: ['Date'], now: 0 });
  const whyDead = createTargets();
  assert.equal(await whyDead(folder, 'b.md', 'a.md#new'), 'no such anchor');
  writeFileSync(join(folder, 'a.md'), '# New');
  utimesSync(join(folder, 'a.md'), 1, 1);
  t.mock.timers.tick(1_000);
  assert.equal(await whyDead(folder, 'b.md', 'a.md#new'), null);
});

test('a link that can not be the name of a file is dead, and one to a page that nobody can read is not', async (t) => {
  const folder = folderOf(t, { 'a.md': `[a](%00) [a](${'long'.repeat(100)}) [a](%zz)\n[bad](bad.md#any)` });
  mkdirSync(join(folder, 'bad.md'));
  mkdirSync(join(folder, 'bad.md/README.md'));
  const { dead, unread } = await checked(t, folder);
  assert.deepEqual(
    dead.map(({ line, why }) => `${line} ${why}`),
    Array(3).fill('1 no such file'),
  );
  assert.deepEqual(unread, []);
});

test('a folder without pages has a report too', async (t) => {
  const { report, children } = await checked(t, folderOf(t, { 'a.txt': '[gone](gone.md)' }));
  assert.equal(report, '# Links\n\n0 pages, 0 links, 0 dead.\n');
  assert.deepEqual(children, []);
});
