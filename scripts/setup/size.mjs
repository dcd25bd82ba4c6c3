// @ts-check
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes, minified and gzipped: what a page that imports the package may have to load for it. */
export const limits = {
  /** The wasm module, as the text it is inlined as, what unpacks it, and the glue that wasm-bindgen writes. */
  engine: 110_000,
  /** The main entry with all it imports. */
  entry: 135_000,
};

/** @type {import('esbuild').Plugin} */
const bridge = {
  name: 'bridge',
  setup: (glue) => glue.onResolve({ filter: /^\.\// }, ({ path }) => ({ path, external: true })),
};

/**
 * @param {string} folder the built or installed package
 * @returns {Promise<{ engine: number, entry: number }>} bytes
 */
export async function measure(folder) {
  const whole = (/** @type {string} */ file) => `export * from ${JSON.stringify(join(folder, file))};`;
  const engine = ['jobwright_wasm', 'wasm-inline', 'unpack']
    .map((file) => whole(`engine/${file}.js`))
    .join('');
  // What the glue imports is the hand-written half of the bridge.
  return { engine: await sizeOf(folder, engine, [bridge]), entry: await sizeOf(folder, whole('index.js')) };
}

/**
 * @param {string} folder
 * @param {string} contents
 * @param {import('esbuild').Plugin[]} [plugins]
 */
async function sizeOf(folder, contents, plugins = []) {
  // Imported late: the set-up reads this file before esbuild is installed.
  const { build } = await import('esbuild');
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
