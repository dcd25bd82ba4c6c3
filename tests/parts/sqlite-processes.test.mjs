/** Several processes on one file: they wait for each other, lose nothing, and may be killed. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { changeOf, jobOf } from './jobs.mjs';
import { createSqliteStore } from './sqlite-driver.mjs';

const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => {
  files += 1;
  return join(folder, `store ${files}.db`);
};

/** Ends when all of them have. */
function hammer(path, processes, times) {
  const script = fileURLToPath(new URL('./sqlite-hammer.mjs', import.meta.url));
  const children = Array.from({ length: processes }, (_, n) => {
    const child = spawn(process.execPath, [script, path, String(n), String(times)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  });
  return Promise.all(children);
}

test('processes that make one file at the same moment all find it whole', async () => {
  for (let round = 0; round < 5; round += 1) {
    const codes = (await hammer(newPath(), 8, 1)).map(({ code }) => code);
    assert.deepEqual(codes, Array(8).fill(0));
  }
});

test('processes that do everything at once lose nothing, and none is told of a lock', async () => {
  const path = newPath();
  const [processes, times] = [6, 150];
  const answers = await hammer(path, processes, times);
  assert.deepEqual(
    answers.map(({ code }) => code),
    Array(processes).fill(0),
  );
  /** What each process was told is committed, by job. */
  const committed = {};
  for (const { output } of answers) {
    for (const [id, count] of Object.entries(JSON.parse(output).committed)) {
      committed[id] = (committed[id] ?? 0) + Number(count);
    }
  }
  const store = await createSqliteStore({ path, check: true });
  for (const [id, count] of Object.entries(committed)) {
    const job = store.getJob(id);
    assert.equal(job.run.revision, count + 1, id);
    assert.equal(job.context.count, count, id);
    assert.deepEqual(
      job.history.map(({ seq }) => seq),
      Array.from({ length: count }, (_, i) => i + 1),
      id,
    );
  }
  assert.equal(
    Object.values(committed).reduce((sum, count) => sum + count),
    processes * times,
  );
  assert.deepEqual(
    store.listJobs({ status: 'completed' }).map(({ id }) => id),
    [],
    'jobs that were to be pruned',
  );
  await store.close();
});

test('a lock that another process holds for a moment is waited for', async () => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  store.saveJob(jobOf('j'));
  const holder = spawn(
    process.execPath,
    [fileURLToPath(new URL('./sqlite-holder.mjs', import.meta.url)), path, '300'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const ended = new Promise((resolve) => holder.once('exit', resolve));
  await new Promise((resolve) => holder.stdout.once('data', resolve));
  const start = performance.now();
  store.commit(changeOf('j', 0, { context: { a: 1 } }));
  assert.ok(performance.now() - start > 100, 'expected to have waited');
  assert.deepEqual(store.getJob('j').context, { a: 1 });
  assert.equal(await ended, 0);
  await store.close();
});

test('processes that write side by side lose nothing', async () => {
  const path = newPath();
  const script = fileURLToPath(new URL('./sqlite-writer.mjs', import.meta.url));
  const writers = Array.from({ length: 4 }, (_, i) => {
    const child = spawn(process.execPath, [script, path, `writer ${i}`, '50'], { stdio: 'inherit' });
    return new Promise((resolve) => child.once('exit', resolve));
  });
  assert.deepEqual(await Promise.all(writers), [0, 0, 0, 0]);
  const store = await createSqliteStore({ path });
  const job = store.getJob('shared');
  assert.equal(job.context.count, 200);
  assert.equal(job.run.revision, 201);
  assert.deepEqual(
    job.history.map(({ seq }) => seq),
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
  assert.equal(store.listJobs().length, 1);
  await store.close();
});

test('a process that is killed leaves whole commits', async () => {
  const path = newPath();
  const script = fileURLToPath(new URL('./sqlite-writer.mjs', import.meta.url));
  for (let round = 0; round < 3; round += 1) {
    const child = spawn(process.execPath, [script, path, 'victim', '1000000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    child.kill('SIGKILL');
    await ended;
    const store = await createSqliteStore({ path });
    const job = store.getJob('shared');
    assert.equal(job.context.count, job.run.revision - 1);
    assert.equal(job.history.length, job.run.revision - 1);
    assert.ok(job.history.length > 10);
    await store.close();
  }
});
