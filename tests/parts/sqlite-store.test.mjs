import assert from 'node:assert/strict';
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
import { setTimeout as sleep } from 'node:timers/promises';
import { explain } from '../../pkg-template/sqlite/errors.js';
import { changeOf, commitAsEngine, eventOf, jobOf, STORE_METHODS } from './jobs.mjs';
import { createSqliteStore, driver, openDatabase } from './sqlite-driver.mjs';

const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => {
  files += 1;
  return join(folder, `store ${files}.db`);
};

async function withDatabase(path, work) {
  const database = await openDatabase(path);
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
    const { last_seq: lastSeq, change } = database
      .prepare('SELECT * FROM early_commits WHERE place >> 32 = 1')
      .get();
    assert.equal(lastSeq, 1);
    assert.deepEqual(JSON.parse(change), { context: { 'a key': [1] }, steps, events: [eventOf(1)] });
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

test('it has every method', async () => {
  const store = await createSqliteStore({ path: ':memory:' });
  assert.deepEqual(Object.keys(store).sort(), ['close', ...STORE_METHODS].sort());
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
    message: `${JSON.stringify(path)} was written by a newer version of jobwright (schema 99; this one knows up to 7)`,
  });
  await withDatabase(path, (database) => database.exec('PRAGMA user_version = 7'));
  const again = await createSqliteStore({ path });
  assert.equal(again.getJob('j').id, 'j');
  await again.close();
});

/** A database of some pages. @param {string} path */
async function fill(path) {
  const store = await createSqliteStore({ path });
  for (let i = 0; i < 200; i += 1) store.saveJob(jobOf(`job ${i}`, { context: { text: 'x'.repeat(5000) } }));
  await store.close();
}

/** @param {string} path @param {number} from @param {number} to */
function overwritePages(path, from, to) {
  const file = openSync(path, 'r+');
  for (let page = from; page < to; page += 1) writeSync(file, Buffer.alloc(2000, 0xab), 0, 2000, page * 4096);
  closeSync(file);
}

test('a database of the first schema is brought up to date, whoever opens it first', async () => {
  const path = newPath();
  const first = readFileSync(new URL('./sqlite-schema-1.sql', import.meta.url), 'utf8');
  await withDatabase(path, (database) => database.exec(first));
  const stores = await Promise.all([1, 2, 3].map(() => createSqliteStore({ path, check: true })));
  for (const store of stores) {
    const { context, history, run } = store.getJob('j');
    assert.deepEqual(context, { a: 1, 'nul\0': 2, b: 2 });
    assert.deepEqual(history, [eventOf(1), eventOf(2, { text: "it's" }), eventOf(3)]);
    assert.deepEqual(run.steps, { a: { status: 'done', attempts: 1 } });
    assert.deepEqual(run.plan, { steps: [{ id: 'a', agent: 'A' }] });
    assert.deepEqual(
      store.listJobs().map(({ id }) => id),
      ['j', 'ended'],
    );
    assert.deepEqual(store.getControl(), { paused: true });
  }
  const [one, two] = stores;
  one.commit(changeOf('j', 2, { events: [eventOf(4)] }));
  assert.deepEqual(two.getEvents('j', 2, 10), [eventOf(3), eventOf(4)]);
  assert.throws(() => two.commit(changeOf('j', 3, { events: [eventOf(4)] })), { name: 'ConflictError' });
  assert.equal(two.acquireLease('j', 'B', 10), 2);
  assert.equal(one.prune({ endedBefore: 6, keepJob: true }), 1);
  for (const store of stores) await store.close();
  await withDatabase(path, (database) => {
    const names = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .all();
    assert.deepEqual(names.map(({ name }) => name).sort(), [
      'control',
      'early_commits',
      'jobs',
      'plans',
      'run_commits',
    ]);
  });
});

test('a damaged database says so when what is damaged is read, and with `check` when it is opened', async () => {
  const path = newPath();
  await fill(path);
  const whole = await createSqliteStore({ path, check: true });
  assert.equal(whole.listJobs().length, 200);
  await whole.close();
  overwritePages(path, 20, 200);
  const damaged = await createSqliteStore({ path });
  const message = `The database ${JSON.stringify(path)} is damaged`;
  assert.throws(
    () => {
      for (const { id } of damaged.listJobs()) damaged.getJob(id);
    },
    { name: 'JobwrightError', message },
  );
  await damaged.close();
  await assert.rejects(createSqliteStore({ path, check: true }), (error) => {
    assert.equal(error.name, 'JobwrightError');
    assert.ok(error.message.startsWith(message), error.message);
    return true;
  });
});

test('a database that was cut short is refused when it is opened', async () => {
  const path = newPath();
  await fill(path);
  const file = openSync(path, 'r+');
  ftruncateSync(file, 5000);
  closeSync(file);
  await assert.rejects(createSqliteStore({ path }), {
    name: 'JobwrightError',
    message: `The database ${JSON.stringify(path)} is damaged`,
  });
});

test('a database whose tables somebody changed is refused, one to which somebody added is not', async () => {
  for (const [sql, what] of [
    ['DROP TABLE early_commits', 'CREATE TABLE early_commits'],
    ['ALTER TABLE plans ADD COLUMN mine TEXT', 'CREATE TABLE plans'],
    ['DROP INDEX jobs_by_parent', 'CREATE INDEX jobs_by_parent'],
  ]) {
    const path = newPath();
    await fill(path);
    await withDatabase(path, (database) => database.exec(sql));
    await assert.rejects(createSqliteStore({ path }), {
      name: 'JobwrightError',
      message: `The database ${JSON.stringify(path)} is damaged: what "${what}" made is not there, or was changed`,
    });
  }
  const path = newPath();
  await fill(path);
  await withDatabase(path, (database) => database.exec('CREATE VIEW mine AS SELECT id FROM jobs'));
  const store = await createSqliteStore({ path });
  assert.equal(store.listJobs().length, 200);
  await store.close();
});

test('the driver that is named is the one that is used', async () => {
  const isNew = Number(process.versions.node.split('.')[0]) >= 22;
  const other = driver === 'node:sqlite' ? 'better-sqlite3' : 'node:sqlite';
  const missing =
    other === 'node:sqlite'
      ? 'jobwright/sqlite needs node:sqlite (Node 22.13 or later), and did not find it'
      : /^jobwright\/sqlite needs better-sqlite3 \("npm install better-sqlite3"\), and what is there fails: /;
  // What is installed here is compiled for one of the two.
  assert.equal(isNew, driver === 'node:sqlite');
  const there = await createSqliteStore({ path: ':memory:', driver });
  await there.close();
  await assert.rejects(createSqliteStore({ path: ':memory:', driver: other }), {
    name: 'JobwrightError',
    code: 'unsupported',
    message: missing,
  });
  const whichever = await createSqliteStore({ path: ':memory:', driver: undefined });
  await whichever.close();
  for (const [options, message] of [
    [
      { driver: 'sqlite3' },
      'createSqliteStore: driver: expected "better-sqlite3" or "node:sqlite", found "sqlite3"',
    ],
    [{ check: 'yes' }, 'createSqliteStore: check: expected true or false, found "yes"'],
  ]) {
    await assert.rejects(createSqliteStore({ path: ':memory:', ...options }), {
      code: 'invalid_argument',
      message,
    });
  }
});

test('nobody is told by a store of its own writes, nor after it is closed, and watching keeps no process', async () => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  const notices = [];
  store.watch((notice) => notices.push(notice));
  store.saveJob(jobOf('j'));
  await sleep(250);
  assert.deepEqual(notices, []);
  const other = await createSqliteStore({ path });
  other.saveJob(jobOf('k'));
  while (notices.length === 0) await sleep(10);
  assert.deepEqual(notices, [{ type: 'missed' }]);
  await store.close();
  other.saveJob(jobOf('l'));
  await sleep(250);
  assert.equal(notices.length, 1);
  await other.close();
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

test('a disk that is too full for the shared memory is called full, in the words of either library', () => {
  for (const error of [
    Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_SHMSIZE' }),
    Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 4874 }),
  ]) {
    const { message, details } = explain(error, 'jobs.db');
    assert.equal(message, 'The database "jobs.db" could not be opened: the disk is full');
    assert.equal(details.sqlite, 'SQLITE_IOERR_SHMSIZE');
  }
});
