// @ts-check
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

/** The types of the arguments of `advance_job`. */
const ADVANCE_TYPES = [
  ...['text', 'bigint', 'bigint', 'bigint', 'bigint', 'text', 'text', 'text', 'double precision', 'text'],
  ...['bigint', 'bigint', 'text', 'text'],
];
const WRITE_PARAMETERS = 20;

/** @type {Answer} */
const DONE = { outcome: 'done', stored: null };

/**
 * @param {object} options
 * @param {string} options.schema quoted
 * @param {import('./connection.js').Source['query']} options.query
 * @param {ReturnType<typeof import('./prepared.js').createPrepared>} options.prepared
 * @param {<T>(send: (again: boolean) => Promise<T>, kind: 'write', sent?: boolean) => Promise<T>} options.attempt
 */
export function createWriter({ schema, query, prepared, attempt }) {
  const texts = textsIn(schema);
  /** @type {Waiting[]} */
  let waiting = [];
  let inFlight = 0;
  let told = false;

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

  /** The oldest, and others of its kind. */
  function takeBatch() {
    const advances = isAdvance(/** @type {Waiting} */ (waiting[0]));
    let size = 0;
    /** @type {Waiting[]} */
    const batch = [];
    /** @type {Waiting[]} */
    const rest = [];
    for (const each of waiting) {
      const isTaken =
        isAdvance(each) === advances &&
        batch.length < MOST_WRITES &&
        (batch.length === 0 || size + each.write.size <= MOST_SIZE);
      if (isTaken) size += each.write.size;
      (isTaken ? batch : rest).push(each);
    }
    waiting = rest;
    // All in the same order, so that two statements do not wait for each other's jobs.
    return batch.sort(inOrder);
  }

  /** @param {Waiting[]} batch */
  async function sendTogether(batch) {
    let left = batch;
    try {
      if (batch.every(isAdvance)) left = await advanceTogether(batch);
      const answers = left.length === 0 ? [] : await sendWrites(left, false);
      for (const [i, { resolve }] of left.entries()) resolve(/** @type {Answer} */ (answers[i]));
    } catch (error) {
      if (left.length === 1 || isLostError(error)) for (const { reject } of left) reject(error);
      // One that the server can't take fails them all, and so each is tried by itself.
      else for (const each of left) await sendTogether([each]);
    }
  }

  /**
   * Those that are stored are told so, whatever becomes of the others.
   *
   * @param {Waiting[]} batch
   * @returns {Promise<Waiting[]>} those that have to be written in another way: of them nothing is written
   */
  async function advanceTogether(batch) {
    const answers = await attempt((again) => (again ? sendWrites(batch, true) : advance(batch)), 'write');
    return batch.filter(({ resolve }, i) => {
      const answer = answers[i] ?? null;
      if (answer !== null) resolve(answer);
      return answer === null;
    });
  }

  /**
   * @param {Waiting[]} batch
   * @returns {Promise<(Answer | null)[]>} null: it has to be written in another way
   */
  async function advance(batch) {
    const all = batch.map(({ write, control }) => write.advance?.(control) ?? []);
    const [first = []] = all;
    const rows =
      batch.length === 1
        ? await prepared('advance_job', texts.advanceJob, first)
        : await prepared(
            'advance_jobs',
            texts.advanceJobs,
            first.map((_, place) => all.map((values) => values[place])),
          );
    return rows.map(([advanced]) => (advanced === null ? null : DONE));
  }

  /**
   * @param {Waiting[]} batch
   * @param {boolean} sent whether it may have been sent before
   * @returns {Promise<Answer[]>}
   */
  async function sendWrites(batch, sent) {
    /** @param {boolean} again */
    const send = (again) => {
      const values = batch.flatMap(({ write, control }) => write.values(again, control));
      return batch.length === 1
        ? prepared('write_job', texts.writeJobs(1), values)
        : query(texts.writeJobs(batch.length), values);
    };
    const rows = await attempt(send, 'write', sent);
    return rows.map(([outcome, stored]) => ({ outcome, stored: stored === null ? null : Number(stored) }));
  }

  return write;
}

/** @param {Waiting} waiting */
const isAdvance = ({ write }) => write.advance !== null;

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

/** @param {string} schema quoted */
function textsIn(schema) {
  const call = (/** @type {number} */ count, /** @type {number} */ from) =>
    Array.from({ length: count }, (_, i) => `$${from + i + 1}`).join(', ');
  const lists = ADVANCE_TYPES.map((type, i) => `$${i + 1}::${type}[]`).join(', ');
  return {
    advanceJob: `SELECT ${schema}.advance_job(${call(ADVANCE_TYPES.length, 0)})`,
    advanceJobs: `SELECT ${schema}.advance_jobs(${lists})`,
    writeJobs: (/** @type {number} */ count) =>
      Array.from(
        { length: count },
        (_, i) =>
          `SELECT outcome, stored FROM ${schema}.write_job(${call(WRITE_PARAMETERS, i * WRITE_PARAMETERS)})`,
      ).join(' UNION ALL '),
  };
}
