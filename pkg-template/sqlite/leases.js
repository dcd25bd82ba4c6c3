// @ts-check
import { checkId, checkMs } from '../parts/store-arguments.js';
import { lookupKey } from './keys.js';
import { hasEnded, thisProcess } from './lease-holder.js';

/**
 * A lease says that a process is alive, and none outlives a power cut. So nobody waits until a lease is on the disk. It
 * stands in the log before all that is committed under its token, and the disk is waited for with those: what is
 * committed with a token is never there without the token.
 *
 * @param {ReturnType<typeof import('./statements.js').prepareStatements>} sql
 * @param {<T>(work: () => T) => T} write in one transaction
 * @param {<T>(work: () => T) => T} unsynced what is committed in it need not wait for the disk
 */
export function storeLeases(sql, write, unsynced) {
  /** @type {Map<string, number>} tokens of leases that were given back with a commit, until somebody asks for that */
  const returned = new Map();

  /**
   * @param {string} jobId
   * @param {string} owner
   * @param {number} ms
   * @returns {number | null} a fencing token, higher than any before
   */
  function acquireLease(jobId, owner, ms) {
    checkId(owner, 'acquireLease: owner');
    checkMs(ms, 'acquireLease: ms');
    const id = lookupKey(jobId);
    /** @param {string | null} dead the process from which it may be taken */
    const take = (dead) => Number(sql.takeLease.run(owner, thisProcess(), ms, id, owner, dead).changes) > 0;
    return unsynced(() =>
      write(() => {
        if (!take(null)) {
          const holder = sql.readLease.get(id)?.lease_process;
          if (!hasEnded(holder) || !take(holder)) return null;
        }
        return sql.nextToken.get()?.last_token;
      }),
    );
  }

  /**
   * @param {string} jobId
   * @param {number} token
   * @param {number} ms
   * @returns {boolean}
   */
  function renewLease(jobId, token, ms) {
    checkMs(ms, 'renewLease: ms');
    // Nobody else has it either, and who asks has not given it back yet.
    if (returned.get(jobId) === token) return true;
    return unsynced(() => Number(sql.renewLease.run(ms, lookupKey(jobId), token).changes) > 0);
  }

  /**
   * @param {string} jobId
   * @param {number} token
   */
  function releaseLease(jobId, token) {
    if (returned.get(jobId) === token) returned.delete(jobId);
    else unsynced(() => sql.releaseLease.run(lookupKey(jobId), token));
  }

  /**
   * @param {string} jobId
   * @param {number} token of its lease, which was given back with a commit
   */
  function givenBack(jobId, token) {
    returned.set(jobId, token);
  }

  return { acquireLease, renewLease, releaseLease, givenBack };
}
