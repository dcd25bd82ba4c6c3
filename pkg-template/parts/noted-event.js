// @ts-check
import { cloneInto, cloneJson } from './plain.js';

/** @typedef {import('../index.d.ts').JobEvent} JobEvent */

/** The trace of a job. Its id is made when somebody wants to see it: of most jobs nobody does. */
export class Trace {
  /**
   * @param {string} jobId
   * @param {(jobId: string) => string} idOf
   */
  constructor(jobId, idOf) {
    this.jobId = jobId;
    this.idOf = idOf;
    /** @type {string | null} */
    this.known = null;
  }

  get id() {
    this.known ??= this.idOf(this.jobId);
    return this.known;
  }
}

/**
 * An event as the engine notes it. What can be told from the rest, its ids and its trace, is made when somebody wants to
 * see it: of most events nobody does.
 */
export class NotedEvent {
  /**
   * @param {number} seq
   * @param {string} type
   * @param {any} payload what the bus is told
   * @param {Trace} trace
   * @param {number} cause the number of the event that led to it, 0 where none did
   * @param {number} timestamp
   * @param {string} source
   */
  constructor(seq, type, payload, trace, cause, timestamp, source) {
    this.seq = seq;
    this.type = type;
    this.payload = payload;
    /** @type {Record<string, unknown> | null} what history has in the payload beside it */
    this.more = null;
    this.trace = trace;
    this.cause = cause;
    this.timestamp = timestamp;
    this.source = source;
  }

  get traceId() {
    return this.trace.id;
  }
}

/**
 * The whole of an event.
 *
 * @param {NotedEvent} noted
 * @param {any} [payload] as history has it, where nothing else is given
 * @returns {JobEvent}
 */
export function wholeEvent(noted, payload = storedPayload(noted)) {
  const { seq, type, traceId, cause, timestamp, source } = noted;
  const spanId = spanIdOf(traceId, seq);
  const trace = cause === 0 ? { traceId, spanId } : { traceId, spanId, parentId: spanIdOf(traceId, cause) };
  return { id: spanId, seq, type, payload, trace, meta: { timestamp, source } };
}

/** @param {NotedEvent} noted */
export function storedPayload({ payload, more }) {
  return more === null ? payload : { ...payload, ...more };
}

/**
 * A copy of an event of a history, which is JSON.
 *
 * @param {NotedEvent | JobEvent} event
 * @returns {JobEvent}
 */
export function copyEvent(event) {
  if (!(event instanceof NotedEvent)) return cloneJson(event);
  const { payload, more } = event;
  const copy = cloneJson(payload);
  return wholeEvent(event, more === null ? copy : cloneInto(copy, more));
}

/**
 * A copy of what the bus is told.
 *
 * @param {NotedEvent | JobEvent} event
 * @returns {JobEvent}
 */
export function copyTold(event) {
  return event instanceof NotedEvent ? wholeEvent(event, cloneJson(event.payload)) : cloneJson(event);
}

/** @type {string[]} the ends of the span ids that were asked for, of those that are asked for most; no event is numbered 0 */
const spanEnds = ['00000000'];
const MOST_ENDS = 4_096;
/** The trace that a span id was asked for last, and how its span ids begin: a history is one trace. */
let latestTrace = '';
let spanStart = '';

/** @param {number} seq */
function spanEnd(seq) {
  const end = (seq >>> 0).toString(16).padStart(8, '0');
  if (seq === spanEnds.length && seq < MOST_ENDS) spanEnds.push(end);
  return end;
}

/**
 * The span id of a job's event.
 *
 * @param {string} traceId
 * @param {number} seq
 */
export function spanIdOf(traceId, seq) {
  if (traceId !== latestTrace) {
    latestTrace = traceId;
    spanStart = traceId.slice(24);
  }
  return spanStart + (spanEnds[seq] ?? spanEnd(seq));
}
