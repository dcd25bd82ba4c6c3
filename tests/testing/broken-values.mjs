// @ts-check
/** Stores that lose or mix up what is in a job, by the title of the case of the kit that has to notice. */
import { ConflictError } from '../../pkg-template/parts/errors.js';
import {
  assigned,
  committing,
  json,
  lastSeqIn,
  looksThenWrites,
  makesRowFirst,
  reading,
  renaming,
  revisionIn,
  rounded,
  saving,
  turn,
  writesInParts,
} from './broken-ways.mjs';

/** @typedef {import('./broken-ways.mjs').Breaker} Breaker */

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
export const BROKEN_VALUES = {
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
};
