/** Since its first lease a job's rows come after those of all jobs that were leased before: see sqlite/job-rows.js. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createMemoryStore } from '../../pkg-template/parts/memory-store.js';
import { changeOf, commitAsEngine, eventOf, jobOf } from './jobs.mjs';
import { createSqliteStore, openDatabase } from './sqlite-driver.mjs';

const LONG = 600_000;
const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${files++}.db`);

/** Two events, and a key of the context. */
function step(jobId, revision, more = {}) {
  const last = revision * 2;
  const events = [eventOf(last + 1, { jobId }), eventOf(last + 2, { jobId })];
  const change = changeOf(jobId, revision, { context: { [`key ${revision}`]: revision }, events, ...more });
  Object.assign(change.head.run, { seq: last + 2, stepsTaken: revision });
  return change;
}

/** @param {any[]} stores @param {string} jobId */
function assertAlike([store, model], jobId) {
  assert.equal(JSON.stringify(store.getJob(jobId)), JSON.stringify(model.getJob(jobId)));
  assert.deepEqual(store.getHead(jobId), model.getHead(jobId));
  const count = model.getEvents(jobId).length;
  for (let from = 0; from <= count + 1; from += 1) {
    for (const most of [undefined, 1, 3, count])
      assert.deepEqual(store.getEvents(jobId, from, most), model.getEvents(jobId, from, most));
  }
}

/** @param {string} path @param {string} table */
async function countRows(path, table) {
  const database = await openDatabase(path);
  const { rows } = database.prepare(`SELECT count(*) AS rows FROM ${table}`).get();
  database.close();
  return rows;
}

for (const asEngine of [true, false]) {
  const commit = asEngine ? commitAsEngine : (store, change) => store.commit(change);

  test(`rows before and after the first lease are one job, ${asEngine ? 'the engine’s' : 'others’'}`, async () => {
    const path = newPath();
    const stores = [await createSqliteStore({ path }), createMemoryStore()];
    const [store] = stores;
    const other = await createSqliteStore({ path });
    const each = (run) => stores.map(run);
    for (let revision = 0; revision < 3; revision += 1) each((at) => commit(at, step('j', revision)));
    assertAlike(stores, 'j');
    for (let revision = 3; revision < 9; revision += 1) {
      // Given back and taken again on the way.
      if (revision % 3 === 0) each((at) => at.acquireLease('j', `owner ${revision}`, 0));
      each((at) => commit(at, step('j', revision)));
      assertAlike(stores, 'j');
    }
    assertAlike([other, stores[1]], 'j');
    assert.deepEqual([await countRows(path, 'early_commits'), await countRows(path, 'run_commits')], [3, 6]);
    assert.throws(() => store.commit(step('j', 8)), { name: 'ConflictError' });
    assert.throws(() => store.commit(step('j', 9, { events: [eventOf(18)] })), { name: 'ConflictError' });

    const ended = { status: 'completed', timing: { created: 1, completed: 5 } };
    const last = step('j', 9);
    Object.assign(last.head, ended);
    each((at) => commit(at, structuredClone(last)));
    each((at) => at.prune({ endedBefore: 6, keepJob: true }));
    assertAlike(stores, 'j');
    assert.deepEqual([await countRows(path, 'early_commits'), await countRows(path, 'run_commits')], [1, 0]);
    each((at) => commit(at, step('j', 10)));
    assertAlike(stores, 'j');
    each((at) => at.prune({ endedBefore: 6 }));
    each((at) => at.deleteJob('j'));
    for (const table of ['jobs', 'early_commits', 'run_commits'])
      assert.equal(await countRows(path, table), 0);
    await other.close();
    await store.close();
  });
}

test('a job that is saved whole is all of what was saved, and goes on after it', async () => {
  const path = newPath();
  const stores = [await createSqliteStore({ path }), createMemoryStore()];
  for (const at of stores) {
    commitAsEngine(at, step('j', 0));
    at.acquireLease('j', 'owner', LONG);
    commitAsEngine(at, step('j', 1));
    at.saveJob(jobOf('j', { history: [eventOf(6)], run: { schema: 1, revision: 3 } }));
    commitAsEngine(at, step('j', 3));
  }
  assertAlike(stores, 'j');
  assert.equal(await countRows(path, 'run_commits'), 0);
  for (const at of stores) at.releaseLease('j', at.acquireLease('j', 'owner', LONG));
  for (const at of stores) commitAsEngine(at, step('j', 4));
  assertAlike(stores, 'j');
  await stores[0].close();
});

test('who has not heard that a job is run is refused, and then commits after that', async () => {
  const path = newPath();
  const [here, there] = [await createSqliteStore({ path }), await createSqliteStore({ path })];
  const model = createMemoryStore();
  for (const at of [here, model]) commitAsEngine(at, step('j', 0));
  there.acquireLease('j', 'owner', LONG);
  for (const at of [there, model]) commitAsEngine(at, step('j', 1));
  assert.throws(() => commitAsEngine(here, step('j', 1)), { name: 'ConflictError' });
  for (const at of [here, model]) commitAsEngine(at, step('j', 2));
  for (const at of [here, there]) assertAlike([at, model], 'j');
  for (const at of [here, there]) await at.close();
});

test('a job that a file of the fifth schema has half run goes on', async () => {
  const path = newPath();
  const old = await createSqliteStore({ path });
  const model = createMemoryStore();
  for (const at of [old, model]) for (const n of [0, 1, 2]) commitAsEngine(at, step('j', n));
  await old.close();
  const database = await openDatabase(path);
  database.exec(`DROP INDEX jobs_unsettled; DROP TABLE run_commits; ALTER TABLE jobs DROP COLUMN first_lease;
    PRAGMA user_version = 5;
    ALTER TABLE early_commits RENAME TO commits;
    UPDATE jobs SET lease_owner = 'old', lease_token = 1, lease_until = ${Date.now() + LONG};
    UPDATE control SET last_token = 1`);
  // A process of the version before that still has the file open.
  const older = database.prepare('SELECT max(revision) AS revision FROM commits');
  assert.equal(older.get().revision, 3);
  const store = await createSqliteStore({ path });
  assert.throws(() => older.get(), /no such table: commits/);
  database.close();
  assertAlike([store, model], 'j');
  commitAsEngine(model, step('j', 3));
  commitAsEngine(store, step('j', 3, { fencingToken: 1 }));
  assertAlike([store, model], 'j');
  const fencingToken = store.acquireLease('j', 'old', LONG);
  for (const n of [4, 5]) {
    commitAsEngine(model, step('j', n));
    commitAsEngine(store, step('j', n, { fencingToken }));
  }
  assertAlike([store, model], 'j');
  assert.equal(await countRows(path, 'run_commits'), 2);
  await store.close();
});

test('a file that a newer version brings up to date while it is open says so', async () => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  commitAsEngine(store, step('j', 0));
  const newer = await openDatabase(path);
  newer.exec('ALTER TABLE early_commits RENAME TO other; PRAGMA user_version = 99');
  for (const call of [
    () => store.getJob('j'),
    () => store.getHead('j'),
    () => commitAsEngine(store, step('j', 1)),
  ]) {
    assert.throws(call, {
      name: 'JobwrightError',
      code: 'internal',
      message: `The database ${JSON.stringify(path)} has other tables than when it was opened, as after a newer version of jobwright brought it up to date: restart with that version`,
    });
  }
  newer.exec('ALTER TABLE other RENAME TO early_commits');
  assert.equal(store.getHead('j').run.revision, 1);
  newer.close();
  await store.close();
});

test('a commit writes little more than one page, however many jobs were made before it is run', async () => {
  const path = newPath();
  const store = await createSqliteStore({ path });
  const [jobs, steps] = [100, 10];
  const text = 'x'.repeat(100);
  for (let n = 0; n < jobs; n += 1)
    commitAsEngine(store, step(`job ${n}`, 0, { context: { text: text.repeat(5) } }));
  const pages = () => statSync(`${path}-wal`).size / 4120;
  const before = pages();
  let leases = 0;
  for (let n = 0; n < jobs; n += 1) {
    const from = pages();
    const fencingToken = store.acquireLease(`job ${n}`, 'owner', LONG);
    leases += pages() - from;
    for (let revision = 1; revision <= steps; revision += 1)
      commitAsEngine(store, step(`job ${n}`, revision, { context: { text }, fencingToken }));
  }
  const each = (pages() - before - leases) / (jobs * steps);
  assert.ok(each > 1 && each < 1.4, `${each} pages`);
  await store.close();
});
