// @ts-check

/**
 * A job's head as it stands in its row: without the three numbers that each commit changes, so that where nothing else has
 * changed its text has not either, and the row need not be written. The numbers stand beside it, and in the row of the commit.
 *
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('./driver.js').Row} Row
 *
 * @typedef {object} WrittenHead
 * @property {JobHead} head
 * @property {string} text
 */

/** Beside a head without the number of its steps. */
const NO_STEPS = -1;

/**
 * @param {JobHead} head
 * @param {JobEvent[]} events that are stored with it
 * @param {WrittenHead} [latest] one of the job's that was written before, and not changed since: most have its text
 * @returns {{ head: string, stepsTaken: number | null }} null: the head is whole
 */
export function headToStore(head, events, latest) {
  const { revision, seq, stepsTaken } = head.run ?? {};
  const isAsUsual =
    Number.isSafeInteger(revision) &&
    Number.isSafeInteger(seq) &&
    seq === events.at(-1)?.seq &&
    (stepsTaken === undefined || isCount(stepsTaken));
  if (!isAsUsual) return { head: JSON.stringify(head), stepsTaken: null };
  const isLatest = latest !== undefined && haveSameText(latest.head, head);
  return { head: isLatest ? latest.text : textOf(head), stepsTaken: stepsTaken ?? NO_STEPS };
}

/** @param {JobHead} head */
function textOf({ run, ...rest }) {
  const { revision, seq, stepsTaken, ...kept } = run ?? {};
  return JSON.stringify({ ...rest, run: kept });
}

/**
 * Heads that the engine hands over are new, and what did not change in them are the same objects.
 *
 * @param {JobHead} before
 * @param {JobHead} head
 */
function haveSameText(before, head) {
  return haveSameMembers(before, head, (key) =>
    key === 'run'
      ? haveSameMembers(before.run, head.run, (name) => NUMBERS.has(name))
      : key === 'timing' && haveSameMembers(before.timing, head.timing),
  );
}

/** What each commit changes. */
const NUMBERS = new Set(['revision', 'seq', 'stepsTaken']);

/**
 * @param {any} before
 * @param {any} now
 * @param {(key: string) => boolean} [isAlike] whether it does not matter that a member is another
 */
function haveSameMembers(before, now, isAlike = () => false) {
  const keys = Object.keys(now);
  const others = Object.keys(before);
  return (
    keys.length === others.length &&
    keys.every((key, i) => key === others[i] && (now[key] === before[key] || isAlike(key)))
  );
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
