// @ts-check
import { changedMembers, entriesOf, eventText, goneOf, storedEvents } from '../parts/commit-rows.js';
import { committedHead, endedAt, numberEvents, revisionOf, splitJob, storedSeq } from '../parts/job-parts.js';
import { JOB_DEPTH, plainCopy } from '../parts/plain.js';
import { eventConflict } from '../parts/store-arguments.js';
import { headToStore } from './heads.js';
import { encodeKey } from './keys.js';
import { cutJob } from './rows.js';
import { tellSteps } from './told-steps.js';

/**
 * Turns jobs and changes into text for the database, before a transaction begins: turning objects into text
 * may run the caller's code, and that must find no lock held.
 *
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobChange} JobChange
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('./rows.js').WrittenRow} WrittenRow
 *
 * @typedef {object} Written
 * @property {string} id
 * @property {string | null} status
 * @property {string | null} parentId
 * @property {number | null} ended
 * @property {number} revision
 * @property {number | null} stepsTaken null: the head is whole, see heads.js
 * @property {string} head
 * @property {string | null} plan null: as it is
 * @property {(last: number) => WrittenRow[]} rows to be added, after the last event stored
 * @property {NumberedRow | null} numbered the row where there is one and its events say their numbers themselves
 *
 * @typedef {WrittenRow & { firstSeq: number }} NumberedRow `firstSeq`: the number of its first event
 */

/**
 * @param {Job} job
 * @returns {Written}
 */
export function writeJob(job) {
  const { head, context, history, plan, steps } = splitJob(plainCopy(job, 'job', JOB_DEPTH));
  const cut = cutJob();
  for (const [key, value] of Object.entries(context)) cut.addKey('context', key, JSON.stringify(value));
  for (const [id, state] of Object.entries(steps)) cut.addKey('steps', id, JSON.stringify(state));
  let last = 0;
  for (const event of history) {
    last = storedSeq(event?.seq, last);
    cut.addEvent(eventText(event), last, event?.seq === last);
  }
  const rows = cut.end();
  return write(head, history, undefined, plan, { rows: () => rows, numbered: null });
}

/**
 * @param {JobChange} change
 * @param {boolean} own whether it is the engine's, and so known to be JSON and as it should be
 * @param {import('./heads.js').WrittenHead} [latest] of the job, if it was the engine's too
 * @returns {Written}
 */
export function writeChange(change, own, latest) {
  if (own) {
    const { head, plan, context, steps, events = [] } = change;
    const values = { context: entriesOf(context), steps: entriesOf(steps), events };
    return write(head, events, latest, plan, writeRows(change, values));
  }
  const head = committedHead(plainCopy(change.head, 'change.head', JOB_DEPTH), change.expectedRevision + 1);
  const plan = plainCopy(change.plan, 'change.plan', JOB_DEPTH);
  const context = plainCopy(change.context, 'change.context', JOB_DEPTH);
  const steps = plainCopy(change.steps, 'change.steps', JOB_DEPTH);
  const events = plainCopy(change.events, 'change.events', JOB_DEPTH) ?? [];
  const values = { context: Object.entries(context ?? {}), steps: Object.entries(steps ?? {}), events };
  return write(head, events, undefined, plan, writeRows(change, values));
}

/**
 * Names all of it: an object that is spread into another has a shape of its own each time, and is slow to read.
 *
 * @param {JobHead} head
 * @param {JobEvent[]} events that are stored with it
 * @param {import('./heads.js').WrittenHead | undefined} latest
 * @param {import('../index.d.ts').Plan | undefined} plan
 * @param {Pick<Written, 'rows' | 'numbered'>} rows
 * @returns {Written}
 */
function write(head, events, latest, plan, { rows, numbered }) {
  const { head: text, stepsTaken } = headToStore(head, events, latest);
  return {
    id: encodeKey(head.id),
    status: head.status ?? null,
    parentId: head.parentId === undefined ? null : encodeKey(head.parentId),
    ended: endedAt(head),
    revision: revisionOf(head),
    stepsTaken,
    head: text,
    plan: plan === undefined ? null : JSON.stringify(plan),
    rows,
    numbered,
  };
}

/**
 * @param {JobChange} change names the keys of the context
 * @param {{ context: [string, unknown][], steps: [string, any][], events: JobEvent[] }} values
 * @returns {Pick<Written, 'rows' | 'numbered'>}
 */
function writeRows({ jobId, context: named }, { context, steps, events }) {
  const { listOf, untold } = tellSteps(context, steps);
  const stored = storedEvents(jobId, events, listOf);
  const members = changedMembers(untold(goneOf(named, context)));
  if (events.length > 0) members.push(`"events":${JSON.stringify(stored)}`);
  if (members.length === 0) return { rows: () => [], numbered: null };
  const text = `{${members.join(',')}}`;
  const numbered = numberedRow(events, text);
  /** @param {number} last */
  const rows = (last) => {
    if (numbered !== null && numbered.firstSeq > last) return [numbered];
    const seqs = numberEvents(events, last, (seq, stored) => eventConflict(jobId, seq, stored));
    const ownSeqs = seqs.every((seq, i) => events[i]?.seq === seq);
    const change = ownSeqs ? text : `${text.slice(0, -1)},"seqs":[${seqs.join(',')}]}`;
    return [{ lastSeq: seqs.at(-1) ?? last, change }];
  };
  return { rows, numbered };
}

/**
 * @param {JobEvent[]} events
 * @param {string} change
 * @returns {NumberedRow | null}
 */
function numberedRow(events, change) {
  let last = 0;
  for (const { seq } of events) {
    if (!Number.isSafeInteger(seq) || seq <= last) return null;
    last = seq;
  }
  const firstSeq = events[0]?.seq;
  return firstSeq === undefined ? null : { firstSeq, lastSeq: last, change };
}
