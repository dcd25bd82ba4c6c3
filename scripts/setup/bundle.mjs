// @ts-check
/**
 * Makes a few files of the package's many, because what an import costs in Node is mostly the number of its files: one
 * that the entries share, so that there is one of each error class and of everything else, and a small one per entry.
 * What makes no difference is left out, but names of functions stay and lines are short, so that stack traces can be
 * read.
 */
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { shortenNames } from './shorten-names.mjs';

/** The file that the entries share. */
const shared = 'main.js';
/** Hardly more than a text. */
const packed = 'engine/wasm-inline.js';
/** What that imports when it is first needed. */
const lazy = 'late/index.js';
/** The other folder that it is made of. */
const lazyToo = 'replay/';
const entries = [
  'index.js',
  'index.node.js',
  'index.workerd.js',
  'exports.js',
  packed,
  lazy,
  'indexeddb/index.js',
  'sqlite/index.js',
  'postgres/index.js',
  'testing/index.js',
];
/** The command, which imports the package by its name, as a user's program does. */
const program = 'command-line/index.js';
/** What only passes names on is part of the entry, which thereby exports these names and no others. */
const passedOn = 'parts/index.js';

/**
 * @param {string} from a folder with the package's modules
 * @param {string} to the folder of the package
 * @param {string} wasm the place of the wasm module in it
 */
export async function bundle(from, to, wasm) {
  /** @type {Set<string>} */
  const modules = new Set();
  for (const entry of entries) {
    const sharing = share(from, entry, wasm, modules);
    await write(from, { entryPoints: [join(from, entry)], outfile: join(to, entry), plugins: [sharing] });
  }
  const contents = [...modules].sort().map((file) => `export * from './${file}';`);
  await writeProgram(from, to);
  await write(from, {
    plugins: [notYet],
    stdin: { contents: contents.join('\n'), resolveDir: from },
    outfile: join(to, shared),
  });
  for (const file of [shared, ...entries.filter((entry) => entry !== packed)]) {
    const path = join(to, file);
    writeFileSync(path, await shortenNames(readFileSync(path, 'utf8')));
  }
}

/**
 * Nobody imports the command's file, and what it shows are sentences: it is minified. It has no libraries, and needs
 * none: what reads arguments and what draws lines again were half of it.
 *
 * @param {string} from
 * @param {string} to
 */
async function writeProgram(from, to) {
  const outfile = join(to, program);
  const entryPoints = [join(from, program)];
  await write(from, { entryPoints, outfile, platform: 'node', packages: 'external' });
  writeFileSync(outfile, await shortenNames(readFileSync(outfile, 'utf8'), true));
  chmodSync(outfile, 0o755);
}

/**
 * @param {string} from
 * @param {string} entry
 * @param {string} wasm
 * @param {Set<string>} modules is added those that the entry has of the shared file
 * @returns {import('esbuild').Plugin}
 */
function share(from, entry, wasm, modules) {
  const home = dirname(entry);
  const isOwn = (/** @type {string} */ file) =>
    file === passedOn ||
    (home !== '.' && file.startsWith(`${home}/`)) ||
    (entry === lazy && file.startsWith(lazyToo));
  return {
    name: 'share',
    setup: (build) =>
      build.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const file = relative(from, join(resolveDir, path));
        if (isOwn(file)) return null;
        const apart = file.endsWith('.wasm') ? wasm : entries.find((other) => other === file);
        if (!apart) modules.add(file);
        const seen = relative(home, apart ?? shared);
        return { path: seen.startsWith('.') ? seen : `./${seen}`, external: true };
      }),
  };
}

/** @type {import('esbuild').Plugin} */
const notYet = {
  name: 'not-yet',
  setup: (build) =>
    build.onResolve({ filter: /^\.\.?\// }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: `./${lazy}`, external: true } : null,
    ),
};

/**
 * @param {string} from
 * @param {import('esbuild').BuildOptions} options
 */
async function write(from, options) {
  // Imported late: the set-up reads this file before esbuild is installed.
  const { build } = await import('esbuild');
  return build({
    ...options,
    absWorkingDir: from,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['node:*', 'jobwright', 'better-sqlite3', 'idb', 'pg'],
    charset: 'ascii',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
  });
}
