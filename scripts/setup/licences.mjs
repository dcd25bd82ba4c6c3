// @ts-check
import { writeFileSync } from 'node:fs';

/** @typedef {{ name: string, text: string }} Licence of a library, and what it is called */

/**
 * Keeps licences beside what they are of: each notice of copyright as it is, and the terms that it is followed by once
 * for all whose terms have the same words.
 *
 * @param {Licence[]} licences
 * @param {string} what holds the libraries
 * @param {string} file to write
 */
export function writeLicences(licences, what, file) {
  /** @type {Map<string, { terms: string, notices: Map<string, string[]> }>} */
  const all = new Map();
  for (const { name, text } of licences) {
    const { notice, terms } = split(text);
    const words = terms.replaceAll(/\s+/g, ' ');
    const { notices } = all.get(words) ?? { notices: new Map() };
    notices.set(notice, [...(notices.get(notice) ?? []), name]);
    all.set(words, { terms: all.get(words)?.terms ?? terms, notices });
  }
  const parts = [...all.values()].map(({ terms, notices }) => {
    const named = [...notices].map(([notice, names]) =>
      [names.join('\n'), notice].filter(Boolean).join('\n'),
    );
    return [...named, terms].join('\n\n');
  });
  writeFileSync(file, `${[`${what} these libraries.`, ...parts].join('\n\n---\n\n')}\n`);
}

/**
 * Above the terms stand a title, which says what the identifier behind a library's name does, and whose they are.
 *
 * @param {string} text
 */
function split(text) {
  const paragraphs = text.split(/\n\s*\n/);
  const start = paragraphs.findIndex(
    (paragraph) => !/^\s*(Copyright\b|.* License( \(\w+\))?\s*$)/.test(paragraph),
  );
  const above = paragraphs.slice(0, Math.max(0, start));
  const notice = above.filter((paragraph) => /^\s*Copyright\b/.test(paragraph)).join('\n');
  return { notice, terms: paragraphs.slice(Math.max(0, start)).join('\n\n') };
}
