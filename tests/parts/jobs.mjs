import { handover } from '../../pkg-template/parts/handover.js';

/** Small jobs, changes and events for the tests of stores. */

export function eventOf(seq, payload = { jobId: 'j' }) {
  const spanId = seq.toString(16).padStart(16, '0');
  const meta = { timestamp: seq, source: 'test' };
  return { id: spanId, seq, type: 'made', payload, trace: { traceId: spanId + spanId, spanId }, meta };
}

export function jobOf(id, more = {}) {
  const permissions = { allowTools: false, requireApproval: true, maxSteps: 10 };
  return { id, status: 'created', context: {}, permissions, history: [], timing: { created: 1 }, ...more };
}

export function changeOf(jobId, expectedRevision, more = {}) {
  const { context, history, ...rest } = jobOf(jobId);
  const head = { ...rest, run: { schema: 1, revision: expectedRevision + 1, seq: 0 } };
  return { jobId, expectedRevision, head, context, events: history, ...more };
}

/** Commits as the engine does, which hands its own objects over. */
export function commitAsEngine(store, change) {
  handover.change = change;
  try {
    return store.commit(change);
  } finally {
    handover.change = null;
  }
}

/** What a bundled store has: all that the kit looks for, so that none of its tests is skipped. */
export const STORE_METHODS = [
  'acquireLease',
  'commit',
  'deleteJob',
  'getControl',
  'getEvents',
  'getHead',
  'getJob',
  'listJobs',
  'prune',
  'releaseLease',
  'renewLease',
  'saveJob',
  'setControl',
  'watch',
];
