// @ts-check
/** Stores that are wrong about several jobs or callers, by the title of the case of the kit that has to notice. */
import { committing, json, lastSeqIn, savesAnew, tellingItself, turn } from './broken-ways.mjs';

/** @typedef {import('./broken-ways.mjs').Breaker} Breaker */

/** @type {Record<string, Record<string, Breaker>>} */
export const BROKEN_LISTS = {
  'who follows the events while many commit meets each once, in order and without gaps': {
    'shows one before those that come before it': (good) => ({
      getEvents(/** @type {string} */ id, /** @type {number} */ after, /** @type {number} */ limit) {
        const last = lastSeqIn(good, id);
        return good.getEvents(id, after, limit).filter((/** @type {any} */ { seq }) => seq !== last - 1);
      },
    }),
    'the newest first': (good) => ({
      getEvents: (/** @type {any[]} */ ...args) => good.getEvents(...args).reverse(),
    }),
  },
  'listJobs pages through all that was there, each once, while jobs are added, changed and removed': {
    'moves what is saved to the end': savesAnew,
  },
  'jobs that many make at the same moment are all listed, each once': {
    'by time of creation': (good) => ({
      listJobs: (/** @type {any} */ filter) => [
        ...new Map(
          good.listJobs(filter).map((/** @type {any} */ head) => [head.timing.created, head]),
        ).values(),
      ],
    }),
  },
  'what one store wrote the other reads at once': {
    'has a cache of its own': (good) => {
      const cache = new Map();
      return {
        getJob(/** @type {string} */ id) {
          if (!cache.has(id)) cache.set(id, json(good.getJob(id)));
          return cache.get(id);
        },
        commit(/** @type {any} */ change) {
          cache.delete(change.jobId);
          good.commit(change);
        },
      };
    },
  },
  'a lease taken in one store is held in the other, and fences both': {
    'has leases of its own': () => {
      let token = 0;
      return { acquireLease: () => ++token };
    },
  },
  'listJobs gives heads in order of creation': {
    'by id': (good) => ({
      listJobs: (/** @type {any} */ filter) =>
        good.listJobs(filter).sort((/** @type {any} */ a, /** @type {any} */ b) => (a.id < b.id ? -1 : 1)),
    }),
    'the last saved last': savesAnew,
  },
  'listJobs filters by status and parent, and pages': {
    'limits before it filters': (good) => ({
      listJobs: ({ status, ...filter } = /** @type {any} */ ({})) =>
        good
          .listJobs(filter)
          .filter((/** @type {any} */ head) => status === undefined || [status].flat().includes(head.status)),
    }),
  },
  'listJobs follows status and parent as they change': {
    'knows the first parent': (good, shared) => {
      shared.parents ??= new Map();
      return {
        commit(/** @type {any} */ change) {
          good.commit(change);
          if (!shared.parents.has(change.jobId)) shared.parents.set(change.jobId, change.head.parentId);
        },
        listJobs: ({ parentId, ...filter } = /** @type {any} */ ({})) =>
          good
            .listJobs(filter)
            .filter(
              (/** @type {any} */ { id }) => parentId === undefined || shared.parents.get(id) === parentId,
            ),
      };
    },
  },
  'listJobs takes any string for ids and parents': {
    'parents in lower case': (good) => ({
      listJobs: ({ parentId, ...filter } = /** @type {any} */ ({})) =>
        good
          .listJobs(filter)
          .filter(
            (/** @type {any} */ head) =>
              parentId === undefined || head.parentId.toLowerCase() === parentId.toLowerCase(),
          ),
    }),
  },
  'a cursor that is no job is refused': {
    'nothing comes after it': (good) => ({
      listJobs: (/** @type {any} */ filter) => {
        return filter?.cursor !== undefined && !good.getHead(filter.cursor) ? [] : good.listJobs(filter);
      },
    }),
  },
  'deleteJob leaves nothing': {
    'leaves events': (good, shared) => ({
      deleteJob(/** @type {string} */ id) {
        shared.ghosts ??= good.getEvents(id, 0, 100);
        good.deleteJob(id);
      },
      getEvents: (/** @type {any[]} */ ...args) =>
        good.getJob(args[0]) ? good.getEvents(...args) : (shared.ghosts ?? []),
    }),
    'insists on a job': (good) => ({
      deleteJob(/** @type {string} */ id) {
        if (!good.getJob(id)) throw new Error('no such job');
        good.deleteJob(id);
      },
    }),
  },
  'control is shared and starts as null': {
    'starts as something': (good) => ({ getControl: () => good.getControl() ?? { paused: false } }),
    'is not kept': () => ({ setControl: () => {} }),
  },
  'prune removes jobs that ended before': {
    'and those that ended then': (good) => ({
      prune: (/** @type {any} */ { endedBefore, keepJob }) =>
        good.prune({ endedBefore: endedBefore + 1, keepJob }),
    }),
  },
  'prune with keepJob removes only the history': {
    'keeps no job': (good) => ({
      prune: (/** @type {any} */ { endedBefore }) => good.prune({ endedBefore }),
    }),
    'counts what had no history': (good) => ({
      prune: (/** @type {any} */ options) => Math.max(2, good.prune(options)),
    }),
  },
  'a job that was pruned leaves nothing behind, and its id may be used again': {
    'leaves a context': (good, shared) => ({
      prune(/** @type {any} */ options) {
        shared.context = good.getJob('j')?.context;
        return good.prune(options);
      },
      commit(/** @type {any} */ change) {
        const context = good.getJob(change.jobId) ? {} : shared.context;
        good.commit({ ...change, context: { ...context, ...change.context } });
      },
    }),
  },
  'a job whose history was pruned goes on counting its events': {
    'by place': (good) => ({
      getEvents: (/** @type {string} */ id, /** @type {number} */ after, /** @type {number} */ limit) =>
        good.getEvents(id, 0, Infinity).slice(after, after + limit),
    }),
  },
  'prune removes any number of jobs, and says how many': {
    'counts to 200': (good) => ({
      prune: (/** @type {any} */ options) => Math.min(200, good.prune(options)),
    }),
  },
  'one owner at a time holds the lease of a job': {
    'asks for no owner': (good) => ({
      acquireLease: (/** @type {string} */ id, /** @type {string} */ _, /** @type {number} */ ms) =>
        good.acquireLease(id, 'anybody', ms),
    }),
    'has leases on nothing': (good) => ({
      acquireLease: (/** @type {any[]} */ ...args) => good.acquireLease(...args) ?? 1,
    }),
  },
  'of many that ask for a lease at the same moment one gets it': {
    'looks, then takes': (_, shared) => ({
      async acquireLease(/** @type {string} */ id) {
        if (shared.held === id) return null;
        await turn();
        shared.held = id;
        shared.token = (shared.token ?? 0) + 1;
        return shared.token;
      },
    }),
  },
  'a lease ends by the clock of the store, unless it is renewed': {
    'never ends': (good) => ({
      acquireLease: (/** @type {string} */ id, /** @type {string} */ owner) =>
        good.acquireLease(id, owner, 600_000),
      renewLease: (/** @type {string} */ id, /** @type {number} */ token) =>
        good.renewLease(id, token, 600_000),
    }),
    'is not renewed': (good) => ({
      renewLease: (/** @type {string} */ id, /** @type {number} */ token) => good.renewLease(id, token, 1),
    }),
  },
  'the owner may take its lease again, with a new token': {
    'only once': (good, shared) => ({
      acquireLease(/** @type {any[]} */ ...args) {
        if (shared.held) return null;
        shared.held = true;
        return good.acquireLease(...args);
      },
    }),
  },
  'a commit under a lease that is no longer held is a conflict': {
    'asks for no token': committing(({ fencingToken, ...change }) => change),
  },
  'a lease does not outlive its job, and stays while the job is saved': { 'saves anew': savesAnew },
  'leases take any string for jobs and owners': {
    'cuts at NUL': (good) => ({
      acquireLease: (/** @type {string} */ id, /** @type {string} */ owner, /** @type {number} */ ms) =>
        good.acquireLease(id.split('\0')[0], owner, ms),
    }),
  },
  'watch tells what is written through another store, after it can be read': {
    'tells nothing': () => ({ watch: () => () => {} }),
    'tells too early': tellingItself(async (write, tell) => {
      tell();
      await turn();
      write();
    }),
    'tells in words of its own': (good) => ({
      watch: (/** @type {any} */ listener) =>
        good.watch((/** @type {any} */ notice) => listener({ ...notice, type: 'changed' })),
    }),
  },
  'watch leaves nothing out, however fast it comes': {
    'tells ten times': (good) => ({
      watch(/** @type {any} */ listener) {
        let left = 10;
        return good.watch((/** @type {any} */ notice) => left-- > 0 && listener(notice));
      },
    }),
  },
  'who has stopped watching is told nothing more, others are': {
    'does not stop': (good) => ({
      watch(/** @type {any} */ listener) {
        good.watch(listener);
        return () => {};
      },
    }),
    'stops for all': (good, shared) => ({
      watch(/** @type {any} */ listener) {
        shared.stops ??= [];
        shared.stops.push(good.watch(listener));
        return () => {
          for (const stop of shared.stops) stop();
        };
      },
    }),
  },
  'a watcher that throws harms neither those that write nor other watchers': {
    'writes and tells in one': tellingItself((write, tell) => {
      write();
      tell();
    }),
  },
  'watch gives a function that stops it, on a store alone too': {
    'gives nothing': (good) => ({ watch: (/** @type {any} */ listener) => void good.watch(listener) }),
  },
};
