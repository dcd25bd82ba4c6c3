// @ts-check
/** Jobs that stand still go on: in this process, where it has their agents. */

import { whoami } from '../asking.js';
import { EXIT, Failure, granted } from '../failure.js';
import { findJob, hasEnded, loadJob, nextCommand, runnerOf } from '../jobs.js';
import { missingOf, needsOf, requireParts } from '../modules.js';
import { argument } from '../program.js';
import { maxStepsOf, partsOf, RUN_OPTIONS, runDeps, runHere } from '../running.js';
import { plain, quoted } from '../text.js';

/**
 * @typedef {import('../program.js').Command} Command
 * @typedef {import('../program.js').Desk} Desk
 * @typedef {import('../program.js').Session} Session
 */

/** @type {[flags: string, about: string][]} */
const WHICH = [
  ['--step <id>', 'which one, where several wait'],
  ['--approval <id>', 'the same, by the id of the request'],
  ['--by <name>', 'who answers; default: the name of the user'],
];

/** @type {Command} */
export const start = {
  name: 'start',
  takes: '<job>',
  about:
    'Sets a job running that is created or paused. With its agents, runs it here; then also one that a crash left running.',
  example: 'start 3f2a --agents agents.mjs --store jobs.db',
  options: [...RUN_OPTIONS, ['--max-steps <n>', 'how many steps may run from now on, those before counted']],
  async work(desk) {
    const maxSteps = maxStepsOf(desk.options);
    return goOn(
      desk,
      async ({ orchestrator, opened }, jobId, isHere) => {
        const job = await loadJob(opened, jobId);
        if (maxSteps !== undefined)
          granted(
            await orchestrator.setPermissions(jobId, { maxSteps }),
            `Job ${quoted(jobId)} got no other limit`,
          );
        // One that is running already may have been left so by a crash, and is taken over.
        if (job.status === 'running' && isHere) return;
        granted(await orchestrator.startJob(jobId), `Job ${quoted(jobId)} (${job.status}) was not started`);
        if (!isHere) desk.answer({ jobId, status: 'running' }, () => [`Started ${plain(jobId)}.`]);
      },
      false,
    );
  },
};

/** @type {Command} */
export const approve = {
  name: 'approve',
  takes: '<job>',
  about: 'Says yes to what waits for approval. With the agents of the job, it then goes on here.',
  example: 'approve 3f2a --agents agents.mjs --store jobs.db',
  options: [...WHICH, ['--note <text>', 'recorded'], ...RUN_OPTIONS],
  work: (desk) =>
    goOn(desk, async ({ orchestrator }, jobId, isHere) => {
      const { note } = desk.options;
      const outcome = await orchestrator.approveStep(jobId, {
        ...answerOf(desk),
        ...(note === undefined ? {} : { note }),
      });
      granted(outcome, `Job ${quoted(jobId)}: nothing was approved`);
      if (!isHere) desk.answer({ jobId, approved: true }, () => [`Approved in ${plain(jobId)}.`]);
    }),
};

/** @type {Command} */
export const reject = {
  name: 'reject',
  takes: '<job>',
  about: 'Says no to what waits for approval: the step fails, and the job with it unless its plan goes on.',
  example: "reject 3f2a --reason 'too expensive' --store jobs.db",
  options: [...WHICH, ['--reason <text>', 'why; recorded'], ...RUN_OPTIONS],
  work: (desk) =>
    goOn(desk, async ({ orchestrator, store }, jobId, isHere) => {
      const { reason } = desk.options;
      const outcome = await orchestrator.rejectStep(jobId, {
        ...answerOf(desk),
        ...(reason === undefined ? {} : { reason }),
      });
      granted(outcome, `Job ${quoted(jobId)}: nothing was rejected`);
      const head = await store.getHead(jobId);
      if (!isHere)
        desk.answer({ jobId, rejected: true, status: head?.status }, () => [`Rejected in ${plain(jobId)}.`]);
    }),
};

/** @param {Desk} desk */
function answerOf({ options: { step, approval, by } }) {
  return {
    by: by ?? whoami(),
    ...(step === undefined ? {} : { step }),
    ...(approval === undefined ? {} : { approval }),
  };
}

/**
 * @param {Desk} desk
 * @param {(session: Session, jobId: string, isHere: boolean) => Promise<void>} begin what the command is for
 * @param {boolean} [isAnswer] it has done its part when that is done, whoever runs the job
 * @returns {Promise<number>}
 */
async function goOn(desk, begin, isAnswer = true) {
  const parts = await partsOf(desk);
  const deps = runDeps(desk, parts);
  const session = await desk.open(deps);
  const { opened, store } = session;
  const jobId = await findJob(opened, argument(desk, 0));
  const runner = await runnerOf(store, jobId);
  const isHere = await canRunHere(desk, session, runner, parts);
  if (!isHere) {
    await begin(session, jobId, false);
    return sayWhoRuns(desk, session, runner);
  }
  return runHere(desk, session, {
    jobId: runner,
    bus: deps.eventBus,
    begin: () => begin(session, jobId, true),
    isAnswer,
  });
}

/**
 * Are the agents here that the job needs? Where some were given and others are missing, that is a mistake.
 *
 * @param {Desk} desk
 * @param {Session} session
 * @param {string} jobId
 * @param {import('../running.js').Parts} parts
 */
async function canRunHere({ options }, { opened }, jobId, parts) {
  const job = await loadJob(opened, jobId);
  const plan = job.run?.plan;
  if (plan === undefined || hasEnded(job)) return false;
  if (options.agents !== undefined || options.tools !== undefined) requireParts(plan, parts);
  const isHere = missingOf(needsOf(plan).agents, parts.agents).length === 0;
  if (!isHere && (options.yes || options.watch)) {
    throw new Failure('usage', 'The agents of the job are not here: --yes and --watch need --agents.');
  }
  return isHere;
}

/**
 * @param {Desk} desk
 * @param {Session} session
 * @param {string} jobId
 * @returns {Promise<number>}
 */
async function sayWhoRuns({ terminal }, { opened, store }, jobId) {
  const head = await store.getHead(jobId);
  if (head?.status !== 'running') return EXIT.ok;
  const here = nextCommand('start', jobId, `${opened.flag} --agents FILE`);
  terminal.note(`It is run by whichever program has it, or takes it up with recover(); here: ${here}`);
  return EXIT.ok;
}
