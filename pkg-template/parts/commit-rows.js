// @ts-check
import { NotedEvent, storedPayload, wholeEvent } from './noted-event.js';
import { setOwn } from './plain.js';
import { isObject } from './store-arguments.js';

/**
 * For stores that keep a row for each commit: a whole job that is written at once is cut into several.
 *
 * @typedef {ReturnType<typeof emptyRow>} CutRow
 *
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 *
 * @typedef {object} RowParts what a row holds beside events, as JSON
 * @property {Record<string, unknown>} [context]
 * @property {string[]} [gone] keys of the context
 * @property {Record<string, import('../index.d.ts').StepState>} [steps]
 */

/** How many entries a row of a whole job has at most, and how many characters it may begin another entry with. */
const MOST_ENTRIES = 1_000;
const MOST_LENGTH = 1_000_000;

/**
 * Takes the entries of a whole job, one after the other.
 *
 * @template R
 * @param {(row: CutRow, last: number) => R} write `last`: the number of the last event in it or in a row before, 0
 *   where none is
 */
export function rowCutter(write) {
  /** @type {R[]} */
  const rows = [];
  let last = 0;
  let row = emptyRow();

  /** @param {string} text */
  function make(text) {
    if (row.entries === MOST_ENTRIES || row.length > MOST_LENGTH) end();
    row.entries += 1;
    row.length += text.length;
    return row;
  }

  function end() {
    if (row.entries > 0) rows.push(write(row, last));
    row = emptyRow();
  }

  return {
    /** @param {'context' | 'steps'} part @param {string} key @param {string} value as JSON */
    addKey: (part, key, value) => void make(value)[part].push(`${JSON.stringify(key)}:${value}`),
    /** @param {string} event as JSON @param {number} seq @param {boolean} isOwn whether the event says so itself */
    addEvent(event, seq, isOwn) {
      const { events, seqs } = make(event);
      events.push(event);
      seqs.push(seq);
      row.ownSeqs &&= isOwn;
      last = seq;
    },
    end() {
      end();
      return rows;
    },
  };
}

function emptyRow() {
  /** @type {{ context: string[], steps: string[], events: string[], seqs: number[] }} */
  const texts = { context: [], steps: [], events: [], seqs: [] };
  return { ...texts, ownSeqs: true, entries: 0, length: 0 };
}

/**
 * The members of a row's JSON but for its events.
 *
 * @param {CutRow} row
 */
export function membersOf({ context, steps }) {
  const members = [];
  if (context.length > 0) members.push(`"context":{${context.join(',')}}`);
  if (steps.length > 0) members.push(`"steps":{${steps.join(',')}}`);
  return members;
}

/**
 * What a commit changes beside events, as it is kept in its row.
 *
 * @param {object} named what names the keys of the context
 * @param {Record<string, unknown>} context
 * @param {Record<string, import('../index.d.ts').StepState>} steps
 * @returns {RowParts}
 */
export function changedParts(named, context, steps) {
  /** @type {RowParts} */
  const parts = {};
  const keys = Object.keys(named);
  const gone = keys.filter((key) => !Object.hasOwn(context, key) || context[key] === undefined);
  if (keys.length > gone.length) parts.context = context;
  if (gone.length > 0) parts.gone = gone;
  if (Object.keys(steps).length > 0) parts.steps = steps;
  return parts;
}

/**
 * Events as a row has them. Of one that the engine noted a list: its number, its type, when it was, the number of the event
 * that led to it, and its payload without the job's id. From these and the trace, which comes first where it does not
 * follow from the job's id, the rest is told; it would be most of what is written.
 *
 * @param {string} jobId
 * @param {(JobEvent | NotedEvent)[]} events
 * @returns {unknown[]}
 */
export function storedEvents(jobId, events) {
  const [first] = events;
  const trace = first instanceof NotedEvent ? first.traceId : undefined;
  const stored = events.map((event) => storedEvent(jobId, event, trace));
  return trace === undefined || trace === traceOf(jobId) ? stored : [trace, ...stored];
}

/**
 * @param {string} jobId
 * @param {JobEvent | NotedEvent} event
 * @param {string | undefined} trace
 */
function storedEvent(jobId, event, trace) {
  if (!(event instanceof NotedEvent)) return event;
  const { seq, type, timestamp, cause, source, traceId } = event;
  const payload = storedPayload(event);
  if (source !== SOURCE || traceId !== trace || payload?.jobId !== jobId) return wholeEvent(event, payload);
  const { jobId: _, ...rest } = payload;
  return [seq, type, timestamp, cause === 0 ? null : cause, rest];
}

/** An event of a whole job, as JSON: what is no object must not be taken for one of the engine's. @param {any} event */
export const eventText = (event) => JSON.stringify(isObject(event) ? event : [event]);

/**
 * The same events, whole.
 *
 * @param {string} jobId
 * @param {any[]} stored
 * @returns {JobEvent[]}
 */
export function readEvents(jobId, stored) {
  const [first, ...others] = stored;
  const [traceId, events] = typeof first === 'string' ? [first, others] : [traceOf(jobId), stored];
  return events.map((event) => {
    if (!Array.isArray(event)) return event;
    if (event.length === 1) return event[0];
    const [seq, type, timestamp, cause, rest] = event;
    const payload = { jobId, ...rest };
    return wholeEvent(new NotedEvent(seq, type, payload, traceId, cause ?? 0, timestamp, SOURCE), payload);
  });
}

const SOURCE = 'jobwright';

/** The trace of a job whose id is a UUID. @param {string} jobId */
const traceOf = (jobId) => jobId.replaceAll('-', '');

/** Joins what rows hold, one after the other. */
export function rowJoiner() {
  /** @type {Record<string, unknown>} */
  const context = {};
  /** @type {Record<string, any>} */
  const steps = {};
  /** @type {JobEvent[]} */
  const history = [];
  return {
    joined: { context, steps, history },
    /** @param {RowParts} parts @param {JobEvent[]} [events] */
    add(parts, events = []) {
      setAll(context, parts.context);
      for (const key of parts.gone ?? []) delete context[key];
      setAll(steps, parts.steps);
      for (const event of events) history.push(event);
    },
  };
}

/**
 * @param {Record<string, unknown>} target
 * @param {Record<string, unknown>} [values]
 */
function setAll(target, values = {}) {
  for (const key of Object.keys(values)) setOwn(target, key, values[key]);
}
