/** The crash test leaves no process behind, however it ends. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('./main.mjs', import.meta.url));

/** @param {number} pid */
function statusOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return '';
  }
}

/** @param {number} parent */
const childrenOf = (parent) =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => statusOf(pid).split(') ')[1]?.split(' ')[1] === String(parent));

/** @param {() => boolean} holds */
async function until(holds, what) {
  for (const end = Date.now() + 20_000; !holds(); await sleep(50)) {
    assert.ok(Date.now() < end, what());
  }
}

for (const signal of ['SIGTERM', 'SIGKILL']) {
  test(`${signal} ends the workers too`, { timeout: 60_000 }, async (t) => {
    const driver = spawn(process.execPath, [main, '--store', 'sqlite'], { stdio: 'ignore' });
    t.after(() => driver.kill('SIGKILL'));
    await until(
      () => childrenOf(driver.pid).length >= 3,
      () => 'no workers were started',
    );
    const workers = childrenOf(driver.pid);
    const folder = dirname(readFileSync(`/proc/${workers[0]}/cmdline`, 'utf8').split('\0')[1]);
    driver.kill(signal);
    const [code, killed] = await once(driver, 'exit');
    assert.ok(signal === 'SIGKILL' ? killed === signal : code === 130, `${code} ${killed}`);
    const left = () => workers.filter((pid) => statusOf(pid).includes('(node)'));
    await until(
      () => left().length === 0,
      () => `left: ${left()}`,
    );
    // What is killed can't clear away after itself.
    if (signal === 'SIGKILL') rmSync(folder, { recursive: true });
    assert.equal(existsSync(folder), false);
  });
}
