/** The entries beside the main one. */
import { createOrchestrator, type JobStore } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';
import { testJobStore } from 'jobwright/testing';

export async function onSqlite(): Promise<void> {
  const store = await createSqliteStore({ path: 'jobs.db', synchronous: 'FULL' });
  const asStore: JobStore = store;
  createOrchestrator({ store: asStore });
  await store.close();
  // @ts-expect-error: a file is needed
  await createSqliteStore({});
  // @ts-expect-error: no such mode
  await createSqliteStore({ path: 'jobs.db', synchronous: 'OFF' });
}

testJobStore('mine', () => createSqliteStore({ path: ':memory:' }));

// @ts-expect-error: not an entry
export type Inner = typeof import('jobwright/parts/memory-store.js');
