// @ts-check
/**
 * Texts for a terminal. Ids, outputs and messages come from plans, agents and stores that nobody here knows: none of
 * their characters may move the cursor, change colours, turn the direction of writing or fill the screen.
 */

/** Control and formatting characters, separators of lines, and halves of pairs. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** @type {Record<string, string>} */
const SHORT = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** @param {string} found one character, of one or two units */
function escaped(found) {
  const units = Array.from({ length: found.length }, (_, index) => found.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/**
 * One line that shows a text as it is, at most so many characters of it.
 *
 * @param {unknown} text
 * @param {number} [most]
 */
export function plain(text, most = 200) {
  const whole = String(text);
  const shown = whole.length > most ? whole.slice(0, most).replace(/[\ud800-\udbff]$/, '') : whole;
  const rest = whole.length > most ? `… (${whole.length} characters)` : '';
  return shown.replace(HIDDEN, (found) => SHORT[found] ?? escaped(found)) + rest;
}

/**
 * A name in quotes.
 *
 * @param {unknown} name
 */
export const quoted = (name) => `"${plain(name)}"`;

/**
 * Lines as they are, but for what is not seen.
 *
 * @param {string} text
 */
export const visible = (text) => text.replace(HIDDEN, (found) => (found === '\n' ? found : escaped(found)));

/**
 * JSON that is safe to print: what JSON itself leaves as it is, as a terminal's 8-bit escapes, is written as `\uXXXX`.
 *
 * @param {unknown} value
 * @param {number} [indent]
 */
export const json = (value, indent) => visible(JSON.stringify(value, null, indent) ?? 'null');

/**
 * A value in one line, cut.
 *
 * @param {unknown} value
 * @param {number} [most]
 */
export const inline = (value, most) => plain(JSON.stringify(value) ?? 'nothing', most);

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.floor((ms % 60_000) / 1_000)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** @param {unknown} ms epoch milliseconds */
export function moment(ms) {
  const date = new Date(Number(ms));
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export const count = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;

/**
 * Lines of columns, as wide as their widest value.
 *
 * @param {string[][]} rows
 */
export function table(rows) {
  /** @type {number[]} */
  const widths = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/**
 * An argument as a shell takes it.
 *
 * @param {string} argument
 */
export function shellWord(argument) {
  const onWindows = process.platform === 'win32';
  if ((onWindows ? /^[\w@%+=:,./\\-]+$/ : /^[\w@%+=:,./-]+$/).test(argument)) return argument;
  const shown = plain(argument);
  return onWindows ? `"${shown}"` : `'${shown.replaceAll("'", "'\\''")}'`;
}
