import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import pg from 'pg';
import { createPostgresStore } from '../../pkg-template/postgres/index.js';
import { testJobStore } from '../../pkg-template/testing/store-conformance.js';
import { importPackage } from '../package/installed.mjs';
import { changeOf, eventOf, jobOf } from '../parts/jobs.mjs';
import { startPostgres } from '../servers/postgres.mjs';

const server = await startPostgres();
const admin = new pg.Client(server.url);
await admin.connect();
after(async () => {
  await admin.end();
  await server.stop();
});

let schemas = 0;
const newSchema = () => {
  schemas += 1;
  return `opening_${schemas}`;
};
const open = (schema, url = server.url) => createPostgresStore({ connectionString: url, schema });

testJobStore('postgres', async () => {
  const schema = newSchema();
  return { store: await open(schema), open: () => open(schema) };
});

test('any JSON comes back with the same text', async () => {
  const store = await open(newSchema());
  const keyed = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }));
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), keyed, keyed, async (id, context, payload) => {
      const plain = JSON.stringify([context, payload]);
      await store.deleteJob(id);
      await store.commit(changeOf(id, 0, { context, events: [eventOf(1, payload)] }));
      const found = await store.getJob(id);
      assert.equal(JSON.stringify([found.context, found.history[0].payload]), plain);
      await store.saveJob(found);
      assert.deepEqual(await store.getJob(id), found);
    }),
    { numRuns: 200 },
  );
  await store.close();
});

test('ids and keys may be long, and such that an index can not make them shorter', async () => {
  const store = await open(newSchema());
  const random = (seed) =>
    Array.from({ length: 10_000 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * i * seed + i) % 20_011)));
  const names = [1, 2, 3].flatMap((seed) => [random(seed).join(''), random(seed).reverse().join('')]);
  for (const [i, id] of names.entries()) {
    const steps = Object.fromEntries(names.map((name) => [name, { status: 'done', attempts: i }]));
    const context = Object.fromEntries(names.map((name) => [name, name.slice(0, 9)]));
    const { context: _, history, ...head } = jobOf(id, { parentId: names.at(i - 1) });
    await store.commit(changeOf(id, 0, { head, steps, context }));
    const found = await store.getJob(id);
    assert.deepEqual([found.id, found.run.steps, found.context], [id, steps, context]);
  }
  for (const [i, id] of names.entries()) {
    const children = await store.listJobs({ parentId: names.at(i - 1), cursor: names[0] });
    assert.deepEqual(
      children.map(({ id }) => id),
      i === 0 ? [] : [id],
    );
  }
  await store.close();
});

test('jobs run on it, with the package as it is installed', async () => {
  const { createOrchestrator, ConflictError } = await importPackage();
  const { createPostgresStore } = await importPackage('jobwright/postgres');
  const store = await createPostgresStore({ connectionString: server.url, schema: newSchema() });
  const orchestrator = createOrchestrator({ store, agentRegistry: { add: (n) => n + 1 } });
  const plan = { steps: [1, 2, 3].map((n) => ({ id: `s${n}`, agent: 'add', input: n })) };
  const run = async () => {
    const jobId = await orchestrator.createJob({}, { requireApproval: false }, { plan });
    await orchestrator.startJob(jobId);
    return orchestrator.runJob(jobId);
  };
  for (const { status, job } of await Promise.all(Array.from({ length: 10 }, run))) {
    assert.deepEqual([status, job.context], ['completed', { s1: 2, s2: 3, s3: 4 }]);
    assert.deepEqual(await store.getJob(job.id), job);
    await assert.rejects(async () => store.commit(changeOf(job.id, 0)), ConflictError);
  }
  await orchestrator.close();
  await store.close();
});

test('many stores that open at the same moment make one schema', async () => {
  const schema = newSchema();
  const stores = await Promise.all(Array.from({ length: 15 }, () => open(schema)));
  await Promise.all(stores.map((store, i) => store.commit(changeOf(`${i}`, 0))));
  assert.equal((await stores[0].listJobs()).length, 15);
  await Promise.all(stores.map((store) => store.close()));
});

test('what was stored is there when it is opened again', async () => {
  const schema = newSchema();
  const first = await open(schema);
  await first.commit(changeOf('j', 0, { context: { a: 1 }, plan: { steps: [] }, events: [eventOf(1)] }));
  const token = await first.acquireLease('j', 'A', 600_000);
  await first.setControl({ paused: true });
  const before = await first.getJob('j');
  await first.close();
  const second = await open(schema);
  assert.deepEqual(await second.getJob('j'), before);
  assert.deepEqual(await second.getControl(), { paused: true });
  assert.equal(await second.acquireLease('j', 'B', 1), null);
  assert.equal(await second.renewLease('j', token, 0), true);
  assert.ok((await second.acquireLease('j', 'B', 1)) > token);
  await second.close();
});

test('a person can read the database', async () => {
  const schema = newSchema();
  const store = await open(schema);
  await store.commit(changeOf('job-1', 0, { context: { 'a key': [1] }, events: [eventOf(1)] }));
  const { rows } = await admin.query(`
    SELECT id, status, revision, head::json ->> 'id' AS head_id, entry.key, entry.value ->> 0 AS first, event ->> 'seq' AS seq
    FROM ${schema}.jobs JOIN ${schema}.commits ON job = n,
      json_each(parts::json -> 'context') AS entry, json_array_elements(events::json) AS event`);
  const expected = {
    id: 'job-1',
    status: 'created',
    revision: '1',
    head_id: 'job-1',
    key: 'a key',
    first: '1',
    seq: '1',
  };
  assert.deepEqual(rows, [expected]);
  await store.close();
});

test('a schema of a newer version is refused and left as it is', async () => {
  const schema = newSchema();
  await (await open(schema)).close();
  await admin.query(`UPDATE ${schema}.store SET version = 99`);
  await assert.rejects(open(schema), {
    name: 'JobwrightError',
    code: 'unsupported',
    message: `The schema "${schema}" was written by a newer version of jobwright (schema 99; this one knows up to 2)`,
  });
  await admin.query(`UPDATE ${schema}.store SET version = 2`);
  await (await open(schema)).close();
});

test("a schema with somebody else's tables is refused and left as it is", async () => {
  for (const table of ['store (a integer)', 'jobs (a integer)']) {
    const schema = newSchema();
    await admin.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.${table}`);
    await assert.rejects(open(schema), { name: 'JobwrightError', message: new RegExp(`"${schema}"`) });
    const { rows } = await admin.query('SELECT tablename FROM pg_tables WHERE schemaname = $1', [schema]);
    assert.equal(rows.length, 1);
  }
});

test('a database that can not hold every text is refused', async () => {
  await admin.query(`CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0`);
  await assert.rejects(
    open('jobwright', server.url.replace('/postgres', '/latin').replace(/\/postgres$/, '/latin')),
    {
      code: 'unsupported',
      message: 'The database has the encoding LATIN1, in which not every text can be kept; UTF8 is needed',
    },
  );
  const url = `${server.url}?options=${encodeURIComponent('-c default_transaction_isolation=serializable')}`;
  await assert.rejects(open('jobwright', url), {
    code: 'unsupported',
    message: /"read committed" is needed/,
  });
});

test('a user without permissions is told so; with them, it needs no right to make anything', async () => {
  const schema = newSchema();
  const owner = await open(schema);
  await admin.query(
    `CREATE ROLE worker LOGIN PASSWORD 'word'; REVOKE CREATE ON DATABASE postgres FROM PUBLIC`,
  );
  const url = server.url.replace(/\/\/.*@/, '//worker:word@');
  await assert.rejects(open(newSchema(), url), {
    code: 'internal',
    message: /^PostgreSQL lacks a permission .*denied/,
  });
  await assert.rejects(open(schema, url), {
    code: 'internal',
    message: /^PostgreSQL lacks a permission .*denied/,
  });
  await admin.query(`
    GRANT USAGE ON SCHEMA ${schema} TO worker;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO worker;
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO worker`);
  const worker = await open(schema, url);
  await worker.commit(changeOf('j', 0, { context: { a: 1 }, events: [eventOf(1)] }));
  await worker.acquireLease('j', 'A', 1_000);
  const stop = await worker.watch(() => {});
  await stop();
  assert.equal((await worker.listJobs()).length, 1);
  await worker.deleteJob('j');
  await worker.close();
  await owner.close();
});

test('what can not be opened is refused in a sentence, without the password', async () => {
  const wrong = server.url.replace(/:[^:@]*@/, ':s3cret@');
  const refused = {
    'the wrong password': wrong,
    'no such database': `${server.url}_missing`,
    'no server': server.url.replace(/\/\/.*@.*:\d+/, '//tester:s3cret@127.0.0.1:1'),
    'no URL': 'postgres://tester:s3cret/@[:bad',
  };
  for (const [what, connectionString] of Object.entries(refused)) {
    const error = await createPostgresStore({ connectionString }).catch((error) => error);
    assert.equal(error.name, 'JobwrightError', what);
    const shown = inspect(error, { depth: 9, showHidden: true });
    for (const secret of ['s3cret', new URL(server.url).password])
      assert.ok(!shown.includes(secret), `${what}: ${shown}`);
  }
  const messages = {
    'the wrong password': /^PostgreSQL refused the user or the password /,
    'no such database': /^PostgreSQL has no database of that name /,
    'no server': /^PostgreSQL could not be reached .*ECONNREFUSED/,
    'no URL': /^createPostgresStore: connectionString: expected a URL such as /,
  };
  for (const [what, message] of Object.entries(messages)) {
    await assert.rejects(createPostgresStore({ connectionString: refused[what] }), { message }, what);
  }
});

test('options that are none are refused in a sentence', async () => {
  const pool = new pg.Pool({ connectionString: server.url });
  for (const [options, message] of [
    [undefined, /connectionString: expected a URL .*, found undefined$/],
    [{ connectionString: '' }, /connectionString: expected a URL .*, found an empty string$/],
    [{ connectionString: 5 }, /connectionString: expected a URL .*, found number$/],
    [{ pool, connectionString: server.url }, /expected a pool or a connectionString, found both$/],
    [{ pool: {} }, /pool: expected a pg.Pool or pg.Client, found an object$/],
    [{ pool: 'pool' }, /pool: expected a pg.Pool or pg.Client, found "pool"$/],
    [{ pool: new pg.Client() }, /pool: this pg.Client is not connected/],
  ]) {
    await assert.rejects(createPostgresStore(options), {
      name: 'JobwrightError',
      code: 'invalid_argument',
      message,
    });
  }
  const bad = [
    '',
    'a"b',
    "it's",
    'a.b',
    '1st',
    'pg_mine',
    'information_schema',
    'x'.repeat(64),
    'é'.repeat(32),
    'a$b',
    5,
    null,
  ];
  for (const schema of bad) {
    await assert.rejects(createPostgresStore({ pool, schema }), {
      code: 'invalid_argument',
      message: /^createPostgresStore: schema: /,
    });
  }
  for (const schema of ['Upper Case', 'with-dash', 'é'.repeat(31), 'select', '_']) {
    const store = await createPostgresStore({ pool, schema });
    await store.commit(changeOf('j', 0, { context: { schema } }));
    assert.deepEqual((await store.getJob('j')).context, { schema });
    assert.equal((await store.listJobs()).length, 1);
    assert.equal(typeof (await store.acquireLease('j', 'A', 1)), 'number');
    await store.close();
  }
  assert.equal((await pool.query('SELECT 1 AS one')).rows[0].one, 1);
  await pool.end();
});

test('a store on a single client works beside what else the client is used for', async () => {
  const client = new pg.Client(server.url);
  await client.connect();
  const schema = newSchema();
  const [store] = await Promise.all([
    createPostgresStore({ pool: client, schema }),
    client.query('SELECT 1'),
  ]);
  await Promise.all(Array.from({ length: 50 }, (_, i) => store.commit(changeOf(`${i}`, 0))));
  assert.equal((await store.listJobs()).length, 50);
  await store.close();
  await store.close();
  assert.equal((await client.query('SELECT 1 AS one')).rows[0].one, 1);
  await client.end();
});

test('close may be called again, and ends everything else', async () => {
  const store = await open('closed');
  const { close, ...methods } = store;
  const last = store.commit(changeOf('j', 0));
  await close();
  await close();
  await last;
  for (const [name, method] of Object.entries(methods)) {
    const error = {
      name: 'JobwrightError',
      code: 'closed',
      message: 'The store in the schema "closed" is closed',
    };
    await assert.rejects(method('j'), error, name);
  }
});

test('an id that is no string finds nothing', async () => {
  const store = await open(newSchema());
  await store.saveJob(jobOf('5', { history: [eventOf(1)] }));
  for (const bad of [5, 5n, ['5'], null, undefined, {}]) {
    assert.equal(await store.getJob(bad), null);
    assert.equal(await store.getHead(bad), null);
    assert.deepEqual(await store.getEvents(bad, 0, 10), []);
    assert.equal(await store.acquireLease(bad, 'A', 10), null);
    assert.equal(await store.renewLease(bad, 1, 10), false);
    await store.releaseLease(bad, 1);
    await store.deleteJob(bad);
  }
  for (const bad of [Number.NaN, 'x', null])
    await assert.rejects(store.getEvents('5', bad), { code: 'invalid_argument' });
  assert.deepEqual(await store.getEvents('5', 0.5, 10), [eventOf(1)]);
  assert.deepEqual(await store.getEvents('5', Infinity), []);
  assert.deepEqual(await store.getEvents('5', -Infinity), [eventOf(1)]);
  assert.deepEqual((await store.getJob('5')).history, [eventOf(1)]);
  await store.close();
});
