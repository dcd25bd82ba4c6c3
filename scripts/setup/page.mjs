// @ts-check
/** Builds the page: for the package, which serves it as the dashboard, and as the demo. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { Failure, root, run } from '../process.mjs';
import { filesUnder } from './hash.mjs';
import { writeLicences } from './licences.mjs';

/** @typedef {'demo' | 'dashboard'} Home */

const project = join(root, 'www');

/** @type {Record<Home, string>} */
const starts = { demo: 'index.html', dashboard: 'dashboard.html' };

/** Bytes, gzipped: what the demo loads before anything is shown, jobwright itself among it. */
const firstLoadLimit = 250_000;

/** What Vite writes of the libraries that it puts into the page; see www/vite.config.ts. */
const licences = 'licences.json';

/** @param {Home} home */
export const pageFolder = (home) => join(root, '.cache/page', home);

/** @param {Home} home */
export const isPageBuilt = (home) => existsSync(join(pageFolder(home), starts[home]));

/** @param {Home} home */
export async function buildPage(home) {
  const vite = join(project, 'node_modules/vite/bin/vite.js');
  await run(process.execPath, [vite, 'build', '--mode', home, '--logLevel', 'warn'], { cwd: project });
}

/** The demo's first load is bounded: it is how the library is met. */
export function checkFirstLoad() {
  const loads = { demo: firstLoad('demo'), dashboard: firstLoad('dashboard') };
  const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  const limit = `limit ${kilobytes(firstLoadLimit)}`;
  console.log(`the first load of the demo: ${kilobytes(loads.demo)} gzipped; ${limit}`);
  console.log(`the first load of the dashboard: ${kilobytes(loads.dashboard)} gzipped`);
  if (loads.demo > firstLoadLimit) throw new Failure('Too large, gzipped: the first load of the demo');
}

/**
 * The page itself, what it names, and what those import at once.
 *
 * @param {Home} home
 */
function firstLoad(home) {
  const folder = pageFolder(home);
  const loaded = new Set([starts[home]]);
  for (const file of loaded) {
    const text = readFileSync(join(folder, file), 'utf8');
    const named = file.endsWith('.html')
      ? [...text.matchAll(/(?:src|href)="([^"#]+)"/g)]
      : [...text.matchAll(/\b(?:import|from)\s*["'](\.[^"']+)["']/g)];
    for (const [, name = ''] of named) {
      const path = join(dirname(file), name);
      if (existsSync(join(folder, path))) loaded.add(path);
    }
  }
  return [...loaded].reduce((sum, file) => sum + gzipped(readFileSync(join(folder, file))).length, 0);
}

/** @param {Buffer} bytes */
const gzipped = (bytes) => gzipSync(bytes, { level: 9, memLevel: 9 });

/** A seventh less than what gzip makes of it. @param {Buffer} text */
const packed = (text) =>
  brotliCompressSync(text, {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
      [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
    },
  });

/**
 * Puts the dashboard's files into the package, compressed: so they are sent, and so they take the least room.
 *
 * @param {string} to
 */
export function packPage(to) {
  const folder = pageFolder('dashboard');
  for (const file of filesUnder(folder, '.').filter((name) => name !== licences)) {
    const target = join(to, `${file}.br`);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, packed(readFileSync(join(folder, file))));
  }
  /** @type {{ name: string, version: string, identifier: string, text: string }[]} */
  const bundled = JSON.parse(readFileSync(join(folder, licences), 'utf8'));
  const named = bundled.map(({ name, version, identifier, text }) => {
    return { name: `${name} ${version} (${identifier})`, text: text.trim() };
  });
  writeLicences(named, 'The files in this folder hold', join(to, 'LICENCES.txt'));
}
