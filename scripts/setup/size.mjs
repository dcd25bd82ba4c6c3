// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Bytes, gzipped: what a page that imports the package may have to load for it. */
export const limit = 300_000;

/** @param {Uint8Array} bytes */
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

/**
 * @param {string} folder the built or installed package
 * @returns {Promise<{ entry: number, wasm: number }>} gzipped bytes
 */
export async function measure(folder) {
  // Imported late: the set-up reads this file before esbuild is installed.
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'index.js')],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
    logLevel: 'error',
  });
  return {
    entry: gzipped(outputFiles[0].contents),
    wasm: gzipped(readFileSync(join(folder, 'engine/jobwright_wasm.wasm'))),
  };
}
