// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { uncopied } from '../parts/handover.js';
import { describe } from '../parts/plain.js';
import { change_begin } from './change.js';
import { changeToCommit, commitChange, isBare, jobToSave, keepCommitted, keepSaved } from './commit.js';
import { event_of_job } from './events.js';
import { ask, promiseOf } from './executor.js';
import { readHead } from './heads.js';
import { jsonForCore } from './json.js';
import { acceptHead, acceptJob, badJob, beginningOf, writeRegisters } from './record.js';
import { slotOf } from './slots.js';

/** @typedef {import('./slots.js').JobSlot} JobSlot */

const MISSING = -1;
const FAILED = -2;
const STORED = 0;
const CONFLICT = 1;
const NOT_STORED = 2;

/**
 * @param {number} job
 * @param {boolean} whole
 * @param {number} call
 */
export function store_load(job, whole, call) {
  const slot = slotOf(job);
  const { store, commits } = slot.engine;
  if (!commits()) return ask(slot, call, getJob, readJob, notLoaded);
  // Whoever runs the job's steps here commits against the revision that stands here; a job that is only
  // remembered may have been changed by another process.
  if (isAtHand(slot, whole) && slot.current && slot.drivers > 0) return writeRegisters(slot);
  const canLook = typeof store.getHead === 'function' && (!whole || isAtHand(slot, whole));
  if (!canLook) return ask(slot, call, getJob, readJob, notLoaded);
  return ask(slot, call, () => lookAndLoad(slot, whole), readLooked, notLoaded);
}

/**
 * @param {JobSlot} slot
 * @param {boolean} whole
 */
function isAtHand(slot, whole) {
  return slot.record !== null && !(whole && slot.record.isHead === true);
}

/** @param {JobSlot} slot */
function getJob({ id, engine: { store } }) {
  const kept = uncopied.get(store.getJob);
  return kept === undefined ? store.getJob(id) : kept(id);
}

/**
 * @param {JobSlot} slot
 * @param {any} job
 */
function readJob(slot, job) {
  if (job === null || job === undefined) return MISSING;
  try {
    checkRevision(slot, job);
    return acceptJob(slot, job);
  } catch (error) {
    return notLoaded(
      slot,
      error instanceof JobwrightError ? error : badJob(slot, 'it could not be read', error),
    );
  }
}

/**
 * Whoever runs a job's steps must not decide on what it was before: steps that have begun here would be unknown.
 *
 * @param {JobSlot} slot
 * @param {any} job or its head
 */
function checkRevision(slot, { run }) {
  const revision = run?.revision ?? 0;
  if (slot.drivers === 0 || revision >= slot.latest) {
    slot.latest = revision;
    return;
  }
  const message = `The store answered with revision ${revision} of job ${describe(slot.id)}, after it had stored ${slot.latest}`;
  throw new JobwrightError(message, { code: 'conflict' });
}

/**
 * @param {JobSlot} slot
 * @param {unknown} error
 */
function notLoaded(slot, error) {
  slot.answer = error;
  return FAILED;
}

/**
 * Loads the head, and the rest only where it is needed and not at hand.
 *
 * @param {JobSlot} slot
 * @param {boolean} whole
 */
function lookAndLoad(slot, whole) {
  const head = readHead(slot.engine, slot.id);
  const enough = (/** @type {any} */ known) =>
    isEnough(slot, known, whole) ? new Looked(known) : getJob(slot);
  return promiseOf(head)?.then(enough) ?? enough(head);
}

/** A head that is enough, as opposed to a job: whatever a store answers, it is never taken for one. */
class Looked {
  /** @param {any} head */
  constructor(head) {
    this.head = head;
  }
}

/**
 * Is what is at hand still the stored job, or is a head alone enough? One that has steps is read whole.
 *
 * @param {JobSlot} slot
 * @param {any} head
 * @param {boolean} whole
 */
function isEnough(slot, head, whole) {
  if (head === null || head === undefined) return true;
  if (isAtHand(slot, whole) && isSame(slot.record, head)) return true;
  return !whole && head.run?.stepsTaken === undefined;
}

/**
 * Another job, made when this one was deleted, may have its id and reach the same revision.
 *
 * @param {any} record
 * @param {any} head
 */
function isSame({ timing, run }, head) {
  return run?.revision === head.run?.revision && timing?.created === head.timing?.created;
}

/**
 * @param {JobSlot} slot
 * @param {any} answer a job, or a head
 */
function readLooked(slot, answer) {
  if (!(answer instanceof Looked)) return readJob(slot, answer);
  const { head } = answer;
  if (head === null || head === undefined) return MISSING;
  try {
    checkRevision(slot, head);
    if (slot.record !== null && isSame(slot.record, head)) {
      slot.current = true;
      return writeRegisters(slot);
    }
    slot.forgetRecord();
    return acceptHead(slot, head);
  } catch (error) {
    return notLoaded(
      slot,
      error instanceof JobwrightError ? error : badJob(slot, 'it could not be read', error),
    );
  }
}

/** @param {number} job */
export function store_error(job) {
  const slot = slotOf(job);
  const { answer } = slot;
  slot.answer = undefined;
  return answer;
}

/**
 * Of a job in whose `run` there is nothing but a plan, as mostly where no step has begun: the number of the event that set
 * it running, or 0, times 2, and 1 more where its history has a beginning. NaN where there is more to read, or none of it
 * can be read.
 *
 * @param {number} job
 */
export function store_bare_run(job) {
  const slot = slotOf(job);
  try {
    const { run } = slot.record;
    if (run !== undefined && !(run.steps === undefined && isBare(run))) return Number.NaN;
    const { startedSeq, hasBeginning } = beginningOf(slot);
    const seq = Number.isSafeInteger(startedSeq) && startedSeq > 0 ? startedSeq : 0;
    return seq * 2 + Number(hasBeginning);
  } catch {
    return Number.NaN;
  }
}

/**
 * JSON for the core of all that is in `run`, but for the plan, what tools were called with and routers answered.
 *
 * @param {number} job
 */
export function store_run(job) {
  const slot = slotOf(job);
  try {
    return jsonForCore({ run: coreRun(slot.record.run), ...beginningOf(slot) });
  } catch (error) {
    slot.answer = error;
    return '';
  }
}

/** @param {any} run */
function coreRun({ plan, ...rest }) {
  const approvals = rest.approvals?.map((/** @type {any} */ { args, ...approval }) => approval);
  const signals = rest.signals?.map((/** @type {any} */ { name, seq }) => ({ name, seq }));
  return { ...rest, approvals, signals };
}

/**
 * @param {number} job
 * @param {string} problem
 */
export function store_bad_run(job, problem) {
  const slot = slotOf(job);
  const cause = store_error(job);
  return cause === undefined ? badJob(slot, problem) : badJob(slot, "run can't be read", cause);
}

/**
 * @param {number} job
 * @param {number} call
 */
export function store_commit(job, call) {
  const slot = slotOf(job);
  const endowed = (slot.change.origin?.endowment ?? null) !== null;
  if (slot.engine.commits()) {
    slot.sent = changeToCommit(slot);
    return ask(slot, call, endowed ? endowAndCommit : commit, committed, notStored);
  }
  slot.sent = jobToSave(slot);
  return ask(slot, call, endowed ? endowAndSave : save, saved, notStored);
}

/** @param {JobSlot} slot */
const endowAndCommit = (slot) => endowAndSend(slot, commit);

/** @param {JobSlot} slot */
const endowAndSave = (slot) => endowAndSend(slot, save);

/**
 * @param {JobSlot} slot
 * @param {(slot: JobSlot) => unknown} send
 */
async function endowAndSend(slot, send) {
  const { endowment } = slot.change.origin;
  await endowment.give();
  try {
    await send(slot);
  } catch (error) {
    await endowment.notStored();
    throw error;
  }
}

/**
 * A commit that changes a job's status and notes one event of the job itself.
 *
 * @param {number} job
 * @param {number} call
 * @param {number} status
 * @param {number} expectedRevision
 * @param {number} stepsTaken
 * @param {number} created
 * @param {number} started
 * @param {number} completed
 * @param {number} now
 * @param {number} kind
 * @param {number} cause
 * @param {number} reason
 */
export function store_commit_event(
  job,
  call,
  status,
  expectedRevision,
  stepsTaken,
  created,
  started,
  completed,
  now,
  kind,
  cause,
  reason,
) {
  change_begin(job, status, expectedRevision, stepsTaken, created, started, completed, now, false);
  event_of_job(job, kind, cause, reason);
  return store_commit(job, call);
}

/** @param {JobSlot} slot */
const commit = (slot) => commitChange(slot, slot.sent);

/** @param {JobSlot} slot */
const save = (slot) => slot.engine.store.saveJob(slot.sent);

/** @param {JobSlot} slot */
function committed(slot) {
  keepCommitted(/** @type {any} */ (slot), slot.sent);
  slot.latest = slot.sent.head.run.revision;
  slot.noteOwn(slot.latest);
  return stored(slot);
}

/** @param {JobSlot} slot */
function saved(slot) {
  keepSaved(slot, slot.sent);
  return stored(slot);
}

/** @param {JobSlot} slot */
function stored(slot) {
  const { change } = slot;
  slot.seq += change.events.length;
  if (change.outputs !== null) for (const [step, output] of change.outputs) slot.outputs[step] = output;
  slot.outbox = change;
  slot.change = null;
  slot.sent = null;
  slot.unsure = null;
  return STORED;
}

/**
 * @param {JobSlot} slot
 * @param {any} error
 */
function notStored(slot, error) {
  slot.forgetRecord();
  slot.sent = null;
  slot.engine.notices.hearUnsure(slot);
  if (isConflict(error)) return CONFLICT;
  slot.answer = error;
  return NOT_STORED;
}

/** @param {any} error */
function isConflict(error) {
  return error?.name === 'ConflictError' || error?.code === 'conflict';
}
