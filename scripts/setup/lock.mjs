// @ts-check
/** One set-up at a time: `npm start` and `npm test` side by side in a fresh clone would install twice into one folder. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../process.mjs';

const file = join(root, '.cache/setup.lock');

function take() {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** A process that was killed leaves its lock behind; then nobody answers to its id. */
function holderLives() {
  try {
    process.kill(Number(readFileSync(file, 'utf8')), 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** @param {() => Promise<void>} body */
export async function withLock(body) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  for (let told = false; !take(); told = true) {
    if (!told) console.log('Waiting for another set-up of this folder to end ...');
    await sleep(200);
    if (!holderLives()) rmSync(file, { force: true });
  }
  try {
    await body();
  } finally {
    rmSync(file, { force: true });
  }
}
