// @ts-check
import { invalidArgument } from '../engine/arguments.js';
import { JobwrightError } from '../parts/errors.js';
import { describe, JOB_DEPTH, plainCopy } from '../parts/plain.js';

/**
 * A job as the store has it.
 *
 * @param {import('../engine/engine.js').Engine} engine
 * @param {unknown} jobId
 */
export async function storedJob(engine, jobId) {
  const job = typeof jobId === 'string' ? await engine.store.getJob(jobId) : undefined;
  if (job === undefined || job === null) {
    throw new JobwrightError(`Job not found: ${describe(jobId)}`, { code: 'not_found' });
  }
  return job;
}

/**
 * A job's id and its history, as JSON has it.
 *
 * @param {any} job
 * @returns {{ id: string, history: any[] }}
 */
export function historyOf(job) {
  const { id, history = [] } = job;
  if (typeof id !== 'string') throw invalidArgument(`A job's id must be a string; found ${describe(id)}`);
  if (!Array.isArray(history)) {
    throw invalidArgument(`The history of job ${describe(id)} must be a list; found ${describe(history)}`);
  }
  return { id, history: history.map(plainEvent) };
}

/**
 * A value as JSON can hold it; undefined where it can't.
 *
 * @param {any} value
 */
export function readable(value) {
  try {
    return plainCopy(value, 'value', JOB_DEPTH);
  } catch {
    return undefined;
  }
}

/**
 * The members of a context that JSON can hold: rules can read no others.
 *
 * @param {any} context
 */
export function readableContext(context) {
  const whole = readable(context);
  if (whole !== undefined || context === null || typeof context !== 'object') return whole;
  return Object.fromEntries(Object.keys(context).map((key) => [key, readable(context[key])]));
}

/**
 * An event as JSON can hold it. Of what a plain store's context has, that may be a part.
 *
 * @param {any} event
 * @param {number} place
 */
function plainEvent(event, place) {
  try {
    const { type, payload } = event ?? {};
    if (type !== 'job_created') return plainCopy(event, '', JOB_DEPTH);
    return plainCopy(
      { ...event, payload: { ...payload, context: readableContext(payload?.context) } },
      '',
      JOB_DEPTH,
    );
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw invalidArgument(`Event ${place + 1} of the history can't be read: ${message}`);
  }
}
