// @ts-check
import { eventsAfter } from './rows.js';
import { placesOf } from './statements.js';

/**
 * Where the rows of a job are: in `early_commits`, counted from 1 at its `n`, and those since it was first leased in
 * `run_commits`, at the token of that lease. Each table grows at its end that way, where SQLite fills a page and begins the
 * next one; rows that are put between those of other jobs make it spread full pages over their neighbours, all of which
 * are written.
 *
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('./driver.js').Row} Row
 * @typedef {import('./rows.js').WrittenRow} WrittenRow
 * @typedef {ReturnType<typeof prepareRows>} Rows
 *
 * @typedef {Row} Place of a job, its columns `n` and `first_lease`
 */

/** How many rows of a job are read at a time, for events. */
const ROWS_AT_ONCE = 200;

/**
 * @param {import('./driver.js').Database} database
 * @param {'early_commits' | 'run_commits'} table
 */
function prepareRows(database, table) {
  const among = `FROM ${table} WHERE place ${placesOf('?')}`;
  return {
    add: database.prepare(
      `INSERT INTO ${table} (place, revision, last_seq, steps_taken, change) VALUES (? << 32 | ?, ?, ?, ?, ?)`,
    ),
    clear: database.prepare(`DELETE ${among}`),
    count: database.prepare(`SELECT max(place) & 4294967295 AS rows ${among}`),
    read: database.prepare(`SELECT change ${among} ORDER BY place`),
    readFrom: database.prepare(
      `SELECT change FROM ${table} WHERE place >= ? << 32 | ? AND place <= ? << 32 | 4294967295
       ORDER BY place LIMIT ?`,
    ),
    readSeq: database.prepare(`SELECT last_seq FROM ${table} WHERE place = ? << 32 | ?`),
  };
}

/** @param {import('./driver.js').Database} database */
export function jobRows(database) {
  const early = prepareRows(database, 'early_commits');
  const late = prepareRows(database, 'run_commits');

  /**
   * @param {Place} job
   * @returns {[Rows, number][]} oldest first
   */
  function partsOf({ n, first_lease: lease }) {
    return lease === null
      ? [[early, n]]
      : [
          [early, n],
          [late, lease],
        ];
  }

  /**
   * @param {Place} job
   * @param {WrittenRow[]} rows
   * @param {{ count: number, revision: number | null, stepsTaken: number | null }} after how many rows are where these
   *   come, and how the job stands with them
   */
  function add({ n, first_lease: lease }, rows, { count, revision, stepsTaken }) {
    const sql = lease === null ? early : late;
    let place = count;
    for (const { lastSeq, change } of rows) {
      place += 1;
      sql.add.run(lease ?? n, place, revision, lastSeq, stepsTaken, change);
    }
  }

  /** @param {Place} job */
  function clear(job) {
    for (const [sql, key] of partsOf(job)) sql.clear.run(key, key);
  }

  /**
   * @param {Place} job
   * @returns {Row[]}
   */
  const read = (job) => partsOf(job).flatMap(([sql, key]) => sql.read.all(key, key));

  /**
   * @param {string} jobId
   * @param {Place} job
   * @param {{ afterSeq: number, most: number }} which
   * @returns {JobEvent[]}
   */
  function events(jobId, job, { afterSeq, most }) {
    /** @type {JobEvent[]} */
    const found = [];
    for (const [sql, key] of partsOf(job)) {
      const count = sql.count.get(key, key)?.rows ?? 0;
      for (let row = firstAfter(sql, key, count, afterSeq); row <= count && found.length < most; ) {
        const rows = sql.readFrom.all(key, row, key, Math.min(most, ROWS_AT_ONCE));
        for (const each of rows) for (const event of eventsAfter(jobId, each, afterSeq)) found.push(event);
        row += rows.length;
      }
    }
    return found.length > most ? found.slice(0, most) : found;
  }

  return { add, clear, read, events };
}

/**
 * The first row with an event after one, by halves: rows are counted from 1 without a gap.
 *
 * @param {Rows} sql
 * @param {number} key
 * @param {number} count how many rows there are
 * @param {number} afterSeq
 */
function firstAfter(sql, key, count, afterSeq) {
  let from = 1;
  for (let to = count + 1; from < to; ) {
    const middle = Math.floor((from + to) / 2);
    if (sql.readSeq.get(key, middle)?.last_seq > afterSeq) to = middle;
    else from = middle + 1;
  }
  return from;
}
