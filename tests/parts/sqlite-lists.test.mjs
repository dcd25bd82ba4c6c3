// @ts-check
/** What SQLite does for a list of jobs: however many there are, it reads as many as a page has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareSchema } from '../../pkg-template/sqlite/schema.js';
import { prepareLists } from '../../pkg-template/sqlite/statements.js';
import { openDatabase } from './sqlite-driver.mjs';

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
    for (const parentId of [null, 'parent']) list({ statuses, parentId, after: 7, limit: 100 });
  }
  assert.ok(asked.length >= 6);
  for (const sql of asked) {
    const values = Array((sql.match(/\?/g) ?? []).length).fill(1);
    const plan = /** @type {any[]} */ (file.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values));
    const steps = plan.map(({ detail }) => detail).join('\n');
    assert.doesNotMatch(steps, /TEMP B-TREE|SCAN jobs/, sql);
    assert.match(steps, /SEARCH jobs USING (INTEGER PRIMARY KEY|INDEX \w+) \(.*rowid>\?\)/, sql);
  }
  file.close();
});
