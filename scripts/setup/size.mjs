// @ts-check
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes, minified and gzipped: what a page that imports the package may have to load for it. */
export const limits = {
  /** The wasm module, as the text it is inlined as, what unpacks it, and the glue that wasm-bindgen writes. */
  engine: 80_500,
  /** The main entry with all it imports. */
  entry: 111_500,
};

/** @type {import('esbuild').Plugin} */
const bridge = {
  name: 'bridge',
  setup: (glue) => glue.onResolve({ filter: /^\.\// }, ({ path }) => ({ path, external: true })),
};

/** @param {string} folder with the package's modules, before they are bundled */
export function engineSize(folder) {
  // What the glue imports is the hand-written half of the bridge.
  return sizeOf(
    folder,
    ['jobwright_wasm', 'wasm-inline', 'unpack'].map((file) => `engine/${file}.js`),
    [bridge],
  );
}

/** @param {string} folder the built or installed package */
export function entrySize(folder) {
  return sizeOf(folder, ['index.js']);
}

/**
 * @param {string} folder
 * @param {string[]} files
 * @param {import('esbuild').Plugin[]} [plugins]
 */
async function sizeOf(folder, files, plugins = []) {
  // Imported late: the set-up reads this file before esbuild is installed.
  const { build } = await import('esbuild');
  const contents = files.map((file) => `export * from ${JSON.stringify(join(folder, file))};`).join('');
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    plugins,
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}
