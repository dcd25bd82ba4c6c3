// @ts-check
import { statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { filesUnder } from './hash.mjs';

/** Bytes, minified and gzipped: what a page that imports the package may have to load for it. */
export const limits = {
  /** The wasm module, as the text it is inlined as, what unpacks it, and the glue that wasm-bindgen writes. */
  engine: 98_900,
  /** The main entry with all it imports. */
  entry: 137_500,
};

/** Bytes of all files, as they are on a user's disk. */
export const diskLimits = {
  /** The dashboard's page, compressed. */
  page: 164_000,
  /** Everything else. */
  rest: 950_300,
};

/** @param {string} folder the built package */
export function diskSize(folder) {
  return filesUnder(folder, '.').reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}

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

/**
 * Without what is imported only when it is first needed.
 *
 * @param {string} folder the built or installed package
 */
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
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: folder },
    plugins,
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    outdir: folder,
    write: false,
    metafile: true,
    absWorkingDir: folder,
    logLevel: 'error',
  });
  const { outputs } = metafile;
  const loaded = new Set(Object.keys(outputs).filter((file) => outputs[file]?.entryPoint === '<stdin>'));
  for (const file of loaded) {
    for (const { path, kind } of outputs[file]?.imports ?? []) {
      if (kind === 'import-statement' && path in outputs) loaded.add(path);
    }
  }
  const sizes = outputFiles
    .filter(({ path }) => loaded.has(relative(folder, path)))
    .map(({ contents: bytes }) => gzipSync(bytes, { level: 9 }).length);
  return sizes.reduce((sum, size) => sum + size, 0);
}
