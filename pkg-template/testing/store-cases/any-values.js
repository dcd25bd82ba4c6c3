// @ts-check
import { AWKWARD_NAMES } from './samples.js';

/**
 * Values as JSON can hold them, by chance.
 *
 * @typedef {import('../random.js').Random} Random
 */

/** The very long ones make a test slow, and are tested as ids. */
const NAMES = AWKWARD_NAMES.filter(({ length }) => length < 100);

/**
 * @param {Random} random
 * @param {number} [depth]
 * @returns {unknown}
 */
export function anyValue(random, depth = 4) {
  switch (random.below(depth > 0 ? 9 : 7)) {
    case 0:
      return null;
    case 1:
      return random.below(2) === 0;
    case 2:
      return random.below(2_000) - 1_000;
    case 3:
      return anyNumber(random);
    case 4:
      return anyText(random);
    case 5:
      return NAMES[random.below(NAMES.length)];
    case 6:
      return random.below(2) === 0 ? [] : {};
    case 7:
      return Array.from({ length: random.below(5) }, () => anyValue(random, depth - 1));
    default:
      return anyObject(random, depth - 1);
  }
}

/**
 * @param {Random} random
 * @param {number} [depth]
 * @returns {Record<string, unknown>}
 */
export function anyObject(random, depth = 4) {
  return Object.fromEntries(
    Array.from({ length: random.below(6) }, () => [
      random.below(3) === 0 ? anyText(random) : String(NAMES[random.below(NAMES.length)]),
      anyValue(random, depth),
    ]),
  );
}

/**
 * Any bits of a double that JSON can hold; -0 is 0 there.
 *
 * @param {Random} random
 */
function anyNumber(random) {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, random.below(4294967296));
  bits.setUint32(4, random.below(4294967296));
  const number = bits.getFloat64(0);
  return Number.isFinite(number) && number !== 0 ? number : 0;
}

/** @param {Random} random */
function anyText(random) {
  return String.fromCharCode(
    ...Array.from({ length: random.below(8) }, () => random.below(random.below(2) === 0 ? 128 : 65_536)),
  );
}
