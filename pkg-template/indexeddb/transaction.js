// @ts-check
import { ended, explain, isBrowsers } from './errors.js';

/**
 * @typedef {import('idb').IDBPTransaction<unknown, string[], 'readwrite'>} Transaction
 * @typedef {ReturnType<typeof transactions>} Transactions
 */

/**
 * Transactions over one connection: all that `work` writes is there afterwards or, if it throws, nothing. IndexedDB
 * commits a transaction that has nothing to do, so `work` awaits nothing but what it asks of the transaction.
 *
 * @param {import('./open.js').Connection} connection
 * @param {'relaxed' | 'strict'} durability
 */
export function transactions(connection, durability) {
  /**
   * @template T
   * @param {'readonly' | 'readwrite'} mode
   * @param {string[]} stores
   * @param {(transaction: Transaction) => Promise<T>} work
   * @returns {Promise<T>}
   */
  async function run(mode, stores, work) {
    const { database, name } = connection;
    if (connection.end !== null) throw ended(connection.end, name);
    /** @type {Transaction | undefined} */
    let transaction;
    try {
      // What is only read has nothing that could be written; the types have one kind for both.
      transaction = /** @type {Transaction} */ (database.transaction(stores, mode, { durability }));
      const { done } = transaction;
      // It is also awaited below, but not when the work fails first.
      done.catch(() => {});
      const result = await work(transaction);
      await done;
      return result;
    } catch (error) {
      if (transaction !== undefined) await abort(transaction);
      throw reason(error, transaction?.error);
    }
  }

  /**
   * @param {unknown} error
   * @param {unknown} aborted why the browser ended the transaction, which its requests do not say
   */
  function reason(error, aborted) {
    if (!isBrowsers(error)) return error;
    // Read after the wait: the connection may have ended since.
    const end = /** @type {import('./open.js').Connection['end']} */ (connection.end);
    return end === null ? explain(aborted ?? error, connection.name) : ended(end, connection.name);
  }

  return {
    /**
     * Several reads of one moment.
     *
     * @template T
     * @param {string[]} stores
     * @param {(transaction: Transaction) => Promise<T>} work
     */
    read: (stores, work) => run('readonly', stores, work),
    /**
     * @template T
     * @param {string[]} stores
     * @param {(transaction: Transaction) => Promise<T>} work
     */
    write: (stores, work) => run('readwrite', stores, work),
  };
}

/**
 * Resolves when nothing of the transaction is left.
 *
 * @param {Transaction} transaction
 */
async function abort(transaction) {
  try {
    transaction.abort();
  } catch {
    // The browser has aborted it already.
  }
  await transaction.done.catch(() => {});
}
