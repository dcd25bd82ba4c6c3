// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { core } from './core.js';
import { reset } from './numbers.js';
import { renewIfLarge } from './renewal.js';

/** What an import answers when its answer comes later. */
export const LATER = -0x80000000;

/**
 * One operation under way. Its number is the task's number in the core.
 *
 * @typedef {object} Frame
 * @property {number} task
 * @property {import('./engine.js').Engine} engine
 * @property {import('./slots.js').JobSlot | null} slot
 * @property {(frame: Frame) => unknown} shape makes the outcome of an operation that was done
 * @property {((code: string, message: string) => Error) | null} errorOf makes an error of a refusal, where it is to be one
 * @property {(string | undefined)[]} texts
 * @property {unknown} input
 * @property {any} found what the core told before the operation ended
 * @property {Set<import('./slots.js').JobSlot>} pinned jobs that keep their keys until the operation ends
 * @property {import('./slots.js').JobSlot[]} listed of those, the ones that the core has not been told of yet
 * @property {unknown} listError
 * @property {boolean} driving it runs the job's steps
 * @property {boolean} monitors it follows the job's children until it has ended
 * @property {import('./family.js').Family | null} family the children that it counts
 * @property {boolean} done
 * @property {boolean} failed
 * @property {unknown} outcome
 * @property {((outcome: any) => void) | null} resolve
 * @property {((error: unknown) => void) | null} reject
 */

/** @type {(Frame | undefined)[]} */
const frames = [];
/** @type {number[]} */
const free = [];

/** @type {any[]} */
const NONE = [];
/** @type {Set<any>} */
const NOTHING = new Set();

/** Is any operation under way, of any orchestrator? */
export const isUnderWay = () => free.length < frames.length;

export const resetFrames = () => reset(frames, free);

/** @param {number} task */
export function frameOf(task) {
  return /** @type {Frame} */ (frames[task]);
}

/**
 * Begins an operation; `begin` calls the core with the frame's task number.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {import('./slots.js').JobSlot | null} slot
 * @param {(frame: Frame) => unknown} shape
 * @param {(task: number, slot: any) => void} begin
 * @param {unknown} [input]
 * @param {(string | undefined)[]} [texts]
 * @param {((code: string, message: string) => Error) | null} [errorOf]
 * @returns {Promise<any>}
 */
export function operate(engine, slot, shape, begin, input, texts = NONE, errorOf = null) {
  const task = free.pop() ?? frames.length;
  /** @type {Frame} */
  const frame = {
    task,
    engine,
    slot,
    shape,
    errorOf,
    texts,
    input,
    found: undefined,
    pinned: NOTHING,
    listed: NONE,
    listError: undefined,
    driving: false,
    monitors: false,
    family: null,
    done: false,
    failed: false,
    outcome: undefined,
    resolve: null,
    reject: null,
  };
  frames[task] = frame;
  if (slot !== null) slot.operations += 1;
  engine.operations += 1;
  try {
    begin(task, slot);
  } catch (cause) {
    breakDown(engine, cause);
  }
  if (frame.done) return frame.failed ? Promise.reject(frame.outcome) : Promise.resolve(frame.outcome);
  return new Promise((resolve, reject) => {
    frame.resolve = resolve;
    frame.reject = reject;
  });
}

/**
 * @param {Frame} frame
 * @param {unknown} outcome
 * @param {boolean} failed
 */
export function endFrame(frame, outcome, failed) {
  if (frame.done) return;
  frame.done = true;
  frame.failed = failed;
  frame.outcome = outcome;
  if (frame.resolve === null) return;
  if (failed) frame.reject?.(outcome);
  else frame.resolve(outcome);
}

/**
 * Lists a job to the core, and keeps it in the table until the operation ends.
 *
 * @param {Frame} frame
 * @param {import('./slots.js').JobSlot} slot
 */
export function pin(frame, slot) {
  if (frame.slot === slot || frame.pinned.has(slot)) return;
  slot.operations += 1;
  if (frame.pinned === NOTHING) {
    frame.pinned = new Set();
    frame.listed = [];
  }
  frame.pinned.add(slot);
  frame.listed.push(slot);
}

/** @param {number} task */
export function task_ended(task) {
  const frame = frameOf(task);
  frames[task] = undefined;
  free.push(task);
  // An operation mostly lists none: not even an iterator is made then.
  if (frame.pinned !== NOTHING) for (const slot of frame.pinned) slot.leave();
  if (frame.driving) frame.slot?.stopDriving();
  if (frame.monitors) frame.engine.monitors.delete(/** @type {any} */ (frame.slot).id);
  frame.slot?.leave();
  frame.engine.operationEnded();
  if (free.length === frames.length) renewIfLarge();
}

/** @param {number} task */
export function wake(task) {
  const engine = frames[task]?.engine;
  if (engine === undefined) return;
  queueMicrotask(() => {
    try {
      core.resume(task);
    } catch (cause) {
      breakDown(engine, cause);
    }
  });
}

/**
 * The core never panics on what a host does; should it trap all the same, the orchestrator it happened to says so from
 * then on, and others go on.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {unknown} cause
 */
function breakDown(engine, cause) {
  const error = new JobwrightError('Internal error; this orchestrator is closed', {
    code: 'internal',
    cause,
  });
  engine.broken = error;
  for (const frame of frames) {
    if (frame !== undefined && frame.engine === engine) endFrame(frame, error, true);
  }
}

/**
 * Tells the core the answer to a call.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {number} call
 * @param {number} code
 */
export function settle(engine, call, code) {
  try {
    core.settle(call, code);
  } catch (cause) {
    breakDown(engine, cause);
  }
}

/**
 * Asks a part of the host, which may answer now or later, throw or reject.
 *
 * @template {{ engine: import('./engine.js').Engine }} Subject
 * @param {Subject} subject whom the question is about
 * @param {number} call the core's, which waits for the code of the answer
 * @param {(subject: Subject) => any} question
 * @param {(subject: Subject, answer: any) => number} read must not throw
 * @param {(subject: Subject, error: unknown) => number} readError must not throw
 */
export function ask(subject, call, question, read, readError) {
  let answer;
  let promise;
  try {
    answer = question(subject);
    promise = promiseOf(answer);
  } catch (error) {
    return readError(subject, error);
  }
  if (promise === null) return read(subject, answer);
  promise.then(
    (value) => settle(subject.engine, call, read(subject, value)),
    (error) => settle(subject.engine, call, readError(subject, error)),
  );
  return LATER;
}

/**
 * A promise for what comes later, null for what is there. A thenable of the host's own may call back twice, or throw,
 * or have another `then` each time it is read: it is read once, as `await` does, and a promise made of it does none of that.
 *
 * @param {any} value
 * @returns {Promise<any> | null}
 */
export function promiseOf(value) {
  if (value instanceof Promise) return value;
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return null;
  const { then } = value;
  if (typeof then !== 'function') return null;
  return new Promise((resolve, reject) => then.call(value, resolve, reject));
}
