// @ts-check
import { handover } from '../parts/handover.js';
import { newSpanId } from '../parts/ids.js';
import { promiseOf } from './executor.js';
import { traceIdOf } from './ids.js';
import { HISTORY_ONLY } from './names.js';
import { slotOf } from './slots.js';

/**
 * Announces the events of a job's latest commit, first to the readers of `events()`, then on the bus.
 *
 * @param {number} job
 */
export function bus_emit(job) {
  const slot = slotOf(job);
  if (slot.outbox === null) return;
  const { engine, id } = slot;
  const { events, now } = slot.outbox;
  slot.outbox = null;
  for (const event of events) engine.readers.push(id, event);
  for (const event of events) {
    if (!HISTORY_ONLY.has(event.type)) emit(engine, event);
  }
  engine.watch.committed(slot, now);
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {any} event
 */
function emit(engine, event) {
  handover.event = event;
  try {
    tell(engine, event.type, event.payload);
  } finally {
    handover.event = null;
  }
}

/**
 * Tells the bus. What it throws or rejects with disturbs nobody.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {string} type
 * @param {any} payload
 */
export function tell(engine, type, payload) {
  if (engine.bus === null) return;
  try {
    const promise = promiseOf(engine.bus.emit(type, payload));
    if (promise !== null) logLater(engine, type, promise);
  } catch (error) {
    listenerFailed(engine, type, error);
  }
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {string} type
 * @param {unknown} error
 */
function listenerFailed(engine, type, error) {
  engine.log('error', `A listener of ${type} failed`, error);
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {string} type
 * @param {Promise<unknown>} promise
 */
function logLater(engine, type, promise) {
  promise.then(undefined, (error) => listenerFailed(engine, type, error));
}

/**
 * Announces what is in no history, to the readers of `events()` and on the bus. It is numbered as the latest event of
 * the job that is.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {string} jobId
 * @param {number} seq
 * @param {string} type
 * @param {any} payload
 */
export function announce(engine, jobId, seq, type, payload) {
  const spanId = newSpanId();
  const meta = { timestamp: engine.now(), source: 'jobwright' };
  const event = { id: spanId, seq, type, payload, trace: { traceId: traceIdOf(jobId), spanId }, meta };
  engine.readers.push(jobId, event);
  emit(engine, event);
}
