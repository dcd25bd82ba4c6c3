// @ts-check
/** One audit from its start, or from where an earlier one was stopped, to where it can't go on by itself. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { Failure, reasonOf } from './failure.mjs';
import { LOCK_FILES } from './lock-files.mjs';
import { plan } from './plan.mjs';
import { readPolicyFile } from './policy.mjs';
import { findFiles } from './tools.mjs';

/**
 * @typedef {import('jobwright').Job} Job
 * @typedef {import('jobwright').Orchestrator} Orchestrator
 * @typedef {import('./options.mjs').Settings} Settings
 * @typedef {NonNullable<NonNullable<Job['run']>['approvals']>[number]} Approval
 * @typedef {{ by: string, approved: boolean } | null} Answer null where nobody answered
 *
 * What makes two starts the same audit, and what a new one begins with.
 * @typedef {object} Subject
 * @property {{ project: string, policy: string, report: string, inputs: string }} config
 * @property {Record<string, unknown>} context
 *
 * @typedef {object} Desk
 * @property {Orchestrator} orchestrator
 * @property {ReturnType<typeof import('jobwright').createBudgetManager>} budget
 * @property {Settings} settings
 * @property {AbortSignal} signal stops the audit after the step that is running
 * @property {(job: Job, kind: 'new' | 'again') => void} begun
 * @property {(approval: Approval) => Promise<Answer>} ask
 * @property {(text: string) => void} say
 */

/**
 * Everything that can be wrong with what was asked for is found here, before there is a job.
 *
 * @param {Settings} settings
 * @returns {Promise<Subject>}
 */
export async function readSubject({ project, policy: policyFile, report }) {
  const { text, policy } = readPolicyFile(policyFile);
  const locks = await findFiles(project, Object.keys(LOCK_FILES));
  if (locks.length === 0) throw new Failure(`There is no Cargo.lock and no package-lock.json in ${project}.`);
  const inputs = createHash('sha256').update(JSON.stringify(plan)).update(text);
  for (const lock of locks) inputs.update(`\0${lock}\0`).update(readLock(join(project, lock)));
  const policyName = relative(project, policyFile);
  const subject = {
    name: basename(project),
    policy: policyName.startsWith('..') ? basename(policyFile) : policyName,
  };
  return {
    config: { project, policy: policyFile, report, inputs: inputs.digest('hex') },
    context: { subject, policy },
  };
}

/** @param {string} file */
function readLock(file) {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Failure(`The lock file ${file} can't be read: ${reasonOf(error)}.`);
  }
}

/**
 * @param {Desk} desk
 * @param {Subject} subject
 * @returns {Promise<{ job: Job, refusal: { error: string, code?: string } | null }>} as it was left, and what stopped it
 */
export async function runAudit(desk, subject) {
  const jobId = (await unfinished(desk, subject)) ?? (await create(desk, subject));
  for (;;) {
    const job = await load(desk, jobId);
    if (job.status === 'completed' || job.status === 'failed') return { job, refusal: null };
    if (desk.signal.aborted) return { job, refusal: { error: 'Stopped', code: 'not_running' } };
    const waiting = job.run?.approvals ?? [];
    if (waiting.length > 0) {
      if (!(await decide(desk, jobId, waiting[0])))
        return { job, refusal: { error: 'Approval required', code: 'approval_required' } };
      continue;
    }
    const outcome = await runOn(desk, job);
    if (outcome.success || outcome.code === 'approval_required') continue;
    const left = await load(desk, jobId);
    return { job: left, refusal: left.status === 'failed' ? null : outcome };
  }
}

/**
 * The job that an earlier start left, if it is about the very same. One about files that have changed since is ended.
 *
 * @param {Desk} desk
 * @param {Subject} subject
 * @returns {Promise<string | undefined>}
 */
async function unfinished(desk, { config }) {
  const { orchestrator, budget, settings, say, begun } = desk;
  const heads = await orchestrator.listJobs({ status: ['created', 'running', 'paused'] });
  const same = heads.filter(
    (head) =>
      head.config?.project === config.project &&
      head.config.policy === config.policy &&
      head.config.report === config.report,
  );
  const stale = same.filter((head) => head.config?.inputs !== config.inputs);
  for (const { id } of stale) await orchestrator.cancelJob(id, 'the policy or a lock file has changed');
  const found = same.findLast((head) => !stale.includes(head));
  if (found === undefined) {
    if (stale.length > 0)
      say('The policy or a lock file has changed since the last start, so the audit begins anew.');
    return undefined;
  }
  const job = await load(desk, found.id);
  await budget.setBudget(job.id, settings.budget);
  const spent = spentBy(job);
  if (spent > 0) await budget.recordSpend(job.id, spent);
  begun(job, 'again');
  return job.id;
}

/**
 * What the steps that are done cost. Budgets live in memory, so an audit that goes on counts it again from history.
 *
 * @param {Job} job
 */
export function spentBy(job) {
  const done = job.history.filter(({ type }) => type === 'step_completed');
  const payloads = /** @type {{ cost?: number }[]} */ (done.map(({ payload }) => payload));
  return payloads.reduce((sum, { cost = 0 }) => sum + cost, 0);
}

/**
 * @param {Desk} desk
 * @param {Subject} subject
 */
async function create(desk, { config, context }) {
  const permissions = { allowTools: true, requireApproval: false, maxSteps: plan.steps.length };
  const options = { plan, type: 'license-audit', config, budget: desk.settings.budget };
  const jobId = await desk.orchestrator.createJob(context, permissions, options);
  desk.begun(await load(desk, jobId), 'new');
  return jobId;
}

/**
 * @param {Desk} desk
 * @param {Job} job
 * @returns {Promise<{ success: true } | { success: false, error: string, code?: string }>}
 */
async function runOn({ orchestrator, signal }, job) {
  if (job.status !== 'running') {
    const started = await orchestrator.startJob(job.id);
    if (!started.success) return started;
  }
  // A step that was cut off, by a crash or by a second Ctrl-C, is made ready again. Where none was, nothing happens.
  await orchestrator.recover();
  return orchestrator.runJob(job.id, { signal });
}

/**
 * @param {Desk} desk
 * @param {string} jobId
 * @param {Approval} approval
 * @returns {Promise<boolean>} was it answered?
 */
async function decide({ orchestrator, ask }, jobId, approval) {
  const answer = await ask(approval);
  if (answer === null) return false;
  const { by, approved } = answer;
  const outcome = approved
    ? await orchestrator.approveStep(jobId, { by, approval: approval.id })
    : await orchestrator.rejectStep(jobId, { by, approval: approval.id, reason: `${by} said no` });
  if (!outcome.success) throw new Failure(`The answer was not taken: ${outcome.error}.`);
  return true;
}

/**
 * @param {Desk} desk
 * @param {string} jobId
 */
async function load({ orchestrator }, jobId) {
  const job = await orchestrator.getJob(jobId);
  if (job === null) throw new Failure(`The job ${jobId} is gone from the store.`);
  return job;
}
