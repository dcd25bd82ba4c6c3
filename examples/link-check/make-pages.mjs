// @ts-check
/** Pages to try the check on: Markdown and HTML, from a seed, and what of them is dead. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/**
 * @typedef {import('./agents.mjs').DeadLink & { file: string }} Planted
 * @typedef {{ file: string, isHtml: boolean, headings: Heading[] }} Page
 * @typedef {{ text: string, anchor: string }} Heading
 * @typedef {{ target: string, why: string | null }} Planned
 * @typedef {ReturnType<typeof createDice>} Dice
 */

const FOLDERS = ['', 'guide/', 'guide/more/', 'with space/', 'größe/', '100%/'];
/** What headings become, by the rules that hosts of Markdown share. */
const HEADINGS = [
  ['Notes', 'notes'],
  ['A & B', 'a--b'],
  ['What `--force` does', 'what---force-does'],
  ['Über *alles*?', 'über-alles'],
  ['The [way](#top) there', 'the-way-there'],
  ['snake_case, and _not_', 'snake_case-and-not'],
  ['Step 1.', 'step-1'],
];
const ELSEWHERE = [
  'https://example.com/gone.md#no',
  'mailto:a@example.com',
  '/gone.html',
  '//example.com/gone',
];

/** @param {number} seed @returns {() => number} the same numbers, below 1, for the same seed */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** @param {number} seed */
function createDice(seed) {
  const next = random(seed);
  const below = (/** @type {number} */ most) => Math.floor(next() * most);
  return {
    below,
    /** @template T @param {readonly T[]} list */
    one: (list) => list[below(list.length)],
    /** @param {number} chance */
    happens: (chance) => next() < chance,
  };
}

/**
 * @param {string} folder made where it is not there
 * @param {{ pages?: number, seed?: number }} [options]
 * @returns {{ pages: number, links: number, dead: Planted[] }} what a check of it has to find, in its order
 */
export function makePages(folder, { pages: count = 200, seed = 1 } = {}) {
  const dice = createDice(seed);
  const pages = Array.from({ length: count }, (_, number) => outline(number, dice));
  /** @type {Planted[]} */
  const dead = [];
  let links = 0;
  for (const page of pages) {
    const written = write(page, pages, dice);
    const path = join(folder, page.file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, written.text);
    links += written.links;
    dead.push(...written.dead);
  }
  dead.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
  return { pages: count, links, dead };
}

/** The first is an index, so that its folder has a page. @param {number} number @param {Dice} dice @returns {Page} */
function outline(number, dice) {
  const isHtml = number > 0 && dice.happens(0.4);
  const name = number === 0 ? 'index' : `page-${number}`;
  const extension = isHtml ? dice.one(['html', 'html', 'htm']) : 'md';
  /** @type {Map<string, number>} */
  const seen = new Map();
  const headings = Array.from({ length: 1 + dice.below(5) }, () => {
    const [text, anchor] = dice.one(HEADINGS);
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return { text, anchor: before === 0 ? anchor : `${anchor}-${before}` };
  });
  return { file: `${number === 0 ? '' : dice.one(FOLDERS)}${name}.${extension}`, isHtml, headings };
}

/**
 * @param {Page} page
 * @param {Page[]} pages
 * @param {Dice} dice
 */
function write(page, pages, dice) {
  /** @type {string[]} */
  const lines = page.isHtml ? ['<!doctype html>', '<title><a href="gone">No link</a></title>'] : ['', ''];
  /** @type {Planted[]} */
  const dead = [];
  let links = 0;
  for (const { text, anchor } of page.headings) {
    // A heading with a link in it.
    if (!page.isHtml && text.includes('](')) links += 1;
    lines.push(...(page.isHtml ? htmlHeading(anchor, dice) : markdownHeading(text, dice)), '');
    for (let left = 1 + dice.below(4); left > 0; left--) {
      if (dice.happens(0.3)) lines.push(...(page.isHtml ? htmlDecoy(dice) : markdownDecoy(dice)), '');
      const { target, why } = chooseTarget(page, pages, dice);
      const form = (page.isHtml ? htmlLink : markdownLink)(target, dice);
      lines.push(form, '');
      // A picture that is a link is two.
      links += form.includes('![](') ? 2 : 1;
      if (why !== null) dead.push({ file: page.file, line: lines.length - 1, target, why });
    }
  }
  return { text: lines.join(dice.happens(0.1) ? '\r\n' : '\n'), links, dead };
}

/**
 * A link as it is meant, before it is written in the one or the other way.
 *
 * @param {Page} from
 * @param {Page[]} pages
 * @param {Dice} dice
 * @returns {Planned}
 */
function chooseTarget(from, pages, dice) {
  if (dice.happens(0.1)) return { target: dice.one(ELSEWHERE), why: null };
  const to = dice.happens(0.15) ? from : dice.one(pages);
  const address = to === from && dice.happens(0.7) ? '' : addressOf(from.file, to.file, dice);
  const { anchor } = dice.one(to.headings);
  const written = dice.happens(0.5) ? encodeURIComponent(anchor) : anchor;
  if (dice.happens(0.2)) return deadOf(from, to, address, anchor, dice);
  if (address !== '' && dice.happens(0.1)) return { target: indexOf(from.file, pages[0], dice), why: null };
  return { target: address === '' || dice.happens(0.6) ? `${address}#${written}` : address, why: null };
}

/** @param {Page} from @param {Page} to @param {string} address @param {string} anchor @param {Dice} dice @returns {Planned} */
function deadOf(from, to, address, anchor, dice) {
  const file = 'no such file';
  const near = addressOf(from.file, to.file, dice);
  return dice.one([
    { target: `${address}#gone`, why: 'no such anchor' },
    { target: `${address}#${anchor}-9`, why: 'no such anchor' },
    { target: `${address}#${encodeURIComponent(anchor.toUpperCase())}X`, why: 'no such anchor' },
    { target: near.replace(/(page|index)/, (name) => name.toUpperCase()), why: file },
    { target: near.replace(/\.(\w+)(?=\?|$)/, '-gone.$1'), why: file },
    { target: 'no%20such/folder/', why: file },
    { target: `${address === '' ? near : address}/`.replace(/\?.*\/$/, '/'), why: file },
  ]);
}

/** @param {string} from @param {string} to @param {Dice} dice */
function addressOf(from, to, dice) {
  const path = relative(dirname(from), to).split(sep).map(encodeURIComponent).join('/');
  return `${dice.happens(0.2) ? './' : ''}${path}${dice.happens(0.1) ? '?v=1&copy=2' : ''}`;
}

/** The first page by its folder's name. @param {string} from @param {Page} index @param {Dice} dice */
function indexOf(from, index, dice) {
  const folder = relative(dirname(from), '.').replaceAll(sep, '/') || '.';
  const anchor = encodeURIComponent(dice.one(index.headings).anchor);
  return `${folder}${dice.happens(0.5) ? '/' : ''}${dice.happens(0.5) ? `#${anchor}` : ''}`;
}

/** @param {string} text @param {Dice} dice */
function markdownHeading(text, dice) {
  if (dice.happens(0.2)) return [text, '---'];
  return [`${'#'.repeat(1 + dice.below(6))} ${text}${dice.happens(0.2) ? ' ##' : ''}`];
}

/** @param {string} anchor @param {Dice} dice */
function htmlHeading(anchor, dice) {
  return [
    dice.one([`<h2 id="${anchor}">A</h2>`, `<a name='${anchor}'>A</a>`, `<P CLASS=a ID=${anchor}>A</P>`]),
  ];
}

/** @param {string} target @param {Dice} dice */
function markdownLink(target, dice) {
  const link = dice.one([
    `A [link](${target}), and more.`,
    `- A [link in *marks* and \`code]\`](<${target}>)`,
    `> A ![picture](${target} "with a title")`,
    `1. [![](${ELSEWHERE[0]})](${target} 'a title')`,
    `[ref]: ${target} "a title"`,
    `<img src='${target.replaceAll('&', '&amp;')}' alt="[no](gone)">`,
    `Some <a class="b"  HREF="${target.replaceAll('&', '&#38;')}">HTML</a>`,
    `\\[not](gone) [this](${target.replaceAll('_', '\\_')})`,
  ]);
  return link;
}

/** @param {string} target @param {Dice} dice */
function htmlLink(target, dice) {
  const escaped = target.replaceAll('&', '&amp;');
  return dice.one([
    `<a href="${escaped}">A</a>`,
    `<img alt='a > b' src='${escaped}'>`,
    `<A HREF=${escaped}>A</A>`,
    `<a title="<a href='gone'>" href = " ${escaped.replace(/^./, (first) => `&#${first.charCodeAt(0)};`)} "/>`,
    `<script src="${escaped}">"<a href='gone'>"</script>`,
  ]);
}

/** What looks like a link and is none. @param {Dice} dice */
function markdownDecoy(dice) {
  return dice.one([
    ['```md', '[a](gone.md)', '', '# Gone', '~~~', '```'],
    ['~~~~', '[a](gone.md)', '~~~', '~~~~'],
    ['<!-- [a](gone.md)', '', '<a href="gone.md" id="gone"> -->'],
    ['`[a](gone.md)` and ``[b](`gone.md)``'],
    ['Indented:', '', '    [a](gone.md)', '', 'and \\[a](gone.md), [a] (gone.md), [a](two words)'],
    ['<script>', '"[a](gone.md)"', '</script>'],
    ['[^1]: a note, and [x]'],
  ]);
}

/** @param {Dice} dice */
function htmlDecoy(dice) {
  return dice.one([
    ['<!-- <a href="gone.html" id="gone"> -->'],
    ['<script>', 'const a = "<a href=gone.html id=gone>";', '</script >'],
    ['<style>a::before { content: "<a href=gone>" }</style>'],
    ['<p data-href="gone.html" title="href=gone">a < b</p>'],
    ['<textarea><a href="gone.html"></textarea>', '[a](gone.md)'],
    ['</p href="gone.html">'],
  ]);
}
