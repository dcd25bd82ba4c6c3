// @ts-check
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root, together } from '../process.mjs';
import { hashOf } from './hash.mjs';

/** The repository, and the page, which is a project of its own: what it is built from is nothing the package needs. */
const projects = [root, join(root, 'www')];

/**
 * Native addons are compiled for one kind of Node, so that is part of what was installed.
 *
 * @param {string} folder
 */
function wanted(folder) {
  return `${hashOf(folder, ['package-lock.json'])} ${process.platform}-${process.arch} abi ${process.versions.modules}`;
}

/** @param {string} folder */
const stampFile = (folder) => join(folder, 'node_modules/.jobwright-stamp');

/** Installs what the package-lock.json files name, unless exactly that is installed. */
export async function ensureNodeModules() {
  const missing = projects.filter((folder) => {
    const file = stampFile(folder);
    return !existsSync(file) || readFileSync(file, 'utf8') !== wanted(folder);
  });
  if (missing.length === 0) return;
  console.log('Installing npm packages (two to three minutes where SQLite has to be compiled) ...');
  await together(missing.map(install));
}

/** @param {string} folder */
async function install(folder) {
  const stamp = wanted(folder);
  await npm(['ci', '--include=dev'], { cwd: folder });
  writeFileSync(stampFile(folder), stamp);
}
