// @ts-check
/** Histories: exported, checked, and decided again. */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { verifyRun } from 'jobwright';
import { EXIT, Failure } from '../failure.js';
import { findJob } from '../jobs.js';
import { readText } from '../modules.js';
import { argument } from '../program.js';
import { count, inline, plain, quoted } from '../text.js';

/**
 * @typedef {import('../program.js').Command} Command
 * @typedef {import('../program.js').Desk} Desk
 */

/** @type {Command} */
export const exportRun = {
  name: 'export',
  takes: '<job>',
  about:
    "Writes a job's history as lines of JSON that verify checks without the store; values are replaced by hashes.",
  example: 'export 3f2a --store jobs.db --out run.jsonl',
  options: [
    ['--out <file>', 'write it to a file; default: the standard output'],
    ['--no-redact', 'with all values'],
    ['--salt <text>', 'what is hashed before each value; default: random'],
  ],
  async work(desk) {
    const { options, terminal } = desk;
    const { opened, orchestrator } = await desk.open();
    const jobId = await findJob(opened, argument(desk, 0));
    const salt = options.salt === undefined ? {} : { salt: options.salt };
    const lines = orchestrator.exportJob(jobId, { redact: options.redact, ...salt });
    if (options.out === undefined) {
      for await (const line of lines) terminal.raw(`${line}\n`);
      return EXIT.ok;
    }
    const written = await writeLines(lines, options.out);
    desk.answer({ jobId, file: options.out, lines: written }, () => [
      `Wrote ${count(written, 'line')} to ${plain(options.out)}.`,
    ]);
    return EXIT.ok;
  },
};

/**
 * @param {AsyncIterable<string>} lines
 * @param {string} file
 */
async function writeLines(lines, file) {
  let written = 0;
  async function* ended() {
    for await (const line of lines) {
      written += 1;
      yield `${line}\n`;
    }
  }
  try {
    await pipeline(Readable.from(ended()), createWriteStream(file));
  } catch (error) {
    const { syscall, message } = /** @type {{ syscall?: string, message: string }} */ (error);
    if (syscall === undefined) throw error;
    throw new Failure('unwritable', `The file ${quoted(file)} can't be written: ${plain(message)}.`);
  }
  return written;
}

/** @type {Command} */
export const verify = {
  name: 'verify',
  takes: '<file>',
  about: 'Checks an exported run: its chain of hashes, and every decision once more.',
  example: 'verify run.jsonl',
  withoutStore: true,
  async work(desk) {
    const file = argument(desk, 0);
    return sayResult(desk, await verifyRun([await readText(file, 'run')]), 'line');
  },
};

/** @type {Command} */
export const replay = {
  name: 'replay',
  takes: '<job>',
  about: 'Decides again from the history alone what was decided, and compares. No agent is called.',
  example: 'replay 3f2a --store jobs.db',
  async work(desk) {
    const { opened, orchestrator } = await desk.open();
    const jobId = await findJob(opened, argument(desk, 0));
    return sayResult(desk, await orchestrator.replayJob(jobId), 'event');
  },
};

/**
 * @param {Desk} desk
 * @param {import('jobwright').ReplayResult} result
 * @param {string} unit what `at` counts
 */
function sayResult(desk, result, unit) {
  desk.answer(result, () =>
    result.ok
      ? [`In order: ${count(result.decisions, 'decision')} are what would be decided again.`]
      : [
          `Not in order, at ${unit} ${result.at}:`,
          `  expected  ${shown(result.expected)}`,
          `  found     ${shown(result.actual)}`,
        ],
  );
  return result.ok ? EXIT.ok : EXIT.check;
}

/** @param {unknown} value */
const shown = (value) => (typeof value === 'string' ? plain(value, 500) : inline(value, 500));
