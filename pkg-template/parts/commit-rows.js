// @ts-check
import { NotedEvent, storedPayload, Trace, wholeEvent } from './noted-event.js';
import { setOwn } from './plain.js';
import { wholePayload } from './short-payload.js';
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
 * @param {{ context: string[], steps: string[] }} row
 */
export function membersOf({ context, steps }) {
  const members = [];
  if (context.length > 0) members.push(`"context":{${context.join(',')}}`);
  if (steps.length > 0) members.push(`"steps":{${steps.join(',')}}`);
  return members;
}

/**
 * What a commit changes of the context, or of the steps: what the engine hands over may be a list already.
 *
 * @param {object | null | undefined} changed
 * @returns {[string, any][]}
 */
export const entriesOf = (changed) => (Array.isArray(changed) ? changed : Object.entries(changed ?? {}));

/**
 * The keys of the context that a commit takes away: those that are named, and have no value.
 *
 * @param {object | null | undefined} named
 * @param {[string, unknown][]} context
 */
export function goneOf(named, context) {
  // The engine takes none away.
  if (named === null || named === undefined || Array.isArray(named)) return [];
  const kept = new Set(context.filter(isThere).map(([key]) => key));
  return Object.keys(named).filter((key) => !kept.has(key));
}

/** @param {[string, unknown]} entry */
const isThere = ([, value]) => value !== undefined;

/**
 * What a commit changes beside events, as it is kept in its row: the members of its JSON.
 *
 * @param {{ context: [string, unknown][], steps: [string, unknown][], gone: string[] }} changed
 * @returns {string[]}
 */
export function changedMembers({ context, steps, gone }) {
  const members = membersOf({ context: context.filter(isThere).map(entryText), steps: steps.map(entryText) });
  return gone.length === 0 ? members : [...members, `"gone":${JSON.stringify(gone)}`];
}

/** @param {[string, unknown]} entry */
const entryText = ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`;

/**
 * Events as a row has them. Of one that the engine noted a list: its number, its type, when it was, the number of the event
 * that led to it, and its payload without the job's id. From these and the trace, which comes first where it does not
 * follow from the job's id, the rest is told; it would be most of what is written.
 *
 * @param {string} jobId
 * @param {(JobEvent | NotedEvent)[]} events
 * @param {(event: NotedEvent) => unknown[]} [listOf]
 * @returns {unknown[]}
 */
export function storedEvents(jobId, events, listOf = storedList) {
  const [first] = events;
  const trace = first instanceof NotedEvent ? first.traceId : undefined;
  /** @type {unknown[]} */
  const stored = trace === undefined || trace === traceOf(jobId) ? [] : [trace];
  for (const event of events) stored.push(isOfJob(event, jobId, trace) ? listOf(event) : wholeOf(event));
  return stored;
}

/**
 * @param {JobEvent | NotedEvent} event
 * @param {string} jobId
 * @param {string | undefined} trace
 * @returns {event is NotedEvent}
 */
function isOfJob(event, jobId, trace) {
  if (!(event instanceof NotedEvent)) return false;
  return event.source === SOURCE && event.traceId === trace && event.payload?.jobId === jobId;
}

/** @param {JobEvent | NotedEvent} event */
const wholeOf = (event) => (event instanceof NotedEvent ? wholeEvent(event) : event);

/**
 * @param {NotedEvent} event
 * @param {unknown} [payload] as it is to be written
 */
export function storedList(event, payload) {
  const { seq, type, timestamp, cause } = event;
  return [seq, type, timestamp, cause === 0 ? null : cause, payload ?? payloadOf(event)];
}

/** @param {NotedEvent} event */
function payloadOf(event) {
  const { jobId: _, ...rest } = storedPayload(event);
  return rest;
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
  const isOther = typeof first === 'string';
  const trace = new Trace(jobId, isOther ? () => first : traceOf);
  const events = isOther ? others : stored;
  return events.map((event) => {
    if (!Array.isArray(event)) return event;
    if (event.length === 1) return event[0];
    const [seq, type, timestamp, cause, rest] = event;
    const payload = { jobId, ...wholePayload(rest) };
    return wholeEvent(new NotedEvent(seq, type, payload, trace, cause ?? 0, timestamp, SOURCE), payload);
  });
}

const SOURCE = 'jobwright';

/** The job whose trace was asked for last, and that. */
let latestJob = '';
let latestTrace = '';

/** The trace of a job whose id is a UUID. @param {string} jobId */
function traceOf(jobId) {
  if (jobId !== latestJob) {
    latestTrace = jobId.replaceAll('-', '');
    latestJob = jobId;
  }
  return latestTrace;
}

/** Joins what rows hold, one after the other. */
export function rowJoiner() {
  /** @type {Record<'context' | 'steps', Record<string, any>>} */
  const keyed = { context: {}, steps: {} };
  /** @type {JobEvent[]} */
  const history = [];
  return {
    joined: { ...keyed, history },
    /** @param {'context' | 'steps'} part @param {string} key @param {unknown} value */
    set: (part, key, value) => setOwn(keyed[part], key, value),
    /** @param {RowParts} parts @param {JobEvent[]} [events] */
    add(parts, events = []) {
      setAll(keyed.context, parts.context);
      for (const key of parts.gone ?? []) delete keyed.context[key];
      setAll(keyed.steps, parts.steps);
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
