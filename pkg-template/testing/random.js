// @ts-check
/** Seeded randomness: the same seed gives the same numbers, on every machine. */

/**
 * @typedef {object} Random
 * @property {() => number} next in [0, 1)
 * @property {(n: number) => number} below an integer in [0, n)
 */

/**
 * @param {number} seed
 * @returns {Random}
 */
export function createRandom(seed) {
  let state = mix(seed);

  function next() {
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state) / 4294967296;
  }

  return { next, below: (n) => Math.floor(next() * n) };
}

/**
 * Spreads the bits of a number over 32, so that seeds side by side have nothing in common.
 *
 * @param {number} n
 * @returns {number} a 32-bit integer that is not negative
 */
function mix(n) {
  let bits = (n ^ Math.floor(n / 4294967296)) >>> 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
