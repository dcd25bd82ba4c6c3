// @ts-check
/** Who checks the links: for the parent, one who lists the pages and one who reports; for each page's child, two. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { NonRetryableError } from 'jobwright';
import { createTargets, isForGood, isPage, readPage } from './targets.mjs';

/**
 * @typedef {import('./html.mjs').Link} Link
 * @typedef {Link & { why: string }} DeadLink
 * @typedef {{ links: number, dead: DeadLink[] }} Checked what a page's child ends with, as `page`
 * @typedef {{ pages: number, links: number, dead: (DeadLink & { file: string })[], unread: string[] }} Result
 */

/**
 * @param {{ folder: string }} input
 * @param {import('jobwright').AgentContext} context
 * @returns {Promise<string[]>} the pages, with slashes, in order
 */
async function lister({ folder }, { emit }) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const pages = entries
    .filter((entry) => !entry.isDirectory() && isPage(entry.name))
    .map(({ parentPath, name }) => join(parentPath, name).slice(join(folder, sep).length))
    .filter((file) => !file.split(sep).includes('node_modules'))
    .map((file) => file.replaceAll(sep, '/'))
    .sort();
  emit('pages_listed', { pages: pages.length });
  return pages;
}

/**
 * @param {{ folder: string, file: string }} input
 * @param {import('jobwright').AgentContext} context
 * @returns {Promise<{ links: Link[] }>}
 */
async function reader({ folder, file }, { signal }) {
  const { links } = readPage(file, asText(await bytesOf(join(folder, file), signal)));
  return { links };
}

/** @param {string} path @param {AbortSignal} signal */
async function bytesOf(path, signal) {
  try {
    return await readFile(path, { signal });
  } catch (error) {
    throw isForGood(error) ? new NonRetryableError(/** @type {Error} */ (error).message) : error;
  }
}

/** @param {Uint8Array} bytes */
function asText(bytes) {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new NonRetryableError('it is not UTF-8');
  }
}

/**
 * The join: one report of what all children found.
 *
 * @param {{ report: string, files: string[], children: ({ page: Checked } | null)[] }} input
 * @returns {Promise<Result>}
 */
async function reporter({ report, files, children }) {
  /** @type {Result} */
  const result = { pages: 0, links: 0, dead: [], unread: [] };
  for (const [index, file] of files.entries()) {
    const page = children[index]?.page;
    if (page === undefined) {
      result.unread.push(file);
    } else {
      result.pages += 1;
      result.links += page.links;
      result.dead.push(...page.dead.map((link) => ({ file, ...link })));
    }
  }
  await writeFile(report, reportOf(result));
  return result;
}

/** @param {Result} found */
function reportOf({ pages, links, dead, unread }) {
  const rows = dead.map(({ file, line, target, why }) => `| ${file}:${line} | ${target} | ${why} |`);
  const table =
    rows.length > 0 ? ['', '| where | link | what is wrong |', '| --- | --- | --- |', ...rows] : [];
  const left = unread.length > 0 ? ['', 'Could not be read:', '', ...unread.map((file) => `- ${file}`)] : [];
  const sum = `${pages} pages, ${links} links, ${dead.length} dead.`;
  return `${['# Links', '', sum, ...table, ...left].join('\n')}\n`;
}

/** Those of one run: the children share what they look up. */
export function createAgents() {
  const whyDead = createTargets();

  /**
   * @param {{ folder: string, file: string, links: Link[] }} input
   * @returns {Promise<Checked>}
   */
  async function checker({ folder, file, links }) {
    /** @type {DeadLink[]} */
    const dead = [];
    for (const link of links) {
      const why = await whyDead(folder, file, link.target);
      if (why !== null) dead.push({ ...link, why });
    }
    return { links: links.length, dead };
  }

  return { lister, reader, checker, reporter };
}
