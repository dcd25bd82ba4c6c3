// @ts-check
/** The jobs: plans of 20 steps drawn from a seed, and what has to be found when one has ended. */
import { costOf, ESTIMATE, failuresOf } from './app/costs.mjs';

/**
 * @typedef {import('../../pkg-template/index.js').Step} Step
 * @typedef {import('../../pkg-template/index.js').Plan} Plan
 * @typedef {import('../differential/random.mjs').Random} Random
 *
 * @typedef {object} CrashJob
 * @property {string} id
 * @property {Plan} plan
 * @property {boolean} hasBudget of its own; else it spends the root's
 * @property {boolean} sharesSteps whether its step limit is that of its tree
 *
 * @typedef {object} Call one that an agent has to be called for, at least once
 * @property {string} key
 * @property {string} jobId
 * @property {string} step
 * @property {number} attempts
 */

export const STEPS = 20;
export const ROOT = 'root';
const APPROVE = { message: 'May it?' };
const RETRY = { maxAttempts: 3, backoffMs: 2, factor: 1 };
const ROUNDS = [1, 2, 3];
const CHILD_STEPS = 2;

/** How often each kind of step is drawn. */
const WEIGHTS = { work: 10, flaky: 3, fan: 2, rounds: 1, child: 1, timer: 1, approve: 0.5, approved: 0.5 };

/**
 * @param {number} number
 * @param {Random} random
 * @returns {CrashJob}
 */
export function drawJob(number, random) {
  const steps = Array.from({ length: STEPS }, (_, place) => drawStep(place, random));
  const id = `job-${number}`;
  return {
    id,
    plan: { concurrency: 3, steps },
    hasBudget: random.chance(0.6),
    sharesSteps: random.chance(0.5),
  };
}

/**
 * @param {number} place
 * @param {Random} random
 * @returns {Step}
 */
function drawStep(place, random) {
  const step = drawWork(`s${place}`, random);
  // Now and then one of the last steps is not waited for, so that some run side by side.
  if (place < 2 || !random.chance(0.3)) return step;
  const earlier = [1, 2, 3].filter((back) => back <= place && random.chance(0.5));
  return { ...step, after: (earlier.length > 0 ? earlier : [2]).map((back) => `s${place - back}`) };
}

/**
 * @param {string} id
 * @param {Random} random
 * @returns {Step}
 */
function drawWork(id, random) {
  const paid = { id, cost: ESTIMATE };
  switch (random.weighted(WEIGHTS)) {
    case 'flaky':
      return { ...paid, agent: 'flaky', retry: RETRY };
    case 'fan':
      return random.chance(0.5)
        ? { ...paid, agent: 'work', forEach: [1, 2, 3] }
        : { ...paid, agent: 'flaky', forEach: [1, 2], retry: RETRY };
    case 'rounds': {
      const rounds = random.pick(ROUNDS);
      return {
        ...paid,
        agent: 'draft',
        repeat: { until: { '>=': [{ var: `${id}.round` }, rounds] }, max: rounds },
      };
    }
    case 'child':
      return { id, job: drawChild(random) };
    case 'timer':
      return { id, wait: { ms: random.below(30) } };
    case 'approve':
      return { id, approve: APPROVE };
    case 'approved':
      return { ...paid, agent: 'work', approval: true };
    default:
      return { ...paid, agent: 'work' };
  }
}

/** @param {Random} random */
function drawChild(random) {
  const ids = Array.from({ length: CHILD_STEPS }, (_, place) => `c${place}`);
  const steps = ids.map((id) => ({ id, agent: 'work', cost: ESTIMATE, approval: random.chance(0.1) }));
  const plan = { steps };
  return random.chance(0.5) ? { plan, budget: CHILD_STEPS * ESTIMATE } : { plan };
}

/**
 * @param {string} jobId
 * @param {Plan} plan
 * @returns {Call[]} of the job's steps and those of its children
 */
export function callsOf(jobId, plan) {
  return plan.steps.flatMap((step) => {
    const key = `${jobId}:${step.id}`;
    if (step.job) return callsOf(key, step.job.plan);
    if (!step.agent) return [];
    const keys = keysOf(key, step);
    const attempts = (/** @type {string} */ of) => (step.agent === 'flaky' ? failuresOf(of) + 1 : 1);
    return keys.map((of) => ({ key: of, jobId, step: step.id, attempts: attempts(of) }));
  });
}

/**
 * @param {string} key
 * @param {Step} step
 */
function keysOf(key, { forEach, repeat }) {
  if (Array.isArray(forEach)) return forEach.map((_, item) => `${key}:${item}`);
  if (repeat) return Array.from({ length: repeat.max }, (_, round) => `${key}:${round + 1}`);
  return [key];
}

/**
 * @param {CrashJob} job
 * @returns {{ id: string, plan: Plan }[]} the job and its children
 */
export function treeOf({ id, plan }) {
  const children = plan.steps.flatMap((step) =>
    step.job ? { id: `${id}:${step.id}`, plan: step.job.plan } : [],
  );
  return [{ id, plan }, ...children];
}

/** How many of a plan's steps count against `maxSteps`. @param {Plan} plan */
export const countedSteps = ({ steps }) => steps.filter(({ agent, job }) => agent || job).length;

/** What has to be set aside for a job and its children. @param {CrashJob} job */
export const budgetOf = ({ id, plan }) => callsOf(id, plan).length * ESTIMATE;

/** What a job and its children cost. @param {{ id: string, plan: Plan }} job */
export const spentBy = ({ id, plan }) => callsOf(id, plan).reduce((sum, { key }) => sum + costOf(key), 0);

/**
 * What `createJob` is given: just as many steps and as much budget as are needed, so that one counted twice stops it.
 *
 * @param {CrashJob} job
 * @returns {[object, object, import('../../pkg-template/index.js').CreateJobOptions]}
 */
export function creating(job) {
  const { id, plan, hasBudget, sharesSteps } = job;
  const tree = treeOf(job).reduce((sum, { plan }) => sum + countedSteps(plan), 0);
  const permissions = { requireApproval: false, maxSteps: sharesSteps ? tree : countedSteps(plan) };
  const budget = hasBudget ? { budget: budgetOf(job) } : {};
  const config = { shareSteps: sharesSteps };
  return [{}, permissions, { id, plan, config, type: 'work', parentId: ROOT, ...budget }];
}
