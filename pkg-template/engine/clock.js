// @ts-check

import { engineAt } from './engines.js';
import { ask, LATER, settle } from './executor.js';

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
  const done = () => {
    if (engine.timers.get(call) === controller) engine.timers.delete(call);
    return 0;
  };
  if (engine.clock === null) {
    sleepByTimer(ms, controller.signal, () => settle(engine, call, done()));
    return LATER;
  }
  const failed = (/** @type {unknown} */ _, /** @type {unknown} */ error) => {
    if (!controller.signal.aborted) engine.log('error', 'clock.sleep failed', error);
    return done();
  };
  return ask({ engine }, call, () => engine.clock.sleep(ms, controller.signal), done, failed);
}

/**
 * @param {number} number
 * @param {number} call
 */
export function clock_wake(number, call) {
  const { timers } = engineAt(number);
  const controller = timers.get(call);
  timers.delete(call);
  controller?.abort();
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @param {() => void} done not called when the signal fires first
 */
function sleepByTimer(ms, signal, done) {
  const piece = Math.min(ms, LONGEST);
  const next = () => (ms > LONGEST ? sleepByTimer(ms - LONGEST, signal, done) : done());
  const timer = setTimeout(next, piece);
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
}
