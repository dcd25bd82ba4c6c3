// @ts-check
/** Times rounds of work, and checks that the work was done. */
import { isDeepStrictEqual } from 'node:util';

/** Rounds before the first that counts, in which the code gets compiled. */
const WARM_UP = 2;

/**
 * @typedef {object} Work
 * @property {number} units of work in a batch
 * @property {number} [batches] in a round
 * @property {() => unknown} [prepare] before each batch, not timed
 * @property {() => unknown} batch
 * @property {() => unknown} done what was done since `prepare`
 * @property {() => unknown} [close]
 */

/**
 * @param {Work} work
 * @param {object} options
 * @param {string} options.contender
 * @param {number} options.rounds
 * @param {unknown} options.expected what `done` has to give after each batch
 * @param {number} [options.warmUp] rounds
 * @param {number} [options.warmUpMs] how long these go on at least: where a round is short for one contender and long for
 *   another, as many rounds are not as warm
 * @returns {Promise<number[]>} microseconds per unit
 */
export async function timed(work, { contender, rounds, expected, warmUp = WARM_UP, warmUpMs = 0 }) {
  const { units, batches = 1 } = work;
  const round = async () => {
    let nanoseconds = 0;
    for (let batch = 0; batch < batches; batch++) {
      await work.prepare?.();
      const from = process.hrtime.bigint();
      await work.batch();
      nanoseconds += Number(process.hrtime.bigint() - from);
      checkDone(contender, await work.done(), expected);
    }
    return nanoseconds / 1_000 / (units * batches);
  };
  const warm = performance.now() + warmUpMs;
  for (let n = 0; n < warmUp || performance.now() < warm; n++) await round();
  const times = [];
  for (let n = 0; n < rounds; n++) times.push(await round());
  await work.close?.();
  return times;
}

/**
 * Who does less is quicker, and no contender.
 *
 * @param {string} contender
 * @param {unknown} found
 * @param {unknown} expected
 */
export function checkDone(contender, found, expected) {
  if (isDeepStrictEqual(found, expected)) return;
  const [did, instead] = [found, expected].map((value) => JSON.stringify(value)?.slice(0, 2_000));
  throw new Error(`${contender} did not do the work: it did ${did} instead of ${instead}`);
}
