// @ts-check
import { core } from './core.js';

/**
 * An attempt of an agent that is under way.
 *
 * @typedef {{ step: string, agent?: string, startedAt: number }} AtWork
 *
 * What a running job is doing.
 *
 * @typedef {object} Standing
 * @property {AtWork | null} oldest of the agents at work, the one that began first
 * @property {boolean} working
 * @property {number} due when the first timer or retry is, if ever
 * @property {boolean} waits for a signal, a person or another job
 * @property {number} pace how long slow play delays what begins next
 *
 * What was read of a job that is not run here.
 *
 * @typedef {{ revision: unknown, last: number, standing: Standing | null }} Seen
 */

/**
 * The first of these that is a time.
 *
 * @param {unknown[]} numbers the last of which is one
 */
export function finite(...numbers) {
  return /** @type {number} */ (numbers.find((number) => Number.isFinite(number)));
}

/**
 * What a running job is doing, from the states of its steps.
 *
 * @param {any} job
 * @returns {Standing}
 */
export function standingOf({ run }) {
  const { plan, steps = {}, approvals, slowPlayMs, paceMs } = run ?? {};
  /** @type {AtWork | null} */
  let oldest = null;
  let due = Infinity;
  let waits = approvals?.length > 0;
  for (const [step, state] of Object.entries(steps ?? {})) {
    const { status, fanOut, childId, startedAt, dueAt, roundEnded } = /** @type {any} */ (state) ?? {};
    if (status === 'running' && fanOut === undefined) {
      if (childId !== undefined) waits = true;
      else if (oldest === null || startedAt < oldest.startedAt) oldest = { step, startedAt };
    } else if (status === 'waiting') {
      if (Number.isFinite(dueAt)) due = Math.min(due, dueAt);
      else if (roundEnded !== true) waits = true;
    }
  }
  if (oldest !== null) {
    const { step } = oldest;
    const isIt = (/** @type {any} */ { id, forEach }) =>
      id === step || (forEach && step.startsWith(`${id}[`));
    oldest.agent = steps[step].routed?.agent ?? plan?.steps?.find?.(isIt)?.agent;
  }
  return { oldest, working: oldest !== null, due, waits, pace: finite(slowPlayMs, paceMs, 0) };
}

/**
 * @param {Standing} standing
 * @param {number} last when something was committed last
 * @param {number} now
 * @param {number} stalledMs
 * @returns {boolean}
 */
export function isStalled({ working, due, waits, pace }, last, now, stalledMs) {
  return core.job_is_stalled(
    now,
    stalledMs,
    working ? last : last + pace,
    working,
    due === Infinity ? Number.NaN : due,
    waits,
  );
}
