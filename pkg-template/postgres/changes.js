// @ts-check
import { changedMembers, entriesOf, eventText, goneOf, storedEvents } from '../parts/commit-rows.js';
import { newSpanId } from '../parts/ids.js';
import { committedHead, endedAt, revisionOf, splitJob, storedSeq } from '../parts/job-parts.js';
import { JOB_DEPTH, plainCopy } from '../parts/plain.js';
import { encodeKey, indexKey } from './keys.js';
import { cutJob } from './rows.js';

/**
 * Turns jobs and changes into the arguments of `write_job` and `advance_job`.
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
 * @property {number} headSize how many of them are the head's
 * @property {string | null} plan as JSON
 * @property {any[][]} rows parts and events of each
 * @property {(again: boolean, control: number | null) => unknown[]} values `again`: whether it may have been sent
 *   before; `control`: the number of the control record that it relies on
 * @property {((control: number | null) => unknown[]) | null} advance the arguments of `advance_job`, where that may do it
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
  const cut = cutJob();
  for (const [key, value] of Object.entries(context)) cut.addKey('context', key, JSON.stringify(value));
  for (const [id, state] of Object.entries(steps)) cut.addKey('steps', id, JSON.stringify(state));
  let last = 0;
  for (const event of history) {
    last = storedSeq(event?.seq, last);
    cut.addEvent(eventText(event), last, event?.seq === last);
  }
  const numbered = { unnumbered: 0, first: null, last: history.length === 0 ? null : last };
  return write(head, [null, null], plan, numbered, cut.end(), history);
}

/**
 * @param {JobChange} change
 * @param {boolean} own whether it is the engine's, and so known to be JSON and as it should be
 * @returns {Write}
 */
export function writeChange(change, own) {
  const { context, steps, events = [] } = own ? ownParts(change) : copyParts(change);
  const head = own
    ? change.head
    : committedHead(plainCopy(change.head, 'change.head', JOB_DEPTH), change.expectedRevision + 1);
  const plan = own ? change.plan : plainCopy(change.plan, 'change.plan', JOB_DEPTH);
  const numbered = numberEvents(events);
  const members = changedMembers({ context, steps, gone: goneOf(change.context, context) });
  const parts = members.length === 0 ? null : `{${members.join(',')}}`;
  const row = {
    last: 0,
    parts,
    events: events.length === 0 ? null : JSON.stringify(storedEvents(change.jobId, events)),
    seqs: numbered.ownSeqs ? null : JSON.stringify(numbered.seqs),
  };
  const rows = parts === null && events.length === 0 ? [] : [row];
  return write(head, [change.expectedRevision, change.fencingToken ?? null], plan, numbered, rows, events);
}

/**
 * @param {JobChange} change
 * @returns {{ context: [string, any][], steps: [string, any][], events?: JobEvent[] }}
 */
const ownParts = ({ context, steps, events = [] }) => ({
  context: entriesOf(context),
  steps: entriesOf(steps),
  events,
});

/**
 * @param {JobChange} change
 * @returns {ReturnType<typeof ownParts>}
 */
const copyParts = ({ context, steps, events }) => ({
  context: Object.entries(plainCopy(context, 'change.context', JOB_DEPTH) ?? {}),
  steps: Object.entries(plainCopy(steps, 'change.steps', JOB_DEPTH) ?? {}),
  events: plainCopy(events, 'change.events', JOB_DEPTH),
});

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
  let ownSeqs = true;
  const seqs = events.map(({ seq }) => {
    const own = Number.isSafeInteger(seq);
    ownSeqs &&= own;
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
  return { unnumbered, first, last: first === null ? null : last, seqs, ownSeqs };
}

/**
 * @param {JobHead} head
 * @param {(number | null)[]} terms the expected revision and the fencing token
 * @param {unknown} plan
 * @param {{ unnumbered: number, first: number | null, last: number | null }} numbered
 * @param {import('./rows.js').WrittenRow[]} rows
 * @param {JobEvent[]} events
 * @returns {Write}
 */
function write(head, terms, plan, { unnumbered, first, last }, rows, events) {
  const id = indexKey(encodeKey(head.id));
  const mark = BigInt.asIntN(64, BigInt(`0x${newSpanId()}`)).toString();
  const headText = JSON.stringify(head);
  const planText = plan === undefined ? null : JSON.stringify(plan);
  const notice = noticeOf(head);
  const columns = [textOrNull(head.status), parentOf(head), endedAt(head)];
  const of = (/** @type {(row: import('./rows.js').WrittenRow) => unknown} */ part) =>
    rows.length === 0 ? null : rows.map(part);
  const lists = [
    of((row) => row.last),
    of((row) => row.parts),
    of((row) => row.events),
    of((row) => row.seqs),
  ];
  let size = headText.length + (planText?.length ?? 0);
  for (const row of rows) size += (row.parts?.length ?? 0) + (row.events?.length ?? 0);
  const [only] = rows;
  const [expected, token] = terms;
  const advances =
    Number(expected) > 0 && planText === null && unnumbered === 0 && rows.length === 1 && only?.seqs === null;
  return {
    id,
    creates: (expected ?? 0) === 0,
    size,
    events,
    headSize: headText.length,
    plan: planText,
    rows: rows.map(({ parts, events }) => [parts, events]),
    values: (again, control) => [
      ...[
        id,
        expected,
        token,
        mark,
        again,
        control,
        notice,
        ...columns,
        revisionOf(head),
        headText,
        planText,
      ],
      ...[unnumbered, first, last, ...lists],
    ],
    advance:
      advances && first !== null
        ? (control) => [
            ...[id, expected, token, mark, control, notice, ...columns, headText],
            ...[first, last, only?.parts, only?.events],
          ]
        : null,
  };
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
function noticeOf(head) {
  const { id, parentId, status } = head;
  const text = JSON.stringify({ type: 'job', jobId: id, parentId, status, revision: revisionOf(head) });
  return Buffer.byteLength(text) > LONGEST_NOTICE ? MISSED : text;
}
