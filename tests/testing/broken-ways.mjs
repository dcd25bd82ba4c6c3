// @ts-check
/**
 * Ways to break a store. A breaker is given a good one, and what all stores on the same data share; it gives the methods
 * that are to be worse.
 */
import { ConflictError } from '../../pkg-template/parts/errors.js';

/** @typedef {(good: any, shared: any) => Record<string, any>} Breaker */

export const turn = () => new Promise((resolve) => setTimeout(resolve));
export const json = (/** @type {unknown} */ value) => JSON.parse(JSON.stringify(value));

/** Reads through `change`. @param {(job: any) => any} change @returns {Breaker} */
export const reading = (change) => (good) => ({
  getJob(/** @type {string} */ id) {
    const job = good.getJob(id);
    return job && change(job);
  },
});

/** Saves through `change`. @param {(job: any, good: any) => any} change @returns {Breaker} */
export const saving = (change) => (good) => ({
  saveJob: (/** @type {any} */ job) => good.saveJob(change(job, good)),
});

/** Commits through `change`. @param {(change: any, good: any) => any} change @returns {Breaker} */
export const committing = (change) => (good) => ({
  commit: (/** @type {any} */ given) => good.commit(change(given, good)),
});

/** Ids as they become. @param {(id: string) => string} spoil @returns {Breaker} */
export const renaming = (spoil) => (good) => ({
  saveJob: (/** @type {any} */ job) => good.saveJob({ ...job, id: spoil(job.id) }),
  getJob(/** @type {string} */ id) {
    const job = good.getJob(spoil(id));
    return job && { ...job, id };
  },
});

/** Keys assigned one by one, so that `__proto__` is lost. @param {any} object */
export const assigned = (object) => {
  /** @type {any} */
  const copy = {};
  for (const key of Object.keys(object)) copy[key] = object[key];
  return copy;
};

export const revisionIn = (/** @type {any} */ good, /** @type {string} */ id) =>
  good.getJob(id)?.run?.revision ?? 0;
export const lastSeqIn = (/** @type {any} */ good, /** @type {string} */ id) =>
  good.getEvents(id, 0, Infinity).at(-1)?.seq ?? 0;

/** Looks, waits, and writes whatever has come between. @type {Breaker} */
export const looksThenWrites = (good) => ({
  async commit(/** @type {any} */ change) {
    if (revisionIn(good, change.jobId) !== change.expectedRevision) throw new ConflictError('late');
    await turn();
    const last = lastSeqIn(good, change.jobId);
    const events = change.events.filter((/** @type {any} */ { seq }) => seq > last);
    good.commit({ ...change, events, expectedRevision: revisionIn(good, change.jobId) });
  },
});

/** Writes one key of the context before it looks at the rest. @type {Breaker} */
export const writesInParts = (good) => ({
  commit(/** @type {any} */ change) {
    const job = good.getJob(change.jobId);
    if (job) good.saveJob({ ...job, context: { ...job.context, kept: change.context.kept } });
    good.commit(change);
  },
});

/** A row for the job first, then what is in it. @type {Breaker} */
export const makesRowFirst = (good) => ({
  commit(/** @type {any} */ change) {
    if (!good.getJob(change.jobId))
      good.saveJob({ ...change.head, run: undefined, context: {}, history: [] });
    good.commit(change);
  },
});

/** Moves what is saved again to the end. @type {Breaker} */
export const savesAnew = (good) => ({
  saveJob(/** @type {any} */ job) {
    good.deleteJob(job.id);
    good.saveJob(job);
  },
});

/** Numbers of fifteen digits, as some JSON parsers have. @param {unknown} value @returns {any} */
export const rounded = (value) =>
  JSON.parse(JSON.stringify(value), (_, one) =>
    typeof one === 'number' ? Number(one.toPrecision(15)) : one,
  );

/** Says `tell` to each watcher as part of the commit. @param {(write: () => void, tell: () => void) => unknown} order @returns {Breaker} */
export const tellingItself = (order) => (good, shared) => {
  shared.listeners ??= new Set();
  return {
    commit(/** @type {any} */ change) {
      const { jobId, head, expectedRevision } = change;
      const notice = { type: 'job', jobId, status: head.status, revision: expectedRevision + 1 };
      return order(
        () => good.commit(change),
        () => {
          for (const listener of shared.listeners) listener(notice);
        },
      );
    },
    watch(/** @type {any} */ listener) {
      shared.listeners.add(listener);
      return () => shared.listeners.delete(listener);
    },
  };
};
