// @ts-check
import { describe, plainCopy } from '../parts/plain.js';
import { messageOf } from './answer.js';
import { changeNumbers, invalidArgument, optionalSignal, optionalText, optionsObject } from './arguments.js';
import { core } from './core.js';
import { frameOf, operate } from './executor.js';
import { refusal } from './outcome.js';
import { outcomeOf } from './run-outcome.js';

/** @typedef {import('./executor.js').Frame} Frame */
/** @typedef {import('./slots.js').JobSlot} JobSlot */

const done = () => ({ success: true });
const step = (/** @type {Frame} */ { found }) => ({
  success: true,
  status: found?.status ?? 'completed',
  step: found?.step ?? null,
});
const cancelled = (/** @type {Frame} */ { found = [] }) => ({
  success: true,
  results: Object.fromEntries(
    found.map((/** @type {any} */ { id, result }) => [id, result === 0 ? 'cancelled' : 'already_ended']),
  ),
});

/**
 * The operations on one job, each of which works destructured.
 *
 * @param {import('./engine.js').Engine} engine
 */
export function jobOperations(engine) {
  const { number } = engine;
  /**
   * @param {unknown} jobId
   * @param {(frame: Frame) => unknown} shape
   * @param {(task: number, slot: JobSlot) => void} begin
   * @param {unknown} [input]
   * @param {(string | undefined)[]} [texts]
   */
  const on = (jobId, shape, begin, input, texts) => {
    if (engine.broken !== null) return Promise.reject(engine.broken);
    if (engine.closed) return Promise.resolve(refusal('closed', 'Orchestrator is closed'));
    if (typeof jobId !== 'string') return Promise.resolve(refusal('not_found', 'Job not found'));
    return operate(engine, engine.jobs.enter(jobId), shape, begin, input, texts);
  };

  /** @param {unknown} jobId */
  const startJob = (jobId) => on(jobId, done, (task, slot) => core.start_job(number, task, slot.key));

  /** @param {unknown} jobId */
  const pauseJob = (jobId) => on(jobId, done, (task, slot) => core.pause_job(number, task, slot.key));

  /**
   * @param {unknown} jobId
   * @param {unknown} [status]
   */
  const completeJob = (jobId, status = 'completed') => {
    if (status !== 'completed' && status !== 'failed') {
      return Promise.reject(
        invalidArgument(`status must be "completed" or "failed"; found ${describe(status)}`),
      );
    }
    const complete = status === 'completed' ? core.complete_job : core.complete_job_as_failed;
    return on(jobId, done, (task, slot) => complete(number, task, slot.key));
  };

  /**
   * @param {unknown} jobId
   * @param {any} [error]
   */
  const failJob = (jobId, error) => {
    const message = error === undefined || error === null ? undefined : messageOf(error);
    return on(jobId, done, (task, slot) => core.fail_job(number, task, slot.key), undefined, [message]);
  };

  /**
   * @param {unknown} jobId
   * @param {unknown} [reason]
   */
  const cancelJob = async (jobId, reason) => {
    const texts = [optionalText(reason, 'reason')];
    return on(jobId, cancelled, (task, slot) => core.cancel_job(number, task, slot.key), undefined, texts);
  };

  /**
   * @param {unknown} jobId
   * @param {any} [by]
   */
  const approveStep = async (jobId, by) => {
    const texts = answerTexts(by, 'note');
    return on(jobId, done, (task, slot) => core.approve_step(number, task, slot.key), undefined, texts);
  };

  /**
   * @param {unknown} jobId
   * @param {any} [by]
   */
  const rejectStep = async (jobId, by) => {
    const texts = answerTexts(by, 'reason');
    return on(jobId, done, (task, slot) => core.reject_step(number, task, slot.key), undefined, texts);
  };

  /**
   * @param {unknown} jobId
   * @param {any} permissions
   */
  const setPermissions = async (jobId, permissions) => {
    const numbers = changeNumbers(permissions);
    return on(jobId, done, (task, slot) => core.set_permissions(number, task, slot.key, ...numbers));
  };

  /**
   * @param {unknown} jobId
   * @param {unknown} [input]
   */
  const nextStep = async (jobId, input) => {
    const given = plainCopy(input, 'input');
    return on(
      jobId,
      step,
      driving((task, slot) => core.next_step(number, task, slot.key, given !== undefined)),
      given,
    );
  };

  /**
   * @param {unknown} jobId
   * @param {any} [options]
   */
  const runJob = (jobId, options) => {
    try {
      const { input, signal: givenSignal } = optionsObject(options, 'options');
      const signal = optionalSignal(givenSignal);
      const given = plainCopy(input, 'input');
      const begin = driving((task, slot) => core.run_job(number, task, slot.key, given !== undefined));
      const run = () => on(jobId, outcomeOf, begin, given);
      return signal === undefined ? run() : runUntil(signal, jobId, run);
    } catch (error) {
      return Promise.reject(error);
    }
  };

  /**
   * @param {AbortSignal} signal
   * @param {any} jobId
   * @param {() => Promise<any>} run
   */
  const runUntil = async (signal, jobId, run) => {
    if (signal.aborted) await pauseJob(jobId);
    const stop = () => {
      const slot = engine.jobs.byId.get(jobId);
      if (slot !== undefined) core.stop_run(number, slot.key);
    };
    // Before the run begins: where nothing has to be waited for, it may be over when its beginning returns.
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await run();
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };

  /**
   * @param {unknown} jobId
   * @param {unknown} name
   * @param {unknown} [payload]
   */
  const signal = async (jobId, name, payload = null) => {
    if (typeof name !== 'string' || name === '') {
      throw invalidArgument(`A signal's name must be a string that is not empty; found ${describe(name)}`);
    }
    const copy = plainCopy(payload, 'payload') ?? null;
    return on(jobId, done, (task, slot) => core.signal(number, task, slot.key), copy, [name]);
  };

  /**
   * @param {unknown} jobId
   * @param {any} steps
   */
  const setBreakpoints = async (jobId, steps) => {
    if (!Array.isArray(steps)) {
      throw invalidArgument(`Breakpoints must be a list of step ids; found ${describe(steps)}`);
    }
    const place = steps.findIndex((id) => typeof id !== 'string');
    if (place >= 0) {
      throw invalidArgument(`steps[${place}] must be a step's id; found ${describe(steps[place])}`);
    }
    return on(jobId, done, (task, slot) => core.set_breakpoints(number, task, slot.key), undefined, [
      ...steps,
    ]);
  };

  return {
    signal,
    setBreakpoints,
    startJob,
    pauseJob,
    completeJob,
    failJob,
    cancelJob,
    approveStep,
    rejectStep,
    setPermissions,
    nextStep,
    runJob,
  };
}

/**
 * For as long as an operation runs the job's steps, what was loaded of the job stays at hand.
 *
 * @param {(task: number, slot: JobSlot) => void} begin
 * @returns {(task: number, slot: JobSlot) => void}
 */
function driving(begin) {
  return (task, slot) => {
    slot.startDriving(frameOf(task));
    begin(task, slot);
  };
}

/**
 * @param {any} by
 * @param {string} words
 */
function answerTexts(by, words) {
  const given = optionsObject(by, 'by');
  return ['approval', 'step', 'by', words].map((name) => optionalText(given[name], name));
}
