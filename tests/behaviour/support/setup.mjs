// @ts-check
/** An orchestrator over hosts that remember what they were asked, and jobs made in one line. */
import assert from 'node:assert/strict';
import { deepFreeze } from '../../differential/hosts.mjs';
import { createOrchestrator } from '../../differential/subject.mjs';
import { createClock } from './clock.mjs';

/** What every test is given before it is said to hang. */
export const LIMIT = { timeout: 60_000 };

/** No approval, tools allowed: for tests about something else. */
export const FREE = { requireApproval: false, allowTools: true, maxSteps: 100 };

/** A store of two methods that gives and keeps frozen jobs. */
export function createStore() {
  /** @type {Map<string, any>} */
  const jobs = new Map();
  const saved = /** @type {any[]} */ ([]);
  return {
    jobs,
    /** every job that was saved, in order */
    saved,
    /** @param {any} job */
    async saveJob(job) {
      saved.push(deepFreeze(job));
      jobs.set(job.id, job);
    },
    /** @param {string} id */
    async getJob(id) {
      return jobs.get(id) ?? null;
    },
  };
}

/** A bus that remembers what was emitted, with all arguments. */
export function createBus() {
  /** @type {any[][]} */
  const emitted = [];
  return {
    emitted,
    /** @param {any[]} args */
    emit(...args) {
      emitted.push(args);
    },
    types: () => emitted.map(([type]) => type),
    /** @param {string} type */
    of: (type) => emitted.filter(([other]) => other === type).map(([, payload]) => payload),
    clear: () => emitted.splice(0),
  };
}

/** @param {any} [deps] */
export function setup(deps = {}) {
  const store = deps.store ?? createStore();
  const bus = deps.eventBus ?? createBus();
  const clock = deps.clock ?? createClock();
  const orchestrator = createOrchestrator({ store, eventBus: bus, clock, ...deps });
  return { store, bus, clock, orchestrator, ...orchestrator };
}

let ids = 0;

/**
 * A running job with a plan, or with no plan where `steps` is not given.
 * @param {any} orchestrator @param {any[]} [steps] @param {any} [options]
 * @returns {Promise<string>}
 */
export async function started(orchestrator, steps, { context = {}, permissions = FREE, ...options } = {}) {
  const id = await created(orchestrator, steps, { context, permissions, ...options });
  assert.deepEqual(await orchestrator.startJob(id), { success: true });
  return id;
}

/** @param {any} orchestrator @param {any[]} [steps] @param {any} [options] @returns {Promise<string>} */
export function created(orchestrator, steps, { context = {}, permissions = FREE, ...options } = {}) {
  const id = `job-${++ids}`;
  return orchestrator.createJob(context, permissions, { id, ...(steps && { plan: { steps } }), ...options });
}

/**
 * A refusal of this code, with a sentence, and nothing else that can be seen.
 * @param {any} outcome @param {string} code @param {string | RegExp} [error]
 */
export function assertRefused(outcome, code, error = /\w+/) {
  assert.equal(outcome?.success, false, `expected a refusal "${code}", got ${JSON.stringify(outcome)}`);
  assert.equal(outcome.code, code, outcome.error);
  if (typeof error === 'string') assert.deepStrictEqual(outcome, { success: false, error });
  else assert.match(outcome.error, error);
  assert.deepStrictEqual(Object.keys(outcome), ['success', 'error']);
  for (const hidden of ['code', 'details']) {
    assert.ok(!Object.prototype.propertyIsEnumerable.call(outcome, hidden), `${hidden} is enumerable`);
  }
}

/** A promise with its handles. */
export function latch() {
  let open = /** @type {(value?: any) => void} */ (() => {});
  let fail = /** @type {(error: any) => void} */ (() => {});
  const promise = new Promise((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

/** Says in time that a promise hangs, and which one. @template T @param {PromiseLike<T>} promise @param {string} what @returns {Promise<T>} */
export async function within(promise, what, ms = 5000) {
  /** @type {any} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not settle within ${ms} ms`)), ms);
  });
  try {
    return await /** @type {any} */ (Promise.race([promise, late]));
  } finally {
    clearTimeout(timer);
  }
}
