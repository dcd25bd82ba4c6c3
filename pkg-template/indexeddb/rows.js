// @ts-check
import { joinJob } from '../parts/job-parts.js';
import { setOwn } from '../parts/plain.js';
import { KEYED, PARTS } from './schema.js';

/**
 * What the store asks of a transaction about one job.
 *
 * @typedef {import('./changes.js').Written} Written
 * @typedef {import('./schema.js').Row} Row
 * @typedef {import('./transaction.js').Transaction} Transaction
 */

/**
 * @param {Transaction} transaction
 * @param {unknown} jobId
 * @returns {Promise<Row | undefined>}
 */
export async function findJob(transaction, jobId) {
  if (typeof jobId !== 'string') return undefined;
  return transaction.objectStore('jobs').index('id').get(jobId);
}

/** All keys of one job's rows, where keys begin with its number. @param {number} n */
const ofJob = (n) => IDBKeyRange.bound([n], [n, []]);

/**
 * @param {Transaction} transaction
 * @param {Row | undefined} found the job as it is, if it is there
 * @param {Written} written
 */
export async function writeParts(transaction, found, written) {
  const seqs = written.number(found?.lastSeq ?? 0);
  const { rows, gone, places } = await placeRows(transaction, found, written);
  const jobs = transaction.objectStore('jobs');
  const row = rowOf(found, written, seqs, places);
  const n = found?.n ?? Number(await jobs.add(row));
  await Promise.all([
    found && jobs.put({ ...row, n }),
    written.plan !== null && transaction.objectStore('plans').put(written.plan, n),
    ...rows.map(([store, values]) => transaction.objectStore(store).put({ n, ...values })),
    ...gone.map(([store, key]) => transaction.objectStore(store).delete(key)),
    ...written.events.map((event, i) =>
      transaction.objectStore('events').put(event, [n, /** @type {number} */ (seqs[i])]),
    ),
  ]);
}

/**
 * @param {Row | undefined} found
 * @param {Written} written
 * @param {number[]} seqs
 * @param {number} places
 * @returns {Omit<Row, 'n'>}
 */
function rowOf(found, { head, ended, revision, text }, seqs, places) {
  const events = (found?.events ?? 0) + seqs.length;
  return {
    id: head.id,
    status: head.status ?? null,
    parentId: head.parentId ?? null,
    ended,
    endedWithHistory: events > 0 ? ended : null,
    revision,
    lastSeq: seqs.at(-1) ?? found?.lastSeq ?? 0,
    events,
    places,
    head: text,
    lease: found?.lease ?? null,
  };
}

/**
 * Where keys of the context and steps go: those that are there stay at their places, as in an object.
 *
 * @param {Transaction} transaction
 * @param {Row | undefined} found
 * @param {Written} written
 */
async function placeRows(transaction, found, written) {
  /** @type {[string, { place: number, key: string, value: string }][]} */
  const rows = [];
  /** @type {[string, IDBValidKey][]} */
  const gone = [];
  let places = found?.places ?? 0;
  const known = await Promise.all(
    KEYED.map((store) => found && placesOf(transaction, store, found.n, written[store])),
  );
  for (const [i, store] of KEYED.entries()) {
    for (const [j, [key, value]] of written[store].entries()) {
      const at = known[i]?.[j];
      if (value === null) {
        if (at !== undefined) gone.push([store, at]);
      } else {
        if (at === undefined) places += 1;
        rows.push([store, { place: at?.[1] ?? places, key, value }]);
      }
    }
  }
  return { rows, gone, places };
}

/**
 * @param {Transaction} transaction
 * @param {string} store
 * @param {number} n
 * @param {[string, unknown][]} values
 * @returns {Promise<([number, number] | undefined)[]>}
 */
function placesOf(transaction, store, n, values) {
  const index = transaction.objectStore(store).index('key');
  return /** @type {Promise<any>} */ (Promise.all(values.map(([key]) => index.getKey([n, key]))));
}

/**
 * @param {Transaction} transaction
 * @param {number} n
 */
export async function clearParts(transaction, n) {
  await Promise.all(
    PARTS.map((store) => transaction.objectStore(store).delete(store === 'plans' ? n : ofJob(n))),
  );
}

/**
 * @param {Transaction} transaction
 * @param {number} n
 */
export async function removeJob(transaction, n) {
  await Promise.all([clearParts(transaction, n), transaction.objectStore('jobs').delete(n)]);
}

/**
 * @param {Transaction} transaction
 * @param {Row} row
 */
export async function forgetEvents(transaction, row) {
  await Promise.all([
    transaction.objectStore('events').delete(ofJob(row.n)),
    transaction.objectStore('jobs').put({ ...row, events: 0, endedWithHistory: null }),
  ]);
}

/**
 * @param {Transaction} transaction
 * @param {unknown} jobId
 * @returns {Promise<{ row: Row, parts: any[] } | null>} as text, which is read when the transaction is over
 */
export async function readParts(transaction, jobId) {
  const row = await findJob(transaction, jobId);
  if (row === undefined) return null;
  const parts = PARTS.map((store) => {
    const rows = transaction.objectStore(store);
    return store === 'plans' ? rows.get(row.n) : rows.getAll(ofJob(row.n));
  });
  return { row, parts: await Promise.all(parts) };
}

/** @param {{ row: Row, parts: any[] }} stored */
export function jobOf({ row, parts: [plan, context, steps, events] }) {
  return joinJob({
    head: JSON.parse(row.head),
    context: objectOf(context),
    history: eventsOf(events),
    plan: plan === undefined ? undefined : JSON.parse(plan),
    steps: objectOf(steps),
  });
}

/** @param {{ key: string, value: string }[]} rows */
function objectOf(rows) {
  /** @type {Record<string, any>} */
  const object = {};
  for (const { key, value } of rows) setOwn(object, key, JSON.parse(value));
  return object;
}

/**
 * @param {Transaction} transaction
 * @param {unknown} jobId
 * @param {number} afterSeq
 * @param {number} limit
 * @returns {Promise<string[]>}
 */
export async function readEvents(transaction, jobId, afterSeq, limit) {
  const row = await findJob(transaction, jobId);
  if (row === undefined || limit === 0) return [];
  const range = IDBKeyRange.bound([row.n, afterSeq], [row.n, []], true);
  return transaction.objectStore('events').getAll(range, atMost(limit));
}

/** @param {string[]} events */
export const eventsOf = (events) => JSON.parse(`[${events.join(',')}]`);

/**
 * A limit as IndexedDB takes it: 0 would mean none, and there is no number for none.
 *
 * @param {number} limit
 */
export const atMost = (limit) => (limit > 0xffffffff ? undefined : limit);
