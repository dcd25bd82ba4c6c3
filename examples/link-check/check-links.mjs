// @ts-check
/** One check: a job from the folder to the report, with a child for each page; or the rest of one that was cut off. */
import { createEventBus, createOrchestrator } from 'jobwright';
import { createAgents } from './agents.mjs';
import { plan } from './plan.mjs';

/** @type {Partial<import('jobwright').JobPermissions>} */
export const permissions = { requireApproval: false };

/**
 * @typedef {import('jobwright').Job<{ files: string[], result: import('./agents.mjs').Result }>} Checked
 * @typedef {{ file: string, why: string }} Unread
 *
 * @typedef {object} Desk
 * @property {string} folder
 * @property {string} report
 * @property {import('jobwright').JobStore} [store] where a check that was cut off is found again
 * @property {AbortSignal} [signal] stops the check: pages that are being read are read to their end
 * @property {(text: string) => void} [progress] is told how far the children are
 */

/**
 * @param {Desk} desk
 * @returns {Promise<{ job: Checked, unread: Unread[] } | null>} as it ended; null where it was stopped
 */
export async function checkLinks({ folder, report, store, signal, progress = () => {} }) {
  const eventBus = createEventBus();
  const orchestrator = createOrchestrator({ store, eventBus, agentRegistry: createAgents() });
  try {
    const jobId = await begin(orchestrator, { folder, report });
    tellProgress(eventBus, await jobOf(orchestrator, jobId), progress);
    orchestrator.startMonitoring(await jobOf(orchestrator, jobId));
    const outcome = await orchestrator.runJob(jobId, { signal });
    if (!outcome.success && signal?.aborted) return null;
    if (!outcome.success) throw new Error(outcome.error);
    const job = /** @type {Checked} */ (/** @type {unknown} */ (outcome.job));
    progress(textOf(await orchestrator.childStats(jobId), job.context.files.length));
    return { job, unread: await whyUnread(orchestrator, job) };
  } finally {
    await orchestrator.close();
  }
}

/**
 * The check that an earlier start left in the store, if it is of the same folder; else a new one. When it runs, its
 * children go on where they were cut off, and those that had ended have ended.
 *
 * @param {import('jobwright').Orchestrator} orchestrator
 * @param {{ folder: string, report: string }} context
 * @returns {Promise<string>} of a job that runs
 */
async function begin(orchestrator, context) {
  const left = await orchestrator.listJobs({ status: ['created', 'running', 'paused'] });
  const same = left.find(({ type, config }) => {
    return type === 'parent' && config?.folder === context.folder && config.report === context.report;
  });
  const options = { plan, type: 'parent', config: { source_type: 'folder', ...context } };
  const jobId = same?.id ?? (await orchestrator.createJob(context, permissions, options));
  if (same?.status !== 'running') await orchestrator.startJob(jobId);
  return jobId;
}

/**
 * @param {import('jobwright').Orchestrator} orchestrator
 * @param {string} jobId
 */
async function jobOf(orchestrator, jobId) {
  return /** @type {import('jobwright').Job} */ (await orchestrator.getJob(jobId));
}

/**
 * Children are made as there is room for them, so that how many there will be only the list of pages says.
 *
 * @param {import('jobwright').EventBus} eventBus
 * @param {import('jobwright').Job} job
 * @param {(text: string) => void} progress
 */
function tellProgress(eventBus, job, progress) {
  let pages = /** @type {string[] | undefined} */ (job.context.files)?.length ?? 0;
  eventBus.on?.('pages_listed', ({ payload }) => {
    pages = payload.pages;
  });
  eventBus.on?.('parent_job_progress', ({ payload }) => progress(textOf(payload, pages)));
}

/** @param {import('jobwright').ChildStats} stats @param {number} pages */
function textOf({ completed, failed, progressText }, pages) {
  return `${completed + failed} of ${pages} pages: ${progressText}`;
}

/**
 * @param {import('jobwright').Orchestrator} orchestrator
 * @param {Checked} job
 * @returns {Promise<Unread[]>} as the children say themselves
 */
function whyUnread(orchestrator, { context, run }) {
  return Promise.all(
    context.result.unread.map(async (file) => {
      const step = run?.steps?.[`pages[${context.files.indexOf(file)}]`];
      const child = step?.childId === undefined ? null : await orchestrator.getJob(step.childId);
      return { file, why: child?.run?.failure?.message ?? String(step?.error?.message) };
    }),
  );
}
