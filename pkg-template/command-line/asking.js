// @ts-check
/** Asks a person at the terminal for the approvals that a job waits for. */
import { userInfo } from 'node:os';
import { costOf, loadJob } from './jobs.js';
import { stepName } from './progress.js';
import { inline, json, plain } from './text.js';

/**
 * @typedef {import('./program.js').Desk} Desk
 * @typedef {import('./program.js').Session} Session
 * @typedef {{ jobId: string, request: import('jobwright').ApprovalRequest }} Waiting
 */

/** What says that somebody else answered, or that nobody has to. */
const ANSWERED = ['step_approved', 'step_rejected', 'job_started', 'job_completed', 'job_failed'];

/** The name of whoever sits here. */
export function whoami() {
  try {
    return userInfo().username;
  } catch {
    return 'command line';
  }
}

/**
 * @param {Desk} desk
 * @param {Session} session
 * @param {{ jobId: string, requests: Waiting[], signal: AbortSignal }} about
 * @returns {Promise<boolean>} whether all were answered, by whomever
 */
export async function ask({ terminal, options }, session, { jobId, requests, signal }) {
  for (const waiting of requests) {
    const answer = options.yes
      ? 'yes'
      : terminal.isInteractive
        ? await askOne(terminal, session, jobId, waiting, signal)
        : null;
    if (answer === null) return false;
    if (answer !== 'elsewhere') await give(session, waiting, answer, options.yes === true);
  }
  return true;
}

/**
 * @param {Session} session
 * @param {Waiting} waiting
 * @param {'yes' | 'no'} answer
 * @param {boolean} unasked
 */
async function give({ orchestrator }, { jobId, request }, answer, unasked) {
  const by = { by: whoami(), approval: request.id };
  // Where it is refused, somebody else was quicker, and the job goes on as they said.
  if (answer === 'yes')
    await orchestrator.approveStep(jobId, { ...by, ...(unasked ? { note: '--yes' } : {}) });
  else await orchestrator.rejectStep(jobId, by);
}

/**
 * @param {import('./terminal.js').Terminal} terminal
 * @param {Session} session
 * @param {string} root
 * @param {Waiting} waiting
 * @param {AbortSignal} signal
 * @returns {Promise<'yes' | 'no' | 'elsewhere' | null>} null where there was no answer
 */
async function askOne(terminal, session, root, { jobId, request }, signal) {
  const gone = new AbortController();
  const either = AbortSignal.any([signal, gone.signal]);
  const watched = answeredElsewhere(session, jobId, gone);
  for (const line of await question(terminal, session, root, { jobId, request })) terminal.line(line);
  try {
    for (;;) {
      const said = await terminal.ask('Approve? [y]es, [n]o, [d]etails: ', either);
      if (gone.signal.aborted) {
        terminal.line('Answered elsewhere.');
        return 'elsewhere';
      }
      if (said === null) return null;
      const word = said.trim().toLowerCase();
      if (/^y(es)?$/.test(word)) return 'yes';
      if (/^no?$/.test(word)) return 'no';
      if (/^d(etails)?$/.test(word))
        for (const line of await details(session, { jobId, request })) terminal.line(line);
    }
  } finally {
    gone.abort();
    await watched;
  }
}

/**
 * Another process may answer while a person thinks.
 *
 * @param {Session} session
 * @param {string} jobId
 * @param {AbortController} gone is aborted then
 */
async function answeredElsewhere({ orchestrator, store }, jobId, gone) {
  const after = (await store.getHead(jobId))?.run?.seq ?? 0;
  for await (const _ of orchestrator.events(jobId, { after, types: ANSWERED, signal: gone.signal }))
    gone.abort();
}

/**
 * @param {import('./terminal.js').Terminal} terminal
 * @param {Session} session
 * @param {string} root
 * @param {Waiting} waiting
 */
async function question(terminal, { opened }, root, { jobId, request }) {
  const job = await loadJob(opened, jobId);
  const { step, item, agent, tool, args } = request;
  const { message } = /** @type {{ message?: unknown }} */ (request);
  const name = stepName(root, { jobId, step, item });
  const what = tool === undefined ? 'needs approval' : 'asks to call a tool';
  return [
    '',
    terminal.paint(`Step ${name} ${what}.`, 'yellow'),
    ...(message === undefined ? [] : [`  ${plain(message, 500)}`]),
    ...(tool === undefined ? [] : [`  tool       ${plain(tool)}`, `  arguments  ${inline(args, 300)}`]),
    ...(agent === undefined ? [] : [`  agent      ${plain(agent)}`]),
    `  cost so far ${costOf(job)}`,
  ];
}

/** How many lines of details are shown at most, and how long each may be. */
const DETAILS = { lines: 200, letters: 500 };

/**
 * @param {Session} session
 * @param {Waiting} waiting
 */
async function details({ opened }, { jobId, request }) {
  const { status, permissions, context, run } = await loadJob(opened, jobId);
  const step = run?.plan?.steps.find(({ id }) => id === request.step);
  const text = json({ request, step, job: { id: jobId, status, permissions, context } }, 2).split('\n');
  const lines = text.slice(0, DETAILS.lines).map((line) => line.slice(0, DETAILS.letters));
  return text.length > DETAILS.lines
    ? [...lines, `... and ${text.length - DETAILS.lines} more lines`]
    : lines;
}
