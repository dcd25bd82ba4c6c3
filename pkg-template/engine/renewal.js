// @ts-check

import { resetAttempts } from './attempt.js';
import { core, growsFromHere, isLarge, renewCore } from './core.js';
import { carryOverEngines } from './engines.js';
import { isUnderWay, resetFrames } from './executor.js';
import { forgetPlan } from './plans.js';
import { resetSlots } from './slots.js';

let isAsked = false;

/**
 * The memory of a wasm module never shrinks, so that a process would keep for ever what its jobs took at their peak.
 * Called when nothing is under way: where the memory has grown by much, the module's instance is given up for a new one,
 * soon and not from within.
 */
export function renewIfLarge() {
  if (isAsked || !isLarge()) return;
  isAsked = true;
  queueMicrotask(renew);
}

/**
 * All that the module knows between operations is known elsewhere too, or may be forgotten: orchestrators are told to
 * the new one, what it remembers of jobs is read again, as that of any job that was dropped from the table, plans are
 * parsed again, and ids are made of new random bytes. An answer that is still to come, of a host that was asked and is
 * not waited for any more, would be taken for another one there: then the old one stays until it has come.
 */
function renew() {
  isAsked = false;
  if (isUnderWay() || core.awaits_answers()) return;
  if (renewCore()) {
    forgetPlan();
    carryOverEngines();
    // They grew when the module's memory did.
    resetFrames();
    resetAttempts();
    resetSlots();
  }
  growsFromHere();
}
