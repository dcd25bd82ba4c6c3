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
  const done = () => {
    // Where it was woken, another sleep may be under this number.
    if (engine.timers.get(call) === wake) engine.timers.delete(call);
    settle(engine, call, 0);
  };
  const wake = engine.clock === null ? sleepByTimer(ms, done) : sleepByClock(engine, ms, done);
  engine.timers.set(call, wake);
  return LATER;
}

/**
 * @param {number} number
 * @param {number} call
 */
export function clock_wake(number, call) {
  const { timers } = engineAt(number);
  const wake = timers.get(call);
  timers.delete(call);
  wake?.();
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {number} ms
 * @param {() => void} done called once, later, when the time is over or somebody wakes
 * @returns {() => void} wakes
 */
function sleepByClock(engine, ms, done) {
  const controller = new AbortController();
  const { signal } = controller;
  let wakeTimer = () => {};
  const sleep = async () => {
    const until = engine.now() + ms;
    try {
      await engine.clock.sleep(ms, signal);
    } catch (error) {
      if (!signal.aborted) {
        engine.log('error', 'clock.sleep failed', error);
        wakeTimer = sleepByTimer(ms, done);
        return;
      }
    }
    if (!signal.aborted) engine.sleptUntil = Math.max(engine.sleptUntil, until);
    done();
  };
  sleep();
  return () => {
    controller.abort();
    wakeTimer();
  };
}

/**
 * @param {number} ms
 * @param {() => void} done called once, when the time is over or somebody wakes
 * @returns {() => void} wakes
 */
function sleepByTimer(ms, done) {
  let left = ms;
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  const end = () => {
    clearTimeout(timer);
    done();
  };
  const next = () => {
    const piece = Math.min(left, LONGEST);
    left -= piece;
    timer = setTimeout(left > 0 ? next : end, piece);
  };
  next();
  return end;
}
