// @ts-check
import { handover } from './handover.js';
import { newSpanId, newTraceId } from './ids.js';
import { copyTold } from './noted-event.js';
import { describe } from './plain.js';

/**
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').TraceContext} TraceContext
 * @typedef {(event: JobEvent) => unknown} Handler
 * @typedef {{ handler: Handler, active: boolean }} Subscription
 * @typedef {{ error?(...a: any[]): void }} Logger
 */

/** @type {Subscription[]} */
const NOBODY = [];

/**
 * Tells events to whoever asked for them, in the process.
 *
 * - Handlers run at once, in the order they were added: those of the type first, then those of all events.
 * - A handler added while an event is told gets the next one; one removed meanwhile is not called any more.
 * - A handler that throws or rejects disturbs nobody: it is reported to `logger.error`, or to the console
 *   where no logger is given.
 * - The same handler added twice is called twice, and each unsubscribe function removes its own.
 *
 * @param {{ logger?: Logger, now?: () => number }} [options]
 */
export function createEventBus({ logger = console, now = Date.now } = {}) {
  // Lists are replaced, never changed, so the one being told from stays as it was.
  /** @type {Map<string, Subscription[]>} */
  const byType = new Map();
  let all = NOBODY;
  let seq = 0;

  /**
   * @param {string} type
   * @param {unknown} error
   */
  function report(type, error) {
    try {
      logger?.error?.(`A handler of the event ${describe(type)} failed:`, error);
    } catch {
      // A logger that fails leaves nobody to tell.
    }
  }

  /**
   * @param {Subscription[]} subscriptions
   * @param {JobEvent} event
   */
  function tell(subscriptions, event) {
    for (const subscription of subscriptions) {
      if (!subscription.active) continue;
      try {
        const { handler } = subscription;
        const result = /** @type {any} */ (handler(event));
        if (typeof result?.then === 'function')
          result.then(undefined, (/** @type {unknown} */ e) => report(event.type, e));
      } catch (error) {
        report(event.type, error);
      }
    }
  }

  /**
   * @param {string} type
   * @param {unknown} [payload]
   * @param {string} [source] who says so
   * @param {Partial<TraceContext>} [parent] the trace of what caused this event
   * @returns {JobEvent} what the handlers got
   */
  function emit(type, payload, source = 'jobwright', parent = undefined) {
    const told = handover.event;
    const ofType = byType.get(type);
    const ofAll = all;
    const isHeard = ofType !== undefined || ofAll !== NOBODY;
    const isTold = told !== null && told.payload === payload && told.type === type;
    // What handlers do with an event must not change the job's history. The engine itself asks for nothing.
    if (isTold && !isHeard) return /** @type {any} */ (told);
    const event = isTold ? copyTold(told) : makeEvent(type, payload, source, parent);
    if (ofType !== undefined) tell(ofType, event);
    if (ofAll !== NOBODY) tell(ofAll, event);
    return event;
  }

  /**
   * @param {string} type
   * @param {unknown} payload
   * @param {string} source
   * @param {Partial<TraceContext> | undefined} parent
   * @returns {JobEvent}
   */
  function makeEvent(type, payload, source, parent) {
    seq += 1;
    const id = newSpanId();
    /** @type {TraceContext} */
    const trace = { traceId: parent?.traceId ?? newTraceId(), spanId: id };
    if (parent?.spanId !== undefined) trace.parentId = parent.spanId;
    return { id, seq, type, payload, trace, meta: { timestamp: now(), source } };
  }

  /**
   * @param {string} type
   * @param {Handler} handler
   * @returns {() => void} removes the handler; calling it again changes nothing
   */
  function on(type, handler) {
    if (typeof type !== 'string')
      throw new TypeError(`on: expected an event's type, found ${describe(type)}`);
    const subscription = subscribe(handler, 'on');
    byType.set(type, [...(byType.get(type) ?? NOBODY), subscription]);
    return () => {
      if (!subscription.active) return;
      const rest = without(byType.get(type) ?? NOBODY, subscription);
      if (rest === NOBODY) byType.delete(type);
      else byType.set(type, rest);
    };
  }

  /**
   * @param {Handler} handler called with every event
   * @returns {() => void} removes the handler; calling it again changes nothing
   */
  function onAny(handler) {
    const subscription = subscribe(handler, 'onAny');
    all = [...all, subscription];
    return () => {
      if (subscription.active) all = without(all, subscription);
    };
  }

  return { emit, on, onAny };
}

/**
 * @param {Handler} handler
 * @param {string} name
 * @returns {Subscription}
 */
function subscribe(handler, name) {
  if (typeof handler !== 'function') {
    throw new TypeError(`${name}: expected a handler function, found ${describe(handler)}`);
  }
  return { handler, active: true };
}

/**
 * @param {Subscription[]} subscriptions
 * @param {Subscription} gone
 */
function without(subscriptions, gone) {
  gone.active = false;
  const rest = subscriptions.filter((subscription) => subscription !== gone);
  return rest.length === 0 ? NOBODY : rest;
}
