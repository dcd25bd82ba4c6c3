// @ts-check
import { core } from '../engine/core.js';
import { ENGINE_EVENTS } from '../engine/names.js';
import { readPlan } from '../engine/plans.js';
import { renewIfLarge } from '../engine/renewal.js';
import { meetEvent, readsOf } from '../engine/replay.js';
import { JobTable } from '../engine/slots.js';
import { spanIdOf } from '../parts/noted-event.js';
import { setOwn } from '../parts/plain.js';
import { HASHED } from './hash.js';
import { same } from './same.js';
import { theStage } from './stage.js';

/**
 * Where a history and what is decided from it part.
 *
 * @typedef {{ ok: false, at: number, expected: unknown, actual: unknown }} Difference
 */

/**
 * A history that is being decided again. Each event that is met is given to the core, which decides what it tells of
 * and commits that to a job of the replay's own; the events of the commit have to be those that come next. It must be
 * dropped in the end.
 */
export class Replay {
  /**
   * @param {string} jobId
   * @param {any[]} history its events, as JSON has them
   * @param {boolean} [redacted] words may have been replaced by hashes of them
   */
  constructor(jobId, history, redacted = false) {
    this.history = history;
    this.redacted = redacted;
    this.forks = [...history.keys()].filter((place) => history[place]?.type === 'job_forked');
    this.stage = theStage();
    // A table of its own: the same job may be replayed twice at a time.
    this.table = new JobTable(/** @type {any} */ (this.stage));
    this.slot = this.table.enter(jobId);
    this.decisions = 0;
    this.met = 0;
    /** @type {Set<string>} the context keys that steps wrote */
    this.written = new Set();
    /** @type {any[]} what was committed and not met yet */
    this.expected = [];
    /** @type {Record<string, boolean | number>} what the plan's expressions gave for the latest event */
    this.evaluated = {};
    const payload = history[0]?.type === 'job_created' ? history[0].payload : undefined;
    const { plan, number } =
      payload?.plan === undefined ? { plan: undefined, number: -1 } : readPlan(payload.plan);
    this.hasBadPlan = payload?.plan !== undefined && number < 0;
    /** @type {any} */
    const run = { schema: 1, revision: 0, seq: 0 };
    if (plan !== undefined) run.plan = plan;
    /** @type {Map<string, number>} of the plan's steps, by id */
    this.places = new Map();
    if (number >= 0) for (const [place, { id }] of plan.steps.entries()) this.places.set(id, place);
    this.slot.record = { id: jobId, status: 'created', context: {}, timing: {}, run };
    this.number = core.replay_new(this.stage.number, this.slot.key, number);
    if (number >= 0) core.drop_plan(number);
  }

  /** The job, as what was met so far leaves it. */
  get job() {
    return this.slot.record;
  }

  drop() {
    core.replay_drop(this.number);
    this.table.drop(this.slot);
    renewIfLarge();
  }

  /** What decisions read. */
  reads() {
    return readsOf(this.number);
  }

  /**
   * Meets the next event.
   *
   * @returns {Difference | null}
   */
  meet() {
    const event = this.history[this.met];
    const at = this.met + 1;
    const follows = this.expected.length > 0;
    this.evaluated = {};
    if (follows) {
      this.decisions += 1;
    } else {
      const refused = this.decide(event);
      if (refused !== null) return { ok: false, at, expected: refused, actual: event };
    }
    const expected = this.expected.shift();
    this.takeWords(expected, event);
    if (!same(expected, event)) return { ok: false, at, expected, actual: event };
    this.met = at;
    return null;
  }

  /** The history ends here: does the commit that it ends in? @returns {Difference | null} */
  end() {
    const [expected] = this.expected;
    if (expected === undefined) return null;
    return { ok: false, at: this.met + 1, expected, actual: undefined };
  }

  /**
   * Lets the core decide what an event tells of.
   *
   * @param {any} event
   * @returns {string | null} why it can't have come next
   */
  decide(event) {
    const { stage, slot } = this;
    const { type, payload } = event ?? {};
    if (this.hasBadPlan) return 'a plan without problems';
    const about = payload !== null && typeof payload === 'object' ? payload : {};
    this.prepare(type, about);
    stage.committed = [];
    stage.gave = {};
    const { decided, refused } = meetEvent(this.number, this.outline(event, about), this.carried(event));
    if (refused !== null) return refused;
    this.expected = stage.committed.flatMap(({ events }) => events);
    for (const { context } of stage.committed) for (const key of Object.keys(context)) this.written.add(key);
    this.evaluated = stage.gave;
    this.decisions += decided ? 1 : 0;
    if (type === 'job_forked') this.fork(event);
    if (this.met === 0 && about.forkedFrom !== undefined) {
      slot.record.run.forkedFrom = about.forkedFrom;
      this.expected[0].payload.forkedFrom = about.forkedFrom;
    }
    return null;
  }

  /**
   * Sets the stage for an event: what was known and answered then.
   *
   * @param {string} type
   * @param {any} payload
   */
  prepare(type, payload) {
    const { stage, slot } = this;
    const { code, message } = payload.error ?? {};
    const words = typeof payload.agent === 'string' ? `Unknown agent "${payload.agent}"; known agents: ` : '';
    const isKnown = typeof message === 'string' && message.startsWith(words);
    stage.known = code === 'unknown_agent' ? (isKnown ? message.slice(words.length) : '') : null;
    stage.refuses = payload.reason === 'budget';
    slot.routing = payload.routed ?? null;
    // Only an event that says how many steps descendants took tells of them.
    slot.record.run.treeSteps = payload.treeSteps === undefined ? undefined : { taken: payload.treeSteps };
    if (type !== 'job_created') return;
    const { context, slowPlayMs } = payload;
    // Taken as it stands: it decides when something happens, and nothing else.
    if (typeof slowPlayMs === 'number') slot.record.run.slowPlayMs = slowPlayMs;
    slot.record.context = context !== null && typeof context === 'object' ? { ...context } : {};
  }

  /**
   * What the core is told of an event: small things.
   *
   * @param {any} event
   * @param {any} about
   */
  outline(event, about) {
    const { type, trace, meta } = event ?? {};
    const { output, payload, context, plan, args, items, ...small } = isEngines(type) ? about : {};
    if (small.input !== undefined) small.input = true;
    if (type === 'step_failed' || type === 'item_failed') small.drawnFor = this.drawnFor();
    if (type === 'approval_requested' && about.tool !== undefined) small.calls = this.calls();
    return { type, payload: small, trace, meta };
  }

  /** @param {any} event */
  carried(event) {
    const { type, payload } = event ?? {};
    if (!isEngines(type)) return { type, payload, source: this.senderOf(event) };
    if (type === 'signal_received') return payload?.payload;
    if (type === 'step_started' || type === 'item_started') return payload?.input;
    return payload?.output ?? null;
  }

  /** Whose id the jitter of a retry was drawn from: in what a fork shares, the id of the job that it was forked from. */
  drawnFor() {
    const fork = this.forks.find((place) => place > this.met);
    return fork === undefined ? undefined : this.history[fork].payload?.from?.jobId;
  }

  /** How many tool calls an agent asked for at once; the stage is told which. */
  calls() {
    const { step, item } = this.history[this.met].payload;
    const { timestamp } = this.history[this.met].meta ?? {};
    const requests = [];
    for (let place = this.met; place < this.history.length; place++) {
      const { type, payload, meta } = this.history[place] ?? {};
      const isNext = type === 'approval_requested' && payload?.tool !== undefined;
      if (!isNext || payload.step !== step || payload.item !== item || meta?.timestamp !== timestamp) break;
      requests.push({ tool: payload.tool, args: payload.args, agent: payload.agent });
    }
    this.slot.requests.set(this.placeOf(step, item), requests);
    return requests.length;
  }

  /**
   * @param {string} step
   * @param {number | undefined} item
   * @returns {number}
   */
  placeOf(step, item) {
    const { plan, steps = {} } = this.job.run;
    if (item !== undefined) return (steps[step]?.fanOut?.place ?? 0) + item;
    if (plan !== undefined) return this.places.get(step) ?? -1;
    return typeof step === 'string' ? Number(step.split('#').at(-1)) - 1 : -1;
  }

  /**
   * The agent whose event this is: the one at work on the step that it is caused by.
   *
   * @param {any} event
   */
  senderOf(event) {
    const cause = event?.trace?.parentId;
    const caused = typeof cause === 'string' ? Number.parseInt(cause.slice(8), 16) : 0;
    const step = this.history[caused - 1]?.payload?.step;
    if (typeof step !== 'string') return undefined;
    const { plan, steps = {} } = this.job.run;
    return plan === undefined ? steps[step]?.routed?.agent : plan.steps[this.places.get(step) ?? -1]?.agent;
  }

  /**
   * The host of a fork notes the event that says so itself.
   *
   * @param {any} event
   */
  fork({ type, payload, meta }) {
    const { slot } = this;
    const { traceId } = slot;
    const seq = slot.seq + 1;
    const spanId = spanIdOf(traceId, seq);
    slot.seq = seq;
    slot.record.run.seq = seq;
    for (const [key, value] of Object.entries(payload.context ?? {})) setOwn(slot.record.context, key, value);
    slot.record.run.forkedFrom = payload.from;
    this.expected.push({
      id: spanId,
      seq,
      type,
      payload: { ...payload, jobId: slot.id },
      trace: { traceId, spanId, parentId: spanIdOf(traceId, seq - 1) },
      meta: { timestamp: meta?.timestamp, source: 'jobwright' },
    });
  }

  /**
   * Words that the core can't know again: those that a redaction took away, and why a host could not read a context.
   *
   * @param {any} expected
   * @param {any} actual
   */
  takeWords(expected, actual) {
    const [own, said] = [expected?.payload?.error, actual?.payload?.error?.message];
    if (typeof own?.message !== 'string' || typeof said !== 'string') return;
    const because = own.message.indexOf(UNCOMPUTABLE) + UNCOMPUTABLE.length;
    const isHostsWord = because >= UNCOMPUTABLE.length && said.startsWith(own.message.slice(0, because));
    if (isHostsWord || (this.redacted && said.startsWith(HASHED))) own.message = said;
  }
}

const UNCOMPUTABLE = "can't be computed: ";

/** @param {unknown} type */
const isEngines = (type) => ENGINE_EVENTS.has(/** @type {string} */ (type));
