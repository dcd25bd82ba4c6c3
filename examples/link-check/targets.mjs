// @ts-check
/** Where a link leads: to a file, a folder, or an anchor in a page; or nowhere. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, extname, join, relative, sep } from 'node:path';
import { readHtml } from './html.mjs';
import { readMarkdown } from './markdown.mjs';

/** How to read a page, by how its name ends. @type {Record<string, (text: string) => import('./html.mjs').Found>} */
const READERS = { '.md': readMarkdown, '.html': (text) => readHtml(text), '.htm': (text) => readHtml(text) };
/** The page of a folder. */
const INDEXES = ['index.md', 'index.html', 'index.htm', 'README.md'];

/** @param {string} file */
export const isPage = (file) => Object.hasOwn(READERS, extname(file).toLowerCase());

/**
 * @param {string} file
 * @param {string} text
 */
export const readPage = (file, text) => READERS[extname(file).toLowerCase()](text);

/** For how long what was looked up is taken for true, in milliseconds. */
const FRESH = 1_000;

/**
 * Gives what was read of a file or folder, and reads it again only when that has changed since.
 *
 * @template T
 * @param {(path: string) => Promise<T>} read
 */
function remembered(read) {
  /** @type {Map<string, { looked: number, changed: number, value: T }>} */
  const known = new Map();
  return async (/** @type {string} */ path) => {
    const looked = Date.now();
    const before = known.get(path);
    if (before !== undefined && looked - before.looked < FRESH) return before.value;
    const changed = (await stat(path)).mtimeMs;
    const value = before?.changed === changed ? before.value : await read(path);
    known.set(path, { looked, changed, value });
    return value;
  };
}

/**
 * What the children of one run have looked up, so that a page that all link to is read once for its anchors.
 *
 * @param {(path: string) => Promise<import('node:fs').Stats>} [entryAt] looks a file or folder up
 */
export function createTargets(entryAt = stat) {
  const namesIn = remembered(async (folder) => new Set((await readdir(folder)).map(composed)));
  const anchorsIn = remembered(async (file) => new Set(readPage(file, await readFile(file, 'utf8')).anchors));

  /**
   * What is there, is it there under this very name? Some file systems don't mind upper case, but those who will read the pages do.
   *
   * @param {string} folder
   * @param {string} path from there
   */
  async function exists(folder, path) {
    let at = folder;
    for (const name of path.split(sep)) {
      if (name === '..') at = dirname(at);
      else if (name !== '') {
        // A folder that nobody may list is taken at its word.
        const names = await namesIn(at).catch(forGood);
        if (names !== null && !names.has(composed(name))) return false;
        at = join(at, name);
      }
    }
    return true;
  }

  /**
   * The page that has the anchors: itself, or its folder's.
   *
   * @param {string} path
   * @param {import('node:fs').Stats} entry
   */
  async function pageAt(path, entry) {
    if (!entry.isDirectory()) return isPage(path) ? path : null;
    const names = await namesIn(path);
    const index = INDEXES.find((name) => names.has(name));
    return index === undefined ? null : join(path, index);
  }

  /**
   * @param {string} folder
   * @param {string} file the page that has the link
   * @param {string} target
   * @returns {Promise<string | null>} what is wrong with it
   */
  return async function whyDead(folder, file, target) {
    // Another scheme, or the root of a site: nothing here says whether they live.
    if (/^(?:[a-z][a-z\d+.-]*:|\/)/i.test(target)) return null;
    const [address, ...rest] = target.split('#');
    const path = decoded(address.split('?')[0]);
    const anchor = decoded(rest.join('#').split(':~:')[0]);
    const to = path === '' ? join(folder, file) : join(folder, dirname(file), path);
    // A file that is asked for as a folder, with a slash, is not there either.
    const entry = await entryAt(to).catch(forGood);
    if (entry === null || !(await exists(folder, relative(folder, to)))) return 'no such file';
    // Every page has a top.
    if (anchor === '' || anchor === 'top') return null;
    const page = await pageAt(to, entry);
    if (page === null) return null;
    // A page that can't be read is told of by its own child.
    const anchors = await anchorsIn(page).catch(forGood);
    return anchors === null || anchors.has(anchor) ? null : 'no such anchor';
  };
}

/** Names that look alike are alike. @param {string} name */
const composed = (name) => name.normalize('NFC');

/** What is no better the second time: it is gone, can't be a name, or nobody may read it. */
const FOR_GOOD = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EINVAL'];

/** @param {unknown} error */
export function isForGood(error) {
  const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
  return FOR_GOOD.includes(code) || code === 'ERR_INVALID_ARG_VALUE';
}

/** @param {unknown} error @returns {null} where it makes no sense to try again */
function forGood(error) {
  if (isForGood(error)) return null;
  throw error;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
