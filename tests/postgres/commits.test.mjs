import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import pg from 'pg';
import { createPostgresStore } from '../../pkg-template/postgres/index.js';
import { changeOf, commitAsEngine, eventOf, jobOf } from '../parts/jobs.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { startProxy } from './proxy.mjs';

const server = await startPostgres();
const proxy = await startProxy(server.url);
const admin = new pg.Client(server.url);
await admin.connect();
after(async () => {
  await admin.end();
  await proxy.stop();
  await server.stop();
});

let schemas = 0;
const newSchema = () => {
  schemas += 1;
  return `commits ${schemas}`;
};
const open = (schema, url = server.url) => createPostgresStore({ connectionString: url, schema });

const steps = { a: { status: 'done', attempts: 1 }, b: { status: 'running', attempts: 1 } };
const plan = { steps: [{ id: 'a', agent: 'A' }] };

/** What a call costs in messages that are answered. */
async function roundTrips(work) {
  const before = proxy.roundTrips;
  await work();
  return proxy.roundTrips - before;
}

test('every call is one round trip, a commit of everything too', async () => {
  const store = await open(newSchema(), proxy.url);
  const parts = { steps, plan, context: { a: 1, b: undefined }, events: [eventOf(1), eventOf(2)] };
  let token = 0;
  const lease = async () => {
    token = await store.acquireLease('j', 'A', 60_000);
  };
  const calls = {
    create: () => store.commit(changeOf('j', 0, parts)),
    lease,
    commit: () => store.commit(changeOf('j', 1, { ...parts, fencingToken: token, events: [eventOf(3)] })),
    conflict: () => assert.rejects(store.commit(changeOf('j', 1)), { name: 'ConflictError' }),
    save: () => store.saveJob(jobOf('saved', { context: { a: 1 }, history: [eventOf(1)] })),
    getJob: () => store.getJob('j'),
    getHead: () => store.getHead('j'),
    getEvents: () => store.getEvents('j', 0, 10),
    listJobs: () => store.listJobs({ status: 'created', cursor: 'j', limit: 5 }),
    renew: () => store.renewLease('j', token, 60_000),
    release: () => store.releaseLease('j', token),
    setControl: () => store.setControl({ paused: true }),
    getControl: () => store.getControl(),
    deleteJob: () => store.deleteJob('j'),
    prune: () => store.prune({ endedBefore: 1 }),
  };
  for (const [name, call] of Object.entries(calls)) assert.equal(await roundTrips(call), 1, name);
  await store.close();
});

test('commits that are ready at the same moment share round trips, and each has its own outcome', async () => {
  const store = await open(newSchema(), proxy.url);
  const ids = Array.from({ length: 100 }, (_, i) => `job ${i}`);
  const messages = await roundTrips(() => Promise.all(ids.map((id) => store.commit(changeOf(id, 0)))));
  assert.ok(messages <= 4, `${messages} messages`);
  const expected = (i) => (i % 3 === 0 ? 0 : 1);
  const answers = await Promise.allSettled(
    ids.map((id, i) => store.commit(changeOf(id, expected(i), { context: { i } }))),
  );
  for (const [i, { status, reason }] of answers.entries()) {
    assert.equal(status, i % 3 === 0 ? 'rejected' : 'fulfilled', ids[i]);
    if (reason) assert.deepEqual(reason.details, { jobId: ids[i], expectedRevision: 0, revision: 1 });
    assert.deepEqual((await store.getJob(ids[i])).context, i % 3 === 0 ? {} : { i });
  }
  await store.close();
});

test('a pooler that keeps no prepared statements is no hindrance', async () => {
  const client = new pg.Client(server.url);
  await client.connect();
  const store = await createPostgresStore({ pool: client, schema: newSchema() });
  for (let revision = 0; revision < 6; revision += 1) {
    // What a pooler does that hands the connection to others in between.
    if (revision % 2 === 1) await client.query('DEALLOCATE ALL');
    await store.commit(changeOf('j', revision, { events: [eventOf(revision + 1)] }));
  }
  assert.equal((await store.getJob('j')).history.length, 6);
  await store.close();
  await client.end();
});

test('a pooler that keeps no prepared statements is none for those that are sent side by side', async () => {
  const client = new pg.Client(server.url);
  await client.connect();
  const store = await createPostgresStore({ pool: client, schema: newSchema() });
  await store.commit(changeOf('j', 0));
  await store.getHead('j');
  await store.getJob('j');
  await client.query('DEALLOCATE ALL');
  const found = await Promise.all([store.getHead('j'), store.getJob('j'), store.getHead('j')]);
  assert.deepEqual(
    found.map(({ id }) => id),
    ['j', 'j', 'j'],
  );
  await store.close();
  await client.end();
});

test('a commit that the server can not take fails alone', async () => {
  const schema = newSchema();
  const store = await open(schema);
  await admin.query(`
    CREATE FUNCTION "${schema}".refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.events LIKE '%poison%' THEN RAISE EXCEPTION 'no poison'; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON "${schema}".commits FOR EACH ROW EXECUTE FUNCTION "${schema}".refuse()`);
  const events = (i) => [eventOf(1, i % 10 === 5 ? 'poison' : 'good')];
  const all = Array.from({ length: 60 }, (_, i) => store.commit(changeOf(`${i}`, 0, { events: events(i) })));
  const answers = await Promise.allSettled(all);
  for (const [i, { status, reason }] of answers.entries()) {
    assert.equal(status, i % 10 === 5 ? 'rejected' : 'fulfilled', `job ${i}`);
    if (reason)
      assert.match(`${reason.name} ${reason.code} ${reason.message}`, /^JobwrightError internal .*no poison/);
  }
  assert.equal((await store.listJobs()).length, 54);
  await store.close();
});

test('of commits by many stores on one job exactly one wins at each revision', async () => {
  const schema = newSchema();
  const stores = await Promise.all(Array.from({ length: 6 }, () => open(schema)));
  for (let revision = 0; revision < 12; revision += 1) {
    const answers = await Promise.allSettled(
      Array.from({ length: 18 }, (_, i) =>
        stores[i % 6].commit(
          changeOf('j', revision, { context: { [`by ${i}`]: revision }, events: [eventOf(revision + 1, i)] }),
        ),
      ),
    );
    const won = answers.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
    const lost = answers.flatMap(({ reason }) => (reason ? [reason.name] : []));
    assert.equal(won.length, 1, `winners at ${revision}`);
    assert.ok(lost.every((name) => name === 'ConflictError'));
    const { history, context, run } = await stores[0].getJob('j');
    assert.equal(run.revision, revision + 1);
    assert.deepEqual(
      history.map(({ seq }) => seq),
      Array.from({ length: revision + 1 }, (_, i) => i + 1),
    );
    assert.equal(history.at(-1).payload, won[0]);
    assert.equal(context[`by ${won[0]}`], revision);
  }
  await Promise.all(stores.map((store) => store.close()));
});

test('many stores that write many jobs in different orders never fail each other', async () => {
  const schema = newSchema();
  const stores = await Promise.all(Array.from({ length: 4 }, () => open(schema)));
  const ids = Array.from({ length: 30 }, (_, i) => `${i}`);
  const counts = new Map(ids.map((id) => [id, 0]));
  const add = async (store, id) => {
    for (;;) {
      const revision = (await store.getHead(id))?.run.revision ?? 0;
      try {
        await store.commit(changeOf(id, revision, { events: [eventOf(revision + 1)] }));
        counts.set(id, counts.get(id) + 1);
        return;
      } catch (error) {
        assert.equal(error.name, 'ConflictError', error.message);
      }
    }
  };
  const shuffled = (k) => ids.map((_, i) => ids[(i * 7 + k * 11) % ids.length]);
  await Promise.all(stores.flatMap((store, k) => shuffled(k).map((id) => add(store, id))));
  for (const id of ids) {
    assert.equal((await stores[0].getJob(id)).run.revision, counts.get(id));
    assert.equal(counts.get(id), 4);
  }
  await Promise.all(stores.map((store) => store.close()));
});

/** Makes a job in the transaction of another connection, as a store does that is about to commit. */
async function makeSlowly(schema, id) {
  const parameters = Array.from({ length: 20 }, (_, i) => `$${i + 1}`).join(', ');
  const head = JSON.stringify({ id, status: 'created' });
  await admin.query(`SELECT * FROM "${schema}".write_job(${parameters})`, [
    ...[id, 0, null, 1, false, null, '{}', 'created', null, null, 1, head, null],
    ...[0, null, null, null, null, null, null],
  ]);
}

test('a page ends before the jobs that are made while it is read', async () => {
  const schema = newSchema();
  const store = await open(schema);
  await store.commit(changeOf('first', 0));
  await admin.query(`BEGIN; LOCK TABLE "${schema}".jobs IN ACCESS EXCLUSIVE MODE`);
  const listing = store.listJobs();
  // It knows by now which number is the last, and waits for the table itself.
  for (let waits = 0; waits === 0; ) {
    const { rows } = await admin.query(
      `SELECT count(*)::integer AS waits FROM pg_locks WHERE NOT granted AND relation = '"${schema}".jobs'::regclass`,
    );
    waits = rows[0].waits;
  }
  await makeSlowly(schema, 'second');
  await admin.query('COMMIT');
  assert.deepEqual(
    (await listing).map(({ id }) => id),
    ['first'],
  );
  assert.deepEqual(
    (await store.listJobs({ cursor: 'first' })).map(({ id }) => id),
    ['second'],
  );
  await store.close();
});

test('a page waits for a job that is being made, and misses none that appears late', async () => {
  const schema = newSchema();
  const [store, other] = await Promise.all([open(schema), open(schema)]);
  await admin.query('BEGIN');
  await makeSlowly(schema, 'slow');
  await other.commit(changeOf('quick', 0));
  let listed = null;
  const listing = store.listJobs({ limit: 1 }).then((heads) => {
    listed = heads.map(({ id }) => id);
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(listed, null, 'the page came before the job that is before it');
  await admin.query('COMMIT');
  await listing;
  assert.deepEqual(listed, ['slow']);
  assert.deepEqual(
    (await store.listJobs({ cursor: 'slow' })).map(({ id }) => id),
    ['quick'],
  );
  await Promise.all([store.close(), other.close()]);
});

test('who pages while many make jobs meets each of them once, in order', async () => {
  const schema = newSchema();
  const stores = await Promise.all(Array.from({ length: 4 }, () => open(schema)));
  let making = stores.length;
  const make = async (store, k) => {
    for (let i = 0; i < 60; i += 1) await store.commit(changeOf(`${k}-${i}`, 0));
    making -= 1;
  };
  const seen = [];
  const read = async () => {
    for (let last = false; !last; ) {
      last = making === 0;
      for (let page = [null]; page.length > 0; ) {
        page = await stores[0].listJobs({ cursor: seen.at(-1), limit: 7 });
        seen.push(...page.map(({ id }) => id));
      }
    }
  };
  await Promise.all([read(), ...stores.map(make)]);
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen.length, 240);
  assert.deepEqual(
    seen,
    (await stores[1].listJobs()).map(({ id }) => id),
  );
  await Promise.all(stores.map((store) => store.close()));
});

test('events without a number come after the last one stored', async () => {
  const store = await open(newSchema());
  const { seq, ...bare } = eventOf(1, 'bare');
  await store.commit(changeOf('j', 0, { events: [bare, eventOf(4), bare] }));
  await store.commit(changeOf('j', 1, { events: [bare, bare, eventOf(8)] }));
  assert.deepEqual(
    (await store.getEvents('j', 0)).map(({ seq }) => seq),
    [undefined, 4, undefined, undefined, undefined, 8],
  );
  const afterFive = await store.getEvents('j', 5);
  assert.deepEqual(afterFive, [bare, bare, eventOf(8)]);
  for (const events of [
    [bare, eventOf(9)],
    [eventOf(10), eventOf(9)],
    [eventOf(9), bare, eventOf(10)],
    [eventOf(8)],
  ]) {
    await assert.rejects(store.commit(changeOf('j', 2, { events })), {
      name: 'ConflictError',
      message: /is stored already/,
    });
  }
  assert.equal((await store.getJob('j')).run.revision, 2);
  await store.close();
});

test('a lease is by the clock of the server, and a commit under an old token is refused', async () => {
  const schema = newSchema();
  const [one, two] = await Promise.all([open(schema), open(schema)]);
  await one.commit(changeOf('j', 0));
  const realNow = Date.now;
  const first = await one.acquireLease('j', 'A', 60_000);
  try {
    Date.now = () => realNow() + 3_600_000;
    assert.equal(await two.acquireLease('j', 'B', 60_000), null);
  } finally {
    Date.now = realNow;
  }
  assert.equal(await one.renewLease('j', first, 0), true);
  const second = await two.acquireLease('j', 'B', Number.MAX_VALUE);
  assert.ok(second > first);
  await assert.rejects(one.commit(changeOf('j', 1, { fencingToken: first })), {
    name: 'ConflictError',
    details: { jobId: 'j', fencingToken: first },
  });
  for (const fencingToken of [0, -1, 1.5, Number.NaN, '2', null]) {
    await assert.rejects(
      one.commit(changeOf('j', 1, { fencingToken })),
      { name: 'ConflictError' },
      String(fencingToken),
    );
  }
  await assert.rejects(one.commit(changeOf('new', 0, { fencingToken: second })), { name: 'ConflictError' });
  await two.commit(changeOf('j', 1, { fencingToken: second }));
  await two.deleteJob('j');
  await two.commit(changeOf('j', 0));
  assert.ok((await two.acquireLease('j', 'A', 1)) > second);
  await Promise.all([one.close(), two.close()]);
});

test('a lease waits for no disk, and a commit takes it there', async () => {
  const store = await open(newSchema());
  await store.commit(changeOf('j', 0));
  const isSynced = async () => {
    const { rows } = await admin.query(
      'SELECT pg_current_wal_flush_lsn() >= pg_current_wal_insert_lsn() AS is',
    );
    return rows[0].is;
  };
  let token = 0;
  // The server takes it there on its own, some moment later.
  let synced = true;
  for (let round = 0; round < 20 && synced; round++) {
    token = await store.acquireLease('j', 'A', 60_000);
    synced = await isSynced();
  }
  assert.equal(synced, false, 'twenty leases were on the disk when they were given');
  await store.commit(changeOf('j', 1, { fencingToken: token }));
  assert.equal(await isSynced(), true);
  await store.close();
});

test('who got a lease that a crash undid commits nothing under the next one, whose number is the same', async () => {
  const schema = newSchema();
  const [one, two] = await Promise.all([open(schema), open(schema)]);
  await one.commit(changeOf('j', 0));
  const numberOf = (token) => Math.floor(token / 65_536);
  let first = 0;
  let second = 0;
  // Chance may give the same token, once in 65,536 times.
  while (first === second) {
    first = await one.acquireLease('j', 'A', 60_000);
    await admin.query(`SELECT setval('"${schema}".lease_tokens', $1, false)`, [numberOf(first)]);
    await admin.query(
      `UPDATE "${schema}".jobs SET lease_owner = NULL, lease_token = NULL, lease_until = NULL`,
    );
    second = await two.acquireLease('j', 'B', 60_000);
    assert.equal(numberOf(second), numberOf(first));
  }
  await assert.rejects(one.commit(changeOf('j', 1, { fencingToken: first })), { name: 'ConflictError' });
  assert.equal(await one.renewLease('j', first, 60_000), false);
  await two.commit(changeOf('j', 1, { fencingToken: second }));
  await Promise.all([one.close(), two.close()]);
});

test('prune takes many jobs, a few at a time', async () => {
  const store = await open(newSchema());
  const ended = (i) =>
    jobOf(`${i}`, { status: 'completed', timing: { created: 1, completed: i % 7 }, history: [eventOf(1)] });
  await Promise.all(Array.from({ length: 700 }, (_, i) => store.saveJob(ended(i))));
  assert.equal(await store.prune({ endedBefore: 6, keepJob: true }), 600);
  assert.equal(await store.prune({ endedBefore: 6, keepJob: true }), 0);
  assert.equal((await store.listJobs()).length, 700);
  const counts = await Promise.all([store.prune({ endedBefore: 6 }), store.prune({ endedBefore: Infinity })]);
  assert.equal(counts[0] + counts[1], 700);
  assert.deepEqual(await store.listJobs(), []);
  await store.close();
});

test("the engine's own change is known to be JSON and not checked again", async () => {
  const store = await open(newSchema());
  const odd = () => changeOf('j', 0, { context: { odd: new Map() } });
  await assert.rejects(store.commit(odd()), { code: 'invalid_argument' });
  await commitAsEngine(store, odd());
  assert.deepEqual((await store.getJob('j')).context, { odd: {} });
  await store.close();
});
