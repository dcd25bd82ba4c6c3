// @ts-check
import { EXIT, Failure } from '../failure.js';
import { loadPlan, needsOf, readObject, readValue, requireParts } from '../modules.js';
import { argument } from '../program.js';
import { maxStepsOf, partsOf, RUN_OPTIONS, runDeps, runHere } from '../running.js';
import { plain, quoted } from '../text.js';

/** The smallest limit that is set by itself: that of `createJob`. */
const LEAST_STEPS = 10;

/** @type {import('../program.js').Command} */
export const run = {
  name: 'run',
  takes: '<plan>',
  about: 'Makes a job of a plan (a JSON file, a module, or - for the standard input) and runs it here.',
  example: 'run plan.json --agents agents.mjs --context \'{"topic":"rust"}\' --store jobs.db',
  options: [
    ['--context <json>', 'what the job starts with: a JSON object, or @FILE'],
    ['--input <json>', 'what the first step is given: JSON, or @FILE'],
    ...RUN_OPTIONS,
    ['--id <id>', "the job's id; default: a new one"],
    ['--max-steps <n>', 'how many steps may run; default: as many as the plan has'],
    ['--require-approval', 'ask before every step, not only where the plan says so'],
  ],
  async work(desk) {
    const { options, terminal } = desk;
    const plan = await loadPlan(argument(desk, 0));
    const context = await readObject(options.context, '--context');
    const input = options.input === undefined ? undefined : await readValue(options.input, '--input');
    const permissions = permissionsFor(plan, options);
    const parts = await partsOf(desk);
    requireParts(plan, parts);
    const deps = runDeps(desk, parts);
    const session = await desk.open(deps);
    const { orchestrator, opened } = session;
    if (options.id === '') throw new Failure('invalid_argument', '--id: expected an id that is not empty.');
    const named = options.id === undefined ? {} : { id: options.id };
    const jobId = await orchestrator.createJob(context, permissions, { plan, ...named });
    if (!terminal.forProgram) terminal.line(`Job ${plain(jobId)}`);
    if (!opened.lasts) terminal.note('Nothing of it is kept when this ends; --store jobs.db keeps jobs.');
    return runHere(desk, session, {
      jobId,
      input,
      bus: deps.eventBus,
      async begin() {
        const started = await orchestrator.startJob(jobId);
        if (!started.success) {
          throw new Failure(
            started.code,
            `Job ${quoted(jobId)} is created, and can't be started: ${started.error}.`,
            EXIT.refused,
          );
        }
      },
    });
  },
};

/**
 * @param {import('jobwright').Plan} plan
 * @param {Record<string, any>} options
 */
function permissionsFor(plan, options) {
  const needs = needsOf(plan);
  return {
    // A module of tools is given to be used.
    allowTools: options.tools !== undefined,
    requireApproval: options.requireApproval === true,
    maxSteps: maxStepsOf(options) ?? Math.max(LEAST_STEPS, needs.steps),
  };
}
