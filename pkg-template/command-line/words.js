// @ts-check
/** What the words on the command line mean, or what is wrong with them, in one sentence. */
import { Failure } from './failure.js';

/**
 * @typedef {import('./program.js').Command} Command
 *
 * @typedef {object} Read
 * @property {'help' | 'version' | 'work'} wanted
 * @property {Command} [command] none was named
 * @property {string[]} args
 * @property {Record<string, any>} options by their names, in camel case
 */

/** What every command takes, and the program without one. */
export const COMMON = /** @type {const} */ ({
  version: ['--version', 'print the version'],
  help: ['--help', 'show this; -h does, too'],
});

/** @param {string | undefined} word */
const asksForHelp = (word) => word === COMMON.help[0] || word === '-h';

/** How many letters may be wrong in a word that is taken for another, and which share of them must be right. */
const MOST_WRONG = 3;
const LEAST_RIGHT = 0.4;

/** An argument and no option. */
const NEGATIVE = /^-(\d+|\d*\.\d+)(e[+-]?\d+)?$/;

/**
 * @param {string[]} words
 * @param {Command[]} commands
 * @returns {Read}
 */
export function readWords(words, commands) {
  const [first, ...rest] = words[0] === '--' ? words.slice(1) : words;
  if (first === undefined || !isOption(first)) {
    const command = commands.find(({ name }) => name === first);
    if (command !== undefined) return readCommand(rest, command);
    if (first === undefined) return { wanted: 'help', args: [], options: {} };
    if (first === 'help') return readWords([...rest.slice(0, 1), COMMON.help[0], ...rest.slice(1)], commands);
    const known = [...commands.map(({ name }) => name), 'help'];
    throw wrong(`unknown command '${first}'`, first, known);
  }
  if (asksForHelp(first)) return { wanted: 'help', args: [], options: {} };
  if (first === COMMON.version[0]) return { wanted: 'version', args: [], options: {} };
  throw wrong(
    `unknown option '${first}'`,
    first,
    Object.values(COMMON).map(([flag]) => flag),
  );
}

/**
 * @param {string[]} words
 * @param {Command} command
 * @returns {Read}
 */
function readCommand(words, command) {
  const takes = new Map((command.options ?? []).map(([flags]) => [nameOf(flags), flags]));
  /** @type {Read} */
  const read = { wanted: 'work', command, args: [], options: {} };
  for (const flag of takes.keys()) if (flag.startsWith('--no-')) read.options[memberOf(flag)] = true;
  let unknown;
  for (let at = 0; at < words.length; at += 1) {
    const word = /** @type {string} */ (words[at]);
    if (word === '--') {
      read.args.push(...words.slice(at + 1));
      break;
    }
    const [, flag = word, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? [];
    const flags = takes.get(flag);
    if (!isOption(word)) read.args.push(word);
    else if (word === COMMON.version[0]) return { ...read, wanted: 'version' };
    else if (asksForHelp(word)) read.wanted = 'help';
    else if (flags === flag && value === undefined) read.options[memberOf(flag)] = !flag.startsWith('--no-');
    else if (flags === undefined || flags === flag) unknown ??= word;
    else {
      const given = value ?? words[++at];
      if (given === undefined) throw new Failure('usage', `option '${flags}' argument missing`);
      read.options[memberOf(flag)] = given;
    }
  }
  if (read.wanted === 'help') return read;
  if (unknown !== undefined) {
    const known = [...takes.keys(), ...Object.values(COMMON).map(([flag]) => flag)];
    throw wrong(`unknown option '${unknown}'`, unknown, known);
  }
  checkCount(command, read.args.length);
  return read;
}

/** @param {string} word */
const isOption = (word) => word.startsWith('-') && word !== '-' && word !== '--' && !NEGATIVE.test(word);

/** The option itself, without what it takes. @param {string} flags */
const nameOf = (flags) => flags.split(' ', 1)[0] ?? flags;

/** @param {string} flag */
const memberOf = (flag) =>
  flag.replace(/^--(no-)?/, '').replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());

/**
 * @param {Command} command
 * @param {number} given
 */
function checkCount({ name, takes = '' }, given) {
  const wanted = takes.split(' ').filter(Boolean);
  const missing = wanted.slice(given).find((argument) => argument.startsWith('<'));
  if (missing !== undefined)
    throw new Failure('usage', `missing required argument '${missing.slice(1, -1)}'`);
  if (given <= wanted.length) return;
  const expected = `${wanted.length} argument${wanted.length === 1 ? '' : 's'}`;
  throw new Failure('usage', `too many arguments for '${name}'. Expected ${expected} but got ${given}.`);
}

/**
 * @param {string} message
 * @param {string} word
 * @param {string[]} known what could have been meant
 */
function wrong(message, word, known) {
  const like = similar(word, known);
  const meant = like.length > 1 ? `one of ${like.join(', ')}` : like[0];
  return new Failure('usage', meant === undefined ? message : `${message} (Did you mean ${meant}?)`);
}

/**
 * @param {string} word
 * @param {string[]} known
 * @returns {string[]} those that are most like it, if any is
 */
function similar(word, known) {
  const bare = (/** @type {string} */ text) => (word.startsWith('--') ? text.slice(2) : text);
  const found = known.flatMap((other) => {
    const wrong = distance(bare(word), bare(other));
    const length = Math.max(bare(word).length, bare(other).length);
    return wrong <= MOST_WRONG && (length - wrong) / length > LEAST_RIGHT ? [{ other, wrong }] : [];
  });
  const least = Math.min(...found.map(({ wrong }) => wrong));
  return found
    .filter(({ wrong }) => wrong === least)
    .map(({ other }) => other)
    .sort();
}

/**
 * How many letters have to be put in, taken out, replaced, or swapped with the next.
 *
 * @param {string} one
 * @param {string} other
 */
function distance(one, other) {
  /** @type {number[][]} of the first letters of both */
  const table = [];
  const at = (/** @type {number} */ row, /** @type {number} */ column) => table[row]?.[column] ?? Infinity;
  for (let row = 0; row <= one.length; row += 1) {
    /** @type {number[]} */
    const line = [];
    table.push(line);
    for (let column = 0; column <= other.length; column += 1) {
      if (row === 0 || column === 0) {
        line.push(row + column);
        continue;
      }
      const same = one[row - 1] === other[column - 1];
      const swapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      line.push(
        Math.min(
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          at(row - 1, column - 1) + (same ? 0 : 1),
          swapped ? at(row - 2, column - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(one.length, other.length);
}
