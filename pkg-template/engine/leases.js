// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { core } from './core.js';
import { ask } from './executor.js';
import { newId } from './ids.js';
import { slotOf } from './slots.js';

/** @typedef {import('./slots.js').JobSlot} JobSlot */

const ELSEWHERE = 0;
const HELD = 1;
const FAILED = 2;

/** A token that no store gives: what is committed with it is refused. */
const LOST = -1;

/** A lease that is renewed this often in its time outlives two renewals that fail. */
const RENEWALS = 3;

/** The longest wait that a timer can count. */
const LONGEST = 0x7fffffff;

const METHODS = /** @type {const} */ (['commit', 'acquireLease', 'renewLease', 'releaseLease']);

/**
 * The leases of one orchestrator. They go by the store's clock and are renewed in real time, whatever clock jobs live
 * by: they tell others that this process is alive.
 */
export class Leases {
  /**
   * @param {import('./engine.js').Engine} engine
   * @param {number} ms
   */
  constructor(engine, ms) {
    this.engine = engine;
    this.ms = ms;
    /** @type {Set<JobSlot>} of jobs that are run here */
    this.held = new Set();
    /** @type {Map<string, number>} tokens of jobs that were taken over and are not run yet, by id */
    this.lapsing = new Map();
    /** @type {string | null} */
    this.madeOwner = null;
    /** @type {ReturnType<typeof setTimeout> | null} */
    this.timer = null;
  }

  /** Has the store leases, and others who may ask for them? Looked up each time, as every method of a dependency. */
  get exist() {
    const { store, isAlone } = this.engine;
    return !isAlone && METHODS.every((name) => typeof store[name] === 'function');
  }

  /** Other orchestrators, here or elsewhere, have other names. */
  get owner() {
    this.madeOwner ??= newId(this.engine.number);
    return this.madeOwner;
  }

  /**
   * @param {JobSlot} slot
   * @param {unknown} token
   */
  granted(slot, token) {
    if (token === null || token === undefined) {
      slot.wasElsewhere = true;
      // Whoever has it changes the job, or took it away.
      slot.current = false;
      return ELSEWHERE;
    }
    if (typeof token !== 'number') {
      const message = `store.acquireLease must answer a number or null; found ${describe(token)}`;
      slot.answer = new JobwrightError(message, { code: 'internal' });
      return FAILED;
    }
    slot.lease = token;
    // Who had it may have run the job since it was read here.
    if (slot.wasElsewhere) slot.current = false;
    slot.wasElsewhere = false;
    this.held.add(slot);
    this.lapsing.delete(slot.id);
    this.arm();
    return HELD;
  }

  arm() {
    if (this.timer !== null || this.held.size === 0) return;
    this.timer = setTimeout(() => this.renewAll(), Math.min(this.ms / RENEWALS, LONGEST));
    // What keeps a process alive is the work, not the lease on it.
    /** @type {any} */ (this.timer).unref?.();
  }

  renewAll() {
    this.timer = null;
    for (const slot of this.held) this.renew(slot);
    this.arm();
  }

  /** @param {JobSlot} slot */
  async renew(slot) {
    const { engine } = this;
    const token = /** @type {number} */ (slot.lease);
    try {
      const renewed = await engine.store.renewLease(slot.id, token, this.ms);
      if (slot.lease !== token || engine.closed) return;
      // What others change is found now at the latest, whether or not the store tells.
      if (renewed !== false) engine.notices.look(slot);
      else if (!isEnding(slot)) this.lose(slot);
    } catch (error) {
      engine.log('warn', `The lease of job ${describe(slot.id)} could not be renewed`, error);
    }
  }

  /** @param {JobSlot} slot */
  lose(slot) {
    const { engine } = this;
    slot.lease = LOST;
    this.held.delete(slot);
    engine.log('warn', `Job ${describe(slot.id)} is run elsewhere now: its lease was lost`);
    core.lease_lost(engine.number, slot.key);
  }

  /** Gives back what was taken over and never run. */
  async end() {
    if (this.timer !== null) clearTimeout(this.timer);
    const { store } = this.engine;
    for (const [id, token] of this.lapsing) {
      try {
        await store.releaseLease(id, token);
      } catch (error) {
        this.notReleased(id, error);
      }
    }
    this.lapsing.clear();
  }

  /**
   * @param {string} id
   * @param {unknown} error
   */
  notReleased(id, error) {
    this.engine.log('warn', `The lease of job ${describe(id)} could not be given back`, error);
  }
}

/**
 * A store may take the lease back with the commit that ends the job, before it says so. Where the lease was lost before
 * that, the commit is refused.
 *
 * @param {JobSlot} slot
 */
function isEnding({ sent, record }) {
  const status = sent?.head?.status ?? record?.status;
  return status === 'completed' || status === 'failed';
}

/**
 * @param {number} job
 * @param {number} call
 */
export function lease_acquire(job, call) {
  const slot = slotOf(job);
  const { leases, notices, store } = slot.engine;
  // The core knows the job from now on.
  slot.remembered = true;
  if (!leases.exist) return HELD;
  notices.begin();
  const failed = (/** @type {unknown} */ _, /** @type {unknown} */ error) => {
    slot.answer = error;
    return FAILED;
  };
  const acquire = () => store.acquireLease(slot.id, leases.owner, leases.ms);
  return ask(slot, call, acquire, (_, token) => leases.granted(slot, token), failed);
}

/**
 * @param {number} job
 * @param {number} call
 */
export function lease_state(job, call) {
  const slot = slotOf(job);
  const { lease } = slot;
  const { leases, store } = slot.engine;
  if (lease === null) return HELD;
  if (lease === LOST) return ELSEWHERE;
  const renew = () => store.renewLease(slot.id, lease, leases.ms);
  return ask(
    slot,
    call,
    renew,
    (_, renewed) => (renewed === false ? ELSEWHERE : HELD),
    () => FAILED,
  );
}

/**
 * @param {number} job
 * @param {number} call
 */
export function lease_release(job, call) {
  const slot = slotOf(job);
  const { lease } = slot;
  const { leases, store } = slot.engine;
  slot.lease = null;
  leases.held.delete(slot);
  if (lease === null || lease === LOST) return HELD;
  const failed = (/** @type {unknown} */ _, /** @type {unknown} */ error) => {
    leases.notReleased(slot.id, error);
    return HELD;
  };
  return ask(
    slot,
    call,
    () => store.releaseLease(slot.id, lease),
    () => HELD,
    failed,
  );
}

/** @param {number} job */
export function lease_lapses(job) {
  const slot = slotOf(job);
  const { leases } = slot.engine;
  leases.held.delete(slot);
  if (slot.lease !== null && slot.lease !== LOST) leases.lapsing.set(slot.id, slot.lease);
  slot.lease = null;
}
