import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createPostgresStore } from '../../pkg-template/postgres/index.js';
import { changeOf, eventOf, jobOf } from '../parts/jobs.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { startProxy } from './proxy.mjs';

const server = await startPostgres();
const proxy = await startProxy(server.url);
const ANY_WRITE = proxy.breakAt;
after(async () => {
  await proxy.stop();
  await server.stop();
});

beforeEach(() =>
  Object.assign(proxy, { moment: null, refusing: false, refuseNext: false, breakAt: ANY_WRITE }),
);

let schemas = 0;
const newSchema = () => {
  schemas += 1;
  return `broken_${schemas}`;
};
const open = (schema, more = {}) => createPostgresStore({ connectionString: server.url, schema, ...more });

/** A store whose connections go through the proxy, and one whose connections don't. */
async function pair(more = {}) {
  const schema = newSchema();
  const direct = await open(schema);
  const store = await open(schema, { connectionString: proxy.url, ...more });
  return { store, direct, close: () => Promise.all([store.close(), direct.close()]) };
}

/**
 * Makes a call whose connection breaks, and lets it have another when `meanwhile` is done.
 *
 * @param {import('./proxy.mjs').Moment} moment
 */
async function cutOff(moment, call, meanwhile) {
  const { cuts } = proxy;
  proxy.moment = moment;
  let answered = false;
  const answer = Promise.allSettled([call()]).then(([{ status, reason }]) => {
    answered = true;
    return reason ?? status;
  });
  proxy.refuseNext = true;
  while (proxy.cuts === cuts) await sleep(1);
  await meanwhile();
  assert.equal(answered, false, 'an answer without a connection');
  proxy.refusing = false;
  return answer;
}

for (const moment of /** @type {const} */ (['before', 'amid', 'after'])) {
  test(`the connection breaks ${moment} a commit: it is stored once, and resolves`, async () => {
    const { store, close } = await pair();
    const { cuts } = proxy;
    for (let revision = 0; revision < 6; revision += 1) {
      proxy.moment = moment;
      await store.commit(changeOf('j', revision, { context: { revision }, events: [eventOf(revision + 1)] }));
    }
    assert.equal(proxy.cuts - cuts, 6);
    const { run, context, history } = await store.getJob('j');
    assert.deepEqual([run.revision, context, history.length], [6, { revision: 5 }, 6]);
    await close();
  });

  test(`the connection breaks ${moment} a commit, and others go on with the job`, async () => {
    const stored = moment === 'after';
    for (const others of [1, 10, 15]) {
      const { store, direct, close } = await pair();
      await direct.commit(changeOf('j', 0));
      const from = stored ? 2 : 1;
      const answer = await cutOff(
        moment,
        () => store.commit(changeOf('j', 1, { context: { mine: true } })),
        async () => {
          for (let i = 0; i < others; i += 1) await direct.commit(changeOf('j', from + i));
        },
      );
      assert.equal(answer.name ?? answer, stored ? 'fulfilled' : 'ConflictError', `${others} others`);
      const { context, run } = await direct.getJob('j');
      assert.deepEqual([context, run.revision], [stored ? { mine: true } : {}, from + others]);
      await close();
    }
  });

  test(`the connection breaks ${moment} a job is saved, and others go on with it`, async () => {
    const { store, direct, close } = await pair();
    const saved = jobOf('j', { context: { saved: true }, run: { schema: 1, revision: 5, seq: 0 } });
    const theirs = changeOf('j', moment === 'after' ? 5 : 0, { context: { theirs: true } });
    const answer = await cutOff(
      moment,
      () => store.saveJob(saved),
      () => direct.commit(theirs),
    );
    assert.equal(answer, 'fulfilled');
    const { context } = await direct.getJob('j');
    assert.deepEqual(context, { saved: true, ...(moment === 'after' ? { theirs: true } : {}) });
    await close();
  });
}

test('what can not be found out is said to be unknown', async () => {
  const { store, direct, close } = await pair();
  const error = await cutOff(
    'after',
    () => store.commit(changeOf('j', 0)),
    async () => {
      for (let i = 1; i < 30; i += 1) await direct.commit(changeOf('j', i));
    },
  );
  assert.deepEqual(
    [error.name, error.code, error.details.outcome],
    ['JobwrightError', 'internal', 'unknown'],
  );
  assert.match(error.message, /to revision 0, and the job has gone on to revision 30 since; .* is unknown$/);
  await assert.rejects(direct.commit(changeOf('j', 0)), { name: 'ConflictError' });
  await close();
});

test('where no connection can be had for too long, it says so, and whether anything may have been written', async () => {
  const { store, direct, close } = await pair({ patienceMs: 100 });
  await direct.commit(changeOf('j', 0));
  for (const [moment, outcome] of [
    ['before', 'unknown'],
    [null, 'nothing'],
  ]) {
    proxy.refuseNext = true;
    proxy.moment = moment;
    if (moment === null) proxy.cutAll();
    // The pool sees that its connections are gone.
    await sleep(50);
    const error = await store.commit(changeOf('j', 1)).catch((error) => error);
    assert.deepEqual([error.name, error.code, error.details], ['JobwrightError', 'internal', { outcome }]);
    assert.match(
      error.message,
      /^The connection to PostgreSQL is gone, and could not be had again for 0.1 seconds; /,
    );
    await assert.rejects(store.getJob('j'), { message: /for 0.1 seconds$/ });
    proxy.refusing = false;
    assert.equal((await store.getJob('j')).run.revision, 1);
  }
  await close();
});

test('a commit whose answer was lost is never said not to be stored', async () => {
  const { store, direct, close } = await pair({ patienceMs: 100 });
  await direct.commit(changeOf('j', 0));
  proxy.refuseNext = true;
  proxy.moment = 'after';
  const change = changeOf('j', 1, { events: [eventOf(1)] });
  await assert.rejects(store.commit(change), { code: 'internal', details: { outcome: 'unknown' } });
  proxy.refusing = false;
  assert.equal((await direct.getJob('j')).run.revision, 2);
  await close();
});

test('of commits that go together, those that are stored resolve where the connection breaks for the others', async () => {
  const { store, direct, close } = await pair({ patienceMs: 100 });
  for (const id of ['ahead', 'behind']) await direct.commit(changeOf(id, 0));
  proxy.breakAt = /write_job/;
  proxy.refuseNext = true;
  proxy.moment = 'before';
  const commit = (id, revision) => store.commit(changeOf(id, revision, { events: [eventOf(1)] }));
  const answers = await Promise.allSettled([commit('ahead', 1), commit('behind', 5)]);
  proxy.refusing = false;
  assert.equal(answers[0].status, 'fulfilled', `${answers[0].reason}`);
  assert.deepEqual(answers[1].reason.details, { outcome: 'unknown' });
  const revisions = await Promise.all(['ahead', 'behind'].map((id) => direct.getHead(id)));
  assert.deepEqual(
    revisions.map(({ run }) => run.revision),
    [2, 1],
  );
  await close();
});

test('a store that is closed while it waits for a connection gives up', async () => {
  const { store, direct } = await pair();
  proxy.refuseNext = true;
  proxy.moment = 'before';
  const refused = assert.rejects(store.commit(changeOf('j', 0)), { code: 'closed' });
  await sleep(50);
  await store.close();
  await refused;
  proxy.refusing = false;
  await direct.close();
});

test('a single client that is gone does not come back, and says what is known', async () => {
  const schema = newSchema();
  const client = new pg.Client(proxy.url);
  client.on('error', () => {});
  await client.connect();
  const store = await createPostgresStore({ pool: client, schema });
  await store.commit(changeOf('j', 0));
  proxy.moment = 'after';
  await assert.rejects(store.commit(changeOf('j', 1)), {
    code: 'internal',
    details: { outcome: 'unknown' },
    message: /given a single client.*; whether this write was stored is unknown$/,
  });
  await assert.rejects(store.commit(changeOf('j', 2)), {
    details: { outcome: 'nothing' },
    message: /; nothing was written$/,
  });
  await assert.rejects(store.getJob('j'), { message: /does not connect again as a pg.Pool does$/ });
  await store.close();
  const again = await open(schema);
  assert.equal((await again.getJob('j')).run.revision, 2);
  await again.close();
});

test('the server crashes and restarts while many jobs are run: what resolved is stored, once', async () => {
  const stores = [await open('crashes'), await open('crashes')];
  const pool = new pg.Pool({ connectionString: server.url });
  pool.on('error', () => {});
  stores[2] = await createPostgresStore({ pool, schema: 'crashes' });
  let running = true;
  const counts = [];
  const work = async (i) => {
    counts[i] = 0;
    for (; running; counts[i] += 1) {
      const n = counts[i];
      await stores[i % 3].commit(changeOf(`${i}`, n, { context: { n }, events: [eventOf(n + 1)] }));
    }
  };
  const workers = Promise.all(Array.from({ length: 12 }, (_, i) => work(i)));
  workers.catch(() => {});
  for (const mode of /** @type {const} */ (['fast', 'immediate', 'immediate'])) {
    await sleep(200);
    await server.restart(mode);
  }
  await sleep(200);
  running = false;
  await workers;
  for (const [i, count] of counts.entries()) {
    const { run, context, history } = await stores[0].getJob(`${i}`);
    assert.ok(count > 3, `worker ${i} made ${count} commits`);
    assert.deepEqual([run.revision, context, history.length], [count, { n: count - 1 }, count], `job ${i}`);
  }
  await Promise.all(stores.map((store) => store.close()));
  assert.equal((await pool.query('SELECT 1 AS one')).rows[0].one, 1);
  await pool.end();
});

test('connections that break while nothing is asked are made again', async () => {
  const store = await open(newSchema());
  await store.commit(changeOf('j', 0));
  await server.restart('fast');
  await sleep(100);
  assert.equal((await store.getJob('j')).run.revision, 1);
  await store.close();
});
