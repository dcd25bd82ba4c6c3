// @ts-check
/** Builds pkg/, the folder that is published, from the crate and pkg-template/. */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Failure, root, run, together } from '../process.mjs';
import { bundle } from './bundle.mjs';
import { writeGlue } from './glue.mjs';
import { filesUnder, hashOf } from './hash.mjs';
import { inline, inlineDeclarations } from './inline.mjs';
import { optimize } from './optimize.mjs';
import { pack } from './pack.mjs';
import { buildPage, checkFirstLoad, isPageBuilt, packPage } from './page.mjs';
import { planSchema } from './plan-schema.mjs';
import { buildBindgen, buildWasm, ensureRust } from './rust.mjs';
import { shortenImports } from './shorten-imports.mjs';
import { diskLimits, diskSize, engineSize, entrySize, limits } from './size.mjs';

const pkg = join(root, 'pkg');
const staging = join(root, '.cache/staging');
/** The package before its many files are made few. */
const modules = join(root, '.cache/modules');
/** What bindgen writes; its declarations stay here, for the type check only (see tsconfig.json, rootDirs). */
const generated = join(root, '.cache/generated');
const stampFile = join(root, '.cache/build-stamp');
const name = 'jobwright_wasm';

/** @typedef {{ engine: string, pack: string, unpack: string, bindgen: string }} Compiled three modules, and the tool that writes the glue */

const inputs = [
  'Cargo.toml',
  'Cargo.lock',
  'src',
  'allocator',
  'json',
  'logic',
  'tools',
  'pkg-template',
  'scripts',
  'package-lock.json',
  'www',
];
const copied = ['README.md', 'LICENSE'];

/** What pkg/ is built from; taken before the build, so that an edit during it makes the next one build again. */
export const inputHash = () => hashOf(root, [...inputs, ...copied]);

/**
 * Is pkg/ what the sources would build now?
 *
 * @param {string} hash
 */
export function isBuilt(hash) {
  const isThere = existsSync(join(pkg, 'package.json')) && isPageBuilt('demo') && isPageBuilt('dashboard');
  return isThere && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash;
}

/**
 * The part that needs no npm package.
 *
 * @returns {Promise<Compiled>}
 */
export async function compile() {
  checkVersions();
  await ensureRust();
  console.log('Compiling the engine to WebAssembly ...');
  const [wasm, bindgen] = await together([buildWasm(), buildBindgen()]);
  return { ...wasm, bindgen };
}

function checkVersions() {
  const versions = ['package.json', 'pkg-template/package.json'].map(
    (file) => JSON.parse(readFileSync(join(root, file), 'utf8')).version,
  );
  const crate = /^version = "(.+)"/m.exec(readFileSync(join(root, 'Cargo.toml'), 'utf8'))?.[1];
  if (versions.some((version) => version !== crate)) {
    throw new Failure(
      `Cargo.toml says version ${crate}, package.json and pkg-template/package.json ${versions.join(' and ')}`,
    );
  }
}

/**
 * Puts pkg/ together beside the old one, and swaps it in when it is whole. One that is too large can be tried out, but
 * is no finished build: the next run builds, and fails, again.
 *
 * @param {Compiled} compiled
 * @param {string} hash of the inputs
 */
export async function assemble(compiled, hash) {
  for (const folder of [staging, modules, generated]) rmSync(folder, { recursive: true, force: true });
  const template = join(root, 'pkg-template');
  cpSync(template, modules, { recursive: true });
  const others = filesUnder(template, '.').filter((file) => !file.endsWith('.js'));
  for (const file of others) cpSync(join(template, file), join(staging, file));
  for (const file of copied) if (existsSync(join(root, file))) cpSync(join(root, file), join(staging, file));
  writeFileSync(
    join(staging, 'plan.schema.json'),
    `${JSON.stringify(await planSchema(join(staging, 'types/plans.d.ts')))}\n`,
  );
  const { file, wasm } = await writeEngine(compiled);
  mkdirSync(join(staging, 'engine'), { recursive: true });
  writeFileSync(join(staging, file), wasm);
  await bundle(modules, staging, file);
  packPage(join(staging, 'dashboard'));
  rmSync(stampFile, { force: true });
  rmSync(pkg, { recursive: true, force: true });
  renameSync(staging, pkg);
  await checkSize();
  linkPackage();
  await buildPage('demo');
  checkFirstLoad();
  writeFileSync(stampFile, hash);
}

/**
 * @param {Compiled} compiled
 * @returns {Promise<{ file: string, wasm: Uint8Array }>} the module, and its place in the package
 */
async function writeEngine(compiled) {
  const types = join(generated, 'engine');
  const engine = join(modules, 'engine');
  await run(compiled.bindgen, [compiled.engine, types, name]);
  const optimized = join(types, `${name}.wasm`);
  const module = join(types, `${name}_bg.wasm`);
  const shortened = shortenImports(readFileSync(module));
  writeFileSync(module, shortened.wasm);
  const often = [
    '--flatten',
    '--rereloop',
    '-Oz',
    '-Oz',
    '--converge',
    '--low-memory-unused',
    '--strip-target-features',
  ];
  await optimize(module, optimized, often);
  cpSync(compiled.pack, join(types, 'pack.wasm'));
  const packed = pack(readFileSync(compiled.pack), readFileSync(optimized));
  const { wasm } = packed;
  // Named after what is in it, so that nobody reads another version's.
  const file = `engine/jobwright-${createHash('sha256').update(wasm).digest('hex').slice(0, 16)}.wasm`;
  await writeGlue(join(types, `${name}.js`), join(engine, `${name}.js`), shortened.imports);
  const unpack = join(types, 'unpack.wasm');
  await optimize(compiled.unpack, unpack, ['--converge', '--strip-producers', '--strip-target-features']);
  writeFileSync(join(engine, 'wasm-inline.js'), inline(file, packed, readFileSync(unpack)));
  writeFileSync(join(types, 'wasm-inline.d.ts'), inlineDeclarations);
  return { file, wasm };
}

async function checkSize() {
  const size = { engine: await engineSize(modules), entry: await entrySize(pkg) };
  const kilobytes = (/** @type {number} */ bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  const parts = /** @type {const} */ ([
    ['engine', 'the wasm module and its glue'],
    ['entry', 'the main entry with all it imports'],
  ]);
  for (const [part, words] of parts) {
    console.log(`${words}: ${kilobytes(size[part])} minified and gzipped; limit ${kilobytes(limits[part])}`);
  }
  const page = diskSize(join(pkg, 'dashboard'));
  const disk = { page, rest: diskSize(pkg) - page };
  console.log(`the package on disk: ${kilobytes(disk.rest + page)}, of which`);
  console.log(`  the dashboard's page: ${kilobytes(page)}; limit ${kilobytes(diskLimits.page)}`);
  console.log(`  everything else: ${kilobytes(disk.rest)}; limit ${kilobytes(diskLimits.rest)}`);
  if (page > diskLimits.page) throw new Failure("Too large on disk: the dashboard's page");
  if (disk.rest > diskLimits.rest)
    throw new Failure("Too large on disk: the package without the dashboard's page");
  for (const [part, words] of parts) {
    if (size[part] > limits[part]) throw new Failure(`Too large, gzipped: ${words}`);
  }
}

/** Lets the examples, the benchmark and the page's types import the package by its name, as a user would. */
export function linkPackage() {
  const link = join(root, 'node_modules/jobwright');
  if (existsSync(link) && realpathSync(link) === realpathSync(pkg)) return;
  rmSync(link, { recursive: true, force: true });
  symlinkSync(pkg, link, 'junction');
}
