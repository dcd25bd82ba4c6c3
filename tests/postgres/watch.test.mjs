import assert from 'node:assert/strict';
import { after, afterEach, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createPostgresStore } from '../../pkg-template/postgres/index.js';
import { changeOf, jobOf } from '../parts/jobs.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { startProxy } from './proxy.mjs';

const server = await startPostgres();
const proxy = await startProxy(server.url);
const admin = new pg.Pool({ connectionString: server.url, max: 1 });
admin.on('error', () => {});
after(async () => {
  await admin.end();
  await proxy.stop();
  await server.stop();
});
beforeEach(() => Object.assign(proxy, { moment: null, refusing: false, refuseNext: false }));

let schemas = 0;
const newSchema = () => {
  schemas += 1;
  return `watch_${schemas}`;
};
/** What a test that fails leaves open would wait for its server for ever. */
const opened = [];
afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));
async function openWith(options) {
  const store = await createPostgresStore(options);
  opened.push(store);
  return store;
}
const open = (schema, url = server.url) => openWith({ connectionString: url, schema });

async function until(condition, what) {
  for (const end = Date.now() + 20_000; !(await condition()); await sleep(10)) {
    assert.ok(Date.now() < end, `timed out: ${what}`);
  }
}

async function listeners() {
  const { rows } = await admin.query(
    `SELECT count(*)::integer AS count FROM pg_stat_activity WHERE query LIKE 'LISTEN %' OR query = 'SELECT 1'`,
  );
  return rows[0].count;
}

/** What a store is told, as `expect` finds it: in order, one after the other. */
async function watchOf(store) {
  const notices = [];
  const stop = await store.watch((notice) => notices.push(notice));
  let read = 0;
  const expect = async (...expected) => {
    await until(() => notices.length >= read + expected.length, JSON.stringify(expected));
    assert.deepEqual(notices.slice(read), expected);
    read = notices.length;
  };
  return { stop, expect };
}

const jobNotice = (jobId, revision, more = {}) => ({
  type: 'job',
  jobId,
  status: 'created',
  revision,
  ...more,
});

test('two stores are told of what either changes', async () => {
  const schema = newSchema();
  const [one, two, stranger] = await Promise.all([open(schema), open(schema), open(newSchema())]);
  const watches = await Promise.all([one, two].map(watchOf));
  const unmoved = await watchOf(stranger);
  const all = (...expected) => Promise.all(watches.map(({ expect }) => expect(...expected)));
  await one.commit(changeOf('j', 0));
  await all(jobNotice('j', 1));
  const { context, history, ...rest } = jobOf('j', { parentId: 'p', status: 'running' });
  const head = { ...rest, run: { schema: 1, revision: 0, seq: 0 } };
  await two.commit(changeOf('j', 1, { head }));
  await all(jobNotice('j', 2, { parentId: 'p', status: 'running' }));
  await assert.rejects(one.commit(changeOf('j', 1)));
  await one.saveJob(jobOf('saved'));
  await all(jobNotice('saved', 0));
  await two.setControl({ paused: true });
  await all({ type: 'control' });
  await one.deleteJob('saved');
  await all({ type: 'missed' });
  await one.deleteJob('saved');
  await one.saveJob(jobOf('ended', { status: 'failed', timing: { created: 1, completed: 2 } }));
  assert.equal(await one.prune({ endedBefore: 3 }), 1);
  await all(jobNotice('ended', 0, { status: 'failed' }), { type: 'missed' });
  for (const { stop } of watches) await stop();
  await one.commit(changeOf('j', 2));
  await stranger.commit(changeOf('mine', 0));
  await unmoved.expect(jobNotice('mine', 1));
  await Promise.all([one, two, stranger].map((store) => store.close()));
});

/** What a pooler makes of a connection: the server that answers is not the one that was greeted. */
class Pooled extends pg.Client {
  get processID() {
    return this.greeted + 1;
  }
  set processID(id) {
    this.greeted = id;
  }
}

/** One that gives the server's connection to others after each transaction. */
class Deaf extends Pooled {
  emit(name, ...values) {
    return name !== 'notification' && super.emit(name, ...values);
  }
}

test('a pooler that lets no notice through is found out; one that does is none of its business', async () => {
  const schema = newSchema();
  const bystander = await watchOf(await open(schema));
  for (const [Client, hears] of [
    [Pooled, true],
    [Deaf, false],
  ]) {
    const pool = new pg.Pool({ connectionString: server.url, Client });
    const store = await openWith({ pool, schema });
    if (hears) {
      const { expect } = await watchOf(store);
      await store.commit(changeOf('j', 0));
      await expect({ type: 'missed' }, jobNotice('j', 1));
    } else {
      await assert.rejects(
        store.watch(() => {}),
        ({ code, message }) => code === 'unsupported' && /pooler/.test(message),
      );
      await store.commit(changeOf('j', 1));
    }
    await store.close();
    await pool.end();
  }
  const missed = { type: 'missed' };
  await bystander.expect(missed, jobNotice('j', 1), missed, jobNotice('j', 2));
});

test('any id can be told of; one too long for a notice is a change of anything', async () => {
  const store = await open(newSchema());
  const { expect, stop } = await watchOf(store);
  for (const id of ['', "it's", '"', 'nul\0', '\ud800', '🦀'.repeat(500), 'é'.repeat(3_900)]) {
    await store.commit(changeOf(id, 0));
    await expect(jobNotice(id, 1));
  }
  for (const id of ['🦀'.repeat(2_000), 'x'.repeat(10_000), '\0'.repeat(1_500)]) {
    await store.commit(changeOf(id, 0));
    await expect({ type: 'missed' });
  }
  await stop();
  await store.close();
});

test('it listens only while somebody watches, and the connection is its own', async () => {
  const pool = new pg.Pool({ connectionString: server.url, max: 1 });
  const store = await openWith({ pool, schema: newSchema() });
  const before = await listeners();
  const first = await watchOf(store);
  const second = await watchOf(store);
  assert.equal(await listeners(), before + 1);
  await store.commit(changeOf('j', 0));
  await first.expect(jobNotice('j', 1));
  await first.stop();
  await first.stop();
  await store.commit(changeOf('j', 1));
  await second.expect(jobNotice('j', 1), jobNotice('j', 2));
  await first.expect();
  await second.stop();
  await until(async () => (await listeners()) === before, 'nobody listens');
  const third = await watchOf(store);
  await store.commit(changeOf('j', 2));
  await third.expect(jobNotice('j', 3));
  await store.close();
  await until(async () => (await listeners()) === before, 'nobody listens after close');
  assert.equal(pool.totalCount, 1);
  await pool.end();
});

test('after its connection broke it listens again, and says that it may have missed something', async () => {
  const schema = newSchema();
  const store = await open(schema, proxy.url);
  const direct = await open(schema);
  const { expect, stop } = await watchOf(store);
  for (let revision = 0; revision < 3; revision += 1) {
    proxy.refuseNext = revision === 1;
    proxy.cutAll();
    await sleep(300);
    proxy.refusing = false;
    await expect({ type: 'missed' });
    await direct.commit(changeOf('j', revision));
    await expect(jobNotice('j', revision + 1));
  }
  proxy.refuseNext = true;
  proxy.cutAll();
  // It waits to connect again.
  await sleep(50);
  await stop();
  proxy.refusing = false;
  await direct.commit(changeOf('j', 3));
  await sleep(1_000);
  await expect();
  assert.equal(await listeners(), 0);
  await Promise.all([store.close(), direct.close()]);
});

test('a server that restarts is listened to again', async () => {
  const store = await open(newSchema());
  const { expect } = await watchOf(store);
  await server.restart('immediate');
  await expect({ type: 'missed' });
  await store.setControl({ paused: true });
  await expect({ type: 'control' });
  await store.close();
});

test('a single client listens itself; when it is gone, so is the watch', async () => {
  const schema = newSchema();
  const client = new pg.Client(proxy.url);
  client.on('error', () => {});
  await client.connect();
  const store = await openWith({ pool: client, schema });
  const direct = await open(schema);
  const first = await watchOf(store);
  await direct.commit(changeOf('j', 0));
  await first.expect(jobNotice('j', 1));
  await first.stop();
  const { rows } = await client.query('SELECT pg_listening_channels()');
  assert.deepEqual(rows, []);
  const second = await watchOf(store);
  await client.query(`LISTEN other; NOTIFY other, 'not ours'`);
  await direct.commit(changeOf('j', 1));
  await second.expect(jobNotice('j', 2));
  proxy.cutAll();
  await second.expect({ type: 'missed' });
  await assert.rejects(
    store.watch(() => {}),
    { name: 'JobwrightError', message: /a single client/ },
  );
  await Promise.all([store.close(), direct.close()]);
  await client.end();
});

test('a watcher that throws, and a notice that somebody else made, harm nobody', async () => {
  const schema = newSchema();
  const store = await open(schema);
  await store.watch(() => {
    throw new Error('a bad watcher');
  });
  const { expect } = await watchOf(store);
  await store.commit(changeOf('j', 0));
  await expect(jobNotice('j', 1));
  const { rows } =
    await admin.query(`SELECT substring(prosrc from 'jobwright_[0-9a-f]+') AS channel FROM pg_proc
    WHERE proname = 'delete_job' AND pronamespace = '${schema}'::regnamespace`);
  for (const payload of ['', 'not JSON', 'null', '{"type":"job","jobId":5}', '{"type":"other"}']) {
    await admin.query('SELECT pg_notify($1, $2)', [rows[0].channel, payload]);
    await expect({ type: 'missed' });
  }
  for (const bad of [undefined, null, {}]) {
    await assert.rejects(store.watch(bad), {
      code: 'invalid_argument',
      message: /^watch: expected a function/,
    });
  }
  await store.close();
  await assert.rejects(
    store.watch(() => {}),
    { code: 'closed' },
  );
});
