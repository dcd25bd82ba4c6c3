// @ts-check
import { createHash } from 'node:crypto';

/** An index row of PostgreSQL holds 2,704 bytes; a character takes up to four, and an entry has two columns. */
const LONGEST_KEY = 500;

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Ids and keys as they stand in the database: themselves, so that a person can read and query them. Those that text in
 * PostgreSQL can't hold (with NUL, or half of a surrogate pair) are stored as JSON strings, and so are those that
 * begin with the quote that tells the two apart.
 *
 * @param {string} key
 */
export function encodeKey(key) {
  return key.startsWith('"') || key.includes('\0') || LONE_SURROGATE.test(key) ? JSON.stringify(key) : key;
}

/**
 * @param {string} stored
 * @returns {string}
 */
export function decodeKey(stored) {
  return stored.startsWith('"') ? JSON.parse(stored) : stored;
}

/**
 * What an index holds of an encoded key: itself, or a hash where it is too long. A hash begins with a quote and does
 * not end with one, as no encoded key does.
 *
 * @param {string} encoded
 */
export function indexKey(encoded) {
  if (encoded.length <= LONGEST_KEY) return encoded;
  return `"sha256:${createHash('sha256').update(encoded).digest('hex')}`;
}

/**
 * @param {unknown} id what a caller asks for
 * @returns {string | null} null where that is no string, under which nothing is found
 */
export function lookupId(id) {
  return typeof id === 'string' ? indexKey(encodeKey(id)) : null;
}
