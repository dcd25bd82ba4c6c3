// @ts-check
/** What `--help` shows. */
import { COMMON } from './words.js';

/** @typedef {import('./program.js').Command} Command */

/** Narrower columns are left to the terminal to break. */
const NARROWEST = 40;

const EXIT_CODES = `
Exit codes: 0 done; 1 the job failed; 2 wrong arguments; 3 the job is paused and waits for somebody;
4 there is no such job, or it does not allow that; 5 a check failed; 6 the store failed; 130 interrupted.
`;

/**
 * @param {Command[]} commands
 * @param {number} width of the terminal
 */
export function helpOfAll(commands, width) {
  const listed = commands.map(({ name, takes = '', about }) => [`${name} [options] ${takes}`.trim(), about]);
  return [
    'Usage: jobwright <command> [options]\n',
    `${wrap('Runs jobs whose steps are done by agents, and steers those that run.', width)}\n`,
    ...section({ Options: Object.values(COMMON), Commands: listed }, width),
    `${EXIT_CODES.slice(1)}\nEach command has an example: jobwright help run\n`,
  ].join('\n');
}

/**
 * @param {Command} command
 * @param {number} width of the terminal
 */
export function helpOf({ name, takes = '', about, example, options = [] }, width) {
  return [
    `${`Usage: jobwright ${name} [options] ${takes}`.trim()}\n`,
    `${wrap(about, width)}\n`,
    ...section({ Options: [...options, COMMON.help] }, width),
    `Example:\n  $ jobwright ${example}\n`,
  ].join('\n');
}

/**
 * @param {Record<string, (readonly string[])[]>} parts what each is called, and its rows
 * @param {number} width
 */
function section(parts, width) {
  const first = Math.max(...Object.values(parts).flatMap((rows) => rows.map(([term = '']) => term.length)));
  const indent = first + 4;
  return Object.entries(parts).map(([title, rows]) => {
    const lines = rows.map(([term = '', meaning = '']) => {
      const text = wrap(meaning, width - indent).replaceAll('\n', `\n${' '.repeat(indent)}`);
      return `  ${term.padEnd(first)}  ${text}\n`;
    });
    return `${title}:\n${lines.join('')}`;
  });
}

/**
 * @param {string} text
 * @param {number} width
 */
function wrap(text, width) {
  if (width < NARROWEST) return text;
  const lines = [''];
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`.trimStart();
    if (longer.length <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.join('\n');
}
