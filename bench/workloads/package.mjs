// @ts-check
/** What it takes to have the package: to import it, to load it in a page, to install it. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { root } from '../../scripts/process.mjs';
import { entrySize } from '../../scripts/setup/size.mjs';
import { loadPeer, peerVersions } from '../harness/peers.mjs';

const contenders = ['jobwright', 'xstate'];
const peers = Object.keys(peerVersions).filter(
  (name) => !['zod', 'ioredis', '@langchain/core'].includes(name),
);

/** @param {import('../harness/run.mjs').Task} task */
async function measureImport({ contender }) {
  const from = performance.now();
  if (peers.includes(contender)) await loadPeer(contender);
  else await import(contender);
  return { import: [performance.now() - from] };
}

/** @param {string} folder @returns {number} */
function bytesIn(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath ?? entry.path, entry.name)).size, 0);
}

/** @param {string} contender minified and with all that it exports */
async function bundleSize(contender) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: `export * from '${contender}'`, resolveDir: dirname(import.meta.dirname) },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'error',
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

/** @param {import('../harness/run.mjs').Task} task */
async function measureSize({ contender }) {
  const folder = join(root, 'node_modules', contender);
  const bundle = contender === 'jobwright' ? await entrySize(join(root, 'pkg')) : await bundleSize(contender);
  return { 'browser bundle': [bundle / 1_000], installed: [bytesIn(folder) / 1e6] };
}

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'import',
    title: 'import() in a new process, the files being in the cache of the system',
    metrics: { import: 'ms' },
    contenders,
    peers,
    sizes: {},
    quick: {},
    perProcess: 1,
    due: [{ metric: 'import', atMost: 15 }],
    measure: measureImport,
  },
  {
    file: import.meta.url,
    name: 'size',
    title:
      'all that a page loads with the main entry, minified and gzipped; what is installed, without dependencies',
    metrics: { 'browser bundle': 'kB', installed: 'MB' },
    contenders,
    sizes: {},
    quick: {},
    mostRepeats: 1,
    due: [
      { metric: 'browser bundle', atMost: 110 },
      { metric: 'installed', atMost: 1 },
    ],
    measure: measureSize,
  },
];
