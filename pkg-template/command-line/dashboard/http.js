// @ts-check
/** Requests and answers: bodies that are neither large nor slow, and answers that are compressed and safe to show. */
import { promisify } from 'node:util';
import { brotliDecompress, gzip } from 'node:zlib';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 *
 * @typedef {object} Answer
 * @property {number} [status]
 * @property {string} type
 * @property {string | Buffer} body
 * @property {boolean} [isPacked] the body is compressed by Brotli
 * @property {boolean} [lasts] what is at this address never changes
 */

const compress = promisify(gzip);
const decompress = promisify(brotliDecompress);

/** From here on, bytes are worth compressing. */
const WORTH_IT = 1_000;

/** How many bytes of a body are read. */
const MOST_BYTES = 1_000_000;

/** How long a body may take. */
const PATIENCE_MS = 10_000;

export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  // What draws graphs and long lists places its parts so.
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
};

/** What is wrong with a request: a sentence, and a status. */
export class Wrong extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   */
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** @param {Response} response */
export function protect(response) {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {Answer} answer
 */
export async function send(request, response, answer) {
  const { status = 200, type, lasts = false } = answer;
  const { body, coding } = await encoded(answer, request);
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': body.length,
    'Cache-Control': lasts ? 'private, max-age=604800, immutable' : 'no-store',
    ...(coding === null ? {} : { 'Content-Encoding': coding }),
    Vary: 'Accept-Encoding',
    // The rest of a body that was refused is not read.
    ...(request.complete ? {} : { Connection: 'close' }),
  });
  response.end(body);
}

/**
 * Browsers take Brotli from this machine and by https only.
 *
 * @param {Answer} answer
 * @param {Request} request
 * @returns {Promise<{ body: Buffer, coding: string | null }>}
 */
async function encoded({ body, isPacked = false }, request) {
  if (isPacked && takes(request, 'br')) return { body: Buffer.from(body), coding: 'br' };
  const plain = isPacked ? await decompress(body) : Buffer.from(body);
  if (plain.length <= WORTH_IT || !takes(request, 'gzip')) return { body: plain, coding: null };
  return { body: await compress(plain, { level: 4 }), coding: 'gzip' };
}

/**
 * @param {Request} request
 * @param {string} coding
 */
function takes({ headers }, coding) {
  const accepted = String(headers['accept-encoding'] ?? '').split(',');
  return accepted.some((one) => {
    const [name = '', ...parameters] = one.toLowerCase().split(';');
    return name.trim() === coding && !parameters.some((parameter) => /^\s*q=0(\.0*)?\s*$/.test(parameter));
  });
}

/**
 * @param {Request} request
 * @param {Response} response
 * @param {unknown} value
 * @param {number} [status]
 */
export const sendJson = (request, response, value, status) =>
  send(request, response, {
    ...(status === undefined ? {} : { status }),
    type: 'application/json; charset=utf-8',
    body: JSON.stringify(value),
  });

/**
 * @param {Request} request
 * @param {number} [patienceMs]
 * @returns {Promise<Record<string, any>>}
 */
export async function readObject(request, patienceMs = PATIENCE_MS) {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new Wrong(415, 'not_json', 'Expected a body of the type application/json.');
  }
  const text = await readText(request, patienceMs);
  /** @type {unknown} */
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Wrong(400, 'not_json', 'The body is not JSON.');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new Wrong(400, 'invalid_argument', 'The body: expected a JSON object.');
}

/**
 * @param {Request} request
 * @param {number} patienceMs
 * @returns {Promise<string>}
 */
function readText(request, patienceMs) {
  return new Promise((resolve, reject) => {
    /** @type {Buffer[]} */
    const parts = [];
    let length = 0;
    const stop = (/** @type {Error} */ error) => {
      clearTimeout(timer);
      request.pause();
      request.removeAllListeners('data');
      reject(error);
    };
    const tooLong = () => stop(new Wrong(408, 'too_slow', `The body took longer than ${patienceMs} ms.`));
    const timer = setTimeout(tooLong, patienceMs);
    request.on('data', (part) => {
      parts.push(part);
      length += part.length;
      if (length > MOST_BYTES)
        stop(new Wrong(413, 'too_large', `The body is larger than ${MOST_BYTES} bytes.`));
    });
    request.once('end', () => {
      clearTimeout(timer);
      resolve(Buffer.concat(parts).toString());
    });
    request.once('error', stop);
    request.once('close', () => stop(new Wrong(400, 'cut_off', 'The body was cut off.')));
  });
}
