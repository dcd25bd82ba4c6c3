// @ts-check
import { writeFileSync } from 'node:fs';

/** @typedef {{ name: string, text: string }} Licence of a library, and what it is called */

/**
 * Keeps licences beside what they are of: each text once, behind the names of those it is of.
 *
 * @param {Licence[]} licences
 * @param {string} what holds the libraries
 * @param {string} file to write
 */
export function writeLicences(licences, what, file) {
  /** @type {Map<string, string[]>} */
  const names = new Map();
  for (const { name, text } of licences) names.set(text, [...(names.get(text) ?? []), name]);
  const parts = [...names].map(([text, named]) => `${named.join('\n')}\n\n${text}`);
  writeFileSync(file, `${[`${what} these libraries.`, ...parts].join('\n\n---\n\n')}\n`);
}
