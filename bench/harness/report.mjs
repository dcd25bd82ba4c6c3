// @ts-check
/** From figures to rows, and from rows to a table. */
import { summary } from './statistics.mjs';

const OURS = 'jobwright';

/**
 * @typedef {import('./run.mjs').Workload} Workload
 * @typedef {import('./run.mjs').Figures} Figures
 * @typedef {import('./run.mjs').Due} Due
 *
 * @typedef {object} Row
 * @property {string} workload
 * @property {string} metric
 * @property {string} unit
 * @property {string} contender
 * @property {number} median
 * @property {number} min
 * @property {number} max
 * @property {number[]} figures
 * @property {string} [against] what `ratio` compares the package with; missing where the figure itself is due
 * @property {number} [ratio] the package's median, divided by the other
 * @property {number} [due] at most this
 * @property {boolean} [met]
 */

/**
 * @param {Workload} workload
 * @param {Map<string, Figures>} all by contender
 * @returns {Row[]}
 */
export function rowsOf(workload, all) {
  return Object.entries(workload.metrics).flatMap(([metric, unit]) =>
    [...all].flatMap(([contender, figures]) => {
      const values = figures[metric];
      if (values === undefined) return [];
      const row = { workload: workload.name, metric, unit, contender, ...summary(values), figures: values };
      return [{ ...row, ...verdict(workload, all, row) }];
    }),
  );
}

/**
 * @param {Workload} workload
 * @param {Map<string, Figures>} all
 * @param {{ metric: string, contender: string, median: number }} row
 */
function verdict(workload, all, { metric, contender, median }) {
  const own = all.get(OURS) ?? {};
  const medianOf = (/** @type {string} */ name) => summary(own[name] ?? [Number.NaN]).median;
  const due = workload.due.find((each) => isAbout(each, metric, contender));
  const limit = (/** @type {number} */ value) =>
    due === undefined ? {} : { due: due.atMost, met: value <= due.atMost };
  if (contender !== OURS) {
    const ratio = medianOf(metric) / median;
    return { against: contender, ratio, ...limit(ratio) };
  }
  if (due?.over === undefined) return limit(median);
  const ratio = median / medianOf(due.over);
  return { against: due.over, ratio, ...limit(ratio) };
}

/**
 * @param {Due} due
 * @param {string} metric
 * @param {string} contender
 */
function isAbout(due, metric, contender) {
  if ((due.metric ?? metric) !== metric) return false;
  if (due.against === undefined) return contender === OURS;
  if (due.against === 'libraries') return contender !== OURS && !contender.startsWith('plain');
  return due.against === contender;
}

/** @param {number} value */
function figure(value) {
  if (!Number.isFinite(value)) return '–';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/**
 * @param {Row[]} rows
 * @returns {string} Markdown
 */
export function tableOf(rows) {
  const lines = rows.map((row) => {
    const { workload, metric, unit, contender, median, min, max, against, ratio, due, met } = row;
    const compared =
      ratio === undefined ? '' : `${figure(ratio)}${contender === OURS ? ` of ${against}` : ''}`;
    const limit = due === undefined ? '' : `at most ${figure(due)}${ratio === undefined ? ` ${unit}` : ''}`;
    const verdicts = met === undefined ? '' : met ? 'met' : '**not met**';
    const spread = `${figure(min)} to ${figure(max)}`;
    return [workload, `${metric}, ${unit}`, contender, figure(median), spread, compared, limit, verdicts];
  });
  const head = ['workload', 'what', 'contender', 'median', 'min to max', 'jobwright / it', 'due', ''];
  const line = (/** @type {string[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, place) => (place < 3 ? '---' : '---:'))), ...lines.map(line)].join(
    '\n',
  );
}
