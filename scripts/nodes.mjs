// @ts-check
/** Other versions of Node than the one at hand: npm has them as packages, one for each platform. */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root } from './process.mjs';

/** The newest of each line that the package promises to work on, beside the oldest. */
export const nodeVersions = ['22.23.3', '24.21.0'];

const cache = join(root, '.cache/nodes');

/**
 * Installed when it is first asked for, beside what npm's lock file names: it is as large as all of that.
 *
 * @param {string} version
 * @returns {Promise<string>} the program
 */
export async function findNode(version) {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  const folder = join(cache, version);
  const file = join(folder, 'node_modules', name, 'bin', program);
  if (existsSync(file)) return file;
  mkdirSync(cache, { recursive: true });
  // It is made elsewhere and appears whole; who comes second throws its own away.
  const scratch = mkdtempSync(join(cache, 'new-'));
  try {
    await npm([
      'install',
      `${name}@${version}`,
      '--prefix',
      scratch,
      '--no-package-lock',
      '--ignore-scripts',
    ]);
    renameSync(scratch, folder);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return file;
}
