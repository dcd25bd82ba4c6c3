// @ts-check
/** What becomes of runs whose database file is deleted or replaced under them. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createOrchestrator } from 'jobwright';
import { createSqliteStore } from '../parts/sqlite-driver.mjs';

// Windows lets nobody do that to a file that is open.
const LIMIT = { timeout: 60_000, skip: process.platform === 'win32' };
const folder = mkdtempSync(join(tmpdir(), 'jobwright-same-file-'));
after(() => rmSync(folder, { recursive: true }));

/** @type {Record<string, (path: string) => void>} */
const CHANGES = {
  deleted: (path) => rmSync(path),
  moved: (path) => renameSync(path, `${path}.old`),
  replaced(path) {
    copyFileSync(path, `${path}.copy`);
    renameSync(`${path}.copy`, path);
  },
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`a run whose file is ${what} ends with an error that says so`, LIMIT, async () => {
    const path = join(folder, `${what}.db`);
    const store = await createSqliteStore({ path });
    let isWanted = true;
    const agentRegistry = { work: () => sleep(5, isWanted) };
    const orchestrator = createOrchestrator({ store, agentRegistry, logger: {} });
    const repeat = { until: { '!': [{ var: 'work' }] }, max: 10_000 };
    const plan = { steps: [{ id: 'work', agent: 'work', repeat }] };
    const id = await orchestrator.createJob({}, { requireApproval: false }, { plan });
    await orchestrator.startJob(id);
    const run = orchestrator.runJob(id);
    change(path);
    // The run would end some day even if nothing is found.
    const ending = setTimeout(() => (isWanted = false), 5_000);
    await assert.rejects(run, {
      message: `The database ${JSON.stringify(path)} was deleted, moved or replaced while it was open, so what is written would be lost: restart with the file in its place`,
      details: { path, sqlite: 'SQLITE_READONLY_DBMOVED' },
    });
    clearTimeout(ending);
    await orchestrator.close();
    await store.close();
  });
}

test('a file is the same wherever its name leads later, and when it is put back', LIMIT, async () => {
  const path = join(folder, 'same.db');
  const name = join(folder, 'name.db');
  symlinkSync(path, name);
  const store = await createSqliteStore({ path: name });
  rmSync(name);
  const untilLookedAt = () => sleep(150);
  await untilLookedAt();
  assert.deepEqual(store.listJobs(), []);
  renameSync(path, `${path}.old`);
  await untilLookedAt();
  assert.throws(() => store.listJobs(), /was deleted, moved or replaced/);
  assert.throws(() => store.listJobs(), /was deleted, moved or replaced/);
  renameSync(`${path}.old`, path);
  assert.deepEqual(store.listJobs(), []);
  await store.close();
});
