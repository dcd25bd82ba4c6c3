// @ts-check

/**
 * A job's head as it stands in its row: without the three numbers that each commit changes, so that where nothing else has
 * changed its text has not either, and the row need not be written. The numbers stand beside it, and in the row of the commit.
 *
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('./driver.js').Row} Row
 */

/** Beside a head without the number of its steps. */
const NO_STEPS = -1;

/**
 * @param {JobHead} head
 * @param {JobEvent[]} events that are stored with it
 * @returns {{ head: string, stepsTaken: number | null }} null: the head is whole
 */
export function headToStore(head, events) {
  const { run, ...rest } = head;
  const { revision, seq, stepsTaken, ...kept } = run ?? {};
  const isAsUsual =
    Number.isSafeInteger(revision) &&
    Number.isSafeInteger(seq) &&
    seq === events.at(-1)?.seq &&
    (stepsTaken === undefined || isCount(stepsTaken));
  if (!isAsUsual) return { head: JSON.stringify(head), stepsTaken: null };
  return { head: JSON.stringify({ ...rest, run: kept }), stepsTaken: stepsTaken ?? NO_STEPS };
}

/** @param {unknown} number */
const isCount = (number) => Number.isSafeInteger(number) && Number(number) >= 0;

/**
 * @param {Row} row
 * @returns {JobHead}
 */
export function storedHead(row) {
  const head = JSON.parse(row.head);
  if (row.steps_taken === null) return head;
  const { revision, seq, stepsTaken } = latestNumbers(row);
  head.run.revision = revision;
  head.run.seq = seq;
  if (stepsTaken !== NO_STEPS) head.run.stepsTaken = stepsTaken;
  return head;
}

/** @param {Row} row */
function latestNumbers(row) {
  return row.latest_revision > row.revision
    ? { revision: row.latest_revision, seq: row.latest_seq, stepsTaken: row.latest_steps }
    : { revision: row.revision, seq: row.last_seq, stepsTaken: row.steps_taken };
}
