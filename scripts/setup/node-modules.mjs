// @ts-check
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm, root } from '../process.mjs';
import { hashOf } from './hash.mjs';

const stampFile = join(root, 'node_modules/.jobwright-stamp');

/** Native addons are compiled for one kind of Node, so that is part of what was installed. */
function wanted() {
  return `${hashOf(root, ['package-lock.json'])} ${process.platform}-${process.arch} abi ${process.versions.modules}`;
}

/** Installs what package-lock.json names, unless exactly that is installed. */
export async function ensureNodeModules() {
  const stamp = wanted();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  console.log('Installing npm packages (two to three minutes where SQLite has to be compiled) ...');
  await npm(['ci', '--include=dev']);
  writeFileSync(stampFile, stamp);
}
