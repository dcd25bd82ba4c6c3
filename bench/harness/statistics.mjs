// @ts-check

/**
 * @param {number[]} values at least one
 * @returns {{ median: number, min: number, max: number }}
 */
export function summary(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ place) => /** @type {number} */ (sorted[place]);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? at(half) : (at(half - 1) + at(half)) / 2;
  return { median, min: at(0), max: at(sorted.length - 1) };
}

/**
 * The same things, another one first each time, so that none has the best place.
 *
 * @template T
 * @param {T[]} all
 * @param {number} turn
 */
export function rotated(all, turn) {
  const first = turn % Math.max(1, all.length);
  return [...all.slice(first), ...all.slice(0, first)];
}
