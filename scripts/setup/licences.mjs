// @ts-check
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PACKAGE = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//;

/** @typedef {{ name: string, text: string }} Licence of a library, and what it is called */

/**
 * The licences of the libraries that a bundle holds.
 *
 * @param {string} from what the names of files are relative to
 * @param {string[]} inputs the files of the bundle
 * @returns {Licence[]}
 */
export function licencesOf(from, inputs) {
  const folders = new Set(inputs.flatMap((input) => PACKAGE.exec(input)?.[1] ?? []));
  return [...folders].sort().map((folder) => licenceOf(resolve(from, folder)));
}

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

/** @param {string} folder @returns {Licence} */
function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${name} ${version} has no file with its licence`);
  return { name: `${name} ${version} (${license})`, text: readFileSync(join(folder, file), 'utf8').trim() };
}
