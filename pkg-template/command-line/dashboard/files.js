// @ts-check
/** The page's files, which the package holds compressed, and what of the package itself the page may load. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from '../failure.js';

/** @typedef {import('./http.js').Answer} Answer */

const PAGE = fileURLToPath(new URL('../dashboard', import.meta.url));
const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

/** How the names of compressed files end. */
const PACKED = '.br';

/** What the main entry is made of. */
const OWN = /^(index\.js|exports\.js|main\.js|late\/index\.js|engine\/[\w-]+\.js)$/;

/** @type {Record<string, string>} */
const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};

/** @param {string} name */
const typeOf = (name) => TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';

/**
 * @param {{ page?: string, library?: string }} [folders]
 * @returns {(path: string) => Answer | null}
 */
export function openFiles({ page = PAGE, library = PACKAGE } = {}) {
  /** @type {Map<string, Buffer>} */
  const files = new Map();
  for (const name of namesIn(page)) {
    if (name.endsWith(PACKED)) files.set(name.slice(0, -PACKED.length), readFileSync(join(page, name)));
  }
  return (path) => {
    const name = path === '' ? 'dashboard.html' : path;
    const body = files.get(name);
    // Named after what is in them.
    if (body !== undefined)
      return { type: typeOf(name), body, isPacked: true, lasts: name.startsWith('assets/') };
    const own = /^jobwright\/(.*)$/.exec(path)?.[1];
    if (own === undefined || !OWN.test(own)) return null;
    return { type: typeOf(own), body: readFileSync(join(library, own)), lasts: false };
  };
}

/** @param {string} folder */
function namesIn(folder) {
  try {
    return readdirSync(folder, { recursive: true }).map((name) => String(name).replaceAll('\\', '/'));
  } catch {
    throw new Failure('internal', 'The page of the dashboard is missing from this copy of the package.');
  }
}
