// @ts-check

/**
 * Transactions over one connection: all that `work` writes is there afterwards or, if it throws, nothing.
 *
 * @param {import('./driver.js').Database} database
 */
export function transaction(database) {
  const begin = database.prepare('BEGIN');
  const beginImmediate = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');
  const rollback = database.prepare('ROLLBACK');

  /**
   * @template T
   * @param {import('./driver.js').Statement} start
   * @param {() => T} work
   * @returns {T}
   */
  function run(start, work) {
    start.run();
    try {
      const result = work();
      commit.run();
      return result;
    } catch (error) {
      try {
        rollback.run();
      } catch {
        // SQLite rolls back by itself on some errors, and then there is nothing left to roll back.
      }
      throw error;
    }
  }

  return {
    /**
     * Several reads of one moment.
     *
     * @template T
     * @param {() => T} work
     */
    read: (work) => run(begin, work),
    /**
     * Locks first: two that read before they write would both fail instead of one waiting for the other.
     *
     * @template T
     * @param {() => T} work
     */
    write: (work) => run(beginImmediate, work),
  };
}
