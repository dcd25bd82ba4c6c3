// @ts-check
/**
 * The libraries of `--peers`, in the newest versions that run on the oldest Node that the package promises to work on.
 * They are large, so they are installed when they are first asked for, in a folder of their own.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { npm, root } from '../../scripts/process.mjs';
import { hashOf } from '../../scripts/setup/hash.mjs';

const folder = join(root, '.cache/bench-peers', hashOf(root, ['bench/peers.json']).slice(0, 12));
/** @type {Record<string, string>} */
export const peerVersions = JSON.parse(readFileSync(join(root, 'bench/peers.json'), 'utf8'));

export async function installPeers() {
  if (existsSync(folder)) return;
  console.error('Installing the libraries to compare with (half a gigabyte) ...');
  const scratch = `${folder}-${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    const manifest = { private: true, type: 'module', dependencies: peerVersions };
    writeFileSync(join(scratch, 'package.json'), JSON.stringify(manifest));
    // Modules are looked for from where this file is.
    writeFileSync(join(scratch, 'load.mjs'), 'export const load = (name) => import(name);\n');
    await npm(['install', '--ignore-scripts', '--no-package-lock'], { cwd: scratch });
    renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {string} name of an installed module
 * @returns {Promise<any>}
 */
export async function loadPeer(name) {
  const { load } = await import(pathToFileURL(join(folder, 'load.mjs')).href);
  return load(name);
}
