// @ts-check
/**
 * Stores that are broken in one way each, by the title of the case of the kit that has to notice. A breaker is given a
 * good store, and what all stores on the same data share; it gives the methods that are to be worse.
 */
import { ConflictError } from '../../pkg-template/parts/errors.js';

/** @typedef {(good: any, shared: any) => Record<string, any>} Breaker */

const turn = () => new Promise((resolve) => setTimeout(resolve));
const json = (/** @type {unknown} */ value) => JSON.parse(JSON.stringify(value));

/** Reads through `change`. @param {(job: any) => any} change @returns {Breaker} */
const reading = (change) => (good) => ({
  getJob(/** @type {string} */ id) {
    const job = good.getJob(id);
    return job && change(job);
  },
});

/** Saves through `change`. @param {(job: any, good: any) => any} change @returns {Breaker} */
const saving = (change) => (good) => ({
  saveJob: (/** @type {any} */ job) => good.saveJob(change(job, good)),
});

/** Commits through `change`. @param {(change: any, good: any) => any} change @returns {Breaker} */
const committing = (change) => (good) => ({
  commit: (/** @type {any} */ given) => good.commit(change(given, good)),
});

/** Ids as they become. @param {(id: string) => string} spoil @returns {Breaker} */
const renaming = (spoil) => (good) => ({
  saveJob: (/** @type {any} */ job) => good.saveJob({ ...job, id: spoil(job.id) }),
  getJob(/** @type {string} */ id) {
    const job = good.getJob(spoil(id));
    return job && { ...job, id };
  },
});

/** Keys assigned one by one, so that `__proto__` is lost. @param {any} object */
const assigned = (object) => {
  /** @type {any} */
  const copy = {};
  for (const key of Object.keys(object)) copy[key] = object[key];
  return copy;
};

const revisionIn = (/** @type {any} */ good, /** @type {string} */ id) => good.getJob(id)?.run?.revision ?? 0;
const lastSeqIn = (/** @type {any} */ good, /** @type {string} */ id) =>
  good.getEvents(id, 0, Infinity).at(-1)?.seq ?? 0;

/** Looks, waits, and writes whatever has come between. @type {Breaker} */
const looksThenWrites = (good) => ({
  async commit(/** @type {any} */ change) {
    if (revisionIn(good, change.jobId) !== change.expectedRevision) throw new ConflictError('late');
    await turn();
    const last = lastSeqIn(good, change.jobId);
    const events = change.events.filter((/** @type {any} */ { seq }) => seq > last);
    good.commit({ ...change, events, expectedRevision: revisionIn(good, change.jobId) });
  },
});

/** Writes one key of the context before it looks at the rest. @type {Breaker} */
const writesInParts = (good) => ({
  commit(/** @type {any} */ change) {
    const job = good.getJob(change.jobId);
    if (job) good.saveJob({ ...job, context: { ...job.context, kept: change.context.kept } });
    good.commit(change);
  },
});

/** A row for the job first, then what is in it. @type {Breaker} */
const makesRowFirst = (good) => ({
  commit(/** @type {any} */ change) {
    if (!good.getJob(change.jobId))
      good.saveJob({ ...change.head, run: undefined, context: {}, history: [] });
    good.commit(change);
  },
});

/** Moves what is saved again to the end. @type {Breaker} */
const savesAnew = (good) => ({
  saveJob(/** @type {any} */ job) {
    good.deleteJob(job.id);
    good.saveJob(job);
  },
});

/** Numbers of fifteen digits, as some JSON parsers have. @param {unknown} value @returns {any} */
const rounded = (value) =>
  JSON.parse(JSON.stringify(value), (_, one) =>
    typeof one === 'number' ? Number(one.toPrecision(15)) : one,
  );

/** Says `tell` to each watcher as part of the commit. @param {(write: () => void, tell: () => void) => unknown} order @returns {Breaker} */
const tellingItself = (order) => (good, shared) => {
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

const ATOMICITY = [
  'an event that is stored already, after a new one',
  'a bad value in the last event',
  'a bad value in the last step',
  'a getter that throws, in the last key of the context',
  'a fencing token of nobody',
  'another revision',
].map((what) => [
  `a commit refused for ${what} changes nothing at all`,
  { 'writes in parts': writesInParts },
]);

/** @type {Record<string, Record<string, Breaker>>} */
export const BROKEN = {
  'a job that is not there is null': {
    'makes one up': (good) => ({ getJob: (/** @type {string} */ id) => good.getJob(id) ?? { id } }),
  },
  'a job comes back as it went in': {
    'forgets the config': reading(({ config, ...job }) => job),
    'gives every job a run': reading((job) => ({ run: { schema: 1, revision: 0, seq: 0 }, ...job })),
  },
  'saveJob replaces the whole job': {
    'keeps old keys': saving((job, good) => ({
      ...job,
      context: { ...good.getJob(job.id)?.context, ...job.context },
    })),
    'keeps the plan': saving((job, good) => ({ run: good.getJob(job.id)?.run, ...job })),
  },
  'what is undefined is not stored, and null in arrays': {
    'stores null': saving((job) => ({
      ...job,
      context: Object.fromEntries(Object.entries(job.context).map(([key, value]) => [key, value ?? null])),
    })),
  },
  'nothing is shared with the caller': {
    'keeps what it was given': (_, shared) => {
      shared.jobs ??= new Map();
      return {
        saveJob: (/** @type {any} */ job) => shared.jobs.set(job.id, job),
        getJob: (/** @type {string} */ id) => json(shared.jobs.get(id)),
      };
    },
    'gives what it keeps': (good, shared) => {
      shared.jobs ??= new Map();
      return {
        getJob(/** @type {string} */ id) {
          if (!shared.jobs.has(id)) shared.jobs.set(id, good.getJob(id));
          return shared.jobs.get(id);
        },
      };
    },
  },
  'ids and keys may be any string': {
    'cuts at NUL': renaming((id) => id.split('\0')[0] ?? ''),
    'cuts at 255': renaming((id) => id.slice(0, 255)),
    'lower case': renaming((id) => id.toLowerCase()),
    trims: renaming((id) => id.trimEnd()),
    normalises: renaming((id) => id.normalize('NFC')),
    'as UTF-8': renaming((id) => new TextDecoder().decode(new TextEncoder().encode(id))),
    'loses __proto__': reading((job) => ({ ...job, context: assigned(job.context) })),
  },
  'getHead, getEvents and deleteJob take any string for ids': {
    'deletes in lower case': (good) => ({
      deleteJob(/** @type {string} */ id) {
        for (const job of good.listJobs()) {
          if (job.id.toLowerCase() === id.toLowerCase()) good.deleteJob(job.id);
        }
      },
    }),
    'cuts at NUL': (good) => ({
      getEvents: (/** @type {string} */ id, /** @type {number} */ after, /** @type {number} */ limit) =>
        good.getEvents(id.split('\0')[0], after, limit),
    }),
    'heads as UTF-8': (good) => ({
      getHead: (/** @type {string} */ id) => good.getHead(id.replace(/\p{Surrogate}/u, '?')),
    }),
  },
  'commit takes any string for ids, keys and steps': {
    'loses __proto__': committing((change) => ({ ...change, steps: assigned(change.steps) })),
  },
  'what JSON can not hold is refused by saveJob, which then changes nothing': {
    'drops it': saving((job) => json(job)),
    'does not say where': (good) => ({
      saveJob(/** @type {any} */ job) {
        try {
          good.saveJob(job);
        } catch {
          throw new Error('a bad value');
        }
      },
    }),
  },
  'what JSON can not hold is refused by commit, which then changes nothing': {
    'drops it': committing((change) => json(change)),
    'drops it from the plan': committing((change) => ({ ...change, plan: change.plan && json(change.plan) })),
  },
  'any values come back from saveJob as they went in': {
    rounds: saving((job) => rounded(job)),
  },
  'any values come back from commits as they went in': {
    rounds: committing((change) => rounded(change)),
    'gives other events by page': (good) => ({
      getEvents: (/** @type {any[]} */ ...args) => rounded(good.getEvents(...args)),
    }),
  },
  'a context of 10 MB': {
    cuts: saving((job) => ({
      ...job,
      context: { ...job.context, text: String(job.context.text).slice(0, 4_000_000) },
    })),
  },
  'a context of 10 MB by commit, and a small change of it': {
    refuses: committing((change) => {
      if (JSON.stringify(change).length > 8_000_000) throw new Error('too large');
      return change;
    }),
    'forgets the rest': (good) => ({
      commit(/** @type {any} */ change) {
        if (change.expectedRevision > 0) {
          const job = good.getJob(change.jobId);
          good.saveJob({ ...job, context: {} });
        }
        good.commit(change);
      },
    }),
  },
  'commit creates a job and then applies what changed, and nothing else': {
    'forgets the rest': (good) => ({
      commit(/** @type {any} */ change) {
        const job = good.getJob(change.jobId);
        if (job) good.saveJob({ ...job, context: {} });
        good.commit(change);
      },
    }),
    'forgets the plan': committing(({ plan, ...change }) => change),
  },
  'commit replaces the head whole': {
    'adds to it': committing((change, good) => ({
      ...change,
      head: { ...good.getHead(change.jobId), ...change.head },
    })),
  },
  'the stored revision is the expected one plus one': {
    'believes the head': (good, shared) => ({
      commit(/** @type {any} */ change) {
        good.commit(change);
        shared.revision = change.head.run.revision;
      },
      getJob: (/** @type {string} */ id) => {
        const job = good.getJob(id);
        return job && { ...job, run: { ...job.run, revision: shared.revision } };
      },
    }),
  },
  'a context key that is undefined in a commit is gone': {
    'keeps it': committing((change) => json(change)),
  },
  'a commit at another revision is a conflict and changes nothing': {
    'the last one wins': committing((change, good) => ({
      ...change,
      expectedRevision: revisionIn(good, change.jobId),
    })),
    'throws another error': (good) => ({
      commit(/** @type {any} */ change) {
        try {
          good.commit(change);
        } catch {
          throw new Error('conflict');
        }
      },
    }),
    'takes what is newer': committing((change, good) => {
      const revision = revisionIn(good, change.jobId);
      return change.expectedRevision > revision ? { ...change, expectedRevision: revision } : change;
    }),
  },
  'an event that is stored already is a conflict': {
    'leaves it out': committing((change, good) => {
      const last = lastSeqIn(good, change.jobId);
      return { ...change, events: change.events.filter((/** @type {any} */ { seq }) => seq > last) };
    }),
  },
  'commit goes on with a job that was saved': {
    'knows none without a revision': committing((change, good) => {
      const job = good.getJob(change.jobId);
      if (job && !job.run) throw new ConflictError('no revision');
      return change;
    }),
  },
  'nothing of a change is shared with the caller': {
    'keeps what it was given': (good, shared) => ({
      commit(/** @type {any} */ change) {
        good.commit(change);
        shared.context = change.context;
      },
      getJob: (/** @type {string} */ id) => json({ ...good.getJob(id), context: shared.context }),
    }),
  },
  'getHead gives what does not grow': {
    'gives all': (good) => ({ getHead: (/** @type {string} */ id) => good.getJob(id) }),
  },
  'getEvents pages through the history without gaps': {
    'from and with': (good) => ({
      getEvents: (/** @type {string} */ id, /** @type {number} */ after, /** @type {number} */ limit) =>
        good.getEvents(id, Math.max(after - 1, 0), limit),
    }),
    'knows no limit': (good) => ({
      getEvents: (/** @type {string} */ id, /** @type {number} */ after) => good.getEvents(id, after),
    }),
  },
  ...Object.fromEntries(ATOMICITY),
  'a new job whose commit is refused is not there at all': { 'makes a row first': makesRowFirst },
  'who reads while others commit sees whole commits, one after the other': {
    'reads in parts': (good) => ({
      async getJob(/** @type {string} */ id) {
        const early = good.getJob(id);
        await turn();
        return early && { ...early, context: good.getJob(id).context };
      },
    }),
  },
  'of commits at the same moment one wins': { 'looks, then writes': looksThenWrites },
  'many at once on one job, each trying again, lose nothing': { 'looks, then writes': looksThenWrites },
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
