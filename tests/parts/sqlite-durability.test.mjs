/** What waits for the disk, and what need not. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { changeOf, commitAsEngine, eventOf, jobOf } from './jobs.mjs';
import { createSqliteStore, openDatabase } from './sqlite-driver.mjs';

const LONG = 600_000;
const LEVELS = ['OFF', 'NORMAL', 'FULL'];
const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
/** What SQLite waited for with each transaction that was written: `synchronous`, when it was committed. */
let levels = [];
await noteLevels();

async function noteLevels() {
  const database = await openDatabase(':memory:');
  const library = Object.getPrototypeOf(database);
  database.close();
  const { prepare } = library;
  library.prepare = function (sql) {
    const statement = prepare.call(this, sql);
    const isWritten = /^(INSERT|UPDATE|DELETE)/.test(sql);
    if (!isWritten && sql !== 'COMMIT') return statement;
    // Prepared anew each time: SQLite reads it when the statement is prepared.
    const inside = (work) => {
      const answer = work();
      const level = prepare.call(this, 'PRAGMA synchronous');
      levels.push(LEVELS[level.get().synchronous]);
      return answer;
    };
    return {
      run: (...values) => inside(() => statement.run(...values)),
      get: (...values) => statement.get(...values),
    };
  };
}

/** @param {() => unknown} work */
function levelsOf(work) {
  levels = [];
  work();
  return [...new Set(levels)].join(' and ');
}

for (const [synchronous, ofLeases] of [
  ['FULL', 'NORMAL'],
  ['NORMAL', 'NORMAL'],
]) {
  test(`with ${synchronous}, commits wait as it says, and leases as with ${ofLeases}`, async () => {
    const path = join(folder, `${synchronous}.db`);
    const store = await createSqliteStore({ path, synchronous });
    let revision = 0;
    const commit = (more = {}) => {
      const change = changeOf('j', revision, { events: [eventOf(revision + 1)], ...more });
      change.head.run.seq = revision + 1;
      revision += 1;
      commitAsEngine(store, change);
    };
    const isSynced = (work) => assert.equal(levelsOf(work), synchronous);
    const isLease = (work) => assert.equal(levelsOf(work), ofLeases);
    let token;
    isSynced(() => store.saveJob(jobOf('j')));
    isLease(() => (token = store.acquireLease('j', 'here', LONG)));
    isSynced(() => commit({ fencingToken: token }));
    isSynced(() => commit({ fencingToken: token }));
    isLease(() => assert.equal(store.acquireLease('j', 'elsewhere', LONG), null));
    isLease(() => assert.equal(store.renewLease('j', token, LONG), true));
    isSynced(() => commit({ fencingToken: token }));
    isLease(() => store.releaseLease('j', token));
    isSynced(() => store.setControl({ paused: false }));
    isSynced(() => commit());

    const other = await openDatabase(path);
    other.exec("CREATE TRIGGER no BEFORE UPDATE OF lease_until ON jobs BEGIN SELECT RAISE(ABORT, 'no'); END");
    assert.throws(() => store.acquireLease('j', 'here', LONG), { name: 'JobwrightError' });
    isSynced(() => commit());
    other.exec('DROP TRIGGER no');
    other.close();
    isSynced(() => store.deleteJob('j'));
    await store.close();
  });
}
