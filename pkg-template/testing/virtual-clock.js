// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { settle } from './turns.js';

/**
 * @typedef {object} Sleeper
 * @property {number} due
 * @property {number} chain how many sleeps for 0 ms, this one among them, led to it, one after the other
 * @property {() => void} wake
 */

/** So many sleeps for 0 ms, one after the other, are taken for a loop that would never let time go on. */
const LONGEST_CHAIN = 10_000;

/**
 * Time that moves when told to. As `clock` among an orchestrator's dependencies it drives every one of its timers.
 *
 * @param {number} [start] epoch milliseconds
 */
export function createVirtualClock(start = 0) {
  checkMs('createVirtualClock: start', start);
  checkMoment('createVirtualClock: start', start);
  let moment = start;
  let chain = 0;
  let signs = 0;
  /** @type {Sleeper[]} in the order in which they wake */
  const sleepers = [];
  /** Calls of advance take turns. @type {Promise<unknown>} */
  let last = Promise.resolve();

  /** @param {Sleeper} sleeper */
  function add(sleeper) {
    const place = sleepers.findLastIndex(({ due }) => due <= sleeper.due) + 1;
    sleepers.splice(place, 0, sleeper);
  }

  /** @param {Sleeper} sleeper */
  function remove(sleeper) {
    const place = sleepers.indexOf(sleeper);
    if (place >= 0) sleepers.splice(place, 1);
  }

  /** @param {number} ms */
  async function move(ms) {
    const until = moment + ms;
    checkMoment('advance: ms', until);
    for (chain = 0; ; ) {
      await settle(() => signs);
      const next = sleepers[0];
      if (next === undefined || next.due > until) break;
      if (next.chain > LONGEST_CHAIN) {
        const found = `${LONGEST_CHAIN} sleeps for 0 ms ended one after the other at ${moment}`;
        throw invalid(`advance: time can't go on: ${found}; is there a loop of them?`);
      }
      ({ due: moment, chain } = next);
      sleepers.shift();
      next.wake();
    }
    moment = until;
    chain = 0;
  }

  return {
    now() {
      signs += 1;
      return moment;
    },

    /**
     * @param {number} ms
     * @param {AbortSignal | null} [signal]
     * @returns {Promise<void>}
     */
    sleep(ms, signal) {
      signs += 1;
      return new Promise((resolve, reject) => {
        checkMs('sleep: ms', ms);
        checkSignal(signal);
        const abort = () => {
          signs += 1;
          remove(sleeper);
          reject(signal?.reason);
        };
        const wake = () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        };
        const due = moment + ms;
        const sleeper = { due, chain: due === moment ? chain + 1 : 0, wake };
        if (signal?.aborted) return abort();
        signal?.addEventListener('abort', abort, { once: true });
        add(sleeper);
      });
    },

    /**
     * @param {number} ms
     * @returns {Promise<void>}
     */
    async advance(ms) {
      checkMs('advance: ms', ms);
      const moved = last.then(() => move(ms));
      last = moved.catch(() => {});
      return moved;
    },

    pending: () => sleepers.length,

    nextDue: () => sleepers[0]?.due ?? null,
  };
}

/** @param {string} message */
function invalid(message) {
  return new JobwrightError(message, { code: 'invalid_argument' });
}

/**
 * @param {string} name
 * @param {unknown} ms
 */
function checkMs(name, ms) {
  if (typeof ms === 'number' && ms >= 0 && ms < Infinity) return;
  throw invalid(`${name}: expected milliseconds, a finite number of at least 0; found ${describe(ms)}`);
}

/**
 * Where time would be counted in steps of more than a millisecond, it could stand still.
 *
 * @param {string} name
 * @param {number} moment
 */
function checkMoment(name, moment) {
  if (moment <= Number.MAX_SAFE_INTEGER) return;
  throw invalid(`${name}: expected time to end at ${Number.MAX_SAFE_INTEGER} at the latest; found ${moment}`);
}

/** @param {any} signal */
function checkSignal(signal) {
  if (signal === undefined || signal === null || typeof signal.addEventListener === 'function') return;
  throw invalid(`sleep: signal: expected an AbortSignal; found ${describe(signal)}`);
}
