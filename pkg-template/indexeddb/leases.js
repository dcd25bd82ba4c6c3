// @ts-check
import * as check from '../parts/store-arguments.js';
import { findJob } from './rows.js';

/** @typedef {import('./transaction.js').Transaction} Transaction */

/**
 * Leases go by `Date.now()`, which is the same clock for all tabs of a browser.
 *
 * @param {import('./transaction.js').Transactions} transactions
 * @param {ReturnType<typeof import('./presence.js').createPresence>} presence
 */
export function createLeases({ write }, presence) {
  /**
   * @param {string} jobId
   * @param {string} owner
   * @param {number} ms
   * @returns {Promise<number | null>} a fencing token, higher than any before
   */
  async function acquireLease(jobId, owner, ms) {
    check.checkId(owner, 'acquireLease: owner');
    check.checkMs(ms, 'acquireLease: ms');
    const holder = await presence.hold();
    /** @param {number | null} forfeited the token of a lease whose owner is gone */
    const take = (forfeited) =>
      write(['jobs', 'control'], (transaction) =>
        takeLease(transaction, { jobId, owner, ms, holder, forfeited }),
      );
    const { token, lease } = await take(null);
    // Asked between two transactions: in one, nothing else can be awaited.
    if (lease === null || !(await presence.isGone(lease.holder))) return token;
    return (await take(lease.token)).token;
  }

  /**
   * @param {string} jobId
   * @param {number} token
   * @param {number} ms
   */
  async function renewLease(jobId, token, ms) {
    check.checkMs(ms, 'renewLease: ms');
    return setLease(jobId, token, (lease) => ({ ...lease, until: Date.now() + ms }));
  }

  /**
   * @param {string} jobId
   * @param {number} token
   */
  async function releaseLease(jobId, token) {
    await setLease(jobId, token, () => null);
  }

  /**
   * @param {string} jobId
   * @param {number} token
   * @param {(lease: NonNullable<import('./schema.js').Row['lease']>) => import('./schema.js').Row['lease']} next
   */
  function setLease(jobId, token, next) {
    return write(['jobs'], async (transaction) => {
      const row = await findJob(transaction, jobId);
      // One that is past but that nobody took is still its owner's.
      if (!row?.lease || row.lease.token !== token) return false;
      await transaction.objectStore('jobs').put({ ...row, lease: next(row.lease) });
      return true;
    });
  }

  return { acquireLease, renewLease, releaseLease };
}

/**
 * @param {Transaction} transaction
 * @param {{ jobId: string, owner: string, ms: number, holder: string | null, forfeited: number | null }} request
 * @returns {Promise<{ token: number | null, lease: import('./schema.js').Row['lease'] }>} the token, or the lease that
 *   is in the way
 */
async function takeLease(transaction, { jobId, owner, ms, holder, forfeited }) {
  const control = transaction.objectStore('control');
  const [row, last] = await Promise.all([findJob(transaction, jobId), control.get('lastToken')]);
  if (row === undefined) return { token: null, lease: null };
  const { lease } = row;
  const now = Date.now();
  const isFree = lease === null || lease.owner === owner || lease.until <= now || lease.token === forfeited;
  if (!isFree) return { token: null, lease };
  const token = (last ?? 0) + 1;
  await Promise.all([
    control.put(token, 'lastToken'),
    transaction.objectStore('jobs').put({ ...row, lease: { owner, token, until: now + ms, holder } }),
  ]);
  return { token, lease: null };
}
