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
 * @param {number} [options.warmUp]
 * @returns {Promise<number[]>} microseconds per unit
 */
export async function timed(work, { contender, rounds, expected, warmUp = WARM_UP }) {
  const { units, batches = 1 } = work;
  const times = [];
  for (let n = -warmUp; n < rounds; n++) {
    let nanoseconds = 0;
    for (let batch = 0; batch < batches; batch++) {
      await work.prepare?.();
      const from = process.hrtime.bigint();
      await work.batch();
      nanoseconds += Number(process.hrtime.bigint() - from);
      checkDone(contender, await work.done(), expected);
    }
    if (n >= 0) times.push(nanoseconds / 1_000 / (units * batches));
  }
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
