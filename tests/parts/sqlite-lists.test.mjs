// @ts-check
/** What SQLite does for a list of jobs: however many there are, it reads as many as a page has. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { prepareSchema } from '../../pkg-template/sqlite/schema.js';
import { prepareLists } from '../../pkg-template/sqlite/statements.js';
import { jobOf } from './jobs.mjs';
import { createSqliteStore, openDatabase } from './sqlite-driver.mjs';

const STATUSES = [null, ['running'], ['completed', 'failed'], ['created', 'running', 'paused']];

test('no page of a list is sorted, nor are all jobs looked through for it', async () => {
  const file = await openDatabase(':memory:');
  prepareSchema(file, ':memory:');
  /** @type {string[]} */
  const asked = [];
  const list = prepareLists({
    ...file,
    prepare(/** @type {string} */ sql) {
      asked.push(sql);
      return file.prepare(sql);
    },
  });
  for (const statuses of STATUSES) {
    for (const parentId of [null, 'parent']) {
      for (const unsettled of [false, true]) list({ statuses, parentId, unsettled, after: 7, limit: 100 });
    }
  }
  assert.ok(asked.length >= 6);
  for (const sql of asked) {
    const values = Array((sql.match(/\?/g) ?? []).length).fill(1);
    const plan = /** @type {any[]} */ (file.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values));
    const steps = plan.map(({ detail }) => detail).join('\n');
    assert.doesNotMatch(steps, /TEMP B-TREE|SCAN jobs/, sql);
    if (sql.includes('json')) assert.match(steps, /INDEX jobs_unsettled/, sql);
    assert.match(steps, /SEARCH jobs USING (INTEGER PRIMARY KEY|INDEX \w+) \(.*(rowid|n)>\?\)/, sql);
  }
  file.close();
});

/** Whether there is something to be settled with the budget manager, as the engine finds it. @param {any} head */
const isUnsettled = ({ status, run }) =>
  ['completed', 'failed'].includes(status) && (run?.account ?? null) !== null && run.account.closed !== true;

/** @param {any[]} heads */
const idsOf = (heads) => heads.map(({ id }) => id);

test('of the jobs that have ended only those that are not settled are read, in an older file too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
  const path = join(folder, 'jobs.db');
  const accounts = fc.option(
    fc.record(
      { allocated: fc.nat(), closed: fc.constantFrom(true, false, null, 1, 'true'), owed: fc.jsonValue() },
      { requiredKeys: [] },
    ),
    { freq: 5, nil: null },
  );
  const runs = fc.record(
    { schema: fc.constant(1), revision: fc.constant(1), seq: fc.constant(0), account: accounts },
    { requiredKeys: ['schema', 'revision', 'seq'] },
  );
  const status = fc.constantFrom('created', 'running', 'paused', 'completed', 'failed');
  const config = fc.dictionary(fc.constantFrom('account', 'closed', 'run', '\0'), fc.jsonValue());
  const jobs = fc.array(fc.record({ status, run: runs, config }), { minLength: 20, maxLength: 60 });
  for (const [seed, wasOlder] of /** @type {const} */ ([
    [1, false],
    [2, true],
    [3, true],
  ])) {
    const made = /** @type {any} */ (await createSqliteStore({ path }));
    const heads = fc.sample(jobs, { numRuns: 1, seed })[0] ?? [];
    for (const [i, { status, run, config }] of heads.entries()) {
      const ended = seed === 2 ? {} : { completed: i };
      made.saveJob(jobOf(`${seed} ${i}`, { status, config, run, timing: { created: 1, ...ended } }));
    }
    await made.close();
    if (wasOlder) {
      const older = await openDatabase(path);
      older.exec('DROP INDEX jobs_unsettled; PRAGMA user_version = 6');
      older.close();
    }
    const store = /** @type {any} */ (await createSqliteStore({ path }));
    const all = store.listJobs();
    const unsettled = all.filter(isUnsettled);
    assert.ok(unsettled.length > 2 && unsettled.length < all.length);
    const asked = { status: ['completed', 'failed'], unsettled: true };
    assert.deepEqual(idsOf(store.listJobs(asked)), idsOf(unsettled));
    const cursor = idsOf(unsettled)[2];
    assert.deepEqual(idsOf(store.listJobs({ ...asked, cursor })), idsOf(unsettled).slice(3));
    await store.close();
  }
  rmSync(folder, { recursive: true });
});

test('a job whose head SQLite can not read may be one that is not settled', async () => {
  const store = /** @type {any} */ (await createSqliteStore({ path: ':memory:' }));
  let deep = {};
  for (let i = 0; i < 1_010; i += 1) deep = { deep };
  store.saveJob(jobOf('deep', { status: 'completed', config: { account: deep } }));
  assert.deepEqual(idsOf(store.listJobs({ unsettled: true })), ['deep']);
  await store.close();
});
