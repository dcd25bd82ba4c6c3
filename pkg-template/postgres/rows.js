// @ts-check
import { membersOf, readEvents, rowCutter, rowJoiner } from '../parts/commit-rows.js';

/**
 * What jobs are made of beside their head and their plan: one row for each commit that changed any of it, and the job is
 * all of its rows, one after the other. What is written at once for a whole job is cut into several.
 *
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 *
 * @typedef {object} WrittenRow
 * @property {number} last the number of the last event in it or in a row before, 0 where none is
 * @property {string | null} parts
 * @property {string | null} events as a list
 * @property {string | null} seqs as a list: their numbers, where they don't say so themselves
 */

/** Takes the entries of a whole job, one after the other. */
export const cutJob = () =>
  rowCutter((row, last) => {
    const { events, seqs, ownSeqs } = row;
    const members = membersOf(row);
    return {
      last,
      parts: members.length === 0 ? null : `{${members.join(',')}}`,
      events: events.length === 0 ? null : `[${events.join(',')}]`,
      seqs: ownSeqs ? null : JSON.stringify(seqs),
    };
  });

/** @param {string} jobId @param {any[][]} rows all of a job: parts and events */
export function joinRows(jobId, rows) {
  const { joined, add } = rowJoiner();
  for (const [parts, events] of rows) {
    add(
      parts === null ? {} : JSON.parse(parts),
      events === null ? [] : readEvents(jobId, JSON.parse(events)),
    );
  }
  return joined;
}

/**
 * @param {string} jobId
 * @param {any[]} row the number of its last event, its events, their numbers, and the number of the one before them
 * @param {number} afterSeq
 * @returns {JobEvent[]}
 */
export function eventsAfter(jobId, [, written, numbers, before], afterSeq) {
  const events = readEvents(jobId, JSON.parse(written));
  if (numbers === null) return events.filter(({ seq }) => seq > afterSeq);
  /** @type {(number | null)[]} */
  const seqs = JSON.parse(numbers);
  return events.filter((_, i) => (seqs[i] ?? Number(before) + i + 1) > afterSeq);
}
