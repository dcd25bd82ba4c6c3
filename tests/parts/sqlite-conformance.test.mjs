import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testJobStore } from '../../pkg-template/testing/store-conformance.js';
import { createSqliteStore } from './sqlite-driver.mjs';

const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

testJobStore('sqlite in memory', () => createSqliteStore({ path: ':memory:' }));
testJobStore('sqlite in a file', async () => {
  files += 1;
  const path = join(folder, `${files}.db`);
  return { store: await createSqliteStore({ path }), open: () => createSqliteStore({ path }) };
});
