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
  if (!core.make_id(engine))
    throw new JobwrightError('No source of randomness to make a job id from', { code: 'internal' });
  return made;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The trace id of a job: 32 hexadecimal digits derived from its id. The core says which; what it says of a UUID is done
 * here, since every job that is worked on needs it and a text costs more to hand over than to cut.
 *
 * @param {string} jobId
 */
export function traceIdOf(jobId) {
  if (UUID.test(jobId)) {
    return (
      jobId.slice(0, 8) + jobId.slice(9, 13) + jobId.slice(14, 18) + jobId.slice(19, 23) + jobId.slice(24)
    );
  }
  source = jobId;
  core.make_trace_id();
  return made;
}
