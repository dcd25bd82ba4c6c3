// @ts-check
/** The link check as a program. What it does is in plan.mjs and agents.mjs; this is its front. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { JobwrightError } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';
import { atMost, command, EXIT, Mistake, wholeNumber } from '../command.mjs';
import { checkLinks } from './check-links.mjs';
import { makePages } from './make-pages.mjs';
import { createProgress } from './progress.mjs';

const HELP = `Finds dead links and anchors in the Markdown and HTML of a folder. Each page is a child job, eight of them side by
side; how far they are is told as they go. A page that can't be read is named, and loses nobody else's links.

  node examples/link-check/main.mjs FOLDER [options]
  node examples/link-check/main.mjs --generate FOLDER [--pages N] [--seed N]

  --report FILE     where the report goes (default: links.md in the current directory)
  --store FILE      keeps the jobs in a SQLite file: a check that was stopped or killed goes on where it was, with the
                    same command, and checks no page again. For one process at a time
  --generate FOLDER writes pages to try it on, into a folder of its own, instead of checking any
  --pages N         how many (default: 200)
  --seed N          others with another number (default: 1)
  --help            shows this

Links to other sites are not followed, nor those that begin with a slash.

Exit codes: 0 all links lead somewhere; 1 one is dead or a page could not be read; 2 it could not begin; 130 stopped by
Ctrl-C.
`;

const OPTIONS = /** @type {const} */ ({
  report: { type: 'string' },
  store: { type: 'string' },
  generate: { type: 'string' },
  pages: { type: 'string' },
  seed: { type: 'string' },
});
const INTERRUPTED = 130;

/** @param {string} path */
const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** @param {string} name @param {string} given @returns {string} a path that can be a file's */
function filePath(name, given) {
  const path = resolve(given);
  if (isFolder(path) || !isFolder(dirname(path)))
    throw new Mistake(`${name} must be a file in a folder that is there; found ${JSON.stringify(path)}.`);
  return path;
}

/** @param {string} path */
async function openStore(path) {
  try {
    return await createSqliteStore({ path });
  } catch (error) {
    if (!(error instanceof JobwrightError)) throw error;
    throw new Mistake(`--store can't be used: ${error.message}`);
  }
}

/**
 * @param {string} given
 * @param {{ pages?: string, seed?: string }} values
 */
function generate(given, values) {
  const pages = wholeNumber('--pages', values.pages, { least: 1, most: 100_000 });
  const seed = wholeNumber('--seed', values.seed, { least: 0, most: 0xffffffff });
  const folder = resolve(given);
  const isThere = statSync(folder, { throwIfNoEntry: false }) !== undefined;
  if (isThere && !(isFolder(folder) && readdirSync(folder).length === 0))
    throw new Mistake(
      `--generate must be a folder that is empty or not there; found ${JSON.stringify(given)}.`,
    );
  const made = makePages(folder, { pages, seed });
  console.log(`${made.pages} pages, ${made.links} links, ${made.dead.length} dead: ${relative('', folder)}`);
  return EXIT.ok;
}

/** The first Ctrl-C lets the pages that are being read be read; another ends the process. */
function stopOnInterrupt() {
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  return controller.signal;
}

await command(HELP, OPTIONS, async (values, rest) => {
  atMost(rest, values.generate === undefined ? 1 : 0);
  if (values.generate !== undefined) return generate(values.generate, values);
  if (rest[0] === undefined) throw new Mistake('Which FOLDER? --help shows the options.');
  const folder = resolve(rest[0]);
  if (!isFolder(folder)) throw new Mistake(`FOLDER must be a folder; found ${JSON.stringify(rest[0])}.`);
  const report = filePath('--report', values.report ?? 'links.md');
  const store = values.store === undefined ? undefined : await openStore(filePath('--store', values.store));
  const signal = store && stopOnInterrupt();
  const progress = createProgress();
  try {
    const checked = await checkLinks({ folder, report, store, signal, progress: progress.shows });
    progress.ends();
    if (checked === null) {
      console.error('Stopped: the same command goes on.');
      return INTERRUPTED;
    }
    const { pages, links, dead } = checked.job.context.result;
    for (const { file, line, target, why } of dead) console.log(`${file}:${line}  ${target}  ${why}`);
    for (const { file, why } of checked.unread) console.log(`${file}  could not be read: ${why}`);
    console.log(`${pages} pages, ${links} links, ${dead.length} dead: ${relative('', report)}`);
    return dead.length + checked.unread.length === 0 ? EXIT.ok : EXIT.otherwise;
  } finally {
    await store?.close();
  }
});
