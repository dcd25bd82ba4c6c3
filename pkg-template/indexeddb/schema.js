// @ts-check

/**
 * @typedef {import('idb').IDBPDatabase} Database
 * @typedef {(database: Database, transaction: import('idb').IDBPTransaction<unknown, string[], 'versionchange'>) => void} Migration
 *
 * A job as it stands in `jobs`. What is null is in no index.
 *
 * @typedef {object} Row
 * @property {number} n counts jobs in order of creation
 * @property {string} id
 * @property {unknown} status
 * @property {unknown} parentId
 * @property {number | null} ended
 * @property {number | null} endedWithHistory the same, while there are events
 * @property {number} revision
 * @property {number} lastSeq stays when the history is pruned
 * @property {number} events how many are stored
 * @property {number} places how many were given to keys of the context and to steps
 * @property {string} head JSON
 * @property {{ owner: string, token: number, until: number, holder: string | null } | null} lease
 */

/** Of a job's parts, those with one row for each key, which are read in the order in which they came. */
export const KEYED = /** @type {const} */ (['context', 'steps']);

/** Where a job's parts are. */
export const PARTS = /** @type {const} */ (['plans', ...KEYED, 'events']);

export const ALL = ['jobs', ...PARTS];

const EXPECTED = [...ALL, 'control'];

/**
 * From nothing to the newest version of the database. A release that changes it adds one, and never edits one.
 *
 * Jobs are in parts, so that a commit writes what changed and nothing else: a row with the head, small and whole; one
 * for each key of the context, each step and each event. Values are JSON: what comes back is what went in, whatever the
 * browser's own way of copying does to it, and a person can read it.
 *
 * @type {readonly Migration[]}
 */
export const MIGRATIONS = [
  (database) => {
    const jobs = database.createObjectStore('jobs', { keyPath: 'n', autoIncrement: true });
    jobs.createIndex('id', 'id', { unique: true });
    jobs.createIndex('status', ['status', 'n']);
    jobs.createIndex('parent', ['parentId', 'n']);
    jobs.createIndex('parentStatus', ['parentId', 'status', 'n']);
    jobs.createIndex('ended', 'ended');
    jobs.createIndex('endedWithHistory', 'endedWithHistory');
    database.createObjectStore('plans');
    for (const name of KEYED) {
      const rows = database.createObjectStore(name, { keyPath: ['n', 'place'] });
      rows.createIndex('key', ['n', 'key'], { unique: true });
    }
    database.createObjectStore('events');
    database.createObjectStore('control');
  },
];

/** @param {Database} database */
export function isOurs({ objectStoreNames }) {
  return EXPECTED.every((name) => /** @type {DOMStringList} */ (objectStoreNames).contains(name));
}
