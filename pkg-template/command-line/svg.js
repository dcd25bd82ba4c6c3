// @ts-check
/**
 * A plan as an SVG picture, drawn without a browser: each step stands below those that it comes after. A plan is a small
 * graph that was written from top to bottom, so its own order is a good one from left to right, too.
 */

/**
 * @typedef {import('jobwright').Plan} Plan
 * @typedef {import('jobwright').Step} Step
 *
 * @typedef {object} Box
 * @property {string} id
 * @property {string[]} lines of text in it
 * @property {string} status of the step; empty where no job is drawn
 * @property {boolean} isOptional it may be skipped
 * @property {Drawing | null} inner the steps of its child job
 * @property {string[]} after
 * @property {number} rank
 * @property {number} x
 * @property {number} y
 * @property {number} width
 * @property {number} height
 *
 * @typedef {{ boxes: Box[], width: number, height: number }} Drawing
 */

const LETTER = 7.3;
const LINE = 17;
const PAD = 12;
const GAP = { across: 28, down: 44 };
/** How much of a text is shown, in letters. */
const LONGEST = 40;

/** Fill and stroke of a step, by its status. @type {Record<string, [string, string]>} */
const COLOURS = {
  '': ['#eef3fb', '#4a6da7'],
  pending: ['#eeeeee', '#888888'],
  waiting: ['#ffee99', '#aa7700'],
  running: ['#bbddff', '#0066cc'],
  done: ['#bbffbb', '#008800'],
  failed: ['#ffbbbb', '#cc0000'],
  skipped: ['#ffffff', '#888888'],
};

/**
 * @param {Plan} plan
 * @param {import('jobwright').Job} [job] whose progress colours the steps
 */
export function planToSvg(plan, job) {
  const drawing = layOut(plan, job === undefined ? null : (job.run?.steps ?? {}));
  const [width, height] = [drawing.width + 2 * PAD, drawing.height + 2 * PAD];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, monospace" font-size="12">`,
    `<title>${escaped(plan.name ?? 'plan')}</title>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#666"/></marker></defs>',
    ...drawn(drawing, PAD, PAD),
    '</svg>',
    '',
  ].join('\n');
}

/**
 * @param {Plan} plan
 * @param {Record<string, { status: string }> | null} states by step; null where no job is drawn
 * @returns {Drawing}
 */
function layOut({ steps }, states) {
  /** @type {Map<string, Box>} */
  const boxes = new Map();
  for (const [index, step] of steps.entries()) {
    const before = steps[index - 1];
    boxes.set(step.id, boxOf(step, step.after ?? (before === undefined ? [] : [before.id]), states));
  }
  /** @type {Box[][]} */
  const rows = [];
  for (const box of rank(boxes)) {
    const row = rows[box.rank] ?? [];
    rows[box.rank] = [...row, box];
  }
  return place(rows);
}

/**
 * @param {Step} step
 * @param {string[]} after
 * @param {Record<string, { status: string }> | null} states
 * @returns {Box}
 */
function boxOf(step, after, states) {
  const { id, agent, wait, approve, job, when, forEach, repeat } = step;
  const what = [
    agent ?? '',
    wait === undefined
      ? ''
      : 'signal' in wait
        ? `waits for ${[wait.signal].flat().join(', ')}`
        : `waits ${wait.ms} ms`,
    approve === undefined ? '' : `approval ${approve.message ?? ''}`.trim(),
    job === undefined ? '' : 'child job',
    forEach === undefined ? '' : 'for each item',
    repeat === undefined ? '' : `up to ${repeat.max} rounds`,
  ].filter(Boolean);
  const lines = [id, what.join(', ')].map(shortened).filter(Boolean);
  const inner = job === undefined ? null : layOut(job.plan, null);
  const text = Math.max(...lines.map((line) => line.length)) * LETTER;
  return {
    ...{ id, lines, inner, after, rank: 0, x: 0, y: 0 },
    status: states === null ? '' : (states[id]?.status ?? 'pending'),
    isOptional: when !== undefined,
    width: Math.round(Math.max(90, text, inner?.width ?? 0) + 2 * PAD),
    height: lines.length * LINE + 2 * PAD - 6 + (inner === null ? 0 : inner.height + PAD),
  };
}

/**
 * Each box in a row below all those that it comes after. In the order of the plan again and again, since `after` may
 * name later steps; a plan that can be run has no circles, so this ends.
 *
 * @param {Map<string, Box>} boxes
 */
function rank(boxes) {
  for (let moved = true; moved; ) {
    moved = false;
    for (const box of boxes.values()) {
      const least = Math.max(0, ...box.after.map((id) => (boxes.get(id)?.rank ?? -1) + 1));
      moved ||= least !== box.rank;
      box.rank = least;
    }
  }
  return boxes.values();
}

/**
 * @param {Box[][]} rows
 * @returns {Drawing}
 */
function place(rows) {
  const wide = (/** @type {Box[]} */ row) =>
    row.reduce((sum, { width }) => sum + width, 0) + GAP.across * (row.length - 1);
  const width = Math.max(0, ...rows.map(wide));
  let y = 0;
  for (const row of rows) {
    let x = (width - wide(row)) / 2;
    for (const box of row) {
      box.x = Math.round(x);
      box.y = y;
      x += box.width + GAP.across;
    }
    y += Math.max(...row.map(({ height }) => height)) + GAP.down;
  }
  return { boxes: rows.flat(), width, height: Math.max(0, y - GAP.down) };
}

/**
 * @param {Drawing} drawing
 * @param {number} x
 * @param {number} y
 * @returns {string[]}
 */
function drawn({ boxes }, x, y) {
  const byId = new Map(boxes.map((box) => [box.id, box]));
  const arrows = boxes.flatMap((box) =>
    box.after.flatMap((id) => {
      const from = byId.get(id);
      return from === undefined ? [] : [arrow(from, box, x, y)];
    }),
  );
  return [...arrows, ...boxes.flatMap((box) => drawnBox(box, x + box.x, y + box.y))];
}

/**
 * @param {Box} from
 * @param {Box} to
 * @param {number} x
 * @param {number} y
 */
function arrow(from, to, x, y) {
  const [startX, startY] = [x + from.x + from.width / 2, y + from.y + from.height];
  const [endX, endY] = [x + to.x + to.width / 2, y + to.y];
  const bend = Math.min(40, (endY - startY) / 2);
  const path = `M${startX} ${startY}C${startX} ${startY + bend} ${endX} ${endY - bend} ${endX} ${endY}`;
  const dashes = to.isOptional ? ' stroke-dasharray="5 4"' : '';
  return `<path d="${path}" fill="none" stroke="#666"${dashes} marker-end="url(#tip)"/>`;
}

/**
 * @param {Box} box
 * @param {number} x
 * @param {number} y
 */
function drawnBox({ lines, status, width, height, inner }, x, y) {
  const [fill, stroke] = COLOURS[status] ?? ['#eeeeee', '#888888'];
  const dashes = status === 'skipped' ? ' stroke-dasharray="4 3"' : '';
  const text = lines.map((line, index) => {
    const weight = index === 0 ? ' font-weight="bold"' : '';
    return `<text x="${x + width / 2}" y="${y + PAD + 10 + index * LINE}" text-anchor="middle" fill="#222"${weight}>${escaped(line)}</text>`;
  });
  const innerX = x + (width - (inner?.width ?? 0)) / 2;
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${fill}" stroke="${stroke}"${dashes}><title>${escaped([lines[0], status].filter(Boolean).join(', '))}</title></rect>`,
    ...text,
    ...(inner === null ? [] : drawn(inner, innerX, y + lines.length * LINE + 2 * PAD - 6)),
  ];
}

/** @param {string} text */
function shortened(text) {
  const letters = [...text.slice(0, 4 * LONGEST)];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join('')}…` : text;
}

/** @type {Record<string, string>} */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/**
 * Text as XML can hold it: no markup, and none of the characters that it may not have at all.
 *
 * @param {string} text
 */
function escaped(text) {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\ufffe\uffff]/gu, '\ufffd')
    .replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
}
