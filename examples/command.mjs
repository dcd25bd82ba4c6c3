// @ts-check
/** What the front of every small example does alike: options, errors, questions. */
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';

/** What whoever started the program can set right: shown as one sentence, without a stack. */
export class Mistake extends Error {}

/** Exit codes: a mistake in the arguments, and a job that ended otherwise than was hoped for. */
export const EXIT = { ok: 0, otherwise: 1, mistake: 2 };

/**
 * Runs a program: its work is given the options and the other arguments, and gives the exit code.
 *
 * @template {NonNullable<import('node:util').ParseArgsConfig['options']>} O
 * @param {string} help
 * @param {O} options
 * @param {(values: ReturnType<typeof parseArgs<{ options: O }>>['values'], rest: string[]) => Promise<number>} work
 */
export async function command(help, options, work) {
  // Nobody reads on: as in `node main.mjs | head`.
  process.stdout.on('error', () => process.exit(EXIT.otherwise));
  try {
    const { values, positionals } = read(options);
    if (/** @type {{ help?: boolean }} */ (values).help) process.stdout.write(help);
    else process.exitCode = await work(values, positionals);
  } catch (error) {
    if (!(error instanceof Mistake)) throw error;
    console.error(error.message);
    process.exitCode = EXIT.mistake;
  }
}

/**
 * @template {NonNullable<import('node:util').ParseArgsConfig['options']>} O
 * @param {O} options
 */
function read(options) {
  try {
    return parseArgs({ options: { ...options, help: { type: 'boolean' } }, allowPositionals: true });
  } catch (error) {
    // The first sentence says what is wrong; the others advise on things these programs have not.
    const [what] = /** @type {Error} */ (error).message.split(/\.?\n|\. /);
    throw new Mistake(`${what}; --help shows the options.`);
  }
}

/**
 * @param {string[]} rest
 * @param {number} most
 */
export function atMost(rest, most) {
  if (rest.length > most)
    throw new Mistake(`Unexpected argument ${JSON.stringify(rest[most])}; --help shows the options.`);
}

/**
 * @param {string} name
 * @param {string | undefined} given
 * @param {{ least: number, most: number }} range
 * @returns {number | undefined}
 */
export function wholeNumber(name, given, { least, most }) {
  if (given === undefined) return undefined;
  const number = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new Mistake(
    `${name} must be a whole number from ${least} to ${most}; found ${JSON.stringify(given)}.`,
  );
}

/**
 * Asks a person at the terminal, or whoever writes to the program's input.
 *
 * @param {string} question
 * @returns {Promise<boolean>} false also where nobody answers
 */
export async function agrees(question) {
  const reader = createInterface({ input: process.stdin });
  process.stdout.write(`${question} [y/N] `);
  const answer = await new Promise((resolve) => {
    reader.once('line', resolve).once('close', () => resolve(null));
  });
  reader.close();
  // At a terminal, whoever answers has ended the line.
  if (answer === null || !process.stdin.isTTY) process.stdout.write('\n');
  return answer !== null && /^y(es)?$/i.test(answer.trim());
}
