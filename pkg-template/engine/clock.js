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
  // Once woken, the number may be another call's: a clock that goes on sleeping all the same tells nobody.
  const done = () => {
    if (engine.timers.get(call) === wake) endSleep(engine, call);
  };
  const wake = engine.clock === null ? sleepByTimer(ms, done) : sleepByClock(engine, ms, done);
  engine.timers.set(call, wake);
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
 * @param {number} number
 * @param {number} call
 */
export function clock_wake(number, call) {
  const engine = engineAt(number);
  const wake = engine.timers.get(call);
  if (wake === undefined) return;
  endSleep(engine, call);
  wake();
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {number} ms
 * @param {() => void} done called later, when the time is over
 * @returns {() => void} ends the sleep
 */
function sleepByClock(engine, ms, done) {
  const controller = new AbortController();
  const { signal } = controller;
  let endTimer = () => {};
  const sleep = async () => {
    const until = engine.now() + ms;
    try {
      await engine.clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) {
        engine.log('error', 'clock.sleep failed', error);
        endTimer = sleepByTimer(ms, done);
        return;
      }
    }
    if (!signal.aborted) engine.sleptUntil = Math.max(engine.sleptUntil, until);
    done();
  };
  sleep();
  return () => {
    controller.abort();
    endTimer();
  };
}

/**
 * @param {number} ms
 * @param {() => void} done called later, when the time is over
 * @returns {() => void} ends the sleep
 */
function sleepByTimer(ms, done) {
  let left = ms;
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const next = () => {
    const piece = Math.min(left, LONGEST);
    left -= piece;
    timer = setTimeout(left > 0 ? next : done, piece);
  };
  next();
  return () => clearTimeout(timer);
}
