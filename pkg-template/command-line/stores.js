// @ts-check
/** The stores that `--store` names. */
import { existsSync } from 'node:fs';
import { createMemoryStore } from 'jobwright';
import { EXIT, Failure } from './failure.js';
import { quoted, shellWord } from './text.js';

/**
 * @typedef {Required<import('jobwright').JobStore>} Store
 *
 * @typedef {object} Opened
 * @property {Store} store
 * @property {string} name what to call it
 * @property {boolean} lasts whether its jobs outlive this process
 * @property {string} flag what another command needs to reach it, with a space before; empty where nothing is needed
 * @property {() => Promise<void>} close
 */

const KINDS = 'a SQLite file (jobs.db), "sqlite:FILE", "postgres://..." or "memory"';

/**
 * @param {string | undefined} given with `--store`
 * @param {NodeJS.ProcessEnv} env
 * @param {{ mayMake?: boolean }} [options] whether the command makes jobs, so that it may make a store
 * @returns {Promise<Opened>}
 */
export async function openStore(given, env, { mayMake = false } = {}) {
  const named = given ?? (env.JOBWRIGHT_STORE || undefined);
  const address = named ?? 'memory';
  const flag = given === undefined ? '' : ` --store ${shellWord(withoutPassword(given))}`;
  if (/^:?memory:?$/.test(address)) {
    if (mayMake) return inMemory();
    const why =
      named === undefined ? 'No store is named' : 'The store "memory" has no jobs of other commands';
    throw new Failure('no_store', `${why}: give --store, or set JOBWRIGHT_STORE, to ${KINDS}.`);
  }
  if (/^postgres(ql)?:/.test(address)) return { ...(await inPostgres(address)), flag };
  const [, scheme, file = ''] = /^(?:([a-z][a-z0-9+.-]+):(?:\/\/)?)?(.*)$/is.exec(address) ?? [];
  if (scheme !== undefined && scheme.toLowerCase() !== 'sqlite') {
    throw new Failure(
      'no_store',
      `The store ${quoted(withoutPassword(address))} is not known: expected ${KINDS}.`,
    );
  }
  return { ...(await inSqlite(file, mayMake)), flag };
}

/** @returns {Opened} */
function inMemory() {
  return { store: createMemoryStore(), name: 'memory', lasts: false, flag: '', close: async () => {} };
}

/**
 * @param {string} path
 * @param {boolean} mayMake
 */
async function inSqlite(path, mayMake) {
  // A mistyped name should not leave an empty database behind.
  if (!mayMake && !existsSync(path)) {
    throw new Failure(
      'no_store',
      `There is no store ${quoted(path)}: the file does not exist.`,
      EXIT.refused,
    );
  }
  const { createSqliteStore } = await import('jobwright/sqlite');
  const store = await createSqliteStore({ path });
  return { store, name: path, lasts: true, close: async () => void (await store.close()) };
}

/** @param {string} connectionString */
async function inPostgres(connectionString) {
  const { createPostgresStore } = await import('jobwright/postgres');
  const store = await createPostgresStore({ connectionString });
  return { store, name: withoutPassword(connectionString), lasts: true, close: () => store.close() };
}

/**
 * What is printed holds no password: a terminal is looked at by others, and is logged.
 *
 * @param {string} address
 */
function withoutPassword(address) {
  if (!/^[a-z]+:\/\//i.test(address)) return address;
  return address
    .replace(/^([a-z]+:\/\/[^/?#]*?):[^/?#]*@/i, '$1:***@')
    .replace(/([?&]password=)[^&#]*/gi, '$1***');
}
