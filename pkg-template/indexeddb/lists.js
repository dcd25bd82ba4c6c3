// @ts-check
import { unknownCursor } from '../parts/store-arguments.js';
import { atMost } from './rows.js';

/**
 * @typedef {import('./schema.js').Row} Row
 * @typedef {ReturnType<typeof import('../parts/store-arguments.js').readFilter>} Question
 */

/**
 * Rows in order of creation, of each status by an index of its own, so that only as many are read as are asked for.
 *
 * @param {import('./transaction.js').Transaction} transaction
 * @param {Question} question
 * @returns {Promise<Row[]>}
 */
export async function listRows(transaction, { statuses, parentId, limit, cursor }) {
  const jobs = transaction.objectStore('jobs');
  const after = cursor === null ? 0 : await jobs.index('id').getKey(cursor);
  if (after === undefined) throw unknownCursor(/** @type {string} */ (cursor));
  if (limit === 0) return [];
  /** @type {(index: string, ...keys: string[]) => Promise<Row[]>} */
  const read = (index, ...keys) =>
    jobs.index(index).getAll(IDBKeyRange.bound([...keys, after], [...keys, []], true), atMost(limit));
  if (statuses === null) {
    if (parentId !== null) return read('parent', parentId);
    return jobs.getAll(IDBKeyRange.lowerBound(after, true), atMost(limit));
  }
  const asked = [...statuses].filter((status) => typeof status === 'string');
  const lists = await Promise.all(
    asked.map((status) =>
      parentId === null ? read('status', status) : read('parentStatus', parentId, status),
    ),
  );
  if (lists.length === 1) return lists.flat();
  return lists
    .flat()
    .sort((a, b) => a.n - b.n)
    .slice(0, limit);
}
