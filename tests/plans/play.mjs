// @ts-check
/** Plays a job through to its end, as people, senders of signals and time itself would. */
import { importPackage } from '../package/installed.mjs';

const { createMemoryStore, createOrchestrator } = await importPackage();
const { createVirtualClock } = await importPackage('jobwright/testing');

/** A manager that grants everything, whatever the amounts. */
export const generous = Object.fromEntries(
  ['canSpend', 'recordSpend', 'allocate', 'setBudget'].map((name) => [name, () => ({ success: true })]),
);

/**
 * @typedef {object} Played
 * @property {any} outcome of the last `startJob` or `runJob` of the root
 * @property {any[]} jobs the root first
 * @property {(job: any, step: string) => string} nameOf a step as `simulatePlan` names it
 */

/**
 * Everything that waits is answered: approvals as `approves` says, signals by sending one, breakpoints by starting.
 *
 * @param {any} plan
 * @param {{ deps: any, permissions?: any, context?: any, budget?: number, approves?: () => boolean }} options
 * @returns {Promise<Played>}
 */
export async function play(plan, { deps, permissions, context = {}, budget, approves = () => true }) {
  const clock = createVirtualClock();
  const orchestrator = createOrchestrator({ store: createMemoryStore(), clock, ...deps });
  const root = await orchestrator.createJob(context, permissions, {
    id: 'root',
    plan,
    ...(budget !== undefined && { budget }),
  });
  const jobs = async () => {
    const heads = await orchestrator.listJobs();
    return Promise.all(heads.map((/** @type {any} */ { id }) => orchestrator.getJob(id)));
  };

  /** @returns {Promise<any>} */
  async function run() {
    const started = await orchestrator.startJob(root);
    if (!started.success && started.code !== 'invalid_transition') return started;
    /** @type {any} */
    let outcome;
    const running = orchestrator.runJob(root).then((/** @type {any} */ it) => {
      outcome = it;
    });
    for (let idle = 0; ; idle++) {
      await clock.advance(0);
      if (outcome !== undefined) break;
      const due = clock.nextDue();
      if (due === null && idle > 1_000) throw new Error('the run hangs');
      if (due === null) await sendSignals();
      else await clock.advance(due - clock.now());
    }
    await running;
    return outcome;
  }

  async function sendSignals() {
    for (const { id, run, status } of await jobs()) {
      if (status !== 'running') continue;
      for (const step of run.plan.steps) {
        const signal = step.wait?.signal;
        if (signal && run.steps[step.id]?.status === 'waiting')
          await orchestrator.signal(id, [signal].flat()[0]);
      }
    }
  }

  /** Does somebody help the job on? */
  async function help() {
    let helped = false;
    for (const { id, run, status } of await jobs()) {
      if (status === 'completed' || status === 'failed') continue;
      for (const { id: approval } of run.approvals ?? []) {
        helped = true;
        await orchestrator[approves() ? 'approveStep' : 'rejectStep'](id, { approval });
      }
      if (run.pause?.reason === 'breakpoint') {
        helped = true;
        await orchestrator.startJob(id);
      }
    }
    return helped;
  }

  let outcome = await run();
  for (let helped = 0; !outcome.success && (await help()); helped++) {
    if (helped > 500) throw new Error(`nobody can help: ${outcome.error}`);
    outcome = await run();
  }
  const all = await jobs();
  await orchestrator.close();
  const names = namesOf(all);
  return { outcome, jobs: all, nameOf: (job, step) => names.get(job.id) + step };
}

/**
 * What stands before the ids of each job's steps: nothing, or the step whose child it is.
 *
 * @param {any[]} jobs parents before their children
 */
function namesOf(jobs) {
  const names = new Map([['root', '']]);
  const parents = new Map(jobs.map((job) => [job.id, job]));
  for (const { id, parentId } of jobs.slice(1)) {
    const { steps } = parents.get(parentId).run.plan;
    const of = steps.find((/** @type {any} */ step) => {
      const key = `${parentId}:${step.id}`;
      return step.job && (id === key || (id.startsWith(`${key}:`) && /^\d+$/.test(id.slice(key.length + 1))));
    });
    names.set(id, `${names.get(parentId)}${of.id}:`);
  }
  return names;
}
