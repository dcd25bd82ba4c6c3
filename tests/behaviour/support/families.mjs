// @ts-check
/** Parents, their children, and what became of them, in one line each. */
import assert from 'node:assert/strict';
import { FREE } from './setup.mjs';

/** What a job is created with that can be monitored. */
export const PARENT = { type: 'parent', config: { source_type: 'crawl' } };

/** @param {any} w @param {any} [options] */
export async function monitored(w, options, more = PARENT) {
  const id = await w.createJob({}, FREE, more);
  assert.equal(w.startMonitoring(await w.getJob(id), options), undefined);
  return id;
}

/** @param {any} w @param {string} parentId @param {number} count @param {any} [more] @returns {Promise<string[]>} */
export const childrenOf = (w, parentId, count, more = {}) =>
  Promise.all(Array.from({ length: count }, () => w.createJob({}, FREE, { parentId, ...more })));

/** @param {any} w @param {string} id */
export async function complete(w, id) {
  assert.deepEqual(await w.startJob(id), { success: true });
  assert.deepEqual(await w.completeJob(id), { success: true });
}

/** @param {any} w @param {string} id */
export const statusOf = async (w, id) => (await w.getJob(id)).status;

/** @param {any} w @param {string} id @returns {Promise<string>} how the job failed: code and words */
export async function failureOf(w, id) {
  const { status, run } = await w.getJob(id);
  assert.equal(status, 'failed');
  return `${run.failure.code}: ${run.failure.message}`;
}
