// @ts-check

/** Taken when this is loaded, so that a test runner's fake timers, put in place later, stop nothing here. */
const { MessageChannel, process, setImmediate } = globalThis;

/** Calls back when the queue of tasks has gone round once. @type {(callback: () => void) => unknown} */
export const afterTurn =
  typeof setImmediate === 'function'
    ? setImmediate
    : (callback) => {
        const { port1, port2 } = new MessageChannel();
        port1.addEventListener('message', () => {
          port1.close();
          callback();
        });
        port1.start();
        port2.postMessage(null);
      };

/** So many turns without a sign of life are taken for rest. */
const QUIET = 8;

/** After so many turns, a program that is busy in every one of them is taken for one that waits for time. */
const MOST = 400;

/** Where the process tells: has it something to do in the next turn? */
const isBusy =
  typeof process?.getActiveResourcesInfo === 'function'
    ? () => process.getActiveResourcesInfo().includes('Immediate')
    : () => false;

/**
 * Lets everything happen that can happen without time passing. Nothing tells for sure when that is done.
 *
 * @param {() => number} signs of life until now
 * @returns {Promise<void>}
 */
export function settle(signs) {
  return new Promise((resolve) => {
    let seen = signs();
    let [turns, quiet] = [0, 0];
    const next = () => {
      turns += 1;
      quiet = signs() === seen && !isBusy() ? quiet + 1 : 0;
      seen = signs();
      if (quiet < QUIET && turns < MOST) afterTurn(next);
      else resolve();
    };
    afterTurn(next);
  });
}
