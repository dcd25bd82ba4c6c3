// @ts-check
/** Just enough of language: sentences, the words that matter, and which words are the same. */

const STOP_WORDS = new Set(
  `a about an and are as at be by did do does for from had has have how in is it its many much of on or so that the them
  then there they this to was were what when where which who why will with`.split(/\s+/),
);

/** @param {string} text */
const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+(?:[.'-][\p{L}\p{N}]+)*/gu) ?? [];

/**
 * The words of a question that an answer has to be about, each once.
 *
 * @param {string} question
 */
export const termsOf = (question) => [...new Set(words(question).filter((word) => !STOP_WORDS.has(word)))];

/**
 * Which of the terms a text has, in this form or a longer or shorter one: "adopt" is in "adopted".
 *
 * @param {string} text
 * @param {string[]} terms
 */
export function termsIn(text, terms) {
  const found = words(text);
  return terms.filter((term) => found.some((word) => isSame(word, term)));
}

/**
 * @param {string} a
 * @param {string} b
 */
function isSame(a, b) {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short === long || (short.length > 3 && long.startsWith(short) && long.length < short.length + 4);
}

/**
 * The sentences of a Markdown text: those of its paragraphs and lists, not of headings, tables and code.
 *
 * @param {string} markdown
 */
export function sentencesOf(markdown) {
  const prose = markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/^[#|<>].*$/gm, '');
  const blocks = prose
    .split(/\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)/)
    .map((block) => block.replace(/\s+/g, ' ').trim());
  return blocks
    .flatMap((block) => block.match(/[^.!?]+(?:[.!?](?!\s|$)[^.!?]*)*[.!?]?/g) ?? [])
    .map((it) => it.trim());
}
