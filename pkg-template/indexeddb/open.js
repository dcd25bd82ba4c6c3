// @ts-check
import { openDB } from 'idb';
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { explain, unsupported } from './errors.js';
import { isOurs, MIGRATIONS } from './schema.js';

/**
 * @typedef {object} Connection
 * @property {import('./schema.js').Database} database
 * @property {string} name
 * @property {keyof typeof import('./errors.js').ENDS | null} end why it can't be used any more
 * @property {(end: 'closed' | 'upgraded' | 'deleted' | 'lost') => void} close
 */

/**
 * Waits for tabs that have an older version open: their stores close themselves.
 *
 * @param {string} name
 * @param {() => void} onEnd is called once, however the connection ends
 * @param {readonly import('./schema.js').Migration[]} [migrations]
 * @returns {Promise<Connection>}
 */
export async function openDatabase(name, onEnd, migrations = MIGRATIONS) {
  checkIndexedDb(name);
  let isForeign = false;
  /** @type {Connection | undefined} */
  let connection;
  try {
    const database = await openDB(name, migrations.length, {
      upgrade: (database, from, _, transaction) => {
        isForeign = from > 0 && !isOurs(database);
        if (isForeign) transaction.abort();
        else for (const migrate of migrations.slice(from)) migrate(database, transaction);
      },
      blocking: (_, version) => connection?.close(version === null ? 'deleted' : 'upgraded'),
      terminated: () => connection?.close('lost'),
    });
    connection = connect(database, name, onEnd);
  } catch (error) {
    throw isForeign ? foreign(name) : refusal(error, name, migrations.length);
  }
  if (isOurs(connection.database)) return connection;
  connection.close('closed');
  throw foreign(name);
}

/**
 * @param {import('./schema.js').Database} database
 * @param {string} name
 * @param {() => void} onEnd
 * @returns {Connection}
 */
function connect(database, name, onEnd) {
  /** @type {Connection} */
  const connection = {
    database,
    name,
    end: null,
    close: (end) => {
      if (connection.end !== null) return;
      connection.end = end;
      // Transactions under way are finished first.
      database.close();
      onEnd();
    },
  };
  return connection;
}

/** @param {string} name */
function checkIndexedDb(name) {
  let found;
  try {
    found = globalThis.indexedDB;
  } catch (error) {
    throw unsupported(REFUSED, name, error);
  }
  if (found === undefined || found === null) {
    throw unsupported(
      'jobwright/indexeddb is for browsers: there is no IndexedDB here to open %s in. In Node, use jobwright/sqlite',
      name,
    );
  }
}

const REFUSED =
  'The browser does not let this page use IndexedDB, and so can not open %s: private windows, sandboxed frames and blocked site data are reasons';

/**
 * @param {any} error
 * @param {string} name
 * @param {number} known
 */
function refusal(error, name, known) {
  if (error?.name === 'VersionError') {
    const sentence = `The database %s was written by a newer version of jobwright, and this one knows it only up to version ${known}: load the newer one`;
    return unsupported(sentence, name, error);
  }
  // Browsers don't agree on what they say here.
  if (['SecurityError', 'InvalidStateError', 'NotAllowedError'].includes(error?.name)) {
    return unsupported(REFUSED, name, error);
  }
  return explain(error, name);
}

/** @param {string} name */
function foreign(name) {
  return new JobwrightError(`${describe(name)} is an IndexedDB database, but not one of jobwright's`, {
    code: 'invalid_argument',
    details: { name },
  });
}
