import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadDriver } from '../../pkg-template/sqlite/driver.js';
import { createSqliteStore } from '../../pkg-template/sqlite/index.js';
import { changeOf, commitAsEngine, eventOf, jobOf } from './jobs.mjs';

const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => {
  files += 1;
  return join(folder, `store ${files}.db`);
};

async function withDatabase(path, work) {
  const database = (await loadDriver())(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const steps = { a: { status: 'done', attempts: 1 }, b: { status: 'running', attempts: 1 } };

test('what was committed is there when the file is opened again', async () => {
  const path = newPath();
  const first = await createSqliteStore({ path });
  first.commit(changeOf('j', 0, { context: { a: 1 }, steps, plan: { steps: [] }, events: [eventOf(1)] }));
  const token = first.acquireLease('j', 'A', 600_000);
  first.setControl({ paused: true });
  const before = first.getJob('j');
  await first.close();
  const second = await createSqliteStore({ path, synchronous: 'FULL' });
  assert.deepEqual(second.getJob('j'), before);
  assert.deepEqual(second.getControl(), { paused: true });
  assert.equal(second.acquireLease('j', 'B', 1), null);
  assert.equal(second.renewLease('j', token, 0), true);
  assert.ok(second.acquireLease('j', 'B', 1) > token);
  await second.close();
});

test('two stores on one file see each other and conflict', async () => {
  const path = newPath();
  const [one, two] = await Promise.all([createSqliteStore({ path }), createSqliteStore({ path })]);
  one.commit(changeOf('j', 0, { context: { a: 1 } }));
  two.commit(changeOf('j', 1, { context: { b: 2 } }));
  assert.throws(() => one.commit(changeOf('j', 1, { context: { c: 3 } })), { name: 'ConflictError' });
  assert.deepEqual(one.getJob('j').context, { a: 1, b: 2 });
  assert.equal(typeof one.acquireLease('j', 'A', 600_000), 'number');
  assert.equal(two.acquireLease('j', 'B', 600_000), null);
  await one.close();
  assert.equal(two.getJob('j').run.revision, 2);
  await two.close();
});

test('an empty file becomes a store; the journal is a write-ahead log', async () => {
  const path = newPath();
  writeFileSync(path, '');
  const store = await createSqliteStore({ path });
  store.saveJob(jobOf('j'));
  assert.equal(store.getJob('j').id, 'j');
  const mode = await withDatabase(path, (database) => database.prepare('PRAGMA journal_mode').get());
  assert.equal(mode.journal_mode, 'wal');
  await store.close();
});

test('a person can read the database', async () => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  store.commit(changeOf('job-1', 0, { context: { 'a key': [1] }, steps, events: [eventOf(1)] }));
  await store.close();
  await withDatabase(path, (database) => {
    const { id, status, revision, head } = database.prepare('SELECT * FROM jobs').get();
    assert.deepEqual([id, status, revision], ['job-1', 'created', 1]);
    assert.equal(JSON.parse(head).run.revision, 1);
    const { key, value } = database.prepare('SELECT * FROM context').get();
    assert.deepEqual([key, value], ['a key', '[1]']);
  });
});

test('close may be called again, and ends everything else', async () => {
  const store = await createSqliteStore({ path: ':memory:' });
  const { close, getJob, ...rest } = store;
  await close();
  await close();
  for (const [name, method] of Object.entries({ getJob, ...rest })) {
    const call = () => method('j');
    assert.throws(
      call,
      { name: 'JobwrightError', code: 'closed', message: 'The store on ":memory:" is closed' },
      name,
    );
  }
});

test("the engine's own change is known to be JSON and not checked again", async () => {
  const store = await createSqliteStore({ path: ':memory:' });
  const odd = () => changeOf('j', 0, { context: { odd: new Map() } });
  assert.throws(() => store.commit(odd()), { code: 'invalid_argument' });
  commitAsEngine(store, odd());
  assert.deepEqual(store.getJob('j').context, { odd: {} });
  await store.close();
});

test('an id that is no string finds nothing', async () => {
  const store = await createSqliteStore({ path: ':memory:' });
  store.saveJob(jobOf('5', { history: [eventOf(1)] }));
  for (const bad of [5, 5n, ['5'], null, undefined, {}]) {
    assert.equal(store.getJob(bad), null);
    assert.equal(store.getHead(bad), null);
    assert.deepEqual(store.getEvents(bad, 0, 10), []);
    assert.equal(store.acquireLease(bad, 'A', 10), null);
    assert.equal(store.renewLease(bad, 1, 10), false);
    store.releaseLease(bad, 1);
    store.deleteJob(bad);
  }
  assert.deepEqual(store.getJob('5').history, [eventOf(1)]);
  await store.close();
});

test('code that runs while a change is read may use the store', async () => {
  const store = await createSqliteStore({ path: ':memory:' });
  store.saveJob(jobOf('other'));
  const context = {
    get nosy() {
      store.saveJob(jobOf('another'));
      return store.getJob('other').id;
    },
  };
  store.commit(changeOf('j', 0, { context }));
  assert.equal(store.getJob('j').context.nosy, 'other');
  assert.equal(store.listJobs().length, 3);
  await store.close();
});

test('what is no place for a database is refused in a sentence', async () => {
  const text = newPath();
  writeFileSync(text, 'This is not a database, but it is long enough to have a header. '.repeat(20));
  const inside = join(text, 'below.db');
  const missing = join(folder, 'missing', 'store.db');
  const directory = join(folder, 'directory');
  mkdirSync(directory);
  const foreign = newPath();
  await withDatabase(foreign, (database) => database.exec('CREATE TABLE somebody (a)'));
  const other = newPath();
  await withDatabase(other, (database) => database.exec('PRAGMA user_version = 7'));
  const quoted = JSON.stringify;
  for (const [path, message] of [
    [text, `The database ${quoted(text)} is not a SQLite database`],
    [directory, `${quoted(directory)} is a folder, not a database file`],
    [missing, `${quoted(missing)} can't be made: there is no folder ${quoted(join(folder, 'missing'))}`],
    [inside, `${quoted(inside)} can't be made: there is no folder ${quoted(text)}`],
    [foreign, `${quoted(foreign)} is a SQLite database, but not one of jobwright's`],
    [other, `${quoted(other)} is a SQLite database, but not one of jobwright's`],
    ['', 'createSqliteStore: path: expected the name of a file, or ":memory:", found ""'],
    [undefined, 'createSqliteStore: path: expected the name of a file, or ":memory:", found undefined'],
    [
      'a\0b',
      String.raw`createSqliteStore: path: expected the name of a file, or ":memory:", found "a\u0000b"`,
    ],
  ]) {
    await assert.rejects(createSqliteStore({ path }), { name: 'JobwrightError', message });
  }
  assert.match(readFileSync(text, 'utf8'), /^This is not a database/);
  await assert.rejects(createSqliteStore({ path: newPath(), synchronous: 'OFF' }), {
    code: 'invalid_argument',
    message: 'createSqliteStore: synchronous: expected "NORMAL" or "FULL", found "OFF"',
  });
  await assert.rejects(createSqliteStore(), { code: 'invalid_argument' });
});

test('a database of a newer version is refused and left as it is', async () => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  store.saveJob(jobOf('j'));
  await store.close();
  await withDatabase(path, (database) => database.exec('PRAGMA user_version = 99'));
  await assert.rejects(createSqliteStore({ path }), {
    name: 'JobwrightError',
    code: 'unsupported',
    message: `${JSON.stringify(path)} was written by a newer version of jobwright (schema 99; this one knows up to 2)`,
  });
  await withDatabase(path, (database) => database.exec('PRAGMA user_version = 2'));
  const again = await createSqliteStore({ path });
  assert.equal(again.getJob('j').id, 'j');
  await again.close();
});

test('a damaged database says so', async () => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  for (let i = 0; i < 200; i += 1) store.saveJob(jobOf(`job ${i}`, { context: { text: 'x'.repeat(5000) } }));
  await store.close();
  const file = openSync(path, 'r+');
  for (let page = 5; page < 200; page += 1) writeSync(file, Buffer.alloc(2000, 0xab), 0, 2000, page * 4096);
  closeSync(file);
  const read = async () => {
    const damaged = await createSqliteStore({ path });
    try {
      for (const { id } of damaged.listJobs()) damaged.getJob(id);
    } finally {
      await damaged.close();
    }
  };
  await assert.rejects(read(), {
    name: 'JobwrightError',
    message: `The database ${JSON.stringify(path)} is damaged`,
  });
  const short = openSync(path, 'r+');
  ftruncateSync(short, 5000);
  closeSync(short);
  await assert.rejects(read(), { name: 'JobwrightError' });
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

test('a commit costs the same in a job of ten thousand events and 10 MB', async () => {
  const timeOf = async (events, keys) => {
    const store = await createSqliteStore({ path: newPath() });
    const context = Object.fromEntries(
      Array.from({ length: keys }, (_, i) => [`key ${i}`, 'x'.repeat(1000)]),
    );
    const history = Array.from({ length: events }, (_, i) => eventOf(i + 1));
    const plan = { steps: Array.from({ length: keys }, (_, i) => ({ id: `step ${i}`, agent: 'A' })) };
    store.commit(changeOf('j', 0, { context, plan, events: history }));
    let revision = 1;
    const times = Array.from({ length: 5 }, () => {
      const start = performance.now();
      for (let i = 0; i < 100; i += 1, revision += 1) {
        store.commit(
          changeOf('j', revision, { context: { 'key 1': revision }, events: [eventOf(events + revision)] }),
        );
        store.getHead('j');
      }
      return performance.now() - start;
    });
    await store.close();
    return Math.min(...times);
  };
  await timeOf(1, 1);
  const ratio = (await timeOf(10_000, 10_000)) / (await timeOf(1, 1));
  assert.ok(ratio < 20, `a large job took ${ratio.toFixed(1)} times as long`);
});
