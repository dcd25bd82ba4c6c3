// @ts-check
/** Runs the sample job and shows it live. */
import { createEventBus, createOrchestrator } from './jobwright/index.js';
import { agents, plan } from './report.js';
import { addEvent, byId, clearEvents, showJob, showSteps } from './view.js';

const eventBus = createEventBus();
const orchestrator = createOrchestrator({ eventBus, agentRegistry: agents });
let jobId = '';
let going = false;

async function refresh() {
  const job = jobId === '' ? null : await orchestrator.getJob(jobId);
  showSteps(plan, job);
  if (job) showJob(job);
  const ended = job === null || job.status === 'completed' || job.status === 'failed';
  const waits = Boolean(job?.run?.approvals?.length);
  byId('run').textContent = ended ? 'Run' : 'Continue';
  disable('run', going || waits);
  disable('pause', job?.status !== 'running');
  disable('cancel', ended);
}

/**
 * @param {string} id
 * @param {boolean} disabled
 */
function disable(id, disabled) {
  byId(id).toggleAttribute('disabled', disabled);
}

async function go() {
  going = true;
  await orchestrator.runJob(jobId);
  going = false;
  await refresh();
}

async function run() {
  const job = await orchestrator.getJob(jobId);
  if (job?.status !== 'paused') {
    clearEvents();
    jobId = await orchestrator.createJob({}, { requireApproval: false }, { plan });
  }
  await orchestrator.startJob(jobId);
  await go();
}

/** @param {Promise<import('jobwright').Outcome>} answer */
async function answered(answer) {
  const outcome = await answer;
  await refresh();
  if (outcome.success) await go();
}

/**
 * @param {string} id
 * @param {() => unknown} action
 */
function onClick(id, action) {
  byId(id).addEventListener('click', () => void action());
}

function slow() {
  const ms = Number(/** @type {HTMLInputElement} */ (byId('slow')).value);
  byId('slow-ms').textContent = `${ms} ms`;
  orchestrator.setSlowPlay(ms);
}

eventBus.onAny((event) => {
  addEvent(event);
  void refresh();
});
onClick('run', run);
onClick('pause', () => orchestrator.pauseJob(jobId));
onClick('cancel', () => orchestrator.cancelJob(jobId, 'cancelled on the page'));
onClick('approve', () => answered(orchestrator.approveStep(jobId, { by: 'you' })));
onClick('reject', () =>
  answered(orchestrator.rejectStep(jobId, { by: 'you', reason: 'rejected on the page' })),
);
byId('slow').addEventListener('input', slow);
slow();
await refresh();
