// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { invalid } from '../parts/store-arguments.js';
import { createAttempts, PATIENCE_MS } from './attempts.js';
import { openSource } from './connection.js';
import { explain } from './errors.js';
import { migrate, namesIn } from './migrations.js';
import { createPrepared } from './prepared.js';
import { statementsIn } from './statements.js';
import { createWatch } from './watch.js';
import { createWriter } from './writer.js';

/** @typedef {keyof ReturnType<typeof statementsIn>} Name of a statement */

/** @typedef {{ pool?: any, connectionString?: string, schema?: string, patienceMs?: number }} Options */

/**
 * Connects, makes the tables where they are missing, and gives what the store's methods are made of.
 *
 * @param {Options} options
 */
export async function openStore(options) {
  const { schema = 'jobwright', patienceMs = PATIENCE_MS } = options ?? {};
  checkSchema(schema);
  const { quoted, channel } = namesIn(schema);
  const source = await openSource(options ?? {});
  try {
    await migrate(source.query, schema);
  } catch (error) {
    await source.end();
    throw explain(error, schema, source.password);
  }

  /** @type {Set<Promise<unknown>>} calls that have not been answered */
  const running = new Set();
  /** @type {Promise<void> | undefined} */
  let closing;
  const isClosed = () => closing !== undefined;
  const attempt = createAttempts({ heals: source.heals, patienceMs, isClosed });
  const { watch, stop } = createWatch({ ...source, channel, attempt });

  /**
   * The same methods, which say so when the store is closed and explain what pg throws.
   *
   * @template {Record<string, (...values: any[]) => Promise<unknown>>} M
   * @param {M} methods
   * @returns {M}
   */
  function guard(methods) {
    /** @param {(...values: any[]) => Promise<unknown>} method */
    const guarded =
      (method) =>
      /** @param {any[]} values */
      async (...values) => {
        if (isClosed())
          throw new JobwrightError(`The store in the schema "${schema}" is closed`, { code: 'closed' });
        const answer = method(...values);
        running.add(answer);
        try {
          return await answer;
        } catch (error) {
          throw explain(error, schema, source.password);
        } finally {
          running.delete(answer);
        }
      };
    return /** @type {M} */ (
      Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, guarded(method)]))
    );
  }

  const sql = statementsIn(quoted, channel);
  const prepared = createPrepared(channel, source.query);

  return {
    read: (/** @type {Name} */ name, /** @type {unknown[]} */ values) =>
      attempt(() => prepared(name, sql[name], values), 'read'),
    change: (/** @type {Name} */ name, /** @type {unknown[]} */ values) =>
      attempt(() => prepared(name, sql[name], values), 'write'),
    write: createWriter({ schema: quoted, query: source.query, prepared, attempt }),
    watch,
    guard,
    /** @returns {Promise<void>} */
    close() {
      closing ??= Promise.allSettled([stop(), ...running]).then(() => source.end());
      return closing;
    },
  };
}

/**
 * @param {unknown} schema
 * @returns {asserts schema is string}
 */
function checkSchema(schema) {
  const fits = typeof schema === 'string' && /^[\p{L}_][\p{L}\p{N}_ -]*$/u.test(schema);
  if (!fits || Buffer.byteLength(schema) > 63 || /^(pg_|information_schema$)/.test(schema)) {
    throw invalid(
      `createPostgresStore: schema: expected a name of letters, digits, "_", "-" and spaces, at most 63 bytes long, that is not PostgreSQL's own, found ${describe(schema)}`,
    );
  }
}
