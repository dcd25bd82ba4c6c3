// @ts-check
/** The time per step of a job of 10,000 steps with a context of a megabyte, beside jobs of 10, on each bundled store. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { root } from '../../scripts/process.mjs';
import { measure } from './long-job.js';

/** @typedef {import('../harness/run.mjs').Task} Task */

/** @param {any} sizes */
const memory = (sizes) => measure(createOrchestrator, createMemoryStore(), sizes);

/** @param {any} sizes */
async function sqlite(sizes) {
  const { createSqliteStore } = await import('jobwright/sqlite');
  const folder = mkdtempSync(join(root, '.cache/bench-'));
  try {
    const store = await createSqliteStore({ path: join(folder, 'jobs.db') });
    const figures = await measure(createOrchestrator, store, sizes);
    await store.close();
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param {any} sizes @param {string | undefined} url */
async function postgres(sizes, url) {
  const { createPostgresStore } = await import('jobwright/postgres');
  const schema = `bench_${process.pid}`;
  const store = await createPostgresStore({ connectionString: /** @type {string} */ (url), schema });
  const figures = await measure(createOrchestrator, store, sizes);
  await store.close();
  return figures;
}

/** @param {any} sizes */
async function indexedDb(sizes) {
  const { openSite } = await import('../../tests/browser/store-page.mjs');
  const workload = new URL('./long-job.js', import.meta.url).pathname;
  const site = await openSite(`
    import { createOrchestrator } from 'jobwright';
    import { createIndexedDbStore } from 'jobwright/indexeddb';
    import { measure } from ${JSON.stringify(workload)};
    globalThis.measure = async (sizes) =>
      measure(createOrchestrator, await createIndexedDbStore({ name: 'bench' }), sizes);
    globalThis.kit = {};
  `);
  try {
    const page = await site.openPage();
    const figures = page.evaluate((given) => /** @type {any} */ (globalThis).measure(given), sizes);
    return /** @type {Record<string, number>} */ (await figures);
  } finally {
    await site.close();
  }
}

/** @param {Record<string, number>} figures */
const listed = (figures) =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, [value]]));

const common = {
  file: import.meta.url,
  metrics: {
    'step of 10': 'µs',
    'step of 10,000': 'µs',
    'head of 10': 'µs to read it',
    'head of 10,000': 'µs to read it',
  },
  contenders: ['jobwright'],
  sizes: { long: 10_000, short: 10, shorts: 60, heads: 200, context: true },
  quick: { long: 20, short: 2, shorts: 1, heads: 1, context: false },
  perProcess: 1,
  due: [{ metric: 'step of 10,000', over: 'step of 10', atMost: 1.3 }],
};
const title = 'a job of 10,000 steps and a context of 1 MB, beside jobs of 10 steps';

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    ...common,
    name: 'long-memory',
    title: `${title}, in memory`,
    measure: async ({ sizes }) => listed(await memory(sizes)),
  },
  {
    ...common,
    name: 'long-sqlite',
    title: `${title}, on SQLite`,
    measure: async ({ sizes }) => listed(await sqlite(sizes)),
  },
  {
    ...common,
    name: 'long-postgres',
    title: `${title}, on PostgreSQL with fsync = off`,
    server: 'hasty postgres',
    measure: async ({ sizes, url }) => listed(await postgres(sizes, url)),
  },
  {
    ...common,
    name: 'long-indexeddb',
    title: `${title}, on IndexedDB in Chromium`,
    measure: async ({ sizes }) => listed(await indexedDb(sizes)),
  },
];
