// @ts-check
/** The link check as a program. What it does is in plan.mjs and agents.mjs; this is its front. */
import { statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { atMost, command, EXIT, Mistake } from '../command.mjs';
import { checkLinks } from './check-links.mjs';

const HELP = `Finds dead links between the Markdown files of a folder: reads them side by side, and writes one
report. A file that can't be read is named there, and loses nobody else's links.

  node examples/link-check/main.mjs FOLDER [options]

  --report FILE   where the report goes (default: links.md in the current directory)
  --help          show this

Links to other sites are not followed.

Exit codes: 0 all links lead somewhere; 1 one is dead or a file could not be read; 2 it could not begin.
`;

/** @param {string} path */
const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

await command(HELP, /** @type {const} */ ({ report: { type: 'string' } }), async (values, rest) => {
  atMost(rest, 1);
  if (rest[0] === undefined) throw new Mistake('Which FOLDER? --help shows the options.');
  const folder = resolve(rest[0]);
  const report = resolve(values.report ?? 'links.md');
  if (!isFolder(folder)) throw new Mistake(`FOLDER must be a folder; found ${JSON.stringify(rest[0])}.`);
  if (isFolder(report) || !isFolder(dirname(report)))
    throw new Mistake(`--report must be a file in a folder that is there; found ${JSON.stringify(report)}.`);

  const { context, run } = await checkLinks({ folder, report });
  const { pages, links, dead, unread } = context.result;
  for (const { file, line, target, why } of dead) console.log(`${file}:${line}  ${target}  ${why}`);
  for (const file of unread) {
    const error = run?.steps?.[`pages[${context.files.indexOf(file)}]`]?.error;
    console.log(`${file}  could not be read: ${error?.message}`);
  }
  console.log(`${pages} pages, ${links} links, ${dead.length} dead: ${relative('', report)}`);
  return dead.length + unread.length === 0 ? EXIT.ok : EXIT.otherwise;
});
