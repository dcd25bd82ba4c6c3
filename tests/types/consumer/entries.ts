/** The entries beside the main one. */
import { type AgentFn, type Clock, createOrchestrator, type JobStore } from 'jobwright';
import { createIndexedDbStore, type IndexedDbStore } from 'jobwright/indexeddb';
import { createPostgresStore, type PostgresConnection } from 'jobwright/postgres';
import { createSqliteStore } from 'jobwright/sqlite';
import {
  createVirtualClock,
  type Fault,
  faulty,
  type ScriptedAgent,
  type ScriptedCall,
  scriptedAgent,
  testJobStore,
  type VirtualClock,
} from 'jobwright/testing';

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

export async function onIndexedDb(): Promise<number> {
  const store: IndexedDbStore = await createIndexedDbStore({ name: 'jobs', durability: 'strict' });
  const asStore: JobStore = store;
  createOrchestrator({ store: asStore });
  const stop: () => void = await store.watch((notice) => notice.type === 'job' && notice.revision);
  stop();
  const found = await store.getJob('j');
  await store.close();
  await createIndexedDbStore();
  // @ts-expect-error: no such mode
  await createIndexedDbStore({ durability: 'FULL' });
  // @ts-expect-error: a name is a text
  await createIndexedDbStore({ name: 1 });
  return found?.history.length ?? 0;
}

export async function onPostgres(pool: PostgresConnection): Promise<void> {
  const store = await createPostgresStore({ pool, schema: 'jobs' });
  const asStore: JobStore = store;
  createOrchestrator({ store: asStore });
  const stop = await store.watch(({ type }) => type === 'missed');
  await stop();
  await store.close();
  await createPostgresStore({ connectionString: 'postgres://localhost/jobs' });
  // @ts-expect-error: a pool, not its name
  await createPostgresStore({ pool: 'main' });
  // @ts-expect-error: no such option
  await createPostgresStore({ connectionString: 'postgres://localhost/jobs', table: 'jobs' });
}

testJobStore('mine', () => createSqliteStore({ path: ':memory:' }));
testJobStore('mine, opened twice', async () => ({
  store: await createSqliteStore({ path: 'jobs.db' }),
  open: () => createSqliteStore({ path: 'jobs.db' }),
}));
// @ts-expect-error: a way to open it without a store
testJobStore('mine', () => ({ open: () => createSqliteStore({ path: 'jobs.db' }) }));

export async function onFaultyStores(): Promise<readonly Fault[]> {
  const store = faulty(await createSqliteStore({ path: ':memory:', driver: 'node:sqlite', check: true }), {
    seed: 1,
    rate: 0.2,
    kinds: ['before', 'hang'],
    clock: createVirtualClock(),
  });
  createOrchestrator({ store });
  const released: number = store.release() + store.hanging();
  await store.close();
  // @ts-expect-error: a seed is needed
  faulty(store, { rate: released });
  // @ts-expect-error: no such kind
  faulty(store, { seed: 1, kinds: ['never'] });
  return store.faults;
}

export async function onVirtualTime(outputs: unknown[]): Promise<number | null> {
  const clock: VirtualClock = createVirtualClock(Date.UTC(2030, 0, 1));
  const asClock: Clock = clock;
  const given: ScriptedAgent = scriptedAgent(outputs);
  const asAgent: AgentFn = given;
  const writer = scriptedAgent([
    new Error('overloaded'),
    Promise.resolve('later'),
    null,
    undefined,
    { success: true, data: 1, cost: 2 },
    (input, { step, signal }) => clock.sleep(10, signal).then(() => `${step}: ${input.topic}`),
    (input: string) => input.length,
    // @ts-expect-error: no such part of the context
    (_, { stepId }) => stepId,
  ]);
  createOrchestrator({ clock: asClock, agentRegistry: { writer, given: asAgent } });
  await clock.advance(1000);
  const calls: ScriptedCall[] = writer.calls;
  const attempts: number[] = calls.map(({ attempt }) => attempt);
  const steps: (string | undefined)[] = calls.map(({ step }) => step);
  // @ts-expect-error: a time in milliseconds is needed
  await clock.advance();
  // @ts-expect-error: a date is not epoch milliseconds
  createVirtualClock(new Date());
  // @ts-expect-error: a list of outputs is needed
  scriptedAgent('an output');
  return attempts.length + steps.length + clock.pending() > 0 ? clock.nextDue() : clock.now();
}

// @ts-expect-error: not an entry
export type Inner = typeof import('jobwright/parts/memory-store.js');
