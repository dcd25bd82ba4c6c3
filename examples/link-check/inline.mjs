// @ts-check
/** The links in the text of Markdown, read from left to right: what begins first decides what the rest means. */
import { decodeEntities, lineCounter, markupAt, match, readTag } from './html.mjs';

/** @typedef {import('./html.mjs').Found} Found */

const ESCAPED = /\\([!-/:-@[-`{-~])/g;
const TITLE = String.raw`(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\((?:\\.|[^()\\])*\))`;
const AFTER = new RegExp(String.raw`(?:\s+${TITLE})?\s*\)`, 'y');
const IN_ANGLES = /<((?:\\.|[^<>\\\n])*)>/y;
const DEFINITION = new RegExp(
  String.raw`^[ \t]*\[(?!\^)(?:\\.|[^\[\]\\])+\]:[ \t]*(?:<((?:\\.|[^<>\\])*)>|([^\s<]\S*))(?:[ \t]+${TITLE})?[ \t]*$`,
);
const AUTOLINK = /<[a-z][a-z\d+.-]+:[^\s<>]*>/iy;

/** @param {string} written as it stands in the page */
const plain = (written) => decodeEntities(written.replace(ESCAPED, '$1'));

/**
 * @param {string} text of one block
 * @param {number} line where it begins
 * @param {Found} found
 */
export function readInline(text, line, found) {
  const lines = text.split('\n');
  const rest = lines.findIndex((each) => !DEFINITION.test(each));
  const definitions = rest === -1 ? lines : lines.slice(0, rest);
  for (const [index, definition] of definitions.entries()) {
    const [, inAngles, bare] = /** @type {RegExpExecArray} */ (DEFINITION.exec(definition));
    found.links.push({ line: line + index, target: plain(inAngles ?? bare) });
  }
  if (rest !== -1) readText(lines.slice(rest).join('\n'), line + rest, found);
}

/**
 * @param {string} text
 * @param {number} line
 * @param {Found} found
 */
function readText(text, line, found) {
  const lineAt = lineCounter(text, line);
  let brackets = 0;
  let at = 0;
  while (at < text.length) {
    const character = text[at];
    if (character === '\\') at += 2;
    else if (character === '`') at = endOfCode(text, at);
    else if (character === '<') at = readMarkup(text, at, lineAt, found);
    else if (character === ']' && brackets > 0) {
      brackets -= 1;
      const link = text[at + 1] === '(' ? destinationAt(text, at + 2) : null;
      if (link !== null) found.links.push({ line: lineAt(at), target: plain(link.written) });
      at = link?.end ?? at + 1;
    } else {
      if (character === '[') brackets += 1;
      at += 1;
    }
  }
}

/** @param {string} text @param {number} at where the backticks begin */
function endOfCode(text, at) {
  const [ticks] = /** @type {RegExpExecArray} */ (match(/`+/y, text, at));
  const closing = new RegExp(`(?<!\`)${ticks}(?!\`)`, 'g');
  closing.lastIndex = at + ticks.length;
  const end = closing.exec(text);
  return (end?.index ?? at) + ticks.length;
}

/**
 * @param {string} text
 * @param {number} at
 * @param {(at: number) => number} lineAt
 * @param {Found} found
 * @returns {number} where to go on
 */
function readMarkup(text, at, lineAt, found) {
  const autolink = match(AUTOLINK, text, at);
  if (autolink !== null) return at + autolink[0].length;
  const markup = markupAt(text, at);
  if (markup !== null && 'name' in markup) readTag(markup, lineAt(at), found);
  return markup?.end ?? at + 1;
}

/**
 * @param {string} text
 * @param {number} from behind the `](`
 * @returns {{ written: string, end: number } | null} null where that is no link
 */
function destinationAt(text, from) {
  const [space] = /** @type {RegExpExecArray} */ (match(/\s*/y, text, from));
  const at = from + space.length;
  const inAngles = match(IN_ANGLES, text, at);
  if (inAngles === null && text[at] === '<') return null;
  const written = inAngles?.[1] ?? bareAt(text, at);
  const end = at + (inAngles?.[0].length ?? written.length);
  const after = match(AFTER, text, end);
  return after === null ? null : { written, end: end + after[0].length };
}

/** Up to a space, or to the parenthesis that it did not open. @param {string} text @param {number} from */
function bareAt(text, from) {
  let [at, depth] = [from, 0];
  for (; at < text.length && !/\s/.test(text[at]); at++) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '(') depth += 1;
    else if (text[at] === ')' && depth-- === 0) break;
  }
  return text.slice(from, at);
}

/**
 * What a heading is called in addresses: its words as they are shown, without marks.
 *
 * @param {string} heading
 */
export function slugOf(heading) {
  // Code is shown as it is written, also where it looks like something else.
  const shown = heading
    .split(/(`+[^`]*`+)/)
    .map((part, index) => (index % 2 === 1 ? part : withoutMarks(part)))
    .join('');
  return shown
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
}

/** @param {string} text */
function withoutMarks(text) {
  const words = text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replace(/<\/?[a-z][^>]*>/gi, '')
    .replace(/(?<![\p{L}\p{N}\\])_+([^_]+)_+(?![\p{L}\p{N}])/gu, '$1');
  return plain(words);
}
