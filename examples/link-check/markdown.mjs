// @ts-check
/** The links and anchors of Markdown: first its blocks, of which code has none, then the text in them. */
import { readHtml } from './html.mjs';
import { readInline, slugOf } from './inline.mjs';

/** @typedef {import('./html.mjs').Found} Found */
/** @typedef {{ kind: 'text' | 'html', line: number, lines: string[] }} Block */

const FENCE = /^\s*(?:[-*+]\s+|\d+[.)]\s+)?(`{3,}(?=[^`]*$)|~{3,})/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])(?:\s|$)/;
const HEADING = /^ {0,3}#{1,6}(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$/;
const UNDERLINE = /^ {0,3}(?:=+|-+)[ \t]*$/;
/** HTML that ends where it says so, and HTML that ends with a blank line. */
const HTML_UNTIL = /^ {0,3}<(?:(!--)|(script|style|pre|textarea)(?=[\s>]|$))/i;
const HTML_BLOCK =
  /^ {0,3}<\/?(?:address|article|aside|base|blockquote|body|caption|center|col|colgroup|d[dlt]|details|dialog|dir|div|fieldset|figcaption|figure|footer|form|h[1-6r]|head|header|html|iframe|legend|li|link|main|menu|nav|ol|optgroup|option|p|section|summary|table|tbody|t[dhr]|tfoot|thead|title|ul)(?=[\s/>]|$)/i;

/**
 * @param {string} markdown
 * @returns {Found}
 */
export function readMarkdown(markdown) {
  const { blocks, headings } = blocksOf(markdown.split(/\r?\n/));
  /** @type {Found} */
  const found = { links: [], anchors: anchorsOf(headings) };
  for (const { kind, line, lines } of blocks) {
    const read = kind === 'html' ? readHtml : readInline;
    read(lines.join('\n'), line, found);
  }
  return found;
}

/**
 * Where nothing else says what a line is, it goes on with the block before it.
 *
 * @param {string[]} lines
 */
function blocksOf(lines) {
  /** @type {Block[]} */
  const blocks = [];
  /** @type {string[]} */
  const headings = [];
  /** @type {Block | null} */
  let open = null;
  let inList = false;
  /** @param {Block['kind']} kind @param {number} index @param {string} text */
  const begin = (kind, index, text) => {
    open = { kind, line: index + 1, lines: [text] };
    blocks.push(open);
  };

  for (let index = afterFrontMatter(lines); index < lines.length; index++) {
    const text = lines[index].replace(/^(?: {0,3}> ?)+/, '');
    const block = /** @type {Block | null} */ (open);
    const fence = FENCE.exec(text);
    const until = HTML_UNTIL.exec(text);
    const heading = HEADING.exec(text);
    if (text.trim() === '') {
      open = null;
    } else if (block?.kind === 'html') {
      block.lines.push(text);
    } else if (block === null && !inList && /^(?: {4}| {0,3}\t)/.test(text)) {
      // Code, by its indentation; in a list it would be text.
    } else if (fence !== null) {
      index = endOfFence(lines, index, fence[1]);
      open = null;
    } else if (until !== null) {
      const end = endOfHtml(lines, index, until[2]);
      begin('html', index, lines.slice(index, end + 1).join('\n'));
      index = end;
      open = null;
    } else if (heading !== null) {
      headings.push(heading[1] ?? '');
      begin('text', index, text);
      [open, inList] = [null, false];
    } else if (block !== null && UNDERLINE.test(text) && !ITEM.test(block.lines[0])) {
      headings.push(block.lines.join(' ').trim());
      open = null;
    } else if (HTML_BLOCK.test(text)) {
      begin('html', index, text);
    } else if (block === null || ITEM.test(text)) {
      inList = ITEM.test(text) || (inList && /^\s/.test(text));
      begin('text', index, text);
    } else {
      block.lines.push(text);
    }
  }
  return { blocks, headings };
}

/** @param {string[]} lines @returns {number} the first line of the page itself */
function afterFrontMatter(lines) {
  const end = lines[0] === '---' ? lines.indexOf('---', 1) : -1;
  return end + 1;
}

/**
 * @param {string[]} lines
 * @param {number} start
 * @param {string} fence
 * @returns {number} its last line
 */
function endOfFence(lines, start, fence) {
  const closing = new RegExp(`^[\\s>]*${fence[0]}{${fence.length},}\\s*$`);
  const end = lines.findIndex((line, index) => index > start && closing.test(line));
  return end === -1 ? lines.length : end;
}

/**
 * @param {string[]} lines
 * @param {number} start
 * @param {string | undefined} tag undefined for a comment
 * @returns {number} its last line
 */
function endOfHtml(lines, start, tag) {
  const closing = tag === undefined ? /-->/ : /<\/(?:script|style|pre|textarea)>/i;
  const end = lines.findIndex((line, index) => index >= start && closing.test(line));
  return end === -1 ? lines.length : end;
}

/**
 * What hosts of Markdown call the headings of a page: of two that are alike, the second ends in -1.
 *
 * @param {string[]} headings
 */
function anchorsOf(headings) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return headings.map((heading) => {
    const slug = slugOf(heading);
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}
