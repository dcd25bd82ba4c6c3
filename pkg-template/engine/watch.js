// @ts-check
import { describe } from '../parts/plain.js';
import { announce } from './event-bus.js';
import { monitor_stalled } from './performance-monitor.js';
import { finite, isStalled, standingOf } from './standing.js';

/** @typedef {import('./attempt.js').Attempt} Attempt */

/**
 * So many turns an agent may take before anybody asks the clock that was given to wake us: most have answered by then,
 * and nothing of this is seen.
 */
const TURNS = 4;

/** The longest wait that a timer can count. */
const LONGEST = 0x7fffffff;

/** Finds the jobs that are stalled, of those whose agents are at work here, and says so once. */
export class Watch {
  /**
   * @param {import('./engine.js').Engine} engine
   * @param {number} stalledMs
   */
  constructor(engine, stalledMs) {
    this.engine = engine;
    this.stalledMs = stalledMs;
    /** @type {Set<Attempt>} those that are under way */
    this.attempts = new Set();
    /** @type {Map<string, number | undefined>} at which revision jobs were found stalled, by id */
    this.stalled = new Map();
    /** @type {Map<string, import('./standing.js').Seen>} what was read of running jobs that are not run here, by id */
    this.seen = new Map();
    /** @type {AbortController | null} of the sleep after which is looked again */
    this.sleep = null;
    /** The clock does not sleep as long as it is told to. */
    this.isMisled = false;
  }

  /** @param {Attempt} attempt that does not answer at once */
  begin(attempt) {
    const { timeoutMs = Infinity } = /** @type {any} */ (attempt.step);
    if (timeoutMs < this.stalledMs) return;
    this.attempts.add(attempt);
    this.arm();
  }

  /** @param {Attempt} attempt */
  end(attempt) {
    // A timer of our own keeps nobody alive, and is there for the next one.
    if (this.attempts.delete(attempt) && this.attempts.size === 0 && this.engine.clock !== null) this.stop();
  }

  stop() {
    this.sleep?.abort();
    this.sleep = null;
  }

  /** Looks when the first of the jobs whose agents are at work may be stalled. */
  arm() {
    const { engine } = this;
    if (this.sleep !== null || this.isMisled || engine.closed) return;
    const controller = new AbortController();
    const { signal } = controller;
    const begin = () => {
      if (signal.aborted) return;
      const until = this.nextLook();
      if (until === Infinity) this.sleep = null;
      else this.sleepUntil(until, signal);
    };
    this.sleep = controller;
    if (engine.clock === null) begin();
    else afterTurns(TURNS, begin);
  }

  /**
   * @param {number} until
   * @param {AbortSignal} signal
   */
  async sleepUntil(until, signal) {
    const { engine } = this;
    const ms = Math.max(0, until - engine.now());
    try {
      if (engine.clock === null) await sleepAside(ms, signal);
      else await engine.clock.sleep(ms, signal);
    } catch {
      this.isMisled = !signal.aborted;
    }
    if (signal.aborted) return;
    this.isMisled ||= engine.clock !== null && engine.now() < until;
    this.sleep = null;
    this.look();
    this.arm();
  }

  /** When the next job may be stalled of those that are not yet. */
  nextLook() {
    let next = Infinity;
    for (const { slot } of this.attempts) {
      if (!this.stalled.has(slot.id)) next = Math.min(next, this.lastOf(slot) + this.stalledMs);
    }
    return next;
  }

  /** @param {import('./slots.js').JobSlot} slot of a job whose agent is at work */
  lastOf({ committedAt, whole }) {
    return finite(committedAt, whole?.timing?.started, this.engine.now());
  }

  look() {
    const now = this.engine.now();
    for (const { slot } of [...this.attempts]) {
      const { id, whole, seq } = slot;
      if (this.stalled.has(id) || whole === null) continue;
      const last = this.lastOf(slot);
      const standing = { ...standingOf(whole), working: true };
      if (isStalled(standing, last, now, this.stalledMs))
        this.report(whole, seq, standing.oldest, now - last);
    }
  }

  /**
   * A job was found stalled: that is said once, until it goes on.
   *
   * @param {any} job
   * @param {number} seq
   * @param {import('./standing.js').AtWork | null} oldest
   * @param {number} idleMs
   */
  report({ id: jobId, run }, seq, oldest, idleMs) {
    const { engine } = this;
    if (this.stalled.has(jobId) || engine.closed) return;
    this.stalled.set(jobId, run?.revision);
    const { step, agent, startedAt = Number.NaN } = oldest ?? {};
    const runningMs = finite(engine.now() - startedAt, idleMs);
    const at = step === undefined ? '' : `; step ${describe(step)} has been running for ${runningMs} ms`;
    engine.log('warn', `Job ${describe(jobId)} is stalled: nothing has happened for ${idleMs} ms${at}`);
    const about = { jobId, ...(step !== undefined && { step }), ...(agent !== undefined && { agent }) };
    monitor_stalled(engine, runningMs, about);
    const payload = { jobId, ...(step !== undefined && { step }), idleMs };
    announce(engine, jobId, seq, 'job_stalled', payload);
  }

  /**
   * Something was committed.
   *
   * @param {import('./slots.js').JobSlot} slot
   * @param {number} at
   */
  committed(slot, at) {
    slot.committedAt = at;
    slot.committedRevision = slot.record?.run?.revision;
    if (this.stalled.size > 0) this.goesOn(slot.record ?? slot, slot.seq);
    if (this.attempts.size > 0) this.arm();
  }

  /**
   * A job that may have been stalled is not any more. One that ends as failed has not recovered.
   *
   * @param {any} job
   * @param {number} seq
   */
  goesOn({ id, status }, seq) {
    if (this.stalled.delete(id) && status !== 'failed')
      announce(this.engine, id, seq, 'job_recovered', { jobId: id });
  }
}

/**
 * @param {number} turns
 * @param {() => void} then
 */
function afterTurns(turns, then) {
  const next = () => (turns === 0 ? then() : afterTurns(turns - 1, then));
  const { setImmediate } = /** @type {any} */ (globalThis);
  if (setImmediate === undefined) setTimeout(next);
  else setImmediate(next)?.unref?.();
}

/**
 * A sleep that keeps no process alive. Where it is longer than a timer can count, it ends early.
 *
 * @param {number} ms
 * @param {AbortSignal} signal
 */
function sleepAside(ms, signal) {
  return new Promise((resolve) => {
    /** @type {any} */
    const timer = setTimeout(resolve, Math.min(ms, LONGEST));
    timer?.unref?.();
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}
