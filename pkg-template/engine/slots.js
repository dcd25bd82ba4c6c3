// @ts-check
import { core } from './core.js';
import { traceIdOf } from './ids.js';

/** How many jobs that nothing is done with are kept at hand, so that their plans are not read again. */
const MOST_IDLE = 64;

/** @type {(JobSlot | undefined)[]} */
const slots = [];
/** @type {number[]} */
const free = [];

/** @param {number} key */
export function slotOf(key) {
  return /** @type {JobSlot} */ (slots[key]);
}

/**
 * A job that is being worked on. Its key names it to the core for as long as it stands here.
 */
export class JobSlot {
  /**
   * @param {import('./engine.js').Engine} engine
   * @param {string} id
   * @param {number} key
   */
  constructor(engine, id, key) {
    this.engine = engine;
    this.id = id;
    this.key = key;
    /** How many operations are under way. */
    this.operations = 0;
    /** How many of them run the job's steps. */
    this.drivers = 0;
    /** What stands in `record` was loaded or committed while somebody ran the job's steps. */
    this.current = false;
    /** The core may remember something under this key. */
    this.remembered = false;
    /**
     * The job as it was loaded or committed last. With a store that has `commit`, the engine's own and kept up to
     * date without its history; with a plain store, what the store returned, which is never changed.
     *
     * @type {any}
     */
    this.record = null;
    /**
     * The record before it, for what goes on with a step after an operation on the same job, made from inside a
     * handler, failed or read less of the job.
     *
     * @type {any}
     */
    this.former = null;
    /** @type {Map<number, unknown> | null} the outputs that were known with it */
    this.formerOutputs = null;
    /** The number of the latest event. */
    this.seq = 0;
    /** @type {any} what the next commit changes, see change.js */
    this.change = null;
    /** @type {any} what the store is being sent */
    this.sent = null;
    /** @type {import('./change.js').Change | null} what was committed and not announced yet */
    this.outbox = null;
    /** @type {unknown} the latest refusal or error of the budget manager, store or registry */
    this.answer = undefined;
    /** @type {any} the router's answer that is not committed yet */
    this.routing = null;
    /** @type {Map<number, { tool: string, args: unknown, agent: string }[]> | null} */
    this.knownRequests = null;
    /** @type {Map<number, unknown> | null} outputs of steps, by place */
    this.knownOutputs = null;
    /** @type {string[] | null} ids of routed steps, in order */
    this.routedIds = null;
    /** @type {string | null} */
    this.trace = null;
  }

  /** @param {import('./executor.js').Frame} frame an operation that runs the job's steps */
  startDriving(frame) {
    frame.driving = true;
    this.remembered = true;
    this.drivers += 1;
  }

  stopDriving() {
    this.drivers -= 1;
    if (this.drivers === 0) this.current = false;
  }

  /** An operation on the job has ended. */
  leave() {
    this.operations -= 1;
    if (this.operations === 0) this.engine.jobs.leave(this);
  }

  /** Does `record` hold the plan, the steps and the context? */
  get isWhole() {
    return this.record !== null && this.record.isHead !== true;
  }

  /** The job with its plan, steps and context, as it was last known. */
  get whole() {
    return this.isWhole ? this.record : this.former;
  }

  get outputs() {
    this.knownOutputs ??= new Map();
    return this.knownOutputs;
  }

  /** Tool calls that wait to be written down, by step. */
  get requests() {
    this.knownRequests ??= new Map();
    return this.knownRequests;
  }

  get traceId() {
    this.trace ??= traceIdOf(this.id);
    return this.trace;
  }

  /**
   * @param {number} step its place
   * @returns {{ id: string, agent: string, approve?: { message?: string }, repeat?: object, tools?: string[], into: string, cost?: number }}
   */
  stepAt(step) {
    const run = this.whole?.run;
    const plan = run?.plan;
    if (plan !== undefined) {
      const planned = plan.steps[step];
      return planned.into === undefined ? { ...planned, into: planned.id } : planned;
    }
    const id = this.routedIdAt(step);
    const routed = run?.steps?.[/** @type {string} */ (id)]?.routed ?? this.routing;
    return { id: id ?? `${routed.agent}#${step + 1}`, into: routed.agent, ...routed };
  }

  /** @param {number} step */
  routedIdAt(step) {
    if (this.routedIds === null) {
      const number = (/** @type {string} */ id) => Number(id.slice(id.lastIndexOf('#') + 1));
      this.routedIds = Object.keys(this.whole?.run?.steps ?? {}).sort((a, b) => number(a) - number(b));
    }
    return this.routedIds[step];
  }

  /** @param {number} step */
  idempotencyKey(step) {
    const { id, repeat } = this.stepAt(step);
    if (repeat === undefined) return `${this.id}:${id}`;
    return `${this.id}:${id}:${(this.whole?.run?.steps?.[id]?.round ?? 0) + 1}`;
  }

  /** What was known of the job is no longer true. */
  forgetRecord() {
    if (this.isWhole) {
      this.former = this.record;
      this.formerOutputs = this.knownOutputs;
    }
    this.record = null;
    this.current = false;
    this.knownOutputs = null;
    this.routedIds = null;
    this.change = null;
  }
}

/** The jobs of one engine that stand in the table. */
export class JobTable {
  /** @param {import('./engine.js').Engine} engine */
  constructor(engine) {
    this.engine = engine;
    /** @type {Map<string, JobSlot>} */
    this.byId = new Map();
    this.idle = 0;
  }

  /** @param {string} id */
  enter(id) {
    const known = this.byId.get(id);
    if (known !== undefined) return known;
    const key = free.pop() ?? slots.length;
    const slot = new JobSlot(this.engine, id, key);
    slots[key] = slot;
    this.byId.set(id, slot);
    return slot;
  }

  /**
   * Nothing is done with the job any more.
   *
   * @param {JobSlot} slot
   */
  leave(slot) {
    // What is not read again for want of a revision to compare need not be kept.
    if (!slot.remembered) slot.forgetRecord();
    slot.former = null;
    slot.formerOutputs = null;
    if (this.byId.size > MOST_IDLE) this.trim();
  }

  /** Drops the jobs that entered first, of those that nothing is done with. */
  trim() {
    for (const slot of this.byId.values()) {
      if (slot.operations > 0) continue;
      this.drop(slot);
      if (this.byId.size <= MOST_IDLE) return;
    }
  }

  /** @param {JobSlot} slot */
  drop(slot) {
    this.byId.delete(slot.id);
    slots[slot.key] = undefined;
    free.push(slot.key);
    if (slot.remembered) core.forget(this.engine.number, slot.key);
  }

  dropIdle() {
    for (const slot of [...this.byId.values()]) if (slot.operations === 0) this.drop(slot);
  }
}
