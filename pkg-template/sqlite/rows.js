// @ts-check
import { membersOf, readEvents, rowCutter, rowJoiner } from '../parts/commit-rows.js';
import { readTold } from './told-steps.js';

/**
 * What jobs are made of beside their head and their plan: one row for each commit that changed any of it, and the job is
 * all of its rows, one after the other. What is written at once for a whole job is cut into several.
 *
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../parts/commit-rows.js').RowParts} RowParts
 * @typedef {import('./driver.js').Row} Row
 *
 * @typedef {RowParts & { events?: any[], seqs?: number[] }} Parts what a row holds, as JSON; `seqs`: the numbers of the
 *   events, where they are not their own
 *
 * @typedef {object} WrittenRow
 * @property {number} lastSeq the number of the last event in it or in a row before, 0 where none is
 * @property {string} change
 */

/** Takes the entries of a whole job, one after the other. */
export const cutJob = () =>
  rowCutter((row, lastSeq) => {
    const { events, seqs, ownSeqs } = row;
    const members = membersOf(row);
    if (events.length > 0) members.push(`"events":[${events.join(',')}]`);
    if (!ownSeqs) members.push(`"seqs":[${seqs.join(',')}]`);
    return { lastSeq, change: `{${members.join(',')}}` };
  });

/**
 * The same job in as few rows as may be, without its history.
 *
 * @param {Row[]} rows
 */
export function withoutEvents(rows) {
  const { joined, set, add } = rowJoiner();
  for (const row of rows) {
    const parts = readRow(row);
    readTold(parts.events ?? [], set);
    add(parts);
  }
  const cut = cutJob();
  for (const [key, value] of Object.entries(joined.context))
    cut.addKey('context', key, JSON.stringify(value));
  for (const [id, state] of Object.entries(joined.steps)) cut.addKey('steps', id, JSON.stringify(state));
  return cut.end();
}

/** @param {string} jobId @param {Row[]} rows all of a job */
export function joinRows(jobId, rows) {
  const { joined, set, add } = rowJoiner();
  for (const row of rows) {
    const parts = readRow(row);
    const { events = [] } = parts;
    readTold(events, set);
    add(parts, readEvents(jobId, events));
  }
  return joined;
}

/**
 * @param {string} jobId
 * @param {Row} row
 * @param {number} afterSeq
 * @returns {JobEvent[]}
 */
export function eventsAfter(jobId, row, afterSeq) {
  const { events = [], seqs } = readRow(row);
  return readEvents(jobId, events).filter((event, i) => (seqs?.[i] ?? event.seq) > afterSeq);
}

/**
 * @param {Row} row
 * @returns {Parts}
 */
const readRow = ({ change }) => JSON.parse(change);
