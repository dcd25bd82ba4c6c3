// @ts-check
import { leaseConflict } from './store-arguments.js';

/**
 * @typedef {import('./memory-entry.js').Entry} Entry
 * @typedef {{ token: number, owner: string, until: number }} Lease
 */

/**
 * The owner itself may take its lease again, and gets a new token: the answer to its first asking may have
 * been lost, and what it wrote under the old token is refused from then on.
 *
 * @param {Entry | undefined} entry
 * @param {string} owner
 * @param {number} token
 * @param {number} now
 * @param {number} ms
 */
export function acquire(entry, owner, token, now, ms) {
  if (entry === undefined) return null;
  if (entry.lease !== null && entry.lease.owner !== owner && entry.lease.until > now) return null;
  entry.lease = { token, owner, until: now + ms };
  return token;
}

/**
 * A lease that is past but that nobody took is still its owner's.
 *
 * @param {Entry | undefined} entry
 * @param {number} token
 * @param {number} now
 * @param {number} ms
 */
export function renew(entry, token, now, ms) {
  if (entry?.lease?.token !== token) return false;
  entry.lease.until = now + ms;
  return true;
}

/**
 * @param {Entry | undefined} entry
 * @param {number} token
 */
export function release(entry, token) {
  if (entry?.lease?.token === token) entry.lease = null;
}

/**
 * @param {string} jobId
 * @param {Entry | undefined} entry
 * @param {number} token
 */
export function checkFence(jobId, entry, token) {
  if (entry?.lease?.token !== token) throw leaseConflict(jobId, token);
}
