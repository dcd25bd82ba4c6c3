// @ts-check
/** Who may ask the dashboard, and who is refused. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { modulesDir } from '../package/installed.mjs';
import { jobOf, openDashboard, openStore, until } from './dashboards.mjs';
import { CTRL_C, EXIT, LIMIT, makePlace } from './support.mjs';

const part = (/** @type {string} */ file) =>
  import(pathToFileURL(join(modulesDir, 'command-line/dashboard', file)).href);
const { Gate } = await part('gate.js');
const { readObject } = await part('http.js');
const { actions } = await part('acting.js');

/**
 * @param {import('node:test').TestContext} t
 * @param {...string} args
 */
async function open(t, ...args) {
  const place = makePlace(t);
  const store = await openStore(t, place);
  await store.saveJob(jobOf('job-1', { status: 'running', run: { schema: 1, revision: 0, seq: 0 } }));
  return { store, dashboard: await openDashboard(place, args) };
}

test('without the token, or with another, everything is refused', LIMIT, async (t) => {
  const { dashboard } = await open(t);
  const { ask, path, token } = dashboard;
  const wrong = [
    {},
    { authorization: `Bearer ${token}x` },
    { authorization: `Bearer ${token.slice(1)}` },
    { authorization: 'Bearer ' },
    { authorization: `Basic ${token}` },
    { cookie: `jobwright=${'a'.repeat(token.length)}` },
    { cookie: `other=${token}` },
  ];
  for (const headers of wrong) {
    for (const name of [
      '',
      'icon.svg',
      'api/hello',
      'api/jobs',
      'api/events?id=job-1',
      'jobwright/index.js',
    ]) {
      const answer = await ask(path + name, { headers: /** @type {any} */ (headers) });
      assert.deepEqual(
        [answer.status, answer.json().code],
        [401, 'unauthorized'],
        `${name} ${JSON.stringify(headers)}`,
      );
      assert.doesNotMatch(answer.text, new RegExp(token));
    }
    const act = await ask(`${path}api/pauseJob`, {
      method: 'POST',
      headers: /** @type {any} */ ({ ...headers, 'content-type': 'application/json' }),
      body: '{"jobId":"job-1"}',
    });
    assert.equal(act.status, 401);
  }
  assert.equal((await ask(`${path}?token=${token}x`, { headers: {} })).status, 401);
  // Elsewhere than where the page is, nothing tells that anything is there.
  for (const other of ['/', '/api/hello', '/x/api/hello', `/..${path}api/hello`, `${path.slice(0, -1)}`]) {
    assert.equal((await ask(other)).status, 404, other);
  }
});

test('the token goes from the address into a cookie, which is of that path alone', LIMIT, async (t) => {
  const { dashboard } = await open(t);
  const { ask, path, token, url } = dashboard;
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{12}\/\?token=[\w-]{43}$/);
  const entered = await ask(`${path}?token=${token}`, { headers: {} });
  assert.deepEqual([entered.status, entered.headers.location], [303, './']);
  assert.deepEqual(entered.headers['set-cookie'], [`jobwright=${token}; HttpOnly; SameSite=Strict`]);
  const page = await ask(path, { headers: { cookie: `a=b; jobwright=${token}` } });
  assert.equal(page.status, 200);
  assert.match(page.text, /<script type="module"/);
  assert.doesNotMatch(page.text, new RegExp(token));
});

test('every answer has the headers that keep the page to itself', LIMIT, async (t) => {
  const { dashboard } = await open(t);
  const { ask, path } = dashboard;
  for (const name of ['', 'api/hello', 'api/nothing', 'nothing', 'icon.svg']) {
    const { headers } = await ask(path + name);
    const policy = String(headers['content-security-policy']);
    for (const rule of [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "frame-ancestors 'none'",
    ]) {
      assert.ok(policy.split('; ').includes(rule), `${name}: ${rule}`);
    }
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['cache-control'], 'no-store', name);
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

test('another name than this server has is refused, token or not', LIMIT, async (t) => {
  const { dashboard } = await open(t, '--allow-host', 'jobs.example.com,other.example.com:8443');
  const { ask, path, port, bearer } = dashboard;
  const status = async (/** @type {string} */ host) =>
    (await ask(`${path}api/hello`, { headers: { ...bearer, host } })).status;
  const good = [`127.0.0.1:${port}`, `localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`];
  const allowed = ['jobs.example.com', 'Jobs.example.com:443', 'other.example.com:8443'];
  for (const host of [...good, ...allowed]) assert.equal(await status(host), 200, host);
  const foreign = [
    ...[
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `127.0.0.1.evil.example:${port}`,
    ],
    ...[
      `localhost.:${port}`,
      'other.example.com',
      'xjobs.example.com',
      `127.0.0.1:${port}@evil.example`,
      `0.0.0.0:${port}`,
    ],
  ];
  for (const host of foreign) assert.equal(await status(host), 403, host);
});

test("other sites' pages are refused, whatever they send", LIMIT, async (t) => {
  const { dashboard, store } = await open(t);
  const { ask, path, port, token, bearer } = dashboard;
  const cookie = { cookie: `jobwright=${token}` };
  const foreign = [
    ...['http://evil.example', 'null', 'https://evil.example:443', `http://localhost:${port + 1}`, ''].map(
      (origin) => ({ origin }),
    ),
    // Another name of this server is another site, too.
    { origin: `http://localhost:${port}` },
    ...['cross-site', 'same-site', 'something'].map((site) => ({ 'sec-fetch-site': site })),
  ];
  for (const headers of foreign) {
    for (const name of ['', 'api/jobs', 'api/changes', `?token=${token}`]) {
      const answer = await ask(path + name, { headers: /** @type {any} */ ({ ...cookie, ...headers }) });
      assert.equal(answer.status, 403, JSON.stringify([name, headers]));
    }
    const form = { ...cookie, ...headers, 'content-type': 'text/plain' };
    const sent = { method: 'POST', body: '{"jobId":"job-1"}' };
    assert.equal(
      (await ask(`${path}api/pauseJob`, { ...sent, headers: /** @type {any} */ (form) })).status,
      403,
    );
  }
  // A form can't send JSON as such, and an address that is typed in can't post.
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/jsonx',
  ]) {
    const headers = { ...bearer, 'content-type': type };
    const answer = await ask(`${path}api/pauseJob`, { method: 'POST', headers, body: '{"jobId":"job-1"}' });
    assert.deepEqual([answer.status, answer.json().code], [415, 'not_json'], type);
  }
  const typed = { ...bearer, 'content-type': 'application/json', 'sec-fetch-site': 'none' };
  assert.equal(
    (await ask(`${path}api/pauseJob`, { method: 'POST', headers: typed, body: '{}' })).status,
    403,
  );
  // The page itself may.
  const own = { ...cookie, origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin' };
  assert.equal((await ask(`${path}api/jobs`, { headers: own })).status, 200);
  assert.equal((await store.getHead('job-1')).status, 'running');
});

test('nothing is done by GET, nor by other methods', LIMIT, async (t) => {
  const { dashboard, store } = await open(t);
  const { ask, path, bearer } = dashboard;
  const headers = { ...bearer, 'content-type': 'application/json' };
  for (const name of Object.keys(actions)) {
    assert.equal((await ask(`${path}api/${name}?jobId=job-1&id=job-1`)).status, 404, name);
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await ask(`${path}api/${name}`, { method, headers, body: '{"jobId":"job-1"}' });
      assert.equal(answer.status, 405, method);
    }
  }
  for (const name of ['constructor', '__proto__', 'toString', 'jobs']) {
    assert.equal((await dashboard.act(name)).status, 404, name);
  }
  assert.equal((await store.getHead('job-1')).status, 'running');
});

test('--read-only: the server refuses every change', LIMIT, async (t) => {
  const { dashboard, store } = await open(t, '--read-only', '--agents', 'agents.mjs');
  const before = await store.getJob('job-1');
  const { access } = await dashboard.get('hello');
  assert.deepEqual(access, { steer: false, create: false, run: false, redacted: false });
  assert.ok(Object.keys(actions).length >= 16);
  for (const name of Object.keys(actions)) {
    const answer = await dashboard.act(name, {
      jobId: 'job-1',
      plan: { steps: [] },
      context: {},
      reason: 'x',
      ms: 1,
    });
    assert.deepEqual([answer.status, answer.json().code], [403, 'read_only'], name);
  }
  assert.deepEqual(await store.getJob('job-1'), before);
  assert.deepEqual(await store.getControl(), (await store.getControl()) && { paused: false });
});

test('bodies that are no JSON objects, or too large, are refused', LIMIT, async (t) => {
  const { dashboard } = await open(t);
  const { ask, path, bearer } = dashboard;
  const post = (/** @type {string} */ body) =>
    ask(`${path}api/signal`, {
      method: 'POST',
      headers: { ...bearer, 'content-type': 'application/json' },
      body,
    });
  for (const body of ['', '{', 'null', '[]', '"x"', '1', '\0', '{"jobId":"job-1"}}']) {
    const answer = await post(body);
    assert.deepEqual([answer.status, typeof answer.json().message], [400, 'string'], body);
  }
  for (const body of ['{}', '{"jobId":7}', '{"jobId":null}', '{"jobId":["job-1"]}']) {
    assert.deepEqual(
      [(await post(body)).status, (await post(body)).json().code],
      [400, 'invalid_argument'],
      body,
    );
  }
  const large = await post(JSON.stringify({ jobId: 'job-1', name: 'x', payload: 'a'.repeat(1_000_000) }));
  assert.deepEqual([large.status, large.json().code], [413, 'too_large']);
  assert.equal((await dashboard.get('hello')).name, 'jobs.db', 'it is still there');
});

test('a body that does not end is not waited for', LIMIT, async (t) => {
  const server = createServer((asked, response) => {
    readObject(asked, 50).then(
      () => response.end('read'),
      (/** @type {any} */ { status, code }) => response.writeHead(status, { Connection: 'close' }).end(code),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  t.after(() => server.close());
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const headers = { 'content-type': 'application/json', 'content-length': 100 };
  const asked = request({ port, host: '127.0.0.1', method: 'POST', headers });
  asked.on('error', () => {});
  asked.write('{"jobId"');
  const response = await /** @type {Promise<import('node:http').IncomingMessage>} */ (
    new Promise((resolve) => asked.once('response', resolve))
  );
  assert.equal(response.statusCode, 408);
  assert.equal((await response.toArray()).join(''), 'too_slow');
  asked.destroy();
});

test('jobs that are not there, and questions that make no sense', LIMIT, async (t) => {
  const { dashboard } = await open(t);
  const { ask, path } = dashboard;
  const said = async (/** @type {string} */ name) => {
    const { status, json } = await ask(`${path}api/${name}`);
    return [status, json()?.code];
  };
  assert.equal(await dashboard.get('job?id=none'), null);
  assert.equal(await dashboard.get('head?id=none'), null);
  assert.equal(await dashboard.get('budget?id=job-1'), null);
  assert.deepEqual(await said('events?id=none'), [404, 'not_found']);
  assert.deepEqual(await said('replay?id=none'), [404, 'not_found']);
  assert.deepEqual(await said('export?id=none'), [404, 'not_found']);
  for (const wrong of [
    'job',
    'head',
    'events',
    'jobs?limit=x',
    'jobs?limit=-1',
    'jobs?status=done',
    'events?id=job-1&after=x',
  ])
    assert.deepEqual(await said(wrong), [400, 'invalid_argument'], wrong);
  for (const action of [
    'startJob',
    'pauseJob',
    'stepJob',
    'cancelJob',
    'approveStep',
    'rejectStep',
    'setBreakpoints',
  ]) {
    const answer = (await dashboard.act(action, { jobId: 'none', steps: [] })).json();
    assert.deepEqual([answer.success, answer.code], [false, 'not_found'], action);
  }
  const budget = (await dashboard.act('setBudget', { jobId: 'job-1', limit: 5 })).json();
  assert.deepEqual([budget.success, budget.code], [false, 'unsupported']);
});

test('what opens the browser is good once, and not for long', () => {
  const gate = new Gate('127.0.0.1', []);
  const code = gate.launchCode();
  assert.equal(gate.lets(`${code}x`), false);
  assert.equal(gate.lets(code), true);
  assert.equal(gate.lets(code), false);
  assert.equal(gate.lets(gate.token), true);
  assert.equal(gate.lets(gate.token), true);
  assert.notEqual(new Gate('127.0.0.1', []).token, gate.token);
});

test('at a terminal the browser is opened, with what is good once; not with --no-open', LIMIT, async (t) => {
  const place = makePlace(t);
  await openStore(t, place);
  place.put('xdg-open', '#!/bin/sh\necho "$1" > opened.new && mv opened.new opened\n');
  chmodSync(join(place.folder, 'xdg-open'), 0o755);
  const env = { PATH: `${place.folder}:${process.env.PATH}` };
  const opened = join(place.folder, 'opened');
  const quiet = place.terminal(['dashboard', '--store', 'jobs.db', '--no-open'], env);
  await quiet.shows(/token=/);
  quiet.type(CTRL_C);
  assert.equal((await quiet.end).code, EXIT.interrupted);
  assert.equal(existsSync(opened), false);
  const loud = place.terminal(['dashboard', '--store', 'jobs.db'], env);
  await loud.shows(/token=/);
  await until(() => existsSync(opened));
  const [address = ''] = readFileSync(opened, 'utf8').split('\n');
  assert.match(address, /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{12}\/\?token=[\w-]{43}$/);
  assert.doesNotMatch(loud.text(), new RegExp(new URL(address).searchParams.get('token') ?? ''));
  const statuses = [];
  for (let n = 0; n < 2; n++) statuses.push((await fetch(address, { redirect: 'manual' })).status);
  assert.deepEqual(statuses, [303, 401]);
  loud.type(CTRL_C);
  assert.equal((await loud.end).code, EXIT.interrupted);
});

test('arguments that make no sense are said, and end with 2', LIMIT, async (t) => {
  const place = makePlace(t);
  await openStore(t, place);
  for (const wrong of [
    ...[
      ['--port', 'x'],
      ['--port', '65536'],
      ['--port', '-1'],
      ['--allow-host', 'a b'],
      ['--slow', 'x'],
    ],
    ...[
      ['--agents', 'none.mjs'],
      ['--host', '192.0.2.1'],
    ],
  ]) {
    const { code, stderr } = await place.stored('dashboard', ...wrong);
    assert.equal(code, EXIT.usage, wrong.join(' '));
    assert.match(stderr, /^jobwright: .+ \[\w+\]\n$/);
  }
  const taken = createServer();
  await new Promise((resolve) => taken.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (taken.address());
  const { code, stderr } = await place.stored('dashboard', '--port', String(port));
  taken.close();
  assert.equal(code, EXIT.usage);
  assert.match(stderr, /something else listens there/);
  assert.equal((await place.run(['dashboard', '--store', 'none.db'])).code, EXIT.refused);
});

test('who listens for others is warned', LIMIT, async (t) => {
  const place = makePlace(t);
  await openStore(t, place);
  const dashboard = await openDashboard(place, ['--host', '0.0.0.0']);
  assert.match(dashboard.url, /^http:\/\/127\.0\.0\.1:/);
  const { code, stderr } = await dashboard.end();
  assert.equal(code, EXIT.interrupted);
  assert.match(stderr, /Others can reach 0\.0\.0\.0/);
});
