import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadDriver } from '../../pkg-template/sqlite/driver.js';
import { createSqliteStore } from '../../pkg-template/sqlite/index.js';
import { hasEnded, thisProcess } from '../../pkg-template/sqlite/lease-holder.js';
import { jobOf } from './jobs.mjs';

const LONG = 600_000;
const script = fileURLToPath(new URL('./sqlite-lessee.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => {
  files += 1;
  return join(folder, `store ${files}.db`);
};

/** A process that holds the lease of a job. */
async function startLessee(t, path) {
  const lessee = spawn(process.execPath, [script, path, 'j'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => lessee.kill('SIGKILL'));
  const [line] = await once(lessee.stdout, 'data');
  return { lessee, token: Number(/^token (\d+)/.exec(line)[1]) };
}

test('the lease of a process that was killed is free at once, that of one that lives is not', async (t) => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  store.saveJob(jobOf('j'));
  const { lessee, token } = await startLessee(t, path);
  assert.equal(store.acquireLease('j', 'here', LONG), null);
  lessee.kill('SIGKILL');
  await once(lessee, 'exit');
  const taken = store.acquireLease('j', 'here', LONG);
  assert.ok(taken > token, `${taken} is above ${token}`);
  assert.equal(store.renewLease('j', token, LONG), false);
  assert.equal(store.acquireLease('j', 'another here', LONG), null, 'this process lives');
  await store.close();
});

test('a process of which nothing can be known is waited for', async () => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  store.saveJob(jobOf('j'));
  store.acquireLease('j', 'somebody', LONG);
  const database = (await loadDriver())(path);
  const known = JSON.parse(thisProcess());
  for (const [written, isFree] of [
    [null, false],
    ['no JSON', false],
    ['null', false],
    [JSON.stringify({ ...known, pid: 'x' }), false],
    [JSON.stringify({ ...known, place: 'another machine', pid: 2 ** 22 + 1 }), false],
    [JSON.stringify({ ...known, pid: 2 ** 22 + 1 }), true],
  ]) {
    database.prepare('UPDATE jobs SET lease_process = ?').run(written);
    const token = store.acquireLease('j', 'here', LONG);
    assert.equal(token !== null, isFree, String(written));
  }
  database.close();
  await store.close();
});

test('a process is told from a later one with its id', () => {
  const known = JSON.parse(thisProcess());
  assert.equal(hasEnded(thisProcess()), false);
  assert.equal(
    hasEnded(JSON.stringify({ ...known, pid: process.ppid, started: 'long before' })),
    known.place !== hostname(),
  );
});

test('a file of the first schema is brought up to date, with its jobs and leases', async () => {
  const path = newPath();
  const database = (await loadDriver())(path);
  database.exec(readFileSync(new URL('./sqlite-schema-1.sql', import.meta.url), 'utf8'));
  const token = 1;
  const until = Date.now() + LONG;
  database.exec(
    `UPDATE jobs SET lease_owner = 'before', lease_token = ${token}, lease_until = ${until} WHERE id = 'j'`,
  );
  database.close();
  const stores = await Promise.all([createSqliteStore({ path }), createSqliteStore({ path })]);
  for (const each of stores) assert.equal(each.getJob('j').context.b, 2);
  assert.equal(stores[0].acquireLease('j', 'after', LONG), null);
  assert.equal(stores[1].renewLease('j', token, 1), true);
  for (const each of stores) await each.close();
});
