// @ts-check

import { checkHeads, listJobs } from '../engine/heads.js';
import { JOB_STATUSES } from '../engine/names.js';
import { unusable } from '../engine/open.js';
import { finite, isStalled, standingOf } from '../engine/standing.js';

/** @typedef {import('../engine/standing.js').Seen} Seen */

/**
 * See `Orchestrator.health`. Heads are enough for what is counted; of the running jobs that are not run here, those
 * are read that have done nothing for long, once at each revision.
 *
 * @param {import('../engine/engine.js').Engine} engine
 */
export async function health(engine) {
  /** @type {any[]} */
  const heads = await listJobs(engine);
  checkHeads(heads);
  const jobs = Object.fromEntries(JOB_STATUSES.map((status) => [status, 0]));
  const parents = new Set();
  for (const { status, parentId } of heads) {
    if (Object.hasOwn(jobs, status)) jobs[status] = /** @type {number} */ (jobs[status]) + 1;
    if (status === 'running' || status === 'paused') parents.add(parentId);
  }
  const running = heads.filter(({ status }) => status === 'running');
  const seen = await seenOf(engine, running);
  const closed = unusable(engine);
  if (closed !== null) return closed;
  forgetRecovered(engine, heads);
  return { jobs, ...judge(engine, running, seen, parents), monitors: engine.monitors.size };
}

/**
 * What is known of running jobs.
 *
 * @param {import('../engine/engine.js').Engine} engine
 * @param {any[]} running
 */
async function seenOf(engine, running) {
  const { watch } = engine;
  /** @type {Map<string, Seen>} */
  const seen = new Map();
  for (const head of running) {
    const seenHere = atHand(engine, head);
    const before = watch.seen.get(head.id);
    const isNew = before?.revision !== head.run?.revision || before?.revision === undefined;
    seen.set(head.id, seenHere ?? (await read(engine, head, isNew ? undefined : before)));
  }
  watch.seen = seen;
  return seen;
}

/**
 * What is known of a job that is run here, or that a plain store was given here.
 *
 * @param {import('../engine/engine.js').Engine} engine
 * @param {any} head
 * @returns {Seen | null}
 */
function atHand(engine, { id, run, timing }) {
  const { revision } = run ?? {};
  const live = engine.commits() ? undefined : engine.live.get(id);
  if (live !== undefined) return { revision, last: lastOf(live), standing: standingOf(live) };
  const slot = engine.jobs.byId.get(id);
  if (slot === undefined || slot.drivers === 0 || !slot.isWhole) return null;
  if (slot.record.run?.revision !== revision || slot.committedRevision !== revision) return null;
  return { revision, last: finite(slot.committedAt, timing?.started, 0), standing: standingOf(slot.record) };
}

/**
 * @param {import('../engine/engine.js').Engine} engine
 * @param {any} head
 * @param {Seen | undefined} before what was read of the same revision
 * @returns {Promise<Seen>}
 */
async function read(engine, head, before) {
  const { store, watch } = engine;
  const { revision, seq } = head.run ?? {};
  let last = before?.last;
  if (last === undefined && Number.isSafeInteger(seq) && typeof store.getEvents === 'function') {
    const [event] = seq > 0 ? await store.getEvents(head.id, seq - 1, 1) : [];
    last = finite(event?.meta?.timestamp, head.timing?.started, head.timing?.created, 0);
  }
  const isIdle = last === undefined || engine.now() - last >= watch.stalledMs;
  if (!isIdle) return { revision, last: /** @type {number} */ (last), standing: null };
  if (before?.standing) return before;
  const job = await store.getJob(head.id);
  // It may be gone, or have gone on, meanwhile.
  if (job?.status !== 'running' || (job.run?.revision ?? revision) !== revision) {
    return { revision, last: engine.now(), standing: null };
  }
  return { revision, last: finite(last, lastOf(job)), standing: standingOf(job) };
}

/** @param {any} job */
function lastOf({ history, timing }) {
  return finite(history?.at?.(-1)?.meta?.timestamp, timing?.started, timing?.created, 0);
}

/**
 * @param {import('../engine/engine.js').Engine} engine
 * @param {any[]} running
 * @param {Map<string, Seen>} seen
 * @param {Set<unknown>} parents of jobs that are running or paused
 */
function judge(engine, running, seen, parents) {
  const { watch } = engine;
  const now = engine.now();
  /** @type {string[]} */
  const stalled = [];
  /** @type {{ jobId: string, step: string, runningMs: number } | undefined} */
  let oldestStep;
  for (const head of running) {
    const { last, standing } = /** @type {Seen} */ (seen.get(head.id));
    if (standing === null) continue;
    const { oldest } = standing;
    if (oldest !== null && Number.isFinite(oldest.startedAt)) {
      const runningMs = Math.max(0, now - oldest.startedAt);
      if (oldestStep === undefined || runningMs > oldestStep.runningMs)
        oldestStep = { jobId: head.id, step: oldest.step, runningMs };
    }
    const waits = standing.waits || parents.has(head.id) || engine.monitors.has(head.id);
    if (!isStalled({ ...standing, waits }, last, now, watch.stalledMs)) continue;
    stalled.push(head.id);
    watch.report(head, head.run?.seq ?? 0, oldest, now - last);
  }
  return oldestStep === undefined ? { stalled } : { stalled, oldestStep };
}

/**
 * Of the jobs that were found stalled, those that have gone on elsewhere, or are gone.
 *
 * @param {import('../engine/engine.js').Engine} engine
 * @param {any[]} heads
 */
function forgetRecovered({ watch }, heads) {
  if (watch.stalled.size === 0) return;
  const byId = new Map(heads.map((head) => [head.id, head]));
  for (const [id, revision] of [...watch.stalled]) {
    const head = byId.get(id);
    if (head === undefined) watch.stalled.delete(id);
    else if (head.run?.revision !== revision) watch.goesOn(head, head.run?.seq ?? 0);
  }
}
