// @ts-check
/** Reads what the agents entered in the ledger. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} Entry
 * @property {string} receipt
 * @property {string} key
 * @property {number} attempt
 *
 * @typedef {object} Pages one worker's
 * @property {string} worker
 * @property {string} text
 * @property {number} calls counted otherwise
 *
 * @typedef {object} Ledger
 * @property {Entry[]} entries
 * @property {number} torn lines that a killed worker did not end
 * @property {string[]} problems
 */

/**
 * @param {string} folder
 * @returns {Pages[]}
 */
export function readPages(folder) {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.lines'))
    .map((file) => {
      const worker = file.slice(0, -'.lines'.length);
      const text = readFileSync(join(folder, file), 'utf8');
      return { worker, text, calls: statSync(join(folder, `${worker}.calls`)).size };
    });
}

/**
 * @param {Pages[]} pages
 * @param {Set<string>} killed only these may have been in the middle of a call
 * @returns {Ledger}
 */
export function readLedger(pages, killed) {
  const ledgers = pages.map((page) => readPage(page, killed.has(page.worker)));
  return {
    entries: ledgers.flatMap(({ entries }) => entries),
    torn: ledgers.reduce((sum, { torn }) => sum + torn, 0),
    problems: ledgers.flatMap(({ problems }) => problems),
  };
}

/**
 * @param {Pages} page
 * @param {boolean} isKilled
 * @returns {Ledger}
 */
function readPage({ worker, text, calls }, isKilled) {
  const lines = text.split('\n');
  const torn = lines.pop() === '' ? 0 : 1;
  /** @type {string[]} */
  const problems = [];
  const entries = lines.flatMap((line, place) => {
    const entry = readLine(line);
    if (entry !== null && entry.number === place + 1)
      return { ...entry, receipt: `${worker}#${entry.number}` };
    problems.push(`ledger of ${worker}: line ${place + 1} is ${JSON.stringify(line)}`);
    return [];
  });
  const cut = isKilled ? 1 : 0;
  if (torn > cut) problems.push(`ledger of ${worker}: the last line is torn, and the worker was not killed`);
  if (calls < lines.length || calls > lines.length + cut) {
    problems.push(`ledger of ${worker}: ${lines.length} lines, ${calls} calls`);
  }
  return { entries, torn, problems };
}

/** @param {string} line */
function readLine(line) {
  try {
    const [number, key, attempt] = JSON.parse(line);
    return typeof key === 'string' && key !== '' && attempt >= 1 ? { number, key, attempt } : null;
  } catch {
    return null;
  }
}
