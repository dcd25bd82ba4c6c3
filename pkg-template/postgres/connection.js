// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { invalid, isObject } from '../parts/store-arguments.js';
import { isLost, unsent } from './errors.js';

/**
 * Where connections come from: a pool of the store's own, or the pool or client that it was given.
 *
 * @typedef {object} Source
 * @property {(text: string, values?: unknown[], name?: string) => Promise<any[][]>} query gives rows as arrays; with a
 *   name, the statement is prepared once for each connection
 * @property {() => Promise<{ client: any, shared: boolean }>} listener a connected client, which nobody else uses
 *   unless it is shared
 * @property {boolean} heals whether a query after a broken connection gets another one
 * @property {string} [password]
 * @property {() => Promise<void>} end ends what the store itself opened
 */

/**
 * @param {{ pool?: any, connectionString?: unknown }} options
 * @returns {Promise<Source>}
 */
export async function openSource({ pool, connectionString }) {
  if ((pool ?? null) !== null && (connectionString ?? null) !== null) {
    throw invalid('createPostgresStore: expected a pool or a connectionString, found both');
  }
  if ((pool ?? null) === null) return ownPool(connectionString);
  if (!isObject(pool) || typeof pool.query !== 'function') {
    throw invalid(`createPostgresStore: pool: expected a pg.Pool or pg.Client, found ${describe(pool)}`);
  }
  if ('totalCount' in pool) return givenPool(pool);
  if (/** @type {any} */ (pool)._connected === false && /** @type {any} */ (pool)._connecting === false) {
    throw invalid(
      'createPostgresStore: pool: this pg.Client is not connected; "await client.connect()" first',
    );
  }
  return givenClient(pool);
}

/**
 * @param {unknown} connectionString
 * @returns {Promise<Source>}
 */
async function ownPool(connectionString) {
  // Not shown, as nothing else of it is: there may be a password in it.
  const expected = 'a URL such as "postgres://user:password@host:5432/database"';
  if (typeof connectionString !== 'string' || connectionString === '') {
    const found = connectionString === '' ? 'an empty string' : typeof connectionString;
    throw invalid(`createPostgresStore: connectionString: expected ${expected}, found ${found}`);
  }
  const pg = await loadPg();
  const config = {
    connectionString,
    application_name: 'jobwright',
    keepAlive: true,
    connectionTimeoutMillis: 10_000,
  };
  let password;
  try {
    password = new pg.Client(config).password;
  } catch {
    throw invalid(
      `createPostgresStore: connectionString: expected ${expected}, found something that can't be read`,
    );
  }
  const pool = new pg.Pool({ ...config, allowExitOnIdle: true });
  // The pool has thrown the broken connection away already, and the next query gets another.
  pool.on('error', () => {});
  return { ...givenPool(pool), password, end: () => pool.end() };
}

/** @returns {Promise<any>} */
async function loadPg() {
  try {
    const { default: pg } = await import('pg');
    return pg;
  } catch (cause) {
    throw new JobwrightError('jobwright/postgres with a connectionString needs pg ("npm install pg")', {
      code: 'unsupported',
      cause,
    });
  }
}

/**
 * @param {any} pool
 * @returns {Source}
 */
function givenPool(pool) {
  return {
    async query(text, values, name) {
      /** @type {unknown} */
      let broken;
      const onError = (/** @type {unknown} */ error) => {
        broken = error;
      };
      const client = await take(pool, onError).catch(unsent);
      try {
        return await rowsOf(client, text, values, name);
      } catch (error) {
        if (isLost(error)) broken ??= error;
        throw error;
      } finally {
        // One that is broken is not listened to by the pool either, and may still have something to say.
        if (broken === undefined) client.off('error', onError);
        client.release(broken);
      }
    },
    async listener() {
      // Beside the pool, so that a small one does not lack it, and no pooler hands it to somebody else.
      const client = new pool.Client(pool.options);
      client.on('error', () => {});
      await client.connect();
      return { client, shared: false };
    },
    heals: true,
    end: async () => {},
  };
}

/**
 * A client that is listened to as soon as the pool does not listen any more: what ends it may be read from the network
 * in the same turn, before a promise of it is told.
 *
 * @param {any} pool
 * @param {(error: unknown) => void} onError
 * @returns {Promise<any>}
 */
function take(pool, onError) {
  return new Promise((resolve, reject) => {
    pool.connect((/** @type {unknown} */ error, /** @type {any} */ client) => {
      if (client === undefined) return reject(error);
      client.on('error', onError);
      return resolve(client);
    });
  });
}

/**
 * @param {any} client
 * @returns {Source}
 */
function givenClient(client) {
  return {
    query: (text, values, name) => rowsOf(client, text, values, name),
    listener: async () => ({ client, shared: true }),
    heals: false,
    end: async () => {},
  };
}

/**
 * @param {any} client
 * @param {string} text
 * @param {unknown[]} [values]
 * @param {string} [name]
 * @returns {Promise<any[][]>}
 */
async function rowsOf(client, text, values, name) {
  const result = await client.query({ name, text, values, rowMode: 'array' });
  return result.rows;
}
