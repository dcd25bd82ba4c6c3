// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { core } from './core.js';

let made = '';
let source = '';

/** @param {string} id */
export function id_made(id) {
  made = id;
}

export function id_source() {
  return source;
}

/**
 * A new job id.
 *
 * @param {number} engine
 */
export function newId(engine) {
  if (!core.make_id(engine)) throw new JobwrightError('No source of randomness to make a job id from', { code: 'internal' });
  return made;
}

/**
 * The trace id of a job: 32 hexadecimal digits derived from its id.
 *
 * @param {string} jobId
 */
export function traceIdOf(jobId) {
  source = jobId;
  core.make_trace_id();
  return made;
}

/**
 * The span id of a job's event.
 *
 * @param {string} traceId
 * @param {number} seq
 */
export function spanIdOf(traceId, seq) {
  return traceId.slice(24) + (seq >>> 0).toString(16).padStart(8, '0');
}
