// @ts-check
import { invalidArgument } from '../engine/arguments.js';
import { describe, JOB_DEPTH, plainCopy } from '../parts/plain.js';
import { compareHead } from './compare.js';
import { FORMAT, VERSION } from './export-job.js';
import { sha256 } from './hash.js';
import { Replay } from './replay.js';
import { conclude } from './replay-job.js';
import { same } from './same.js';

/** @typedef {import('./replay.js').Difference} Difference */

/** @param {any} lines see `verifyRun` of the package */
export async function verifyRun(lines) {
  const [first, ...texts] = await collect(lines);
  const head = parse(first);
  if (head?.format !== FORMAT || head.version !== VERSION || typeof head.jobId !== 'string') {
    const expected = { format: FORMAT, version: VERSION, jobId: "the job's id" };
    return { ok: false, at: 0, expected, actual: head ?? first };
  }
  // Of the head nothing but its values is hashed.
  const written = JSON.stringify(head);
  if (written !== /** @type {string} */ (first).trim()) return broken(0, written, first);
  const read = texts.map(parse);
  return (await brokenChain(head, texts, read)) ?? decideAgain(head, read);
}

/**
 * @param {any} lines a whole text, or its lines one by one, each with or without its end
 * @returns {Promise<string[]>}
 */
async function collect(lines) {
  const isLines = lines?.[Symbol.iterator] !== undefined || lines?.[Symbol.asyncIterator] !== undefined;
  if (!isLines) throw invalidArgument(`verifyRun takes the lines of an export; found ${describe(lines)}`);
  const collected = [];
  for await (const text of typeof lines === 'string' ? [lines] : lines) {
    if (typeof text !== 'string') {
      throw invalidArgument(`verifyRun takes lines of text; found ${describe(text)} among them`);
    }
    collected.push(...text.split(/\r?\n/).filter((line) => line.trim() !== ''));
  }
  return collected;
}

/**
 * What a line says; undefined where it can't be a line of an export, whose events are no deeper than those of a job.
 *
 * @param {string | undefined} text
 */
function parse(text) {
  try {
    const value = JSON.parse(/** @type {string} */ (text));
    plainCopy(value?.event, 'event', JOB_DEPTH);
    return value !== null && typeof value === 'object' ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where the lines are not those that were written: each says the hash of the one before it, and the head says how many
 * there are, and the hash of the last.
 *
 * @param {any} head
 * @param {string[]} texts
 * @param {any[]} read
 * @returns {Promise<Difference | null>}
 */
async function brokenChain({ last, ...head }, texts, read) {
  let before = await sha256(JSON.stringify(head));
  for (const [place, line] of read.entries()) {
    if (line === undefined) return broken(place + 1, 'a line of JSON', texts[place]);
    if (line.before !== before) return broken(place, line.before, before);
    before = await sha256(/** @type {string} */ (texts[place]));
  }
  if (head.lines !== texts.length) {
    return broken(Math.min(texts.length, head.lines) + 1, { lines: head.lines }, { lines: texts.length });
  }
  return before === last ? null : broken(texts.length, last, before);
}

/**
 * @param {number} at
 * @param {unknown} expected
 * @param {unknown} actual
 * @returns {Difference}
 */
const broken = (at, expected, actual) => ({ ok: false, at, expected, actual });

/**
 * @param {any} head
 * @param {any[]} lines
 */
function decideAgain(head, lines) {
  const replay = new Replay(
    head.jobId,
    lines.map(({ event }) => event),
    head.redacted === true,
  );
  try {
    for (const { evaluated = {} } of lines) {
      const difference = replay.meet();
      if (difference !== null) return difference;
      if (!same(replay.evaluated, evaluated)) {
        return broken(replay.met, { evaluated: replay.evaluated }, { evaluated });
      }
    }
    return conclude(replay, compareHead(replay, head));
  } finally {
    replay.drop();
  }
}
