// @ts-check
/**
 * What happens to jobs, told to any number of readers: the store is watched once for all of them. What is not told yet is
 * bounded for each; one that is too slow is told that it missed something.
 */

/**
 * @typedef {import('jobwright').JobStatus} JobStatus
 * @typedef {{ type: 'job', jobId: string, parentId?: string, status: JobStatus, revision: number }} JobChange
 * @typedef {JobChange | { type: 'control', paused: boolean } | { type: 'missed' }} Change
 *
 * @typedef {object} Reader
 * @property {Map<string, JobChange>} jobs what it was not told yet, by job
 * @property {boolean | null} paused
 * @property {boolean} missed
 * @property {() => void} wake
 */

/** Within this time, changes of a job are one. */
const TOGETHER_MS = 100;

/** And so are notices that anything may have changed: whoever hears one reads everything again. */
const MISSED_EVERY_MS = 1_000;

/** How many jobs' heads are read for what changed within that time. */
const MOST_HEADS = 200;

/** How many jobs' changes may wait for a reader. */
export const MOST_WAITING = 500;

/** Where a store can't be watched, it is asked this often. */
const ASKED_EVERY_MS = 5_000;

export class Hub {
  /**
   * @param {object} parts
   * @param {import('../stores.js').Store} parts.store
   * @param {import('jobwright').JobEventBus} parts.bus of the orchestrator here
   * @param {(problem: unknown) => void} parts.failed
   */
  constructor({ store, bus, failed }) {
    this.store = store;
    this.failed = failed;
    /** @type {Set<Reader>} */
    this.readers = new Set();
    /** @type {Map<string, Set<() => void>>} who follows a job */
    this.followers = new Map();
    /** @type {Map<string, JobChange | null>} what nobody was told yet; null where the head is to be read */
    this.changed = new Map();
    /** @type {NodeJS.Timeout | undefined} */
    this.timer = undefined;
    /** @type {NodeJS.Timeout | undefined} */
    this.missed = undefined;
    this.missedAgain = false;
    /** @type {boolean | null} */
    this.paused = null;
    this.isEnded = false;
    // Not every store tells what it was asked to change itself.
    const off = bus.onAny(({ payload }) => {
      const { jobId } = /** @type {{ jobId?: unknown }} */ (payload ?? {});
      if (typeof jobId === 'string') this.note(jobId, null);
    });
    this.watching = this.watch(off);
  }

  /** @param {() => void} off */
  async watch(off) {
    try {
      const stop = await this.store.watch((notice) => this.hear(notice));
      return [off, stop];
    } catch (error) {
      this.failed(error);
      const timer = setInterval(() => this.hear({ type: 'missed' }), ASKED_EVERY_MS);
      return [off, () => clearInterval(timer)];
    }
  }

  async end() {
    this.isEnded = true;
    clearTimeout(this.timer);
    clearTimeout(this.missed);
    for (const stop of await this.watching) await stop();
  }

  /** @param {import('jobwright').StoreNotice} notice */
  hear(notice) {
    if (notice?.type === 'job') this.note(notice.jobId, notice);
    else if (notice?.type === 'control') this.controlled();
    else if (notice?.type === 'missed') this.anything();
  }

  /**
   * @param {string} jobId
   * @param {JobChange | null} change
   */
  note(jobId, change) {
    for (const wake of this.followers.get(jobId) ?? []) wake();
    if (this.readers.size === 0 || this.isEnded) return;
    this.changed.set(jobId, change);
    this.timer ??= setTimeout(() => this.tell().catch(this.failed), TOGETHER_MS);
  }

  /** Anything may have changed. */
  anything() {
    if (this.isEnded) return;
    for (const followers of this.followers.values()) for (const wake of followers) wake();
    this.missedAgain = this.missed !== undefined;
    if (this.missedAgain) return;
    for (const reader of this.readers) miss(reader);
    this.controlled();
    this.missed = setTimeout(() => {
      this.missed = undefined;
      if (this.missedAgain) this.anything();
    }, MISSED_EVERY_MS);
  }

  /** All jobs were paused, or started again, or may have been. */
  controlled() {
    this.askControl().catch(this.failed);
  }

  async askControl() {
    const paused = (await this.store.getControl())?.paused === true;
    const isNew = paused !== (this.paused ?? paused);
    this.paused = paused;
    if (!isNew) return;
    for (const reader of this.readers) {
      reader.paused = paused;
      reader.wake();
    }
  }

  async tell() {
    this.timer = undefined;
    const changed = [...this.changed];
    this.changed.clear();
    const unread = changed.filter(([, change]) => change === null);
    if (unread.length > MOST_HEADS) {
      this.anything();
      return;
    }
    const read = await Promise.all(unread.map(([jobId]) => this.read(jobId)));
    if (read.includes(null)) this.anything();
    const known = [...changed.map(([, change]) => change), ...read].filter((change) => change !== null);
    for (const reader of this.readers) offer(reader, known);
  }

  /**
   * @param {string} jobId
   * @returns {Promise<JobChange | null>} null where the job is gone
   */
  async read(jobId) {
    const head = await this.store.getHead(jobId);
    if (head === null) return null;
    const { status, parentId, run } = head;
    return { type: 'job', jobId, ...(parentId && { parentId }), status, revision: run?.revision ?? 0 };
  }

  /**
   * Calls back when something may have happened to a job.
   *
   * @param {string} jobId
   * @param {() => void} wake
   * @returns {() => void} ends it
   */
  follow(jobId, wake) {
    const followers = this.followers.get(jobId) ?? new Set();
    this.followers.set(jobId, followers.add(wake));
    return () => {
      followers.delete(wake);
      if (followers.size === 0) this.followers.delete(jobId);
    };
  }

  /**
   * What happens from now on, in bundles.
   *
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<Change[]>}
   */
  async *changes(signal) {
    /** @type {Reader} */
    const reader = { jobs: new Map(), paused: null, missed: false, wake: () => {} };
    const stop = () => reader.wake();
    signal.addEventListener('abort', stop);
    this.readers.add(reader);
    if (this.paused === null) this.controlled();
    try {
      while (!signal.aborted) {
        const bundle = take(reader);
        if (bundle.length > 0) yield bundle;
        else
          await new Promise((resolve) => {
            reader.wake = () => resolve(undefined);
          });
      }
    } finally {
      signal.removeEventListener('abort', stop);
      this.readers.delete(reader);
    }
  }
}

/** @param {Reader} reader */
function miss(reader) {
  reader.missed = true;
  reader.jobs.clear();
  reader.wake();
}

/**
 * @param {Reader} reader
 * @param {JobChange[]} changes
 */
function offer(reader, changes) {
  // Whoever is to read everything again need not hear what.
  if (reader.missed) return;
  for (const change of changes) {
    const known = reader.jobs.get(change.jobId);
    if (known === undefined || known.revision <= change.revision) reader.jobs.set(change.jobId, change);
  }
  if (reader.jobs.size > MOST_WAITING) miss(reader);
  else reader.wake();
}

/**
 * @param {Reader} reader
 * @returns {Change[]} what it was not told yet
 */
function take(reader) {
  const { missed, paused, jobs } = reader;
  /** @type {Change[]} */
  const bundle = missed ? [{ type: 'missed' }] : [...jobs.values()];
  if (paused !== null) bundle.push({ type: 'control', paused });
  Object.assign(reader, { missed: false, paused: null });
  jobs.clear();
  return bundle;
}
