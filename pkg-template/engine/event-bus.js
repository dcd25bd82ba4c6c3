// @ts-check
import { handover } from '../parts/handover.js';
import { isThenable } from './executor.js';
import { HISTORY_ONLY } from './names.js';
import { slotOf } from './slots.js';

/**
 * Announces the events of a job's latest commit, first to the readers of `events()`, then on the bus.
 *
 * @param {number} job
 */
export function bus_emit(job) {
  const slot = slotOf(job);
  const announced = slot.outbox;
  slot.outbox = [];
  for (const { event } of announced) slot.engine.readers.push(slot.id, event);
  for (const { event, payload } of announced) {
    if (!HISTORY_ONLY.has(event.type)) emit(slot.engine, event, payload);
  }
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {any} event
 * @param {any} payload
 */
function emit(engine, event, payload) {
  if (engine.bus === null) return;
  const failed = (/** @type {unknown} */ error) => engine.log('error', `A listener of ${event.type} failed`, error);
  try {
    handover.event = payload === event.payload ? event : { ...event, payload };
    const emitted = engine.bus.emit(event.type, payload);
    if (isThenable(emitted)) Promise.resolve(emitted).then(undefined, failed);
  } catch (error) {
    failed(error);
  } finally {
    handover.event = null;
  }
}
