// @ts-check

import { JobwrightError } from '../parts/errors.js';
import { createEventBus } from '../parts/event-bus.js';
import { createMemoryStore } from '../parts/memory-store.js';
import { describe } from '../parts/plain.js';
import { invalidArgument, milliseconds } from './arguments.js';
import { core } from './core.js';
import { dropEngine, keepEngine } from './engines.js';
import { operate, promiseOf } from './executor.js';
import { headOf } from './heads.js';
import { Leases } from './leases.js';
import { Notices } from './notices.js';
import { Readers } from './readers.js';
import { JobTable } from './slots.js';
import { Watch } from './watch.js';

/** The dependencies that must be objects where they are given. */
const OBJECTS = /** @type {const} */ ([
  'store',
  'eventBus',
  'budgetManager',
  'performanceMonitor',
  'agentRegistry',
  'tools',
  'clock',
  'logger',
]);

/** The methods that each of them can't do without. */
const METHODS = /** @type {Record<string, readonly string[]>} */ ({
  store: ['saveJob', 'getJob'],
  eventBus: ['emit'],
  budgetManager: ['canSpend'],
  performanceMonitor: ['recordJobDuration'],
  clock: ['now', 'sleep'],
});

/** How long the right to run a job lasts that is not renewed, where nothing else is said. */
const LEASE_MS = 30_000;

/** How long a running job may do nothing, where nothing else is said. */
const STALLED_MS = 300_000;

/** @param {any} deps */
function checkDependencies(deps) {
  if (deps === null || typeof deps !== 'object') {
    throw new TypeError(`createOrchestrator takes an object of dependencies; found ${describe(deps)}`);
  }
  for (const name of OBJECTS) {
    const given = deps[name];
    if (given === undefined || given === null) continue;
    if (typeof given !== 'object' && typeof given !== 'function') {
      throw new TypeError(`${name} must be an object; found ${describe(given)}`);
    }
    // Looked at again at each call: this only makes a slip known at once.
    const missing = METHODS[name]?.find((method) => typeof given[method] !== 'function');
    if (missing !== undefined) throw new TypeError(`${name} must have a method ${missing}`);
  }
  for (const name of ['router', 'generateId']) {
    const given = deps[name];
    if (given !== undefined && given !== null && typeof given !== 'function') {
      throw new TypeError(`${name} must be a function; found ${describe(given)}`);
    }
  }
}

/** @param {unknown} given */
function leaseMs(given) {
  const ms = milliseconds(given, 'leaseMs');
  if (ms >= 1) return ms;
  throw invalidArgument(`leaseMs must be at least 1; found ${describe(given)}`);
}

/** @param {any} job */
const hasEnded = ({ status }) => status === 'completed' || status === 'failed';

/** One orchestrator: its dependencies and what it is doing. */
export class Engine {
  /** @param {any} deps */
  constructor(deps) {
    checkDependencies(deps);
    this.slowPlayMs = milliseconds(deps.slowPlayMs ?? 0, 'slowPlayMs');
    this.watch = new Watch(this, milliseconds(deps.stalledMs ?? STALLED_MS, 'stalledMs'));
    this.logger = deps.logger ?? console;
    this.store = deps.store ?? createMemoryStore();
    /** A store that was made here is nobody else's. */
    this.isAlone = this.store !== deps.store;
    this.bus = deps.eventBus ?? createEventBus({ logger: this.logger });
    this.budget = deps.budgetManager ?? null;
    this.monitor = deps.performanceMonitor ?? null;
    this.registry = deps.agentRegistry ?? null;
    this.tools = deps.tools ?? null;
    this.router = deps.router ?? null;
    this.generateId = deps.generateId ?? null;
    this.clock = deps.clock ?? null;
    this.jobs = new JobTable(this);
    this.readers = new Readers(this);
    this.leases = new Leases(this, leaseMs(deps.leaseMs ?? LEASE_MS));
    this.notices = new Notices(this);
    /** @type {Map<number, () => void>} what wakes whoever sleeps, by call */
    this.timers = new Map();
    /** The latest moment that the clock was asked to sleep until, and did. */
    this.sleptUntil = Number.NEGATIVE_INFINITY;
    /** @type {Map<string, any>} of a plain store, which can't list its jobs: those that have not ended */
    this.live = new Map();
    /** @type {Map<string, Map<string, any>>} the heads of the children of those, by parent and id */
    this.families = new Map();
    /** Are all jobs paused? Of a store that does not keep it. */
    this.allPaused = false;
    /** @type {Map<string, import('./family.js').Family>} the children of the jobs that are monitored, by the job's id */
    this.monitors = new Map();
    /** @type {(() => unknown) | null} ends the listening for what others say of children */
    this.unsubscribe = null;
    /** @type {string | null} the child of which something is being said here: it need not be heard */
    this.echo = null;
    this.heardJunk = false;
    this.operations = 0;
    this.closed = false;
    /** @type {((which: string, gave: boolean | number) => void) | null} is told what the rules of plans give */
    this.evaluated = null;
    /** @type {Promise<void> | null} */
    this.closing = null;
    /** @type {JobwrightError | null} */
    this.broken = null;
    /** @type {(() => void) | null} */
    this.idle = null;
    // When it is whole: arguments may have been refused until here.
    this.number = keepEngine(this);
  }

  /**
   * A clock that fails, or gives no time, is logged and stood in for. What it says it slept counts, even where the time
   * that it tells stands still.
   */
  now() {
    if (this.clock === null) return Date.now();
    try {
      const now = this.clock.now();
      if (Number.isFinite(now) && now >= 0) return Math.max(now, this.sleptUntil);
      this.log('error', `clock.now answered ${describe(now)}`);
    } catch (error) {
      this.log('error', 'clock.now failed', error);
    }
    return Date.now();
  }

  /** Is the store sent only what changed? Looked up each time, as every method of a dependency. */
  commits = () => typeof this.store.commit === 'function';

  /**
   * @param {'debug' | 'info' | 'warn' | 'error'} level
   * @param {...unknown} words
   */
  log(level, ...words) {
    try {
      promiseOf(this.logger[level]?.(...words))?.then(undefined, () => undefined);
    } catch {
      // A logger that fails leaves nobody to tell.
    }
  }

  /** @param {number} ms */
  setSlowPlay(ms) {
    this.slowPlayMs = ms;
    core.set_slow_play(this.number, ms);
  }

  /** A new core knows nothing but this orchestrator's number. */
  carryOver() {
    this.jobs.dropIdle();
    this.setSlowPlay(this.slowPlayMs);
    if (this.closed) core.close(this.number);
  }

  /** @param {any} job as it was just saved in a plain store */
  noteLive(job) {
    const { id, parentId } = job;
    const ended = hasEnded(job);
    if (ended) {
      this.live.delete(id);
      for (const child of this.families.get(id)?.values() ?? [])
        if (hasEnded(child)) this.noteChild(child, false);
    } else {
      this.live.set(id, job);
    }
    if (parentId !== undefined) this.noteChild(job, !ended || this.live.has(parentId));
  }

  /**
   * @param {any} child
   * @param {boolean} kept one that has ended is remembered for a parent that is live
   */
  noteChild(child, kept) {
    const { id, parentId } = child;
    const family = this.families.get(parentId) ?? new Map();
    if (kept) family.set(id, headOf(child));
    else family.delete(id);
    if (family.size > 0) this.families.set(parentId, family);
    else this.families.delete(parentId);
  }

  operationEnded() {
    this.operations -= 1;
    if (this.operations === 0) this.idle?.();
  }

  /**
   * An agent sent an event of its own.
   *
   * @param {import('./attempt.js').Attempt} attempt
   * @param {{ type: string, payload: unknown, source: string }} event
   */
  record(attempt, event) {
    const { slot, place } = attempt;
    const begin = (/** @type {number} */ task) => core.record_event(this.number, task, slot.key, place);
    operate(this, slot, () => undefined, begin, event).catch((error) =>
      this.log('error', `The event ${event.type} of job ${describe(slot.id)} could not be recorded`, error),
    );
  }

  /**
   * An attempt that was given up answered after all.
   *
   * @param {import('./attempt.js').Attempt} attempt
   */
  noteLate({ slot, place }) {
    if (this.closed) return;
    // The job may have left the table meanwhile, and its key be another's.
    const entered = this.jobs.enter(slot.id);
    const begin = (/** @type {number} */ task) =>
      core.record_late_result(this.number, task, entered.key, place);
    operate(this, entered, () => undefined, begin).catch((error) =>
      this.log('error', `A late result of job ${describe(slot.id)} could not be recorded`, error),
    );
  }

  stopListening() {
    try {
      this.unsubscribe?.();
    } catch (error) {
      this.log('error', 'The event bus could not be left', error);
    }
  }

  close() {
    this.closing ??= this.end();
    return this.closing;
  }

  async end() {
    this.closed = true;
    this.stopListening();
    this.watch.stop();
    core.close(this.number);
    // Of one that broke down, what was under way never ends.
    if (this.operations > 0 && this.broken === null) {
      await new Promise((resolve) => {
        this.idle = () => resolve(undefined);
      });
    }
    this.readers.wakeAll();
    await this.notices.end();
    await this.leases.end();
    this.jobs.dropIdle();
    dropEngine(this.number);
  }
}
