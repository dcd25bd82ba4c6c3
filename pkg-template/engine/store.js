// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { handover } from '../parts/handover.js';
import { isThenable, settleLater } from './executor.js';
import { engineAt } from './engines.js';
import { prepareCommit, prepareSave } from './commit.js';
import { acceptHead, acceptJob, badJob, beginningOf, writeRegisters } from './record.js';
import { slotOf } from './slots.js';

export * from './change.js';

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
  if (!commits()) return load(slot, call);
  // Whoever runs the job's steps here commits against the revision that stands here; a job that is only
  // remembered may have been changed by another process.
  if (isAtHand(slot, whole) && slot.current && slot.drivers > 0) return writeRegisters(slot);
  const canLook = typeof store.getHead === 'function' && (!whole || isAtHand(slot, whole));
  return canLook ? look(slot, call, whole) : load(slot, call);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {boolean} whole
 */
function isAtHand(slot, whole) {
  return slot.record !== null && !(whole && slot.record.isHead === true);
}

/**
 * Loads the whole job.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} call
 */
function load(slot, call) {
  const read = (/** @type {any} */ job) => (job === null || job === undefined ? MISSING : acceptJob(slot, job));
  return ask(slot, call, () => slot.engine.store.getJob(slot.id), read);
}

/**
 * Loads the head, and the rest only where it is needed and not at hand.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} call
 * @param {boolean} whole
 */
function look(slot, call, whole) {
  const answered = (/** @type {any} */ head) => {
    if (head === null || head === undefined) return MISSING;
    if (isAtHand(slot, whole) && slot.record.run?.revision === head.run?.revision) {
      slot.current = true;
      return writeRegisters(slot);
    }
    slot.forgetRecord();
    return whole || head.run?.stepsTaken !== undefined ? null : acceptHead(slot, head);
  };
  // A second question, where the head's answer says that there is more.
  const question = () => {
    const head = slot.engine.store.getHead(slot.id);
    if (isThenable(head)) {
      return Promise.resolve(head).then((known) => answered(known) ?? jobAfterHead(slot));
    }
    return answered(head) ?? jobAfterHead(slot);
  };
  return ask(slot, call, question, (code) => code);
}

/** @param {import('./slots.js').JobSlot} slot */
function jobAfterHead(slot) {
  const job = slot.engine.store.getJob(slot.id);
  const read = (/** @type {any} */ known) => (known === null || known === undefined ? MISSING : acceptJob(slot, known));
  return isThenable(job) ? Promise.resolve(job).then(read) : read(job);
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} call
 * @param {() => any} question
 * @param {(answer: any) => number} read
 */
function ask(slot, call, question, read) {
  const failed = (/** @type {unknown} */ error) => {
    slot.answer = error;
    return FAILED;
  };
  const safely = (/** @type {any} */ answer) => {
    try {
      return read(answer);
    } catch (error) {
      return failed(error instanceof JobwrightError ? error : badJob(slot, 'it could not be read', error));
    }
  };
  try {
    const answer = question();
    return isThenable(answer) ? settleLater(slot.engine, call, answer, safely, failed) : safely(answer);
  } catch (error) {
    return failed(error);
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
 * JSON for the core of all that is in `run`, but for what tools were called with and routers answered.
 *
 * @param {number} job
 */
export function store_run(job) {
  const slot = slotOf(job);
  const run = coreRun(slot.record.run);
  return JSON.stringify({ run, ...beginningOf(slot) });
}

/** @param {any} run */
function coreRun(run) {
  if (run === undefined) return undefined;
  const approvals = run.approvals?.map((/** @type {any} */ { args, ...approval }) => approval);
  return { ...run, approvals, signals: undefined };
}

/**
 * @param {number} job
 * @param {string} problem
 */
export function store_bad_run(job, problem) {
  return badJob(slotOf(job), problem);
}

/**
 * @param {number} job
 * @param {number} call
 */
export function store_commit(job, call) {
  const slot = slotOf(job);
  const { engine } = slot;
  const commit = engine.commits() ? prepareCommit(slot) : prepareSave(slot);
  const failed = (/** @type {any} */ error) => {
    slot.forgetRecord();
    if (isConflict(error)) return CONFLICT;
    slot.answer = error;
    return NOT_STORED;
  };
  const stored = () => {
    const { change } = slot;
    commit.stored();
    slot.seq += change.events.length;
    for (const [step, output] of change.outputs ?? []) slot.outputs.set(step, output);
    slot.outbox = change.events.map((/** @type {any} */ event, /** @type {number} */ place) => ({
      event,
      payload: change.payloads[place],
    }));
    slot.change = null;
    return STORED;
  };
  try {
    const answer = commit.send();
    return isThenable(answer) ? settleLater(engine, call, answer, stored, failed) : stored();
  } catch (error) {
    return failed(error);
  }
}

/** @param {any} error */
function isConflict(error) {
  return error?.name === 'ConflictError' || error?.code === 'conflict';
}
