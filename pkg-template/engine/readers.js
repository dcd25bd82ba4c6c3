// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { copyEvent, storedPayload, wholeEvent } from '../parts/noted-event.js';
import { describe } from '../parts/plain.js';
import { invalidArgument, optionalSignal, optionsObject } from './arguments.js';
import { readHead } from './heads.js';
import { BUS_ONLY } from './names.js';

/** How many events a reader may lag behind before it is read from the store again, or refused. */
const MOST_WAITING = 10_000;

/** How many stored events are asked for at once. */
const PAGE = 1_000;

const ENDINGS = new Set(['job_completed', 'job_failed']);

/**
 * @typedef {object} Reader
 * @property {any[]} waiting
 * @property {boolean} overflowed events were dropped that it has not seen
 * @property {boolean} behind others stored events that it has not seen
 * @property {(() => void) | null} wake
 */

/** Those who follow `events()`. A slow one delays nobody: what it has not read yet is bounded. */
export class Readers {
  /** @param {import('./engine.js').Engine} engine */
  constructor(engine) {
    this.engine = engine;
    /** @type {Map<string | undefined, Set<Reader>>} by job id; undefined for those who follow every job */
    this.byJob = new Map();
  }

  /**
   * @param {string} jobId
   * @param {any} event
   */
  push(jobId, event) {
    if (this.byJob.size === 0) return;
    for (const readers of [this.byJob.get(jobId), this.byJob.get(undefined)]) {
      for (const reader of readers ?? []) offer(reader, this.copyOf(event));
    }
    if (!ENDINGS.has(event.type)) return;
    // Nothing comes after it: who has not read it yet, or never does, has it all the same.
    for (const reader of this.byJob.get(jobId) ?? []) if (!reader.overflowed) this.remove(jobId, reader);
  }

  /**
   * A copy for each reader: the event itself may be the store's. In a plain store, the context that a history begins
   * with can be anything.
   *
   * @param {any} event
   */
  copyOf(event) {
    const isJson = event.type !== 'job_created' || this.engine.commits();
    return isJson ? copyEvent(event) : wholeEvent(event, { ...storedPayload(event) });
  }

  /** @param {string | undefined} jobId */
  add(jobId) {
    /** @type {Reader} */
    const reader = { waiting: [], overflowed: false, behind: false, wake: null };
    this.engine.notices.begin();
    const readers = this.byJob.get(jobId) ?? new Set();
    this.byJob.set(jobId, readers.add(reader));
    return reader;
  }

  /**
   * @param {string | undefined} jobId
   * @param {Reader} reader
   */
  remove(jobId, reader) {
    const readers = this.byJob.get(jobId);
    readers?.delete(reader);
    if (readers?.size === 0) this.byJob.delete(jobId);
  }

  /**
   * Others may have stored events of a job, or of any. Those who follow every job hear only what happens here.
   *
   * @param {string} [jobId]
   */
  storedMore(jobId) {
    const behind = jobId === undefined ? this.byJob : [[jobId, this.byJob.get(jobId) ?? []]];
    for (const [id, readers] of /** @type {Iterable<[string | undefined, Iterable<Reader>]>} */ (behind)) {
      if (id === undefined) continue;
      for (const reader of readers) {
        reader.behind = true;
        reader.wake?.();
      }
    }
  }

  /** Ends every reader's wait: the orchestrator is closed. */
  wakeAll() {
    for (const readers of this.byJob.values()) for (const reader of readers) reader.wake?.();
  }

  /**
   * See `Orchestrator.events`.
   *
   * @param {string | undefined} jobId
   * @param {any} options
   */
  follow(jobId, options) {
    if (jobId !== undefined && typeof jobId !== 'string') {
      throw invalidArgument(`jobId must be a string; found ${describe(jobId)}`);
    }
    const given = optionsObject(options, 'options');
    if (given.after !== undefined && !(Number.isSafeInteger(given.after) && given.after >= 0)) {
      throw invalidArgument(`after must be the number of an event; found ${describe(given.after)}`);
    }
    const { types } = given;
    if (types !== undefined && !(Array.isArray(types) && types.every((type) => typeof type === 'string'))) {
      throw invalidArgument(`types must be a list of names; found ${describe(types)}`);
    }
    const signal = optionalSignal(given.signal);
    const reader = this.add(jobId);
    const stop = () => {
      this.remove(jobId, reader);
      reader.wake?.();
    };
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    const events = this.events(reader, jobId, { ...given, signal }, stop);
    // From now on, whenever the first event is asked for. What was not begun would not end when it is given up.
    events.next();
    return events;
  }

  /**
   * @param {Reader} reader
   * @param {string | undefined} jobId
   * @param {{ signal?: AbortSignal, after?: number, types?: string[] }} options
   * @param {() => void} stop listens to the signal
   */
  async *events(reader, jobId, { signal, after, types }, stop) {
    const wanted = (/** @type {any} */ event) => types === undefined || types.includes(event.type);
    try {
      yield;
      for await (const event of this.read(reader, jobId, after, signal)) {
        if (wanted(event)) yield event;
        if (jobId !== undefined && ENDINGS.has(event.type)) return;
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      stop();
    }
  }

  /**
   * What is stored after `after`, then what comes, each once and in order.
   *
   * @param {Reader} reader
   * @param {string | undefined} jobId
   * @param {number | undefined} after
   * @param {AbortSignal | undefined} signal
   */
  async *read(reader, jobId, after, signal) {
    let seen = after ?? 0;
    const isStopped = () => signal?.aborted === true;
    if (jobId !== undefined && after !== undefined) {
      for await (const event of this.stored(jobId, seen)) {
        if (isStopped()) return;
        seen = event.seq;
        yield event;
      }
    }
    if (jobId !== undefined) {
      const { hasEnded, seq } = await this.standingOf(jobId);
      // A number that the job has not come to yet keeps nothing back: what comes next follows.
      if (after === undefined || after > seq)
        seen = Math.min(seq, ...reader.waiting.map((event) => event.seq - 1));
      if (hasEnded && reader.waiting.length === 0) {
        // It may have ended, elsewhere, after it was read.
        yield* this.stored(jobId, seen);
        return;
      }
    }
    while (!isStopped()) {
      if (reader.overflowed && jobId === undefined) throw tooSlow();
      if (reader.overflowed || reader.behind) {
        reader.overflowed = false;
        reader.behind = false;
        // What waits is stored too, but for what is told on the bus only. Who was told of the end is told no more.
        reader.waiting = reader.waiting.filter(({ type }) => BUS_ONLY.has(type) || ENDINGS.has(type));
        for await (const event of this.stored(jobId ?? '', seen)) {
          seen = event.seq;
          yield event;
        }
      }
      const event = reader.waiting.shift();
      if (event !== undefined) {
        // What is told on the bus only has the number of another event.
        if (jobId !== undefined && !BUS_ONLY.has(event.type)) {
          if (event.seq <= seen) continue;
          // Others stored something before it, and the store has not said so yet.
          if (event.seq > seen + 1) {
            for await (const missed of this.stored(jobId, seen)) {
              if (missed.seq >= event.seq) break;
              seen = missed.seq;
              yield missed;
            }
          }
          seen = event.seq;
        }
        yield event;
      } else if (this.engine.closed) {
        return;
      } else if (!isStopped() && !reader.behind) {
        // Others may have stored more while what was read before was with the one who reads: that is not slept through.
        await new Promise((resolve) => {
          reader.wake = () => resolve(undefined);
        });
        reader.wake = null;
      }
    }
  }

  /**
   * @param {string} jobId
   * @param {number} after
   */
  async *stored(jobId, after) {
    const { store } = this.engine;
    if (typeof store.getEvents !== 'function') {
      const job = await store.getJob(jobId);
      yield* (job?.history ?? []).filter((/** @type {any} */ event) => event.seq > after);
      return;
    }
    for (let seen = after; ; ) {
      const page = await store.getEvents(jobId, seen, PAGE);
      yield* page;
      if (page.length < PAGE) return;
      seen = page.at(-1).seq;
    }
  }

  /** @param {string} jobId */
  async standingOf(jobId) {
    const job = await readHead(this.engine, jobId);
    const { status, run, history } = job ?? { status: 'failed' };
    const seq = run?.seq ?? history?.at?.(-1)?.seq ?? 0;
    return { hasEnded: status === 'completed' || status === 'failed', seq };
  }
}

/**
 * @param {Reader} reader
 * @param {any} event
 */
function offer(reader, event) {
  if (reader.waiting.length < MOST_WAITING) {
    reader.waiting.push(event);
  } else {
    reader.overflowed = true;
  }
  reader.wake?.();
}

function tooSlow() {
  return new JobwrightError(
    `events() was not read fast enough: more than ${MOST_WAITING} events were waiting`,
    {
      code: 'conflict',
    },
  );
}
