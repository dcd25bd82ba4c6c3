// @ts-check
/** The report. It holds no time and no job's id, so that the same findings give the same file. */
import { VERDICTS } from './licences.mjs';
import { byNameAndVersion } from './lock-files.mjs';
import { count } from './words.mjs';

/**
 * @typedef {import('./agents.mjs').Judged} Judged
 * @typedef {import('./licences.mjs').Verdict} Verdict
 *
 * @typedef {object} Findings
 * @property {{ name: string, policy: string }} subject
 * @property {string[]} locks
 * @property {number} own packages that belong to the project itself
 * @property {Judged[]} judged
 * @property {import('./agents.mjs').Review} review
 */

const TITLES = { denied: 'Denied', review: 'Needs review', allowed: 'Allowed' };

/**
 * @param {Pick<Judged, 'verdict'>[]} judged
 * @returns {Record<Verdict, number>}
 */
export function countVerdicts(judged) {
  const counts = { allowed: 0, review: 0, denied: 0 };
  for (const { verdict } of judged) counts[verdict] += 1;
  return counts;
}

/** @param {Findings} findings */
export function writeMarkdown(findings) {
  const judged = [...findings.judged].sort(byNameAndVersion);
  const sections = VERDICTS.toReversed().map((verdict) =>
    verdictSection(
      verdict,
      judged.filter((row) => row.verdict === verdict),
      findings,
    ),
  );
  return [
    `# Licences of ${escaped(findings.subject.name)}`,
    ...opening(findings),
    ...sections.flat(),
    ...licenceCounts(judged),
  ]
    .join('\n\n')
    .concat('\n');
}

/** @param {Findings} findings */
function opening({ subject, locks, own, judged, review }) {
  const counts = countVerdicts(judged);
  const rows = VERDICTS.toReversed().map((verdict) => [
    TITLES[verdict],
    String(counts[verdict]),
    verdict === 'review' && review !== null ? `approved by ${escaped(review.by)}` : '',
  ]);
  const perLock = locks.map(
    (lock) => `- ${code(lock)}: ${count(judged.filter((row) => row.lock === lock).length, 'package')}`,
  );
  return [
    conclusion(counts, review),
    table(['Verdict', 'Packages', ''], [...rows, ['Together', String(judged.length), '']]),
    `Judged against ${code(subject.policy)}. Lock files:`,
    perLock.join('\n'),
    ...(own === 0 ? [] : [`Not judged: ${count(own, 'package')} of the project itself.`]),
  ];
}

/**
 * @param {Record<Verdict, number>} counts
 * @param {Findings['review']} review
 */
function conclusion(counts, review) {
  if (counts.denied > 0) return `**${count(counts.denied, 'package is', 'packages are')} denied.**`;
  if (counts.review > 0 && review !== null)
    return '**Nothing is denied, and a person approved what needed a review.**';
  return '**Every package is allowed.**';
}

/**
 * @param {Verdict} verdict
 * @param {Judged[]} rows
 * @param {Findings} findings
 */
function verdictSection(verdict, rows, { locks }) {
  if (rows.length === 0) return [];
  const severalLocks = locks.length > 1;
  const head = ['Package', 'Version', 'Licence', 'Read from', 'Why', ...(severalLocks ? ['Lock file'] : [])];
  const cells = rows.map((row) => [
    escaped(row.name),
    escaped(row.version),
    row.licence === null ? '*none*' : escaped(row.licence),
    escaped(row.from),
    escaped(row.why),
    ...(severalLocks ? [code(row.lock)] : []),
  ]);
  return [`## ${TITLES[verdict]} (${rows.length})`, table(head, cells)];
}

/**
 * How often each licence is met, as the packages state it; the most frequent first.
 *
 * @param {Judged[]} judged
 */
function licenceCounts(judged) {
  if (judged.length === 0) return [];
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { licence } of judged) counts.set(licence ?? '', (counts.get(licence ?? '') ?? 0) + 1);
  const rows = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return [
    `## Licences (${rows.length})`,
    table(
      ['Licence', 'Packages'],
      rows.map(([licence, count]) => [licence === '' ? '*none*' : escaped(licence), String(count)]),
    ),
  ];
}

/**
 * @param {string[]} head
 * @param {string[][]} rows
 */
function table(head, rows) {
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * What packages say of themselves is anybody's text: it must not end its cell, nor become markup.
 *
 * @param {string} text
 */
function escaped(text) {
  return text.replace(/\s+/g, ' ').replace(/[\\`*[\]<>|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\$&');
}

/** @param {string} text */
function code(text) {
  return /[`|\n]/.test(text) ? escaped(text) : `\`${text}\``;
}
