// @ts-check
/** The jobs that are run in this process, where it has their agents. */
import { setMaxListeners } from 'node:events';
import { hasEnded, runnerOf } from '../jobs.js';
import { missingOf, needsOf } from '../modules.js';

/**
 * @typedef {import('../program.js').Session} Session
 * @typedef {import('../running.js').Parts} Parts
 * @typedef {{ success: boolean, error?: string, code?: string }} Ended
 */

/** A refusal that comes at once is the answer; what takes longer is under way. */
const SOON_MS = 1_000;

export class Runner {
  /**
   * @param {Session} session
   * @param {Parts} parts
   * @param {(problem: unknown) => void} failed is told what nobody waits for
   */
  constructor({ orchestrator, store }, parts, failed) {
    this.orchestrator = orchestrator;
    this.store = store;
    this.parts = parts;
    this.failed = failed;
    this.closing = new AbortController();
    // Each run listens.
    setMaxListeners(0, this.closing.signal);
    /** @type {Map<Promise<unknown>, string>} the jobs that are at work, by what ends with their run */
    this.runs = new Map();
  }

  get hasAgents() {
    return Object.keys(this.parts.agents).length > 0;
  }

  /**
   * Are the agents and tools here that the job needs?
   *
   * @param {string} jobId
   */
  async has(jobId) {
    const job = await this.store.getJob(jobId);
    const plan = job?.run?.plan;
    if (!job || plan === undefined || hasEnded(job)) return false;
    const { agents, tools } = needsOf(plan);
    return missingOf(agents, this.parts.agents).length + missingOf(tools, this.parts.tools).length === 0;
  }

  /**
   * Starts a job, and runs it where its agents are here. One that is running already may have been left so by a crash,
   * and is taken over.
   *
   * @param {string} jobId
   * @returns {Promise<Ended>}
   */
  async start(jobId) {
    const head = await this.store.getHead(jobId);
    const runner = await runnerOf(this.store, jobId);
    if (head?.status === 'running') await this.monitor(jobId);
    if (head?.status === 'running' && (await this.has(runner)) && !this.isAtWork(runner)) {
      const outcome = await soon(this.run(runner));
      return outcome?.code === 'conflict' ? outcome : { success: true };
    }
    const started = await this.orchestrator.startJob(jobId);
    if (started.success) await this.goOn(jobId);
    return started;
  }

  /**
   * Runs a running job, or the one whose step it is, where its agents are here.
   *
   * @param {string} jobId
   */
  async goOn(jobId) {
    await this.monitor(jobId);
    const runner = await runnerOf(this.store, jobId);
    if (await this.has(runner)) this.run(runner);
  }

  /**
   * Follows the children of a parent that is made for it. Doing so again changes nothing.
   *
   * @param {string} jobId
   */
  async monitor(jobId) {
    const job = this.hasAgents ? await this.store.getJob(jobId) : null;
    if (job?.type === 'parent' && typeof job.config?.source_type === 'string' && !hasEnded(job))
      this.orchestrator.startMonitoring(job);
  }

  /** @param {string} jobId */
  run(jobId) {
    const { signal } = this.closing;
    if (signal.aborted) return Promise.resolve(null);
    return this.keep(jobId, this.orchestrator.runJob(jobId, { signal }));
  }

  /** @param {string} jobId */
  isAtWork(jobId) {
    return [...this.runs.values()].includes(jobId);
  }

  /**
   * @param {string} jobId
   * @param {Promise<Ended>} run
   * @returns {Promise<Ended | null>} null where it failed
   */
  keep(jobId, run) {
    const ended = run.catch((error) => {
      this.failed(error);
      return null;
    });
    this.runs.set(ended, jobId);
    ended.then(() => this.runs.delete(ended));
    return ended;
  }

  /**
   * One step, and no further one.
   *
   * @param {string} jobId
   * @returns {Promise<Ended>}
   */
  async step(jobId) {
    const { orchestrator } = this;
    const head = await this.store.getHead(jobId);
    if (head === null) return { success: false, error: 'Job not found', code: 'not_found' };
    if (!hasEnded(head) && !(await this.has(jobId))) {
      const error = 'The agents of the job are not here; whoever has them runs its steps';
      return { success: false, error, code: 'unknown_agent' };
    }
    if (this.isAtWork(jobId)) {
      return { success: false, error: 'The job is running: pause it first', code: 'invalid_transition' };
    }
    if (head.status !== 'running') {
      const started = await orchestrator.startJob(jobId);
      if (!started.success) return started;
    }
    const ended = this.keep(jobId, this.stepThenPause(jobId));
    return (await soon(ended)) ?? { success: true };
  }

  /**
   * @param {string} jobId
   * @returns {Promise<Ended>}
   */
  async stepThenPause(jobId) {
    const outcome = await this.orchestrator.nextStep(jobId);
    // Whoever runs it elsewhere goes on.
    const isElsewhere = !outcome.success && outcome.code === 'conflict';
    // Refused where the step was the last one, or paused the job itself.
    if (!isElsewhere) await this.orchestrator.pauseJob(jobId);
    return outcome.success ? { success: true } : outcome;
  }

  /** Pauses what runs: steps at work finish. */
  async close() {
    this.closing.abort();
    await Promise.all(this.runs.keys());
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T | null>} null where it takes longer
 */
async function soon(promise) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve(null), SOON_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
