// @ts-check
/** Makes a case smaller for as long as it stays one that fails. */

/** @typedef {import('./native.mjs').Case} Case */
/** @typedef {import('./generate.mjs').Json} Json */

/**
 * @param {Case} found a case that fails
 * @param {(cases: Case[]) => boolean[]} fails says which do; asked for many at a time
 * @returns {Case}
 */
export function shrink(found, fails) {
  let smallest = found;
  for (;;) {
    const candidates = [
      ...smaller(smallest.rule, true).map((rule) => ({ ...smallest, rule })),
      ...smaller(smallest.data, false).map((data) => ({ ...smallest, data })),
    ].sort((a, b) => size(a) - size(b));
    const failed = fails(candidates);
    const next = candidates.find((candidate, at) => failed[at] && size(candidate) < size(smallest));
    if (!next) return smallest;
    smallest = next;
  }
}

/** @param {Case} candidate */
const size = (candidate) => JSON.stringify(candidate).length;

/**
 * The same with one part left out, or replaced by a part of it. An object in a rule keeps its one key.
 *
 * @param {Json} json
 * @param {boolean} rule
 * @returns {Json[]}
 */
function smaller(json, rule) {
  if (json === null || typeof json !== 'object') return [null, 0, ''];
  const parts = Object.entries(json);
  const inside = parts.flatMap(([key, part]) =>
    smaller(part, rule).map((less) =>
      Array.isArray(json) ? json.with(Number(key), less) : { ...json, [key]: less },
    ),
  );
  const without = Array.isArray(json)
    ? json.map((_, at) => json.toSpliced(at, 1))
    : parts.filter(() => !rule).map(([left]) => Object.fromEntries(parts.filter(([key]) => key !== left)));
  return [null, ...parts.map(([, part]) => part), ...without, ...inside];
}
