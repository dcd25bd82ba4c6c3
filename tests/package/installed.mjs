// @ts-check
/** The package as a user gets it: packed, and installed from the tarball into a folder of its own. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { npm, root } from '../../scripts/process.mjs';
import { hashOf } from '../../scripts/setup/hash.mjs';

const built = join(root, 'pkg');
const cache = join(root, '.cache/installed');

/** @param {string} folder */
async function installInto(folder) {
  const manifest = { name: 'consumer', private: true, type: 'module' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  await npm(['pack', built, '--pack-destination', folder, '--ignore-scripts'], { cwd: folder });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  await npm(['install', `./${tarball}`, '--offline', '--no-package-lock', '--ignore-scripts'], {
    cwd: folder,
  });
}

/**
 * A folder per build. Test files run side by side, so it is prepared elsewhere and appears whole; who comes second
 * throws its own away.
 */
async function prepare() {
  if (!existsSync(join(built, 'package.json')))
    throw new Error('pkg/ is not built; "npm run build" makes it');
  const folder = join(cache, hashOf(built, ['.']).slice(0, 16));
  if (existsSync(folder)) return folder;
  mkdirSync(cache, { recursive: true });
  const scratch = mkdtempSync(join(cache, 'new-'));
  try {
    await installInto(scratch);
    renameSync(scratch, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** The consumer's folder, in which `jobwright` is installed. */
export const consumerDir = await prepare();
/** The installed package. */
export const pkgDir = join(consumerDir, 'node_modules/jobwright');

/** The package before its many files were made few, for what tests need of the inside. */
export const modulesDir = join(root, '.cache/modules');

/** Where the wasm module is in the package. */
export const wasmFile = join(
  pkgDir,
  'engine',
  readdirSync(join(pkgDir, 'engine')).find((name) => name.endsWith('.wasm')) ?? 'none',
);

/**
 * @param {string} [specifier] as a user would write it, for instance `jobwright/sqlite`
 * @returns {Promise<any>}
 */
export async function importPackage(specifier = 'jobwright') {
  const require = createRequire(join(consumerDir, 'package.json'));
  return import(pathToFileURL(require.resolve(specifier)).href);
}
