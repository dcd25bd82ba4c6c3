// @ts-check
import { promiseOf } from './executor.js';
import { JOB_STATUSES, STEP_STATUSES } from './names.js';
import { slotOf } from './slots.js';

/**
 * @param {number} job
 * @param {number} durationMs
 * @param {number} status
 */
export function monitor_job(job, durationMs, status) {
  const { engine, id } = slotOf(job);
  tell(engine, () => engine.monitor.recordJobDuration(id, durationMs, { status: JOB_STATUSES[status] }));
}

/**
 * @param {number} job
 * @param {number} step
 * @param {number} durationMs
 * @param {number} status
 */
export function monitor_step(job, step, durationMs, status) {
  const slot = slotOf(job);
  const { engine } = slot;
  if (typeof engine.monitor.recordLatency !== 'function') return;
  const what = slot.stepAt(step);
  const tags = { jobId: slot.id, step: what.id, agent: what.agent, status: STEP_STATUSES[status] };
  tell(engine, () => engine.monitor.recordLatency(durationMs, tags));
}

/**
 * A job is stalled.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {number} durationMs
 * @param {{ jobId: string, step?: string, agent?: string }} about
 */
export function monitor_stalled(engine, durationMs, about) {
  if (typeof engine.monitor?.recordLatency !== 'function') return;
  tell(engine, () => engine.monitor.recordLatency(durationMs, { ...about, status: 'stalled' }));
}

/**
 * A monitor that throws or rejects never fails the operation that it is told of.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {() => unknown} call
 */
function tell(engine, call) {
  if (engine.monitor === null) return;
  const failed = (/** @type {unknown} */ error) =>
    engine.log('error', 'The performance monitor failed', error);
  try {
    promiseOf(call())?.then(undefined, failed);
  } catch (error) {
    failed(error);
  }
}
