// @ts-check
/** The licence audit as a program: `npm start`. What it does is in plan.mjs and agents.mjs; this is its front. */
import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { createBudgetManager, createEventBus, createOrchestrator, JobwrightError } from 'jobwright';
import { createSqliteStore } from 'jobwright/sqlite';
import { agents } from './agents.mjs';
import { readSubject, runAudit, spentBy } from './audit.mjs';
import { Failure, reasonOf } from './failure.mjs';
import { hold } from './hold.mjs';
import { EXIT, HELP, readOptions } from './options.mjs';
import { createProgress } from './progress.mjs';
import { createTerminal, duration } from './terminal.mjs';
import { createTools } from './tools.mjs';
import { count } from './words.mjs';

/**
 * @typedef {import('jobwright').Job} Job
 * @typedef {import('./options.mjs').Settings} Settings
 * @typedef {import('./terminal.mjs').Terminal} Terminal
 */

/** A Ctrl-C often reaches a program twice, from the terminal and from npm. */
const SAME_PRESS_MS = 250;

/**
 * The first signal lets the running step finish, another ends the process.
 *
 * @param {Terminal} terminal
 */
function stopOnSignals(terminal) {
  const controller = new AbortController();
  let first = 0;
  const stop = () => {
    if (!controller.signal.aborted) {
      first = Date.now();
      controller.abort();
      terminal.line('Stopping, but a step that is running may finish; Ctrl-C again stops at once.');
    } else if (Date.now() - first > SAME_PRESS_MS) {
      process.exit(EXIT.interrupted);
    }
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  // Nobody reads on: as in `npm start | head`.
  process.stdout.on('error', () => process.exit(EXIT.interrupted));
  return controller.signal;
}

/**
 * @param {Terminal} terminal
 * @param {Settings} settings
 * @param {AbortSignal} signal
 * @returns {(approval: import('./audit.mjs').Approval) => Promise<import('./audit.mjs').Answer>}
 */
function askPerson(terminal, settings, signal) {
  return async ({ args }) => {
    const { packages } = /** @type {{ packages: { package: string, ecosystem: string, why: string }[] }} */ (
      args
    );
    terminal.line(`${count(packages.length, 'package needs', 'packages need')} a review:`);
    for (const { package: name, ecosystem, why } of packages)
      terminal.line(`  ${name} (${ecosystem}): ${why}`);
    terminal.line();
    if (settings.yes) return { by: '--yes', approved: true };
    if (!terminal.isInteractive) return null;
    const answer = await terminal.ask('May they be used? [y/N] ', signal);
    return answer === null ? null : { by: userInfo().username, approved: /^y(es)?$/i.test(answer.trim()) };
  };
}

/**
 * @param {Terminal} terminal
 * @param {Settings} settings
 * @returns {(job: Job, kind: 'new' | 'again') => void}
 */
function announce(terminal, settings) {
  return (job, kind) => {
    terminal.line(`${terminal.paint('Licence audit', 'bold')} of ${settings.project}`);
    const next = job.run?.plan?.steps.find(({ id }) => job.run?.steps?.[id]?.status !== 'done');
    terminal.line(kind === 'new' ? `Job ${job.id}\n` : `Job ${job.id}, going on with step ${next?.id}\n`);
  };
}

/**
 * @param {Terminal} terminal
 * @param {Settings} settings
 * @param {Job} job
 * @returns {number} the exit code
 */
function summarise(terminal, settings, job) {
  const { timing, run } = job;
  const steps = Object.values(run?.steps ?? {}).filter(({ status }) => status === 'done').length;
  const time = duration((timing.completed ?? Date.now()) - (timing.started ?? timing.created));
  const figures = `${count(steps, 'step')}, ${spentBy(job)} of ${settings.budget} tool calls, ${time}`;
  if (job.status === 'failed') {
    terminal.line(`\nJob     ${job.id} failed: ${figures}`);
    throw new Failure(
      `The audit failed at step ${run?.failure?.step}: ${run?.failure?.message.replace(/\.$/, '')}.`,
      EXIT.failed,
    );
  }
  const { allowed, review, denied } = /** @type {Record<string, number>} */ (job.context.counts);
  const verdicts = [
    terminal.paint(`${allowed} allowed`, 'green'),
    terminal.paint(`${review} reviewed`, review > 0 ? 'yellow' : 'dim'),
    terminal.paint(`${denied} denied`, denied > 0 ? 'red' : 'dim'),
  ];
  terminal.line(`\n${count(allowed + review + denied, 'package')}: ${verdicts.join(', ')}`);
  terminal.line(`Report  ${settings.report}`);
  terminal.line(`Job     ${job.id} completed: ${figures}`);
  return denied > 0 ? EXIT.denied : EXIT.ok;
}

/**
 * @param {Job} job
 * @param {{ error: string, code?: string }} refusal
 * @returns {Failure} a sentence that says how to go on
 */
function howToGoOn(job, { error, code }) {
  const kept = `job ${job.id} is kept`;
  if (code === 'approval_required') {
    return new Failure(
      `A person has to approve: start again with --yes, or at a terminal to be asked; ${kept}.`,
      EXIT.waiting,
    );
  }
  if (job.run?.pause?.reason === 'budget' || code === undefined || code === 'budget_exceeded') {
    return new Failure(`${error}: start again with a larger --budget; ${kept}.`, EXIT.waiting);
  }
  if (code === 'not_running') {
    return new Failure(`Stopped: start again with the same options to go on; ${kept}.`, EXIT.interrupted);
  }
  return new Failure(`The audit could not go on: ${error}; ${kept}.`, EXIT.failed);
}

/** @param {string} path */
async function openStore(path) {
  try {
    mkdirSync(dirname(path), { recursive: true });
    process.on('exit', hold(`${path}.lock`));
    return await createSqliteStore({ path });
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = error instanceof JobwrightError ? error.message : reasonOf(error);
    throw new Failure(`The store ${path} can't be used: ${why}.`);
  }
}

/**
 * @param {Settings} settings
 * @param {Terminal} terminal
 */
async function audit(settings, terminal) {
  const subject = await readSubject(settings);
  const store = await openStore(settings.store);
  const eventBus = createEventBus();
  const budget = createBudgetManager();
  const orchestrator = createOrchestrator({
    store,
    eventBus,
    budgetManager: budget,
    agentRegistry: agents,
    tools: createTools({
      ...settings,
      approver: async ({ jobId, step }) => {
        const history = (await orchestrator.getJob(jobId))?.history ?? [];
        const approvals = /** @type {any[]} */ (history).filter(
          ({ type, payload }) => type === 'step_approved' && payload.step === step,
        );
        return approvals.at(-1)?.payload.by ?? 'somebody';
      },
    }),
    slowPlayMs: settings.slow,
  });
  const signal = stopOnSignals(terminal);
  const announced = announce(terminal, settings);
  /** @type {import('./audit.mjs').Desk['begun']} */
  const begun = (job, kind) => {
    announced(job, kind);
    // Not before: an earlier job that is ended instead is nobody's concern.
    eventBus.onAny(createProgress(terminal));
  };
  const ask = askPerson(terminal, settings, signal);
  try {
    const desk = { orchestrator, budget, settings, signal, begun, ask, say: terminal.line };
    const { job, refusal } = await runAudit(desk, subject);
    if (refusal !== null) throw howToGoOn(job, refusal);
    return summarise(terminal, settings, job);
  } finally {
    await orchestrator.close();
    await store.close();
  }
}

async function main() {
  const settings = readOptions(process.argv.slice(2), process.cwd());
  if (settings === 'help') {
    process.stdout.write(HELP);
    return EXIT.ok;
  }
  return audit(settings, createTerminal());
}

try {
  process.exitCode = await main();
} catch (error) {
  const expected = error instanceof Failure;
  process.stderr.write(
    expected ? `license-audit: ${error.message}\n` : `${/** @type {Error} */ (error).stack}\n`,
  );
  process.exitCode = expected ? error.exitCode : EXIT.failed;
}
