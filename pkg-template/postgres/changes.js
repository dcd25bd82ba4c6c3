// @ts-check
import { randomBytes } from 'node:crypto';
import { committedHead, endedAt, revisionOf, splitJob } from '../parts/job-parts.js';
import { JOB_DEPTH, plainCopy } from '../parts/plain.js';
import { encodeKey, indexKey } from './keys.js';

/**
 * Turns jobs and changes into the arguments of `write_job`.
 *
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobHead} JobHead
 *
 * @typedef {object} Write
 * @property {string} id as the index has it
 * @property {boolean} creates whether it may make a job
 * @property {number} size about how many characters it has
 * @property {JobEvent[]} events to append
 * @property {(again: boolean) => unknown[]} values `again`: whether it may have been sent before
 */

/** How many bytes a notice may have; PostgreSQL takes 7,999. */
const LONGEST_NOTICE = 7_900;

const MISSED = JSON.stringify({ type: 'missed' });

/**
 * @param {Job} job
 * @returns {Write}
 */
export function writeJob(job) {
  const { head, context, history, plan, steps } = splitJob(plainCopy(job, 'job', JOB_DEPTH));
  let last = 0;
  const seqs = history.map((event) => {
    const seq = event?.seq;
    last = Number.isSafeInteger(seq) && seq > last ? seq : last + 1;
    return last;
  });
  return write(head, [null, null], plan, context, context, steps, {
    unnumbered: 0,
    first: null,
    last: seqs.length === 0 ? null : last,
    seqs,
    events: history,
  });
}

/**
 * @param {JobChange} change
 * @param {boolean} own whether it is the engine's, and so known to be JSON
 * @returns {Write}
 */
export function writeChange(change, own) {
  const head = committedHead(plainCopy(change.head, 'change.head', JOB_DEPTH), change.expectedRevision + 1);
  const plan = plainCopy(change.plan, 'change.plan', JOB_DEPTH);
  const context = own ? change.context : plainCopy(change.context, 'change.context', JOB_DEPTH);
  const steps = own ? change.steps : plainCopy(change.steps, 'change.steps', JOB_DEPTH);
  const events = own ? change.events : plainCopy(change.events, 'change.events', JOB_DEPTH);
  const terms = [change.expectedRevision, change.fencingToken ?? null];
  const numbered = numberEvents(events ?? []);
  return write(head, terms, plan, change.context ?? {}, context ?? {}, steps ?? {}, numbered);
}

/**
 * The numbers of events to append. What the server has to add to the last one stored is null; that is so for those at
 * the beginning that have no number of their own. The first that has one must come after all before it.
 *
 * @param {JobEvent[]} events
 */
function numberEvents(events) {
  /** @type {number | null} */
  let first = null;
  let last = 0;
  let unnumbered = 0;
  const seqs = events.map(({ seq }) => {
    const own = Number.isSafeInteger(seq);
    if (first === null && !own) {
      unnumbered += 1;
      return null;
    }
    // No stored number is below this one, and so the server refuses the change.
    if (first !== null && own && seq <= last) first = -1;
    first ??= seq;
    last = own ? seq : last + 1;
    return last;
  });
  return { unnumbered, first, last: first === null ? null : last, seqs, events };
}

/**
 * @param {JobHead} head
 * @param {(number | null)[]} terms the expected revision and the fencing token
 * @param {unknown} plan
 * @param {object} named what names the keys of the context
 * @param {Record<string, unknown>} context
 * @param {object} steps
 * @param {{ unnumbered: number, first: number | null, last: number | null, seqs: (number | null)[], events: JobEvent[] }} numbered
 * @returns {Write}
 */
function write(head, terms, plan, named, context, steps, numbered) {
  const id = indexKey(encodeKey(head.id));
  const [expected] = terms;
  const mark = randomBytes(8).readBigInt64BE().toString();
  const headText = JSON.stringify(head);
  const planText = plan === undefined ? null : JSON.stringify(plan);
  const kept = Object.keys(named).filter((key) => Object.hasOwn(context, key) && context[key] !== undefined);
  const gone = Object.keys(named).filter((key) => !Object.hasOwn(context, key) || context[key] === undefined);
  const values = kept.map((key) => JSON.stringify(context[key]));
  const states = Object.values(steps).map((state) => JSON.stringify(state));
  const events = numbered.events.map((event) => JSON.stringify(event));
  const rest = [
    notice(head),
    textOrNull(head.status),
    parentOf(head),
    endedAt(head),
    revisionOf(head),
    headText,
    planText,
    listed(gone.map((key) => indexKey(encodeKey(key)))),
    ...keyed(kept),
    listed(values),
    ...keyed(Object.keys(steps)),
    listed(states),
    numbered.unnumbered,
    numbered.first,
    numbered.last,
    listed(numbered.seqs),
    listed(events),
  ];
  let size = headText.length + (planText?.length ?? 0);
  for (const texts of [values, states, events]) for (const text of texts) size += text.length;
  const creates = (expected ?? 0) === 0;
  return {
    id,
    creates,
    size,
    events: numbered.events,
    values: (again) => [id, ...terms, mark, again, ...rest],
  };
}

/**
 * Keys as the index has them, and, where that is not the key itself, the key.
 *
 * @param {string[]} keys
 */
function keyed(keys) {
  const encoded = keys.map(encodeKey);
  const indexed = encoded.map(indexKey);
  return [listed(indexed), listed(encoded.map((key, i) => (key === indexed[i] ? null : key)))];
}

/**
 * @template T
 * @param {T[]} list
 */
function listed(list) {
  return list.length === 0 ? null : list;
}

/** @param {unknown} text */
function textOrNull(text) {
  return typeof text === 'string' ? encodeKey(text) : null;
}

/** @param {JobHead} head */
function parentOf({ parentId }) {
  return typeof parentId === 'string' ? indexKey(encodeKey(parentId)) : null;
}

/** @param {JobHead} head */
function notice(head) {
  const { id, parentId, status } = head;
  const text = JSON.stringify({ type: 'job', jobId: id, parentId, status, revision: revisionOf(head) });
  return Buffer.byteLength(text) > LONGEST_NOTICE ? MISSED : text;
}
