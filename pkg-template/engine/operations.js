// @ts-check
import { cloneJson } from '../parts/plain.js';
import { statsOf } from './children.js';
import { endFrame, frameOf } from './executor.js';
import { JOB_STATUSES, STEP_STATUSES } from './names.js';
import { codeAt, refusal } from './outcome.js';
import { slotOf } from './slots.js';

/**
 * @param {number} task
 * @param {number} which
 */
export function op_text(task, which) {
  return frameOf(task).texts[which];
}

/** @param {number} task */
export function op_input(task) {
  return frameOf(task).input;
}

/** @param {number} task */
export function op_ok(task) {
  const frame = frameOf(task);
  endFrame(frame, frame.shape(frame), false);
}

/**
 * @param {number} task
 * @param {number} code
 */
export function op_refused(task, code) {
  const { name, sentence } = codeAt(code);
  refuse(task, name, sentence);
}

/**
 * @param {number} task
 * @param {number} code
 * @param {string} message
 */
export function op_refused_saying(task, code, message) {
  refuse(task, codeAt(code).name, message);
}

/**
 * @param {number} task
 * @param {string} code
 * @param {string} message
 */
function refuse(task, code, message) {
  const frame = frameOf(task);
  if (frame.errorOf !== null) {
    endFrame(frame, frame.errorOf(code, message), true);
    return;
  }
  const waiting = code === 'approval_required' ? frame.slot?.record?.run?.approvals : undefined;
  // Copies, here and below: what a caller does with its answer must not change what is remembered or stored.
  endFrame(frame, refusal(code, message, cloneJson(waiting)), false);
}

/**
 * @param {number} task
 * @param {unknown} answer the budget manager's own
 */
export function op_answered(task, answer) {
  endFrame(frameOf(task), answer, false);
}

/**
 * @param {number} task
 * @param {unknown} error
 */
export function op_failed(task, error) {
  endFrame(frameOf(task), error, true);
}

/**
 * @param {number} task
 * @param {number} status
 */
export function op_status(task, status) {
  frameOf(task).found = { status: JOB_STATUSES[status], step: null };
}

/**
 * @param {number} task
 * @param {number} step
 * @param {number} status
 * @param {number} attempts
 * @param {number} durationMs
 * @param {unknown} output
 */
export function op_step(task, step, status, attempts, durationMs, output) {
  const frame = frameOf(task);
  const { id, agent } = /** @type {import('./slots.js').JobSlot} */ (frame.slot).stepAt(step);
  frame.found.step = {
    id,
    agent,
    status: STEP_STATUSES[status],
    output: cloneJson(output),
    attempts,
    durationMs,
  };
  if (agent === undefined) delete frame.found.step.agent;
}

/**
 * @param {number} task
 * @param {number} job
 * @param {number | string} result
 */
export function op_job(task, job, result) {
  const frame = frameOf(task);
  frame.found ??= [];
  frame.found.push({ id: slotOf(job).id, result });
}

/**
 * @param {number} task
 * @param {number} job
 * @param {any} why a sentence, or the budget manager's answer
 */
export function op_job_refused(task, job, why) {
  const sentence = typeof why === 'string' ? why : why?.error;
  op_job(task, job, typeof sentence === 'string' ? sentence : 'Budget exceeded');
}

/**
 * @param {number} task
 * @param {Parameters<typeof statsOf>} stats
 */
export function op_stats(task, ...stats) {
  frameOf(task).found = statsOf(...stats);
}
