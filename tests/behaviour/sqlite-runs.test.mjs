// @ts-check
/** Runs on a SQLite file: what a person reads in it, and what a run gives without reading it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import BetterSqlite from 'better-sqlite3';
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';
import { createVirtualClock } from 'jobwright/testing';

const LIMIT = { timeout: 30_000 };
const UUID = '6b0f9a52-3f0e-4c43-9d57-2f6d0c1f8a11';
const permissions = { requireApproval: false };
const chain = {
  steps: [
    { id: 'a', agent: 'work' },
    { id: 'b', agent: 'work' },
  ],
};
const family = { steps: [{ id: 'a', job: { plan: chain } }] };

/** @param {import('node:test').TestContext} t */
async function place(t) {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-runs-'));
  const path = join(folder, 'jobs.db');
  const store = await createSqliteStore({ path });
  const agentRegistry = {
    work: async (/** @type {unknown} */ _, /** @type {any} */ { emit }) => {
      await emit('told', { deep: [1] });
      return { list: ['x'] };
    },
  };
  const orchestrator = createOrchestrator({ store, agentRegistry });
  t.after(async () => {
    await orchestrator.close();
    await store.close();
    rmSync(folder, { recursive: true });
  });
  /** @param {any} plan @param {object} [options] */
  const start = async (plan, options) => {
    const id = await orchestrator.createJob({ given: 1 }, permissions, { plan, ...options });
    await orchestrator.startJob(id);
    return id;
  };
  return { path, store, orchestrator, start };
}

test("the documentation's statement reads a job's events, whoever made them", async (t) => {
  const page = readFileSync(new URL('../../docs/stores/sqlite.md', import.meta.url), 'utf8');
  const [, statement = ''] = /```sql\n(.*?)```/s.exec(page) ?? [];
  const { path, store, orchestrator, start } = await place(t);
  const id = await start(family);
  await orchestrator.runJob(id);
  const child = `${id}:a`;
  const head = /** @type {any} */ (store.getHead(child));
  const { revision, seq } = head.run;
  const next = { ...head, run: { ...head.run, revision: revision + 1 } };
  const event = /** @type {any} */ ({ seq: seq + 1, type: 'mine' });
  store.commit({ jobId: child, expectedRevision: revision, head: next, context: {}, events: [event] });
  const database = new BetterSqlite(path, { readonly: true });
  for (const job of [id, child]) {
    const rows = database.prepare(statement.replace("the job''s id", job)).raw().all();
    const events = await store.getEvents(job, 0, 1_000);
    assert.deepEqual(
      rows.map((row) => /** @type {any[]} */ (row).map(String)),
      events.map(({ seq, type }) => [String(seq), type]),
    );
    assert.ok(rows.length >= 5, `${rows.length} events of ${job}`);
  }
  database.close();
});

test('what is stored of a job is what the memory store has of it, to the last event', async (t) => {
  const { store } = await place(t);
  const each = { id: 'each', forEach: { var: 'given' }, agent: 'work', after: ['a'] };
  const often = { id: 'often', agent: 'fails', retry: { maxAttempts: 3, backoffMs: 0 }, onError: 'continue' };
  /** @type {Record<string, any>} */
  const plans = { odd: { steps: [...family.steps, each, often] }, [UUID]: chain, routed: undefined };
  /** @param {any} target */
  const runAll = async (target) => {
    const ids = Object.keys(plans);
    const orchestrator = createOrchestrator({
      store: target,
      clock: createVirtualClock(),
      generateId: () => String(ids.shift()),
      agentRegistry: {
        work: async (/** @type {unknown} */ _, /** @type {any} */ { emit }) => emit('told', { deep: [1] }),
        fails: () => ({ success: false, error: 'again', cost: 2 }),
        router: (/** @type {any} */ job) => (job.history.length > 8 ? null : { agent: 'work' }),
      },
    });
    const jobs = [];
    for (const [name, plan] of Object.entries(plans)) {
      const id = await orchestrator.createJob({ given: [1, 2] }, permissions, { plan });
      assert.equal(id, name);
      await orchestrator.startJob(id);
      await orchestrator.runJob(id);
      for (const each of [id, `${id}:a`])
        jobs.push(await target.getJob(each), await target.getEvents(each, 3, 4));
    }
    await orchestrator.close();
    return jobs;
  };
  const [onDisk, inMemory] = [await runAll(store), await runAll(createMemoryStore())];
  assert.deepEqual(onDisk, inMemory);
  assert.ok(onDisk[0].history.length > 15, `${onDisk[0].history.length} events`);
});

test('a step is committed with one statement, and only what begins or ends a job with more', async (t) => {
  const { path } = await place(t);
  /** @type {string[]} */
  const written = [];
  const library = /** @type {any} */ (BetterSqlite.prototype);
  const { prepare } = library;
  library.prepare = /** @this {any} @param {string} sql */ function (sql) {
    const statement = prepare.call(this, sql);
    if (!/^(BEGIN|COMMIT|INSERT|UPDATE|DELETE)/.test(sql)) return statement;
    for (const method of ['run', 'get']) {
      const execute = statement[method];
      statement[method] = (/** @type {any[]} */ ...values) => {
        written.push(sql.slice(0, 6));
        return execute.apply(statement, values);
      };
    }
    return statement;
  };
  t.after(() => {
    library.prepare = prepare;
  });
  const other = await createSqliteStore({ path });
  const runner = createOrchestrator({ store: other, agentRegistry: { work: () => 1 } });
  const steps = Array.from({ length: 10 }, (_, n) => ({ id: `s${n}`, agent: 'work' }));
  const id = await runner.createJob({}, permissions, { plan: { steps } });
  await runner.startJob(id);
  written.length = 0;
  const { success } = await runner.runJob(id);
  await runner.close();
  await other.close();
  assert.ok(success);
  const [lease, end] = [
    ['BEGIN ', 'UPDATE', 'UPDATE', 'COMMIT'],
    ['BEGIN ', 'UPDATE', 'INSERT', 'COMMIT'],
  ];
  assert.deepEqual(written, [...lease, ...Array(10).fill('INSERT'), ...end]);
});

test('an outcome has the job as it was stored, whatever becomes of that', async (t) => {
  const { store, orchestrator, start } = await place(t);
  for (const plan of [chain, family]) {
    const id = await start(plan);
    /** @type {any} */
    const outcome = await orchestrator.runJob(id);
    const stored = store.getJob(id);
    store.deleteJob(id);
    assert.deepEqual(outcome.job, stored);
    assert.equal(outcome.job.context.given, 1);
    assert.ok(outcome.job.history.length > 3);
  }
});

test('an outcome has what others committed while the job was run', LIMIT, async (t) => {
  const { path, store, orchestrator, start } = await place(t);
  const id = await start({ steps: [...chain.steps, { id: 'wait', wait: { signal: ['go'] } }] });
  const other = await createSqliteStore({ path });
  const elsewhere = createOrchestrator({ store: other });
  const run = orchestrator.runJob(id);
  while ((await store.getJob(id))?.run?.steps?.wait === undefined) await sleep(5);
  assert.deepEqual(await elsewhere.signal(id, 'go', 'well'), { success: true });
  await elsewhere.close();
  await other.close();
  while ((await store.getHead(id))?.status !== 'completed') await sleep(5);
  /** @type {any} */
  const outcome = await run;
  assert.equal(outcome.success, true, outcome.error);
  assert.deepEqual(outcome.job, store.getJob(id));
  assert.deepEqual(outcome.job.context.wait, { signal: 'go', payload: 'well' });
});

test('jobs that are too large to be kept are read when they have ended', async (t) => {
  const { store, orchestrator, start } = await place(t);
  const text = 'x'.repeat(600_000);
  const ids = [];
  for (let n = 0; n < 9; n++) ids.push(await start(chain, { config: { text } }));
  const id = await orchestrator.createJob({ one: text, two: text }, permissions, { plan: chain });
  await orchestrator.startJob(id);
  for (const each of [id, ...ids]) {
    /** @type {any} */
    const outcome = await orchestrator.runJob(each);
    assert.deepEqual(outcome.job, store.getJob(each));
  }
});

test('what steps give stands in the file once, and how they stand in their events alone', async (t) => {
  const { path, store, orchestrator, start } = await place(t);
  const id = await start(chain);
  const { job } = /** @type {any} */ (await orchestrator.runJob(id));
  const database = new BetterSqlite(path);
  const texts = database
    .prepare(
      'SELECT change FROM (SELECT * FROM early_commits UNION ALL SELECT * FROM run_commits) ORDER BY revision',
    )
    .pluck()
    .all()
    .map(String);
  database.close();
  assert.equal(texts.join().split('"x"').length - 1, 2);
  const [, ...later] = texts.map((text) => Object.keys(JSON.parse(text)));
  assert.deepEqual([...new Set(later.flat())], ['events']);
  assert.deepEqual(job.context, { given: 1, a: { list: ['x'] }, b: { list: ['x'] } });
  assert.deepEqual(JSON.stringify(store.getJob(id)), JSON.stringify(job));
});

test('orchestrators that share a store hear of each other at once', LIMIT, async (t) => {
  const { store } = await place(t);
  // So long that nothing is found by renewing a lease.
  const deps = { store, leaseMs: 3_600_000 };
  const one = createOrchestrator(deps);
  const other = createOrchestrator(deps);
  t.after(() => Promise.all([one.close(), other.close()]));
  const plan = { steps: [{ id: 'wait', wait: { signal: 'go' } }] };
  const id = await one.createJob({}, permissions, { plan });
  const seen = /** @type {string[]} */ ([]);
  const followed = (async () => {
    for await (const { type } of other.events(id)) seen.push(type);
  })();
  // Whoever begins to watch looks around once; what is told from here on is told.
  await sleep(400);
  await one.startJob(id);
  const run = one.runJob(id);
  await sleep(400);
  await other.signal(id, 'go');
  assert.equal((await run).success, true);
  await followed;
  assert.deepEqual(seen.slice(-2), ['step_completed', 'job_completed']);
});
