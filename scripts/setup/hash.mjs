// @ts-check
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The files under a path, in an order that is the same everywhere.
 *
 * @param {string} base
 * @param {string} path relative to base
 * @returns {string[]}
 */
export function filesUnder(base, path) {
  const full = join(base, path);
  if (!existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [path];
  return readdirSync(full)
    .sort()
    .filter((name) => name !== 'node_modules')
    .flatMap((name) => filesUnder(base, path === '.' ? name : `${path}/${name}`));
}

/**
 * One hash over the names and contents of all files under these paths.
 *
 * @param {string} base
 * @param {string[]} paths
 */
export function hashOf(base, paths) {
  const hash = createHash('sha256');
  for (const file of paths.flatMap((path) => filesUnder(base, path))) {
    const content = readFileSync(join(base, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}
