// @ts-check
/** The links and anchors of HTML. It is read tag by tag, as browsers do, without a tree. */

/**
 * @typedef {{ line: number, target: string }} Link
 * @typedef {{ links: Link[], anchors: string[] }} Found
 * @typedef {{ name: string, attributes: Map<string, string>, from: number, end: number }} Tag
 */

/** What stands in these is text, up to their end tag. */
const RAW = /^(?:script|style|textarea|title|xmp|iframe|noembed|noframes)$/;
/** A comment, something like one, or an end tag. */
const NO_START =
  /<!--(?:>|->|[\s\S]*?(?:--!?>|$))|<[!?][^>]*(?:>|$)|<\/[a-z](?:[^>"']|"[^"]*"|'[^']*')*(?:>|$)/iy;
const START = /<([a-z][^\s/>]*)/iy;
const ATTRIBUTE = /[\s/]*([^\s/>][^\s/>=]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>][^\s>]*)))?/y;
const TAG_END = /[\s/]*>/y;

/** @param {RegExp} pattern sticky @param {string} text @param {number} at */
export function match(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/**
 * @param {string} text
 * @param {number} at where a `<` stands
 * @returns {Tag | { end: number } | null} a start tag; what has no links; or null where the `<` is only one
 */
export function markupAt(text, at) {
  const other = match(NO_START, text, at);
  if (other !== null) return { end: at + other[0].length };
  const start = match(START, text, at);
  if (start === null) return null;
  const name = start[1].toLowerCase();
  /** @type {Tag['attributes']} */
  const attributes = new Map();
  let end = at + start[0].length;
  for (;;) {
    const closing = match(TAG_END, text, end);
    if (closing !== null) {
      end += closing[0].length;
      return { name, attributes, from: at, end: RAW.test(name) ? endOfRaw(text, name, end) : end };
    }
    const attribute = match(ATTRIBUTE, text, end);
    // The tag never ends.
    if (attribute === null) return null;
    const [all, key, ...values] = attribute;
    const value = values.find((value) => value !== undefined) ?? '';
    // Of two that are alike, the first counts.
    if (!attributes.has(key.toLowerCase())) attributes.set(key.toLowerCase(), decodeEntities(value));
    end += all.length;
  }
}

/** @param {string} text @param {string} name @param {number} from */
function endOfRaw(text, name, from) {
  const closing = new RegExp(`</${name}(?=[\\s/>])`, 'ig');
  closing.lastIndex = from;
  return closing.exec(text)?.index ?? text.length;
}

/**
 * @param {Tag} tag
 * @param {number} line
 * @param {Found} found
 */
export function readTag({ name, attributes }, line, found) {
  for (const key of ['href', 'src']) {
    const target = attributes.get(key);
    if (target !== undefined) found.links.push({ line, target: target.replace(/[\t\r\n]/g, '').trim() });
  }
  const id = attributes.get('id');
  if (id) found.anchors.push(id);
  const named = name === 'a' ? attributes.get('name') : undefined;
  if (named) found.anchors.push(named);
}

/**
 * @param {string} text
 * @param {number} [line] where it begins
 * @param {Found} [found]
 * @returns {Found}
 */
export function readHtml(text, line = 1, found = { links: [], anchors: [] }) {
  const lineAt = lineCounter(text, line);
  let at = text.indexOf('<');
  while (at !== -1) {
    const markup = markupAt(text, at);
    if (markup !== null && 'name' in markup) readTag(markup, lineAt(at), found);
    at = text.indexOf('<', markup?.end ?? at + 1);
  }
  return found;
}

/**
 * @param {string} text
 * @param {number} line of its beginning
 * @returns {(at: number) => number} to be asked in order
 */
export function lineCounter(text, line) {
  let [counted, lines] = [0, line];
  return (at) => {
    for (; counted < at; counted++) if (text[counted] === '\n') lines += 1;
    return lines;
  };
}

const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0' };

/** Numbers, and those names that occur in addresses. @param {string} text */
export function decodeEntities(text) {
  return text.replace(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]{2,4}));/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED[/** @type {keyof typeof NAMED} */ (name)] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd';
  });
}
