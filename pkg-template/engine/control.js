// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { unpausedOf } from '../parts/handover.js';
import { optionalText } from './arguments.js';
import { core } from './core.js';
import { engineAt } from './engines.js';
import { ask, frameOf, operate } from './executor.js';
import { open } from './open.js';
import { slotOf } from './slots.js';

const NO = 0;
const YES = 1;
const FAILED = 2;

/**
 * @param {number} job
 * @param {number} call
 */
export function control_ask(job, call) {
  const slot = slotOf(job);
  const { store, allPaused } = slot.engine;
  const { getControl } = store;
  if (typeof getControl !== 'function') return allPaused ? YES : NO;
  if (unpausedOf.get(getControl)?.() === true) return NO;
  return ask(slot, call, getControlOf, readControl, controlFailed);
}

/** @param {import('./slots.js').JobSlot} slot */
const getControlOf = ({ engine }) => engine.store.getControl();

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} control
 */
function readControl(slot, control) {
  try {
    return control?.paused === true ? YES : NO;
  } catch (error) {
    return controlFailed(slot, error);
  }
}

/**
 * @param {import('./slots.js').JobSlot} slot
 * @param {unknown} error
 */
function controlFailed(slot, error) {
  slot.answer = error;
  return FAILED;
}

/** @param {number} job */
export function control_job_error(job) {
  return slotOf(job).answer;
}

/**
 * @param {number} number
 * @param {number} task
 * @param {number} call
 * @param {boolean} paused
 */
export function control_set(number, task, call, paused) {
  const engine = engineAt(number);
  const { store } = engine;
  engine.allPaused = paused;
  if (typeof store.setControl !== 'function') return NO;
  const frame = frameOf(task);
  return ask(
    { engine },
    call,
    () => store.setControl({ paused }),
    () => NO,
    (_, error) => {
      frame.listError = error;
      return FAILED;
    },
  );
}

/** @param {number} task */
export function control_error(task) {
  return frameOf(task).listError;
}

/** @typedef {{ id: string, result: any }[]} Found */

/**
 * The operations on all jobs at once. Like those on no job, they throw what they can't do.
 *
 * @param {import('./engine.js').Engine} engine
 */
export function controlOperations(engine) {
  const { number } = engine;
  /**
   * @param {(found: Found) => unknown} shape
   * @param {(task: number) => void} begin
   * @param {(string | undefined)[]} [texts]
   */
  const on = (shape, begin, texts) => {
    const errorOf = (/** @type {string} */ code, /** @type {string} */ message) =>
      new JobwrightError(message, { code });
    return open(engine, () =>
      operate(engine, null, ({ found = [] }) => shape(found), begin, undefined, texts, errorOf),
    );
  };
  const idsOf = (/** @type {Found} */ found) => found.map(({ id }) => id);
  return {
    pauseAll: () =>
      on(
        (found) => ({
          paused: idsOf(found.filter(({ result }) => result === 0)),
          pending: idsOf(found.filter(({ result }) => result === 1)),
        }),
        (task) => core.pause_all(number, task),
      ),
    startAll: () =>
      on(
        (found) => ({
          started: idsOf(found.filter(({ result }) => result === 0)),
          refused: Object.fromEntries(
            found.flatMap(({ id, result }) => (result === 0 ? [] : [[id, result]])),
          ),
        }),
        (task) => core.start_all(number, task),
      ),
    /** @param {unknown} [reason] */
    stopAll: async (reason) =>
      on(
        (found) => ({ stopped: idsOf(found) }),
        (task) => core.stop_all(number, task),
        [optionalText(reason, 'reason')],
      ),
  };
}
