// @ts-check
import { codeOf } from './errors.js';

/**
 * Sends writes to the server: those that are ready at the same moment go in one statement, and so in one message, one
 * transaction and one flush of the disk. Each has an outcome of its own.
 *
 * @typedef {import('./changes.js').Write} Write
 * @typedef {{ outcome: 'done' | 'revision' | 'lease' | 'event' | 'control' | 'unknown' | 'again', stored: number | null }} Answer
 *
 * @typedef {object} Waiting
 * @property {Write} write
 * @property {number | null} control the number of the control record that it relies on
 * @property {(answer: Answer) => void} resolve
 * @property {(error: unknown) => void} reject
 */

/** While so many statements are on their way, further writes gather for the next. */
const IN_FLIGHT = 2;
/** How many writes go in one statement, and how many characters: a large one would hold the others up. */
const MOST_WRITES = 40;
const MOST_SIZE = 1_000_000;

const PARAMETERS = 20;

/**
 * @param {object} options
 * @param {string} options.schema quoted
 * @param {string} options.channel
 * @param {import('./connection.js').Source['query']} options.query
 * @param {<T>(send: (again: boolean) => Promise<T>, kind: 'write') => Promise<T>} options.attempt
 */
export function createWriter({ schema, channel, query, attempt }) {
  /** @type {Waiting[]} */
  let waiting = [];
  let inFlight = 0;
  let told = false;
  /** @type {string | undefined} A single write is planned once for each connection: that is a third of its time. */
  let name = `${channel}_write_job`;

  /**
   * @param {Write} write
   * @param {number | null} control
   * @returns {Promise<Answer>}
   */
  function write(write, control) {
    return new Promise((resolve, reject) => {
      waiting.push({ write, control, resolve, reject });
      if (told) return;
      told = true;
      queueMicrotask(() => {
        told = false;
        sendWaiting();
      });
    });
  }

  function sendWaiting() {
    while (waiting.length > 0 && inFlight < IN_FLIGHT) {
      inFlight += 1;
      sendTogether(takeBatch()).then(() => {
        inFlight -= 1;
        sendWaiting();
      });
    }
  }

  function takeBatch() {
    let count = 0;
    for (let size = 0; count < waiting.length && count < MOST_WRITES; count += 1) {
      size += /** @type {Waiting} */ (waiting[count]).write.size;
      if (count > 0 && size > MOST_SIZE) break;
    }
    const batch = waiting.slice(0, count);
    waiting = waiting.slice(count);
    // All in the same order, so that two statements do not wait for each other's jobs.
    return batch.sort(inOrder);
  }

  /** @param {Waiting[]} batch */
  async function sendTogether(batch) {
    try {
      const answers = await send(batch);
      for (const [i, { resolve }] of batch.entries()) resolve(/** @type {Answer} */ (answers[i]));
    } catch (error) {
      if (batch.length === 1 || isLostError(error)) for (const { reject } of batch) reject(error);
      // One that the server can't take fails them all, and so each is tried by itself.
      else for (const each of batch) await sendTogether([each]);
    }
  }

  /** @param {Waiting[]} batch */
  async function send(batch) {
    const text = textFor(schema, batch.length);
    const rows = await attempt(
      (again) =>
        prepared(
          text,
          batch.flatMap(({ write, control }) => write.values(again, control)),
        ),
      'write',
    );
    return rows.map(([outcome, stored]) => ({ outcome, stored: stored === null ? null : Number(stored) }));
  }

  /**
   * @param {string} text
   * @param {unknown[]} values
   */
  async function prepared(text, values) {
    try {
      return await query(text, values, values.length === PARAMETERS ? name : undefined);
    } catch (error) {
      // A pooler between may give each statement another connection, on which it is not prepared, or is already.
      if (name === undefined || !['26000', '42P05'].includes(codeOf(error))) throw error;
      name = undefined;
      return query(text, values);
    }
  }

  return write;
}

/** @param {any} error */
function isLostError(error) {
  return error?.details?.outcome !== undefined || error?.code === 'closed';
}

/**
 * Those that make jobs first: they take a lock that must not be waited for with a job's row in hand.
 *
 * @param {Waiting} a
 * @param {Waiting} b
 */
function inOrder({ write: a }, { write: b }) {
  if (a.creates !== b.creates) return a.creates ? -1 : 1;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

/**
 * @param {string} schema
 * @param {number} count
 */
function textFor(schema, count) {
  const calls = Array.from({ length: count }, (_, i) => {
    const parameters = Array.from({ length: PARAMETERS }, (_, j) => `$${i * PARAMETERS + j + 1}`);
    return `SELECT outcome, stored FROM ${schema}.write_job(${parameters.join(', ')})`;
  });
  return calls.join(' UNION ALL ');
}
