// @ts-check
/** Random edits of an exported run, with and without a chain of hashes that fits again. */
import { createHash } from 'node:crypto';

/** @typedef {import('../differential/random.mjs').Random} Random */

/** @param {string} text */
const hash = (text) => createHash('sha256').update(text).digest('hex');

/** @param {Random} random @param {string} text */
function otherCharacter(random, text) {
  const place = random.below(text.length);
  const other = String.fromCharCode(33 + random.below(94));
  return text[place] === other ? null : text.slice(0, place) + other + text.slice(place + 1);
}

/**
 * One careless edit of the file's lines; null where it happens to change nothing.
 *
 * @param {Random} random
 * @param {string[]} lines
 * @returns {{ what: string, lines: string[] } | null}
 */
export function anyEditOfLines(random, lines) {
  const place = random.below(lines.length);
  const other = random.below(lines.length);
  const edited = [...lines];
  const line = /** @type {string} */ (lines[place]);
  switch (random.below(6)) {
    case 0: {
      const changed = otherCharacter(random, line);
      if (changed === null) return null;
      edited[place] = changed;
      return { what: `a character of line ${place}`, lines: edited };
    }
    case 1:
      edited.splice(place, 1);
      return { what: `without line ${place}`, lines: edited };
    case 2:
      edited.length = place;
      return { what: `cut before line ${place}`, lines: edited };
    case 3:
      edited.splice(other, 0, line);
      return { what: `line ${place} again before line ${other}`, lines: edited };
    case 4:
      if (place === other) return null;
      edited[place] = /** @type {string} */ (lines[other]);
      edited[other] = line;
      return { what: `lines ${place} and ${other} swapped`, lines: edited };
    default:
      edited[place] = line.slice(0, random.below(line.length));
      return { what: `line ${place} torn off`, lines: edited };
  }
}

/**
 * The places of everything in a value that can be changed.
 *
 * @param {any} value
 * @param {string[]} path
 * @returns {string[][]}
 */
function pathsIn(value, path = []) {
  if (value === null || typeof value !== 'object') return [path];
  return [
    ...(path.length > 0 ? [path] : []),
    ...Object.keys(value).flatMap((key) => pathsIn(value[key], [...path, key])),
  ];
}

/** @param {any} value @param {string[]} path */
const at = (value, path) => path.reduce((inner, key) => inner[key], value);

/** @param {Random} random @param {any} value @param {any[]} others values from elsewhere in the file */
function otherValue(random, value, others) {
  if (random.chance(0.3)) return random.pick(others);
  if (typeof value === 'number') return value + random.pick([-1, 1, 0.5, 1_000, -value]);
  if (typeof value === 'boolean') return !value;
  return random.pick([null, 0, 1, true, '', 'other', [], {}, `${value}x`]);
}

/**
 * Changes one thing in the events of a file, or their order, and sets what is counted right: the numbers of the
 * events, and of the lines.
 *
 * @param {Random} random
 * @param {any[]} read the lines, parsed: the head, then the events
 * @returns {{ what: string, read: any[] } | null}
 */
export function anyEditOfEvents(random, read) {
  const edited = structuredClone(read);
  const place = 1 + random.below(read.length - 1);
  const other = 1 + random.below(read.length - 1);
  const kind = random.below(10);
  if (kind < 7) {
    const line = edited[place];
    const path = random.pick(pathsIn(line).filter(([key]) => key !== 'before'));
    const key = /** @type {string} */ (path.at(-1));
    const parent = at(line, path.slice(0, -1));
    if (random.chance(0.1)) {
      delete parent[key];
      return { what: `${path.join('.')} of line ${place} deleted`, read: edited };
    }
    const elsewhere = read.flatMap((it) =>
      pathsIn(it)
        .filter((one) => one.at(-1) === key)
        .map((one) => at(it, one)),
    );
    const value = otherValue(random, parent[key], elsewhere);
    if (JSON.stringify(value) === JSON.stringify(parent[key])) return null;
    parent[key] = value;
    return { what: `${path.join('.')} of line ${place} is ${JSON.stringify(value)}`, read: edited };
  }
  if (kind === 7) edited.splice(place, 1);
  else if (kind === 8) edited.splice(other, 0, structuredClone(read[place]));
  else [edited[place], edited[other]] = [edited[other], edited[place]];
  if (kind === 9 && place === other) return null;
  renumber(edited, read);
  return { what: `${['deleted', 'doubled', 'swapped'][kind - 7]}: line ${place}, ${other}`, read: edited };
}

/** Gives the events the numbers and the ids that belong to their places. @param {any[]} edited @param {any[]} read */
function renumber(edited, read) {
  const stem = String(read[1].event.id).slice(0, 8);
  for (const [place, { event }] of edited.entries()) {
    if (event === undefined) continue;
    event.seq = place;
    event.id = stem + place.toString(16).padStart(8, '0');
    event.trace.spanId = event.id;
  }
}

/**
 * The lines of a file whose chain fits.
 *
 * @param {any[]} read
 */
export function chained([{ last, ...head }, ...events]) {
  head.lines = events.length;
  let before = hash(JSON.stringify(head));
  const lines = [];
  for (const { before: _, ...line } of events) {
    lines.push(JSON.stringify({ before, ...line }));
    before = hash(/** @type {string} */ (lines.at(-1)));
  }
  return [JSON.stringify({ ...head, last: before }), ...lines];
}
