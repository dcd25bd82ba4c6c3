// @ts-check
import { keepsOwn } from '../parts/handover.js';
import { Trace } from '../parts/noted-event.js';
import { core } from './core.js';
import { traceIdOf } from './ids.js';
import { reset } from './numbers.js';
import { fanOutsOf, keyOf, StepAt, stepsOf } from './step-at.js';

/** @typedef {import('./step-at.js').FanOut} FanOut */

/** How many jobs that nothing is done with are kept at hand, so that they are not read again. */
const MOST_IDLE = 64;
/** The same where the store has the values of their contexts in memory anyway. */
const MOST_SHARED = 1_024;
/** When there are so many times as many, they are too many. */
const MARGIN = 1.25;

/** @type {(JobSlot | undefined)[]} */
const slots = [];
/** @type {number[]} */
const free = [];

/** @type {any[]} */
const NONE = [];

export const resetSlots = () => reset(slots, free);

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
    /** When something was committed last by this engine, and at which revision. */
    this.committedAt = Number.NaN;
    this.committedRevision = -1;
    /** The latest revision that was read or committed, as far as steps are run here. */
    this.latest = 0;
    /** The core may remember something under this key. */
    this.remembered = false;
    /** Somebody else had its lease when it was asked for last. */
    this.wasElsewhere = false;
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
    /** @type {unknown[] | null} the outputs that were known with it */
    this.formerOutputs = null;
    /** The number of the latest event. */
    this.seq = 0;
    /** @type {any} what the next commit changes, see change.js */
    this.change = null;
    /** @type {any} what the store is being sent */
    this.sent = null;
    /** @type {any} a notice of the revision that is being sent: whose that is turns out when it is stored, or not */
    this.unsure = null;
    /** From which revision on, and up to which, all were committed here. */
    this.ownFrom = 0;
    this.ownTo = -1;
    /** @type {import('./change.js').Change | null} what was committed and not announced yet */
    this.outbox = null;
    /** @type {unknown} the latest refusal or error of the budget manager, store or registry */
    this.answer = undefined;
    /** @type {Set<string> | null} jobs of steps that were begun before: somebody may have begun to make them */
    this.remade = null;
    /** @type {number | null} the fencing token of the lease under which its steps are run here */
    this.lease = null;
    /** @type {{ job: string, steps: number } | null} the step that the next commit may count for a descendant */
    this.counting = null;
    /** @type {any} the router's answer that is not committed yet */
    this.routing = null;
    /** @type {Map<number, { tool: string, args: unknown, agent: string }[]> | null} */
    this.knownRequests = null;
    /** @type {unknown[] | null} outputs of steps, by place; none is undefined */
    this.knownOutputs = null;
    /** @type {any[]} the plan's steps that were asked for, each with all that is asked of it */
    this.planned = NONE;
    /** @type {Map<number, StepAt> | null} the same of items, by place */
    this.itemSteps = null;
    /** @type {string[] | null} ids of routed steps, in order */
    this.routedIds = null;
    /** @type {FanOut[] | null} where the items of steps stand */
    this.fanOuts = null;
    /** @type {Map<string, unknown[]> | null} the lists that steps are done for, by id */
    this.lists = null;
    /** @type {Trace | null} */
    this.madeTrace = null;
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

  /** @param {number} revision which was committed here */
  noteOwn(revision) {
    if (revision !== this.ownTo + 1) this.ownFrom = revision;
    this.ownTo = revision;
  }

  /** @param {number} revision */
  isOwn(revision) {
    return revision >= this.ownFrom && revision <= this.ownTo;
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
    this.knownOutputs ??= [];
    return this.knownOutputs;
  }

  /** Tool calls that wait to be written down, by step. */
  get requests() {
    this.knownRequests ??= new Map();
    return this.knownRequests;
  }

  get trace() {
    this.madeTrace ??= new Trace(this.id, traceIdOf);
    return this.madeTrace;
  }

  get traceId() {
    return this.trace.id;
  }

  /**
   * @param {number} step its place, or that of an item of it
   * @returns {StepAt}
   */
  stepAt(step) {
    return this.planned[step] ?? this.itemSteps?.get(step) ?? this.lookUpStep(step);
  }

  /**
   * @param {number} step
   * @returns {StepAt}
   */
  lookUpStep(step) {
    const run = this.whole?.run;
    const plan = run?.plan;
    if (plan !== undefined) {
      const planned = plan.steps[step];
      if (planned === undefined) return this.itemStep(step);
      this.planned = stepsOf(plan);
      this.planned[step] ??= new StepAt(planned);
      return this.planned[step];
    }
    const id = this.routedIdAt(step);
    const routed = run?.steps?.[/** @type {string} */ (id)]?.routed ?? this.routing;
    return new StepAt({ id: id ?? `${routed.agent}#${step + 1}`, into: routed.agent, ...routed });
  }

  /**
   * The step that has an item at a place, with the number of the item.
   *
   * @param {number} place
   */
  itemStep(place) {
    const { step, first } = this.fanOutAt(place);
    const item = new StepAt(this.stepAt(step), place - first);
    this.itemSteps ??= new Map();
    this.itemSteps.set(place, item);
    return item;
  }

  /** @param {number} step */
  routedIdAt(step) {
    if (this.routedIds === null) {
      const number = (/** @type {string} */ id) => Number(id.slice(id.lastIndexOf('#') + 1));
      this.routedIds = Object.keys(this.whole?.run?.steps ?? {}).sort((a, b) => number(a) - number(b));
    }
    return this.routedIds[step];
  }

  /**
   * What is known of a step, or of an item, stands under this id.
   *
   * @param {number} step
   */
  stateIdAt(step) {
    return this.stepAt(step).stateId;
  }

  /**
   * @param {number} step
   * @param {number} [round] which it is in, where that is not what was committed last
   */
  idempotencyKey(step, round) {
    const what = this.stepAt(step);
    return keyOf(this.id, what, round ?? this.roundOf(what) + 1);
  }

  /**
   * How many rounds of a step were committed as ended.
   *
   * @param {StepAt} step
   * @returns {number}
   */
  roundOf({ id, repeat }) {
    return repeat === undefined ? 0 : (this.whole?.run?.steps?.[id]?.round ?? 0);
  }

  /**
   * Whose items stand at a place.
   *
   * @param {number} place
   */
  fanOutAt(place) {
    this.fanOuts ??= fanOutsOf(this.whole.run);
    const found = this.fanOuts.findLast(({ first }) => first <= place);
    return /** @type {FanOut} */ (found);
  }

  /**
   * @param {number} step
   * @param {number} first
   * @param {number} count
   */
  keepFanOut(step, first, count) {
    this.fanOuts ??= fanOutsOf(this.whole.run);
    if (!this.fanOuts.some((known) => known.step === step)) this.fanOuts.push({ step, first, count });
  }

  /**
   * @param {string} step
   * @param {unknown[]} items
   */
  keepList(step, items) {
    this.lists ??= new Map();
    this.lists.set(step, items);
  }

  /**
   * The item at a place.
   *
   * @param {number} place
   */
  itemAt(place) {
    const { id, item } = this.stepAt(place);
    const begun = () =>
      this.whole.history?.find(
        (/** @type {any} */ { type, payload }) =>
          type === 'step_started' && payload?.step === id && payload.items,
      );
    const items = this.lists?.get(id) ?? begun()?.payload.items;
    return items?.[/** @type {number} */ (item)];
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
    this.planned = NONE;
    this.itemSteps = null;
    this.routedIds = null;
    this.fanOuts = null;
    this.lists = null;
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
    /** @type {Set<JobSlot>} those that nothing may be done with, in the order in which they came */
    this.idle = new Set();
  }

  /** @param {string} id */
  enter(id) {
    const known = this.byId.get(id);
    if (known !== undefined) return known;
    const key = free.pop() ?? slots.length;
    const slot = new JobSlot(this.engine, id, key);
    slots[key] = slot;
    this.byId.set(id, slot);
    this.idle.add(slot);
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
    this.idle.add(slot);
    const { store } = this.engine;
    const most = keepsOwn.has(store.commit) ? MOST_SHARED : MOST_IDLE;
    // Many at a time: what was removed from the front of a set is passed over each time that its first is looked for.
    if (this.idle.size > most * MARGIN) this.trim(most);
  }

  /**
   * Drops the jobs that came first, of those that nothing is done with.
   *
   * @param {number} most
   */
  trim(most) {
    for (const slot of this.idle) {
      this.idle.delete(slot);
      if (slot.operations === 0) this.drop(slot);
      if (this.idle.size <= most) return;
    }
  }

  /** @param {JobSlot} slot */
  drop(slot) {
    this.byId.delete(slot.id);
    this.idle.delete(slot);
    slots[slot.key] = undefined;
    free.push(slot.key);
    if (slot.remembered) core.forget(this.engine.number, slot.key);
  }

  dropIdle() {
    for (const slot of [...this.byId.values()]) if (slot.operations === 0) this.drop(slot);
  }
}
