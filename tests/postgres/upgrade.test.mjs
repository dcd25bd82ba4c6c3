/** A database that an older version wrote is brought up to date, with all that is in it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import fc from 'fast-check';
import pg from 'pg';
import { createPostgresStore } from '../../pkg-template/postgres/index.js';
import { encodeKey, indexKey } from '../../pkg-template/postgres/keys.js';
import { changeOf, eventOf, jobOf } from '../parts/jobs.mjs';
import { startPostgres } from '../servers/postgres.mjs';

const server = await startPostgres();
const admin = new pg.Client(server.url);
await admin.connect();
after(async () => {
  await admin.end();
  await server.stop();
});

/** The first schema, as it was. */
const schema1 = readFileSync(new URL('schema-1.sql', import.meta.url), 'utf8');
const open = (schema) => createPostgresStore({ connectionString: server.url, schema });

let schemas = 0;
async function olderSchema() {
  schemas += 1;
  const schema = `older_${schemas}`;
  await admin.query(schema1.replaceAll('"jobwright"', `"${schema}"`));
  return schema;
}

/** Writes a job as the first schema had it. */
async function writeOld(
  schema,
  job,
  { seqs = job.history.map(({ seq }) => seq), lastSeq = seqs.at(-1) ?? 0 } = {},
) {
  const { context, history, run, ...rest } = job;
  const { plan, steps = {}, ...kept } = run ?? {};
  const head = { ...rest, run: { ...kept, revision: kept.revision ?? 1 } };
  const keyOf = (key) => {
    const encoded = encodeKey(key);
    return [indexKey(encoded), indexKey(encoded) === encoded ? null : encoded];
  };
  const { rows } = await admin.query(
    `INSERT INTO "${schema}".jobs (id, status, revision, ended, last_seq, marks, head) VALUES ($1, $2, $3, $4, $5, '{}', $6) RETURNING n`,
    [
      keyOf(job.id)[0],
      job.status,
      head.run.revision,
      job.timing?.completed ?? null,
      lastSeq,
      JSON.stringify(head),
    ],
  );
  const [{ n }] = rows;
  const add = (table, columns, values) =>
    admin.query(
      `INSERT INTO "${schema}".${table} (job, ${columns}) VALUES (${[n, ...values].map((_, i) => `$${i + 1}`)})`,
      [n, ...values],
    );
  if (plan !== undefined) await add('plans', 'plan', [JSON.stringify(plan)]);
  for (const [key, value] of Object.entries(context))
    await add('context', 'key, name, value', [...keyOf(key), JSON.stringify(value)]);
  for (const [key, state] of Object.entries(steps))
    await add('steps', 'key, name, state', [...keyOf(key), JSON.stringify(state)]);
  for (const [i, event] of history.entries())
    await add('events', 'seq, event', [seqs[i], JSON.stringify(event)]);
  return { ...head, context, history, run: { ...head.run, plan, steps } };
}

const text = (job) => JSON.stringify([job.context, job.run.steps ?? {}, job.run.plan, job.history]);

test('whatever keys and values jobs have, they are the same afterwards, and go on', async () => {
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('"', '"a"', '__proto__', '\0', '\ud800', 'x'.repeat(700), '"'.repeat(600)),
  );
  const value = fc.jsonValue({ stringUnit: 'binary' });
  const jobs = fc.array(fc.record({ context: fc.dictionary(key, value), events: fc.array(value) }), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(jobs, async (made) => {
      const schema = await olderSchema();
      const written = [];
      for (const [i, { context, events }] of made.entries()) {
        const steps = Object.fromEntries(
          Object.keys(context).map((name) => [name, { status: 'done', attempts: i }]),
        );
        const history = events.map((payload, at) => eventOf(at + 1, payload));
        const run = { schema: 1, revision: 3, seq: history.length, steps, plan: { steps: [] } };
        written.push(await writeOld(schema, jobOf(`job "${i}"`, { context, history, run })));
      }
      const store = await open(schema);
      assert.deepEqual(
        (await store.listJobs()).map(({ id }) => id),
        written.map(({ id }) => id),
      );
      for (const job of written) {
        assert.equal(text(await store.getJob(job.id)), text(job));
        const seq = job.history.length + 1;
        await store.commit(changeOf(job.id, 3, { context: { more: seq }, events: [eventOf(seq)] }));
        assert.deepEqual(
          (await store.getEvents(job.id, 0)).map((event) => event.seq),
          Array.from({ length: seq }, (_, at) => at + 1),
        );
      }
      await store.close();
    }),
    { numRuns: 25 },
  );
});

test('a long history is read in pages, by the numbers it was stored under', async () => {
  const schema = await olderSchema();
  const history = Array.from({ length: 2_500 }, (_, i) => ({ ...eventOf(i + 1), seq: undefined }));
  const seqs = history.map((_, i) => 2 * i + 1);
  const job = await writeOld(schema, jobOf('long', { history: JSON.parse(JSON.stringify(history)) }), {
    seqs,
  });
  const store = await open(schema);
  const page = await store.getEvents('long', 1_001, 700);
  assert.deepEqual(page, job.history.slice(501, 1_201));
  assert.deepEqual(await store.getEvents('long', 4_997, 700), job.history.slice(2_499));
  await store.close();
});

test('leases, the control record and what was pruned are kept', async () => {
  const schema = await olderSchema();
  const ended = { status: 'completed', timing: { created: 1, started: 2, completed: 3, updated: 3 } };
  await writeOld(schema, jobOf('pruned', ended), { lastSeq: 5 });
  await writeOld(schema, jobOf('whole', { ...ended, history: [eventOf(1)] }));
  await writeOld(schema, jobOf('leased'));
  await admin.query(`
    UPDATE "${schema}".store SET control = '{"paused":true}';
    UPDATE "${schema}".jobs SET lease_owner = 'A', lease_token = nextval('"${schema}".lease_tokens'),
      lease_until = clock_timestamp() + interval '1 hour' WHERE id = 'leased'`);
  const store = await open(schema);
  assert.deepEqual(await store.getControl(), { paused: true });
  assert.equal(await store.acquireLease('leased', 'B', 1_000), null);
  assert.equal(await store.renewLease('leased', 1, 1_000), true);
  assert.equal(await store.prune({ endedBefore: 4, keepJob: true }), 1);
  assert.deepEqual((await store.getJob('whole')).history, []);
  assert.equal(await store.prune({ endedBefore: 4 }), 2);
  await store.close();
});

test('of many that open an older schema one brings it up to date', async () => {
  const schema = await olderSchema();
  await writeOld(schema, jobOf('j', { context: { a: 1 }, history: [eventOf(1)] }));
  const stores = await Promise.all(Array.from({ length: 6 }, () => open(schema)));
  for (const store of stores) assert.deepEqual((await store.getJob('j')).context, { a: 1 });
  await Promise.all(stores.map((store) => store.close()));
  const { rows } = await admin.query(
    `SELECT relname FROM pg_class WHERE relnamespace = '"${schema}"'::regnamespace AND relkind = 'r' ORDER BY relname`,
  );
  assert.deepEqual(
    rows.map(({ relname }) => relname),
    ['commits', 'jobs', 'plans', 'store'],
  );
});
