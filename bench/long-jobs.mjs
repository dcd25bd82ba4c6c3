// @ts-check
/** The time per step of a job of 10,000 steps with a context of a megabyte, beside jobs of 10, on each bundled store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { createPostgresStore } from 'jobwright/postgres';
import { createSqliteStore } from 'jobwright/sqlite';
import { openSite } from '../tests/browser/store-page.mjs';
import { startPostgres } from '../tests/servers/postgres.mjs';
import { measure } from './long-jobs/workload.js';

const DUE = 1.3;

async function sqlite() {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-bench-'));
  try {
    const store = await createSqliteStore({ path: join(folder, 'jobs.db') });
    const times = await measure(createOrchestrator, store);
    await store.close();
    return times;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function postgres() {
  // A server on its own keeps no process alive, also not while it starts or ends.
  const alive = setInterval(() => {}, 1_000);
  const server = await startPostgres();
  try {
    const store = await createPostgresStore({ connectionString: server.url });
    const times = await measure(createOrchestrator, store);
    await store.close();
    return times;
  } finally {
    await server.stop();
    clearInterval(alive);
  }
}

async function indexedDb() {
  const workload = new URL('./long-jobs/workload.js', import.meta.url).pathname;
  const site = await openSite(`
    import { createOrchestrator } from 'jobwright';
    import { createIndexedDbStore } from 'jobwright/indexeddb';
    import { measure } from ${JSON.stringify(workload)};
    globalThis.measure = async () => measure(createOrchestrator, await createIndexedDbStore({ name: 'bench' }));
    globalThis.kit = {};
  `);
  try {
    const page = await site.openPage();
    return await page.evaluate(() => /** @type {any} */ (globalThis).measure());
  } finally {
    await site.close();
  }
}

const STORES = {
  memory: () => measure(createOrchestrator, createMemoryStore()),
  SQLite: sqlite,
  PostgreSQL: postgres,
  IndexedDB: indexedDb,
};

console.log(
  '\nTime per step in jobs of 10 steps, and in one of 10,000 with a context of 1 MB; per head that is loaded; in µs',
);
for (const [name, run] of Object.entries(STORES)) {
  const { short, long, shortHead, longHead } = await run();
  const figures = [short, long, shortHead, longHead].map((time) => time.toFixed(1).padStart(9)).join('');
  console.log(`  ${name.padEnd(11)}${figures}   ${(long / short).toFixed(2)} times; due: at most ${DUE}`);
}
