// @ts-check
/** @type {Record<string, (bytes: Buffer) => Buffer>} */
const DECODERS = { br: brotliDecompressSync, gzip: gunzipSync };

/** `jobwright dashboard`, started as a user does, and asked as a browser or a program would; or as an attacker. */
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { importPackage } from '../package/installed.mjs';

/** What is waited for comes sooner, on a machine that does other things too. */
const PATIENCE_MS = 60_000;

/**
 * @typedef {{ status: number, headers: import('node:http').IncomingHttpHeaders, text: string, bytes: number, json: () => any }} Answer
 * @typedef {{ id?: number, event: string, data: any }} Told
 */

/**
 * @param {import('./support.mjs').Place} place
 * @param {string[]} [args]
 * @param {{ store?: string }} [options]
 */
export async function openDashboard(place, args = [], { store = 'jobs.db' } = {}) {
  const started = place.start(['dashboard', '--store', store, '--json', ...args]);
  await started.shows(/"url"/);
  const { url } = JSON.parse(started.stdout());
  const { searchParams, pathname, port } = new URL(url);
  const token = searchParams.get('token') ?? '';
  const bearer = { authorization: `Bearer ${token}` };

  /**
   * @param {string} path
   * @param {{ method?: string, headers?: Record<string, string>, body?: string }} [options]
   * @returns {Promise<Answer>}
   */
  function ask(path, { method = 'GET', headers = bearer, body } = {}) {
    return new Promise((resolve, reject) => {
      const sent =
        body === undefined ? headers : { 'content-length': String(Buffer.byteLength(body)), ...headers };
      const options = { port: Number(port), path, method, headers: sent, host: '127.0.0.1' };
      const asked = request(options, (response) => {
        /** @type {Buffer[]} */
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => {
          const bytes = Buffer.concat(parts);
          const decode = DECODERS[response.headers['content-encoding'] ?? ''];
          const text = (decode === undefined ? bytes : decode(bytes)).toString();
          const { statusCode: status = 0, headers: given } = response;
          resolve({ status, headers: given, text, bytes: bytes.length, json: () => JSON.parse(text) });
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });
  }

  const api = `${pathname}api/`;
  return {
    ...started,
    ended: started.end,
    ...{ url, token, path: pathname, port: Number(port), bearer, ask },
    /** @param {string} what with its query @returns {Promise<any>} */
    async get(what) {
      const answer = await ask(api + what);
      assert.equal(answer.status, 200, answer.text);
      return answer.json();
    },
    /** @param {string} action @param {object} [body] */
    act: (action, body = {}) =>
      ask(api + action, {
        method: 'POST',
        headers: { ...bearer, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    /** @param {string} what @param {Record<string, string>} [headers] */
    listen: (what, headers = {}) => listen(Number(port), api + what, { ...bearer, ...headers }),
    /** Ctrl-C, and what came of it. */
    end() {
      started.child.kill('SIGINT');
      return started.end;
    },
  };
}

/**
 * @param {number} port
 * @param {string} path
 * @param {Record<string, string>} headers
 */
async function listen(port, path, headers) {
  /** @type {Told[]} */
  const told = [];
  let [raw, isOver] = ['', false];
  const asked = request({ port, path, headers, host: '127.0.0.1' });
  asked.on('error', () => {
    isOver = true;
  });
  asked.end();
  const response = await /** @type {Promise<import('node:http').IncomingMessage>} */ (
    new Promise((resolve, reject) => asked.once('response', resolve).once('error', reject))
  );
  let rest = '';
  response.setEncoding('utf8').on('data', (text) => {
    raw += text;
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) if (/^data: /m.test(block)) told.push(read(block));
  });
  response.on('close', () => {
    isOver = true;
  });
  response.on('error', () => {});
  return {
    status: response.statusCode,
    headers: response.headers,
    told,
    raw: () => raw,
    isOver: () => isOver,
    response,
    close: () => asked.destroy(),
    /** @param {(told: Told[]) => boolean} isThere */
    until: (isThere) =>
      until(
        () => isThere(told),
        () => JSON.stringify(told),
      ),
    over: () =>
      until(
        () => isOver,
        () => 'the stream goes on',
      ),
  };
}

/** @param {string} block @returns {Told} */
function read(block) {
  const field = (/** @type {string} */ name) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
  const id = field('id');
  return {
    ...(id !== undefined && { id: Number(id) }),
    event: field('event') ?? 'message',
    data: JSON.parse(field('data') ?? 'null'),
  };
}

/**
 * @param {() => boolean | Promise<boolean>} isThere
 * @param {() => string} [otherwise] what is said where it does not come
 */
export async function until(isThere, otherwise = () => String(isThere)) {
  const end = Date.now() + PATIENCE_MS;
  while (!(await isThere())) {
    assert.ok(Date.now() < end, otherwise());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * The store of a place, opened here too.
 *
 * @param {import('node:test').TestContext} t
 * @param {import('./support.mjs').Place} place
 * @returns {Promise<any>}
 */
export async function openStore(t, place) {
  const { createSqliteStore } = await importPackage('jobwright/sqlite');
  const store = await createSqliteStore({ path: `${place.folder}/jobs.db` });
  t.after(() => store.close());
  return store;
}

/**
 * A job as a store has it.
 *
 * @param {string} id
 * @param {object} [more]
 */
export const jobOf = (id, more = {}) => ({
  id,
  status: 'created',
  context: {},
  permissions: { allowTools: false, requireApproval: false, maxSteps: 10 },
  history: [],
  timing: { created: 1 },
  ...more,
});
