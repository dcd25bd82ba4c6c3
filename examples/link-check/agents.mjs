// @ts-check
/** Who checks the links. A page is read by itself; where its links lead is known when all pages are read. */
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { NonRetryableError } from 'jobwright';

/**
 * @typedef {{ line: number, target: string }} Link
 * @typedef {{ file: string, anchors: string[], links: Link[] }} Page
 * @typedef {Link & { file: string, why: string }} DeadLink
 */

/**
 * @param {{ folder: string }} input
 * @returns {Promise<string[]>} the Markdown files, with slashes, in order
 */
async function lister({ folder }) {
  const entries = await readdir(folder, { recursive: true });
  return entries
    .filter((file) => file.endsWith('.md') && !file.split(sep).includes('node_modules'))
    .map((file) => file.replaceAll(sep, '/'))
    .sort();
}

/**
 * @param {{ folder: string, file: string }} input
 * @param {import('jobwright').AgentContext} context
 * @returns {Promise<Page>}
 */
async function reader({ folder, file }, { signal }) {
  const bytes = await readFile(join(folder, file), { signal });
  return { file, ...linksAndAnchors(asText(bytes)) };
}

/** @param {Uint8Array} bytes */
function asText(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // It will be no better the second time.
    throw new NonRetryableError('it is not UTF-8');
  }
}

/** @param {string} markdown */
function linksAndAnchors(markdown) {
  // Code has no links. What is left keeps its line.
  const text = markdown
    .replace(/^ *(```|~~~)[\s\S]*?^ *\1/gm, (code) => code.replace(/[^\n]/g, ''))
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ' '));
  const links = text.split('\n').flatMap((line, index) => {
    const found = line.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g);
    return [...found].map(([, target]) => ({ line: index + 1, target }));
  });
  const headings = [...text.matchAll(/^#{1,6} +(.+?)(?: +#+)? *$/gm)].map(([, heading]) => heading);
  return { links, anchors: anchorsOf(headings) };
}

/**
 * What hosts of Markdown call the headings of a page: of two that are alike, the second ends in -1.
 *
 * @param {string[]} headings
 */
function anchorsOf(headings) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return headings.map((heading) => {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/**
 * The join: one report of all pages.
 *
 * @param {{ folder: string, report: string, files: string[], pages: (Page | null)[] }} input
 */
async function reporter({ folder, report, files, pages }) {
  const read = pages.filter((page) => page !== null);
  const anchors = new Map(read.map((page) => [page.file, page.anchors]));
  /** @type {DeadLink[]} */
  const dead = read.flatMap(({ file, links }) =>
    links.flatMap(({ line, target }) => {
      const why = whyDead(folder, anchors, file, target);
      return why === null ? [] : [{ file, line, target, why }];
    }),
  );
  const unread = files.filter((_, index) => pages[index] === null);
  const links = read.reduce((sum, page) => sum + page.links.length, 0);
  await writeFile(report, reportOf({ pages: read.length, links, dead, unread }));
  return { pages: read.length, links, dead, unread };
}

/**
 * @param {string} folder
 * @param {Map<string, string[]>} anchors of the pages that could be read
 * @param {string} file
 * @param {string} target
 */
function whyDead(folder, anchors, file, target) {
  // Another scheme, or the root of a site: nothing here says whether they live.
  if (/^(?:[a-z][a-z\d+.-]*:|\/)/i.test(target)) return null;
  const [path = '', anchor] = decoded(target).split('#');
  const to = path === '' ? file : relative('.', join(dirname(file), path)).replaceAll(sep, '/');
  if (!existsSync(join(folder, to))) return 'no such file';
  const known = anchors.get(to);
  if (anchor === undefined || anchor === '' || known === undefined) return null;
  return known.includes(anchor.toLowerCase()) ? null : 'no such heading';
}

/** @param {string} target */
function decoded(target) {
  try {
    return decodeURIComponent(target);
  } catch {
    return target;
  }
}

/** @param {{ pages: number, links: number, dead: DeadLink[], unread: string[] }} found */
function reportOf({ pages, links, dead, unread }) {
  const rows = dead.map(({ file, line, target, why }) => `| ${file}:${line} | ${target} | ${why} |`);
  const table =
    rows.length > 0 ? ['', '| where | link | what is wrong |', '| --- | --- | --- |', ...rows] : [];
  const left = unread.length > 0 ? ['', 'Could not be read:', '', ...unread.map((file) => `- ${file}`)] : [];
  const sum = `${pages} pages, ${links} links, ${dead.length} dead.`;
  return `${['# Links', '', sum, ...table, ...left].join('\n')}\n`;
}

export const agents = { lister, reader, reporter };
