// @ts-check

/**
 * Ids and keys as they stand in the database: themselves, so that a person can read and query them. Those
 * that SQLite or a library would cut or change (with NUL, or half of a surrogate pair) are stored as JSON
 * strings, and so are those that begin with the quote that tells the two apart.
 *
 * @param {string} key
 */
export function encodeKey(key) {
  return key.startsWith('"') || key.includes('\0') || LONE_SURROGATE.test(key) ? JSON.stringify(key) : key;
}

/**
 * @param {unknown} key what a caller asks for
 * @returns {string | null} null where that is no string: SQLite finds nothing under null, but '5' under 5
 */
export function lookupKey(key) {
  return typeof key === 'string' ? encodeKey(key) : null;
}

/**
 * @param {string} stored
 * @returns {string}
 */
export function decodeKey(stored) {
  return stored.startsWith('"') ? JSON.parse(stored) : stored;
}

const LONE_SURROGATE = /\p{Surrogate}/u;
