// @ts-check
/** The dashboard's server: who may ask is let in, and every path has its answer. */
import { createServer } from 'node:http';
import { EXIT, Failure, readError } from '../failure.js';
import { plain } from '../text.js';
import { actions, perform } from './acting.js';
import { protect, readObject, send, sendJson, Wrong } from './http.js';
import { answers, cursorOf, exported, followAll, followJob, idOf } from './reading.js';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 *
 * @typedef {object} Access as the page's Source has it
 * @property {boolean} steer
 * @property {boolean} create
 * @property {boolean} run
 * @property {boolean} redacted
 *
 * @typedef {object} Home what answers are made of
 * @property {string} name
 * @property {Access} access
 * @property {number} slowPlayMs before each step that is run here
 * @property {import('jobwright').Orchestrator} orchestrator
 * @property {import('../stores.js').Store} store
 * @property {import('./hub.js').Hub} hub
 * @property {import('./runner.js').Runner} runner
 * @property {typeof import('./hiding.js').showing} veil
 *
 * @typedef {object} Serving
 * @property {Home} home
 * @property {import('./gate.js').Gate} gate
 * @property {import('./streams.js').Streams} streams
 * @property {ReturnType<typeof import('./files.js').openFiles>} files
 * @property {(problem: unknown) => void} failed is told what is wrong here, and not with a request
 */

/** How long the headers of a request may take. */
const HEADERS_MS = 10_000;

/** @type {Record<string, number>} */
const STATUSES = {
  not_found: 404,
  conflict: 409,
  invalid_job: 409,
  unknown_step: 409,
  invalid_plan: 400,
  invalid_argument: 400,
  unsupported: 400,
  closed: 503,
};

/**
 * @param {Serving} serving
 * @param {{ host: string, port: number }} where
 * @returns {Promise<import('node:http').Server>} that listens
 */
export function serve(serving, { host, port }) {
  const server = createServer(
    { headersTimeout: HEADERS_MS, requestTimeout: 2 * HEADERS_MS },
    (request, response) => {
      protect(response);
      answer(serving, request, response).catch((error) => refuse(serving, request, response, error));
    },
  );
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(cannotListen(error, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners('error').on('error', serving.failed);
      serving.gate.port = /** @type {import('node:net').AddressInfo} */ (server.address()).port;
      resolve(server);
    });
  });
}

/**
 * @param {NodeJS.ErrnoException} error
 * @param {string} host
 * @param {number} port
 */
function cannotListen({ code, message }, host, port) {
  const why =
    code === 'EADDRINUSE'
      ? 'something else listens there'
      : code === 'EACCES'
        ? 'that is not allowed'
        : plain(message);
  return new Failure('unavailable', `Can't listen on ${plain(host)}, port ${port}: ${why}.`, EXIT.usage);
}

/**
 * @param {Serving} serving
 * @param {Request} request
 * @param {Response} response
 */
async function answer(serving, request, response) {
  const { gate, files } = serving;
  const refused = gate.refuses(request);
  if (refused !== null) throw new Wrong(refused.status, refused.code, refused.message);
  const { path, query } = read(request);
  const isRead = request.method === 'GET';
  if (!isRead && request.method !== 'POST') throw new Wrong(405, 'not_allowed', 'Expected GET or POST.');
  const [place, ...rest] = path.slice(1).split('/');
  if (place !== gate.place || rest.length === 0) throw notThere();
  const name = rest.join('/');
  if (name === '' && isRead && query.has('token')) return enter(gate, query, response);
  if (!gate.knows(request)) throw unknown();
  if (name.startsWith('api/')) return api(serving, { request, response, name: name.slice(4), query });
  const file = isRead ? files(name) : null;
  if (file === null) throw notThere();
  return send(request, response, file);
}

/** @param {Request} request */
function read({ url = '' }) {
  const at = url.indexOf('?');
  return {
    path: at === -1 ? url : url.slice(0, at),
    query: new URLSearchParams(at === -1 ? '' : url.slice(at + 1)),
  };
}

const notThere = () => new Wrong(404, 'not_found', 'There is nothing at this address.');

const unknown = () =>
  new Wrong(
    401,
    'unauthorized',
    'The token is missing or wrong: open the address that "jobwright dashboard" printed.',
  );

/**
 * The token goes from the address into a cookie, so that it neither stands in the browser's history nor is told on.
 *
 * @param {import('./gate.js').Gate} gate
 * @param {URLSearchParams} query
 * @param {Response} response
 */
function enter(gate, query, response) {
  if (!gate.lets(query.get('token') ?? '')) throw unknown();
  response.writeHead(303, { Location: './', 'Set-Cookie': gate.cookie(), 'Cache-Control': 'no-store' }).end();
}

/**
 * @param {Serving} serving
 * @param {{ request: Request, response: Response, name: string, query: URLSearchParams }} asked
 */
async function api({ home, streams }, { request, response, name, query }) {
  if (request.method === 'POST') {
    const act = Object.hasOwn(actions, name) ? actions[name] : undefined;
    if (act === undefined) throw notThere();
    if (!home.access.steer)
      throw new Wrong(403, 'read_only', 'This dashboard only shows jobs: it was started with --read-only.');
    return sendJson(request, response, written(await perform(act, home, await readObject(request))));
  }
  if (name === 'export') {
    return send(request, response, {
      type: 'application/jsonl; charset=utf-8',
      body: await exported(home, query),
    });
  }
  if (name === 'events' || name === 'changes')
    return follow({ home, streams }, { request, response, name, query });
  const ask = Object.hasOwn(answers, name) ? answers[name] : undefined;
  if (ask === undefined) throw notThere();
  return sendJson(request, response, written(await ask(home, query)));
}

/**
 * @param {Pick<Serving, 'home' | 'streams'>} serving
 * @param {{ request: Request, response: Response, name: string, query: URLSearchParams }} asked
 */
async function follow({ home, streams }, { request, response, name, query }) {
  if (streams.areTooMany) throw new Wrong(503, 'too_many', 'Too many pages follow jobs here.');
  if (name === 'changes') {
    const stream = streams.open(response);
    await followAll(home, stream);
    return;
  }
  const jobId = idOf(query);
  const after = cursorOf(query, request.headers['last-event-id']);
  if ((await home.store.getHead(jobId)) === null) throw new Wrong(404, 'not_found', 'Job not found.');
  const stream = streams.open(response);
  try {
    await followJob(home, stream, { jobId, after });
  } finally {
    stream.end();
  }
}

/**
 * A refusal's code is not enumerable.
 *
 * @param {any} value
 */
function written(value) {
  return value?.success === false
    ? { success: false, error: value.error, code: value.code }
    : (value ?? null);
}

/**
 * @param {Serving} serving
 * @param {Request} request
 * @param {Response} response
 * @param {unknown} error
 */
async function refuse({ home, failed }, request, response, error) {
  if (response.headersSent) {
    // A stream that failed is begun anew by its reader.
    failed(error);
    response.destroy();
    return;
  }
  if (error instanceof Wrong) {
    await sendJson(request, response, { code: error.code, message: error.message }, error.status);
    return;
  }
  const { code, message } = readError(error);
  const status = STATUSES[code] ?? 500;
  if (status === 500) failed(error);
  await sendJson(request, response, home.veil.error({ code, message }), status);
}
