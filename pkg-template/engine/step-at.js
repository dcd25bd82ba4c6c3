// @ts-check

// The steps of a job, and of which of them there are several: items, rounds.

/**
 * Where the items of a step stand among the places.
 *
 * @typedef {{ step: number, first: number, count: number }} FanOut
 */

/**
 * All that is asked of a step, or of an item of it. Every member is always there: objects of one shape are read at a
 * fraction of the time of others.
 */
export class StepAt {
  /**
   * @param {any} step of a plan, or another of these
   * @param {number} [item] the number of the item where it is one
   */
  constructor({ id, agent, into = id, approve, job, repeat, forEach, tools, timeoutMs }, item) {
    /** @type {string} */
    this.id = id;
    /** @type {string} */
    this.agent = agent;
    /** @type {string} */
    this.into = into;
    /** @type {{ message?: string } | undefined} */
    this.approve = approve;
    /** @type {{ plan: any, budget?: number } | undefined} */
    this.job = job;
    /** @type {object | undefined} */
    this.repeat = repeat;
    /** @type {unknown} */
    this.forEach = forEach;
    /** @type {string[] | undefined} */
    this.tools = tools;
    /** @type {number | undefined} */
    this.timeoutMs = timeoutMs;
    this.item = item;
    /** What is known of it stands under this id; made once, because looking up a text that is new takes ten times as long. */
    this.stateId = item === undefined ? id : itemId(id, item);
  }
}

/**
 * What is asked of the steps of plans. Jobs of the same plan share it.
 *
 * @type {WeakMap<object, StepAt[]>}
 */
const plannedSteps = new WeakMap();

/** @param {object} plan */
export function stepsOf(plan) {
  const known = plannedSteps.get(plan);
  if (known !== undefined) return known;
  /** @type {StepAt[]} */
  const steps = [];
  plannedSteps.set(plan, steps);
  return steps;
}

/**
 * What every attempt at a step, a round of it or an item of it has in common.
 *
 * @param {string} job
 * @param {StepAt} step
 * @param {number} round from 1
 */
export function keyOf(job, { id, repeat, item }, round) {
  if (item !== undefined) return `${job}:${id}:${item}`;
  return repeat === undefined ? `${job}:${id}` : `${job}:${id}:${round}`;
}

/**
 * What an item of a step is called among the steps that are stored.
 *
 * @param {string} step
 * @param {number} item
 */
export function itemId(step, item) {
  return `${step}[${item}]`;
}

/**
 * Where the items of a job's steps stand.
 *
 * @param {any} run
 * @returns {FanOut[]} in the order of their places
 */
export function fanOutsOf({ plan, steps = {} }) {
  return plan.steps
    .flatMap((/** @type {any} */ { id }, /** @type {number} */ step) => {
      const fanOut = steps[id]?.fanOut;
      return fanOut === undefined ? [] : [{ step, first: fanOut.place, count: fanOut.count }];
    })
    .sort((/** @type {FanOut} */ a, /** @type {FanOut} */ b) => a.first - b.first);
}
