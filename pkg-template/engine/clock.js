// @ts-check

import { engineAt } from './engines.js';
import { LATER, settle } from './executor.js';

/** The longest wait that a timer can count; longer ones are cut in pieces. */
const LONGEST = 0x7fffffff;

/** @param {number} engine */
export function clock_now(engine) {
  return engineAt(engine).now();
}

/**
 * @param {number} number
 * @param {number} call
 * @param {number} ms
 */
export function clock_sleep(number, call, ms) {
  const engine = engineAt(number);
  const controller = new AbortController();
  engine.timers.set(call, controller);
  // Once woken, the number may be another call's: a clock that goes on sleeping all the same tells nobody.
  const done = () => {
    if (engine.timers.get(call) === controller) endSleep(engine, call);
  };
  const { signal } = controller;
  const byTimer = () => sleepByTimer(ms, signal, done);
  if (engine.clock === null) byTimer();
  else sleepByClock(engine, ms, signal, done, byTimer);
  return LATER;
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {number} call
 */
function endSleep(engine, call) {
  engine.timers.delete(call);
  settle(engine, call, 0);
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {() => void} done
 * @param {() => void} standIn sleeps where the clock fails to
 */
async function sleepByClock(engine, ms, signal, done, standIn) {
  const until = engine.now() + ms;
  try {
    await engine.clock.sleep(ms, signal);
  } catch (error) {
    if (!signal.aborted) {
      engine.log('error', 'clock.sleep failed', error);
      standIn();
      return;
    }
  }
  if (!signal.aborted) engine.sleptUntil = Math.max(engine.sleptUntil, until);
  done();
}

/**
 * @param {number} number
 * @param {number} call
 */
export function clock_wake(number, call) {
  const engine = engineAt(number);
  const controller = engine.timers.get(call);
  if (controller === undefined) return;
  endSleep(engine, call);
  controller.abort();
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {() => void} done called once, when the time is over or the signal fires
 */
function sleepByTimer(ms, signal, done) {
  let left = ms;
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const end = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
    done();
  };
  const next = () => {
    const piece = Math.min(left, LONGEST);
    left -= piece;
    timer = setTimeout(left > 0 ? next : end, piece);
  };
  signal.addEventListener('abort', end);
  next();
}
