// @ts-check
/** Puts what was measured into a page, bench/README.md, and leaves there what was not measured again. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Failure } from '../../scripts/process.mjs';

/**
 * A part of the page begins with `<!-- NAME -->` and ends with `<!-- end of NAME -->`.
 *
 * @param {string} page
 * @param {string} name
 */
function placeOf(page, name) {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const from = page.indexOf(begin) + begin.length;
  const to = page.indexOf(end);
  if (from < begin.length || to < from) throw new Failure(`The page has no part ${begin.trim()} ... ${end}`);
  return { from, to };
}

/**
 * @param {string} page
 * @param {string} name
 * @param {string} text
 */
export function fill(page, name, text) {
  const { from, to } = placeOf(page, name);
  return `${page.slice(0, from)}\n${text.trim()}\n\n${page.slice(to)}`;
}

/**
 * Sections in the order of the workloads; one that is not measured again stays as it is.
 *
 * @param {string} page
 * @param {string} name of the part
 * @param {Map<string, string>} measured texts by workload
 * @param {string[]} order
 */
export function fillSections(page, name, measured, order) {
  const { from, to } = placeOf(page, name);
  const known = page
    .slice(from, to)
    .split(/^### /m)
    .slice(1)
    .map(
      (section) => /** @type {const} */ ([/^`(.*)`/.exec(section)?.[1] ?? '', section.replace(/^.*\n/, '')]),
    );
  const all = new Map([...known, ...measured]);
  const sections = order
    .filter((workload) => all.has(workload))
    .map((workload) => `### \`${workload}\`\n\n${all.get(workload)?.trim()}`);
  return fill(page, name, sections.join('\n\n'));
}

/**
 * @param {string} file
 * @param {(page: string) => string} change
 */
export function changePage(file, change) {
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}
