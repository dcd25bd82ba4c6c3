// @ts-check
import { invalidArgument } from '../engine/arguments.js';
import { jsonForCore } from '../engine/json.js';
import { JobwrightError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';

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
 * @param {any} job
 * @returns {{ id: string, history: any[] }}
 */
export function historyOf(job) {
  const { id, history = [] } = job;
  if (typeof id !== 'string') throw invalidArgument(`A job's id must be a string; found ${describe(id)}`);
  if (!Array.isArray(history)) {
    throw invalidArgument(`The history of job ${describe(id)} must be a list; found ${describe(history)}`);
  }
  return { id, history };
}

/**
 * A value as JSON can hold it. Of what a plain store's context has, that may be a part.
 *
 * @param {any} value
 */
export function readable(value) {
  try {
    return plainCopy(value);
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
 * An event as JSON can hold it.
 *
 * @param {any} event
 */
export function plainEvent(event) {
  const { type, payload } = event ?? {};
  if (type !== 'job_created' || payload === null || typeof payload !== 'object') return plainCopy(event);
  return plainCopy({ ...event, payload: { ...payload, context: readableContext(payload.context) } });
}

/**
 * @param {any} event
 * @param {number} at its number
 */
export function eventText(event, at) {
  try {
    return jsonForCore(plainEvent(event) ?? null);
  } catch (error) {
    throw invalidArgument(`Event ${at} of the history can't be read: ${/** @type {Error} */ (error).message}`);
  }
}
