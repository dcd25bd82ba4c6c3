// @ts-check
/** The store below the faults: it sees what is really written, and looks at each change whether it may be. */
import assert from 'node:assert/strict';
import { importPackage } from '../../package/installed.mjs';

const { createMemoryStore } = await importPackage();

/** @typedef {{ id: string, status: string }} Head */

/** The table of the states a job may go to, from each. */
const MOVES = {
  created: ['created', 'running', 'failed'],
  running: ['running', 'paused', 'completed', 'failed'],
  paused: ['paused', 'running', 'completed', 'failed'],
  completed: ['completed'],
  failed: ['failed'],
};

/** A job that is new may only be this. */
const FIRST = ['created'];

/** What tells one event of a job from another, on the bus as in history. @param {string} type @param {any} payload */
export const nameOf = (type, { step, item, round, attempt }) =>
  `${type}|${step ?? ''}|${item ?? ''}|${round ?? ''}|${attempt ?? ''}`;

/** @param {() => number} now the clock that leases go by */
export function createTruth(now) {
  const store = createMemoryStore({ now });
  /** @type {Map<string, number>} how many commits each job had */
  const commits = new Map();
  /** @type {Map<string, any[]>} the events of each job, as they were committed */
  const histories = new Map();
  /** @type {Map<string, number>} how often each event was committed, by job and name */
  const names = new Map();
  /** @type {Map<string, any>} the last thing that was committed of each key, by job and key */
  const contexts = new Map();

  /** @param {any} change */
  function commit(change) {
    const { jobId, head, events, context } = change;
    const before = store.getHead(jobId);
    const [written, keys] = JSON.parse(JSON.stringify([events, context]));
    store.commit(change);
    const allowed = before === null ? FIRST : /** @type {any} */ (MOVES)[before.status];
    assert.ok(allowed.includes(head.status), `${jobId} went from ${before?.status} to ${head.status}`);
    commits.set(jobId, (commits.get(jobId) ?? 0) + 1);
    if (before === null) histories.set(jobId, []);
    histories.get(jobId)?.push(...written);
    contexts.set(jobId, Object.assign(contexts.get(jobId) ?? {}, keys));
    for (const event of written) {
      const name = `${jobId} ${nameOf(event.type, event.payload)}`;
      names.set(name, (names.get(name) ?? 0) + 1);
    }
  }

  /** Nothing that was committed is lost, and nothing else is there. @param {string} jobId */
  function assertKept(jobId) {
    const job = store.getJob(jobId);
    assert.equal(job.run.revision, commits.get(jobId), `${jobId}: commits`);
    assert.deepEqual(job.history, histories.get(jobId), `${jobId}: history`);
    assert.deepEqual(job.context, contexts.get(jobId), `${jobId}: context`);
    const seqs = job.history.map((/** @type {any} */ { seq }) => seq);
    assert.deepEqual(
      seqs,
      seqs.map((/** @type {any} */ _, /** @type {number} */ place) => place + 1),
      `${jobId}: the history has gaps`,
    );
  }

  return {
    store: { ...store, commit },
    assertKept,
    /** @param {string} name of a job and an event @returns {number} how often it was committed */
    committed: (name) => names.get(name) ?? 0,
    jobs: () => [...histories.keys()],
  };
}
