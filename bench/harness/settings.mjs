// @ts-check
/** What the figures were measured on, and with. */
import { existsSync, readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { root } from '../../scripts/process.mjs';

/** The packages that are compared, or that those stand on. */
const PACKAGES = ['jobwright', 'xstate', 'better-sqlite3', 'pg'];

/** @param {string} folder with the installed package */
function versionIn(folder) {
  const file = join(folder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : undefined;
}

/** @param {Record<string, string>} [peers] versions of what is installed elsewhere */
export function machine(peers = {}) {
  const own = PACKAGES.map((name) => [name, versionIn(join(root, 'node_modules', name))]);
  return {
    date: new Date().toISOString(),
    node: process.version,
    v8: process.versions.v8,
    platform: `${process.platform} ${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    packages: { ...Object.fromEntries(own), ...peers },
  };
}

/** @param {ReturnType<typeof machine>} about */
export function aboutMachine({ date, node, platform, processor, cores, memoryGiB, packages }) {
  const versions = Object.entries(packages).map((each) => each.join(' '));
  return `${date.slice(0, 10)}, Node ${node}, ${platform}, ${processor}, ${cores} cores, ${memoryGiB} GiB; ${versions.join(', ')}.`;
}
