// @ts-check
/** Streams of events: they go on where they were cut off, and a slow reader costs nobody anything. */
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { importPackage, modulesDir } from '../package/installed.mjs';
import { openDashboard, openStore, until } from './dashboards.mjs';
import { LIMIT, makePlace, planOf } from './support.mjs';

const { createEventBus, createMemoryStore, createOrchestrator } = await importPackage();
const part = (/** @type {string} */ file) =>
  import(pathToFileURL(join(modulesDir, 'command-line/dashboard', file)).href);
const { Hub, MOST_WAITING } = await part('hub.js');
const { Streams, message } = await part('streams.js');
const { followJob } = await part('reading.js');

/** @param {number} seq @param {unknown} payload */
const eventOf = (seq, payload) => {
  const spanId = String(seq).padStart(16, '0');
  const meta = { timestamp: seq, source: 'test' };
  return { id: spanId, seq, type: 'made', payload, trace: { traceId: spanId + spanId, spanId }, meta };
};

/** @param {number} count @param {unknown} [payload] */
const longJob = (count, payload = 'x') => ({
  ...{ id: 'long', status: 'completed', context: {}, timing: { created: 1 } },
  permissions: { allowTools: false, requireApproval: false, maxSteps: 10 },
  history: Array.from({ length: count }, (_, n) => eventOf(n + 1, payload)),
  run: { schema: 1, revision: 1, seq: count },
});

test('a reader goes on where it was cut off, by either way to say so', LIMIT, async (t) => {
  const place = makePlace(t);
  const store = await openStore(t, place);
  await store.saveJob(longJob(1_234));
  const dashboard = await openDashboard(place);
  const numbers = async (/** @type {string} */ query, headers = {}) => {
    const stream = await dashboard.listen(`events?id=long${query}`, headers);
    await stream.over();
    assert.equal(stream.told.at(-1)?.event, 'end');
    return stream.told.slice(0, -1).map(({ id, data }) => (id === data.seq ? id : `${id} ${data.seq}`));
  };
  const from = (/** @type {number} */ after) =>
    Array.from({ length: 1_234 - after }, (_, n) => after + n + 1);
  assert.deepEqual(await numbers(''), from(0));
  assert.deepEqual(await numbers('&after=1000'), from(1_000));
  assert.deepEqual(
    await numbers('&after=3', { 'last-event-id': '1230' }),
    from(1_230),
    'the later one counts',
  );
  assert.deepEqual(await numbers('&after=3', { 'last-event-id': 'x' }), from(3));
  assert.deepEqual(await numbers('&after=5000'), []);
});

test('what is slow to be read waits in the store, and not here', LIMIT, async (t) => {
  const pages = 20;
  let asked = 0;
  const store = {
    getHead: async () => longJob(pages * 100),
    getEvents: async (/** @type {string} */ _, /** @type {number} */ after, /** @type {number} */ limit) => {
      asked += 1;
      const left = Math.min(limit, pages * 100 - after);
      return Array.from({ length: left }, (_, n) => eventOf(after + n + 1, 'y'.repeat(100_000)));
    },
  };
  const home = {
    store,
    hub: { follow: () => () => {} },
    veil: { event: (/** @type {any} */ event) => event },
  };
  const streams = new Streams();
  const server = createServer(async (_, response) => {
    const stream = streams.open(response);
    await followJob(home, stream, { jobId: 'long', after: 0 });
    stream.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  t.after(() => server.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const reader = await connectTo(port);
  reader.pause();
  // Until nothing goes on any more: the way to the reader is full.
  for (let turns = 0, seen = -1; turns < 200; turns = seen === asked ? turns + 1 : 0) {
    seen = asked;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.ok(asked <= 2, `${asked} pages were read for somebody who reads nothing`);
  let length = 0;
  for await (const part of reader) length += part.length;
  assert.ok(length > pages * 100 * 100_000, `${length} bytes`);
});

/** @param {number} port @returns {Promise<import('node:http').IncomingMessage>} */
const connectTo = (port) =>
  new Promise((resolve) =>
    request({ port, host: '127.0.0.1' }, resolve)
      .on('error', () => {})
      .end(),
  );

test('who takes nothing for too long is let go, and others hear on', LIMIT, async (t) => {
  const streams = new Streams({ heartbeatMs: 20, patienceMs: 100 });
  /** @type {any[]} */
  const opened = [];
  const server = createServer((_, response) => opened.push(streams.open(response)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const [slow, quick] = [await connectTo(port), await connectTo(port)];
  let heard = '';
  quick.setEncoding('utf8').on('data', (text) => {
    heard += text;
  });
  slow.on('error', () => {});
  const text = message({ id: 1, data: 'z'.repeat(1_000_000) });
  let sent = 0;
  for (; !opened[0].signal.aborted && sent < 1_000; sent++) await opened[0].send(text);
  assert.ok(sent < 100, `${sent} MB were taken from a reader that reads nothing`);
  assert.equal(streams.all.size, 1);
  await opened[0].send(text);
  await until(
    () => heard.split(':\n\n').length > 3,
    () => 'no sign of life',
  );
  await opened[1].send(message({ event: 'end', data: null }));
  opened[1].end();
  await until(
    () => heard.endsWith('event: end\ndata: null\n\n'),
    () => heard,
  );
  await until(() => streams.all.size === 0);
});

test('a store that gives the same events again and again is not read for ever', LIMIT, async () => {
  const sent = /** @type {string[]} */ ([]);
  const page = [
    eventOf(1, 'x'),
    eventOf(1, 'x'),
    null,
    { seq: 'x' },
    { seq: -1 },
    eventOf(3, 'x'),
    eventOf(2, 'x'),
  ];
  const store = { getHead: async () => longJob(3), getEvents: async () => page };
  const home = {
    store,
    hub: { follow: () => () => {} },
    veil: { event: (/** @type {any} */ { seq }) => seq },
  };
  const stream = {
    signal: new AbortController().signal,
    send: async (/** @type {string} */ text) => void sent.push(text),
  };
  await followJob(home, stream, { jobId: 'long', after: 0 });
  assert.deepEqual(sent, ['id: 1\ndata: 1\n\n', 'id: 3\ndata: 3\n\n', 'event: end\ndata: null\n\n']);
});

/** @param {AsyncIterable<any>} changes */
function gather(changes) {
  /** @type {any[]} */
  const told = [];
  (async () => {
    for await (const bundle of changes) told.push(...bundle);
  })();
  return told;
}

/** @param {import('node:test').TestContext} t */
function makeHub(t) {
  const store = createMemoryStore();
  /** @type {((notice: any) => void)[]} */
  const watchers = [];
  let watched = 0;
  const watch = (/** @type {(notice: any) => void} */ listener) => {
    watched += 1;
    watchers.push(listener);
    return () => {
      watched -= 1;
    };
  };
  const bus = createEventBus();
  const failed = /** @type {unknown[]} */ ([]);
  const hub = new Hub({
    store: { ...store, watch },
    bus,
    failed: (/** @type {unknown} */ error) => failed.push(error),
  });
  const gone = new AbortController();
  t.after(async () => {
    gone.abort();
    await hub.end();
    assert.equal(watched, 0);
    assert.deepEqual(failed, []);
  });
  const tell = (/** @type {any} */ notice) => {
    for (const listener of watchers) listener(notice);
  };
  return { hub, store, bus, tell, signal: gone.signal, watched: () => watched };
}

/** @param {number} n @param {number} [revision] */
const noticeOf = (n, revision = 1) => ({ type: 'job', jobId: `job-${n}`, status: 'running', revision });

test('one watch for all readers; what comes together is told once, and the latest', LIMIT, async (t) => {
  const { hub, store, bus, tell, signal, watched } = makeHub(t);
  const readers = [gather(hub.changes(signal)), gather(hub.changes(signal))];
  for (let revision = 1; revision <= 500; revision++) tell(noticeOf(1, revision));
  await store.saveJob({ ...longJob(0), id: 'own', parentId: 'job-1' });
  for (let n = 0; n < 50; n++) bus.emit('step_started', { jobId: 'own' });
  for (const told of readers) {
    await until(() => told.length >= 2);
    assert.deepEqual(told, [
      noticeOf(1, 500),
      { type: 'job', jobId: 'own', parentId: 'job-1', status: 'completed', revision: 1 },
    ]);
  }
  assert.equal(watched(), 1);
});

test(
  'a reader that is too slow is told that it missed something, and nothing is kept for it',
  LIMIT,
  async (t) => {
    const { hub, tell, signal } = makeHub(t);
    const slow = hub.changes(signal);
    const first = slow.next();
    tell(noticeOf(0));
    assert.deepEqual((await first).value, [noticeOf(0)]);
    const told = gather(hub.changes(signal));
    for (let round = 0; round < 5; round++) {
      for (let n = 0; n < MOST_WAITING; n++) tell(noticeOf(round * MOST_WAITING + n));
      await until(() => told.length === (round + 1) * MOST_WAITING);
    }
    for (const reader of hub.readers) assert.ok(reader.jobs.size <= MOST_WAITING);
    assert.deepEqual((await slow.next()).value, [{ type: 'missed' }]);
    tell(noticeOf(1));
    assert.deepEqual((await slow.next()).value, [noticeOf(1)]);
  },
);

test('notices that anything may have changed are few, and the last one is told', LIMIT, async (t) => {
  const { hub, store, tell, signal } = makeHub(t);
  const told = gather(hub.changes(signal));
  let followed = 0;
  const off = hub.follow('job-1', () => {
    followed += 1;
  });
  for (let n = 0; n < 1_000; n++) tell({ type: 'missed' });
  await store.setControl({ paused: true });
  tell({ type: 'control' });
  await until(() => told.filter(({ type }) => type === 'missed').length === 2);
  await until(() => told.some(({ type, paused }) => type === 'control' && paused));
  assert.ok(followed >= 1_000, 'who follows a job looks at once');
  off();
  assert.equal(hub.followers.size, 0);
  for (const odd of [null, undefined, 7, {}, { type: 'x' }]) tell(odd);
});

test('a store that can not be watched is asked', LIMIT, async (t) => {
  const failed = /** @type {unknown[]} */ ([]);
  const watch = () => Promise.reject(new Error('no'));
  const store = { ...createMemoryStore(), watch };
  const hub = new Hub({
    store,
    bus: createEventBus(),
    failed: (/** @type {unknown} */ error) => failed.push(error),
  });
  t.after(() => hub.end());
  await until(() => failed.length === 1);
});

test('readers that come and go leave nothing behind', LIMIT, async (t) => {
  const place = makePlace(t);
  const store = await openStore(t, place);
  const { createJob } = createOrchestrator({ store });
  await createJob({}, { requireApproval: false }, { plan: planOf('greet'), id: 'job-1' });
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs']);
  for (let round = 0; round < 3; round++) {
    const streams = await Promise.all(
      Array.from({ length: 100 }, (_, n) => dashboard.listen(n % 2 ? 'changes' : 'events?id=job-1')),
    );
    for (const { status } of streams) assert.equal(status, 200);
    for (const stream of streams) stream.close();
  }
  const last = await dashboard.listen('events?id=job-1');
  await dashboard.act('startJob', { jobId: 'job-1' });
  await last.over();
  assert.equal(last.told.at(-1)?.event, 'end');
  const many = await Promise.all(Array.from({ length: 256 }, () => dashboard.listen('changes')));
  const full = await dashboard.ask(`${dashboard.path}api/changes`);
  assert.deepEqual([full.status, full.json().code], [503, 'too_many']);
  for (const stream of many) stream.close();
});
