// @ts-check
/** Runs a job here until it ends or can't go on, and asks a person in between where there is one. */
import { createEventBus } from 'jobwright';
import { ask } from './asking.js';
import { createBoard } from './board.js';
import { EXIT, Failure } from './failure.js';
import { onInterrupt } from './interrupts.js';
import { approveCommand, costOf, hasEnded, loadJob, nextCommand, requestsOf, standing } from './jobs.js';
import { loadParts } from './modules.js';
import { createProgress, isOf } from './progress.js';
import { count, duration, inline, json, plain, quoted, shellWord } from './text.js';

/**
 * @typedef {import('jobwright').Job} Job
 * @typedef {import('./program.js').Desk} Desk
 * @typedef {import('./program.js').Session} Session
 * @typedef {{ agents: Record<string, any>, tools: Record<string, any> }} Parts
 */

/** @type {[flags: string, about: string][]} */
export const RUN_OPTIONS = [
  ['--agents <file>', 'a module whose exports are the agents'],
  ['--tools <file>', 'a module whose exports are the tools'],
  ['--yes', 'approve what has to be approved, without asking'],
  ['--slow <ms>', 'wait so many milliseconds before each step'],
  ['--watch', 'show bars that move instead of a line for each step'],
];

/** @param {Record<string, any>} options @returns {number | undefined} */
export function maxStepsOf({ maxSteps: given }) {
  if (given === undefined) return undefined;
  if (/^\d{1,15}$/.test(given)) return Number(given);
  throw new Failure('invalid_argument', `--max-steps: expected a whole number, found ${quoted(given)}.`);
}

/** @param {Desk} desk @returns {Promise<Parts>} */
export async function partsOf({ options }) {
  return {
    agents: await loadParts(options.agents, 'agents'),
    tools: await loadParts(options.tools, 'tools'),
  };
}

/**
 * What an orchestrator needs to run jobs here.
 *
 * @param {Desk} desk
 * @param {Parts} parts
 */
export function runDeps({ options }, { agents, tools }) {
  const slow = options.slow === undefined ? 0 : Number(options.slow);
  if (!(Number.isFinite(slow) && slow >= 0)) {
    throw new Failure('invalid_argument', `--slow: expected milliseconds, found ${quoted(options.slow)}.`);
  }
  return { agentRegistry: agents, tools, slowPlayMs: slow, eventBus: createEventBus() };
}

/**
 * @typedef {object} Run
 * @property {string} jobId
 * @property {import('jobwright').JobEventBus} bus
 * @property {() => Promise<void>} begin sets the job running, where it is not
 * @property {unknown} [input] of the first step
 * @property {boolean} [isAnswer] the command has done its part when the job runs, be it elsewhere
 */

/**
 * @param {Desk} desk
 * @param {Session} session
 * @param {Run} run
 * @returns {Promise<number>} the exit code
 */
export async function runHere(desk, session, { jobId, bus, begin, input, isAnswer = false }) {
  const { terminal } = desk;
  const goOn = howToGoOn(desk, session, jobId);
  const interrupt = onInterrupt({
    first: () => terminal.note('Pausing: steps that are running may finish. Ctrl-C again stops at once.'),
    second: () => {
      terminal.settle();
      terminal.note(`Stopped at once. ${sentence(goOn())}`);
    },
  });
  const console = quiet(desk);
  const view = await viewOf(desk, session, jobId, bus);
  try {
    await begin();
    const refusal = await runToEnd(desk, session, { jobId, input, signal: interrupt.signal, view });
    view.end();
    if (refusal?.code === 'conflict' && isAnswer) {
      desk.answer({ jobId, elsewhere: true }, () => ['The job is being run elsewhere, and goes on there.']);
      return EXIT.ok;
    }
    const job = await loadJob(session.opened, jobId);
    return await summarise(desk, session, job, { refusal, interrupted: interrupt.signal.aborted, goOn });
  } finally {
    view.end();
    console.restore();
    interrupt.ignore();
  }
}

/** @typedef {{ code?: string, error: string } | null} Refusal null where the job completed */

/**
 * @param {Desk} desk
 * @param {Session} session
 * @param {{ jobId: string, input?: unknown, signal: AbortSignal, view: { hold: () => void } }} run
 * @returns {Promise<Refusal>}
 */
async function runToEnd(desk, session, { jobId, input, signal, view }) {
  for (let unasked = 0; ; ) {
    const outcome = await session.orchestrator.runJob(
      jobId,
      input === undefined ? { signal } : { input, signal },
    );
    if (outcome.success) return null;
    if (outcome.code !== 'approval_required' || signal.aborted) return outcome;
    view.hold();
    const requests = await requestsOf(session.store, jobId);
    // Answered in between, elsewhere; but not for ever.
    if (requests.length === 0 && ++unasked > 3) return outcome;
    if (!(await ask(desk, session, { jobId, requests, signal }))) return outcome;
    const head = await session.store.getHead(jobId);
    if (head === null || hasEnded(head)) return outcome;
  }
}

/**
 * Lines as things happen, JSON for each event, or bars.
 *
 * @param {Desk} desk
 * @param {Session} session
 * @param {string} jobId
 * @param {import('jobwright').JobEventBus} bus
 */
async function viewOf({ terminal, options }, session, jobId, bus) {
  if (terminal.forProgram) {
    const off = options.watch
      ? bus.onAny((event) => void (isOf(jobId, idOf(event)) && terminal.json({ event })))
      : () => {};
    return { hold: () => {}, end: off };
  }
  const board = options.watch && terminal.rewrites ? await createBoard(terminal, session, jobId) : null;
  const show = createProgress(terminal, jobId);
  const off = bus.onAny((event) => {
    board?.tell(event);
    const line = board === null ? show(event) : null;
    if (line !== null) terminal.line(line);
  });
  return {
    hold: () => board?.hold(),
    end() {
      off();
      board?.end();
    },
  };
}

/** @param {import('jobwright').JobEvent} event */
const idOf = ({ payload }) => /** @type {{ jobId?: unknown } | null} */ (payload)?.jobId;

/**
 * What agents print with `console` neither tears the bars nor stands among the JSON.
 *
 * @param {Desk} desk
 */
export function quiet({ terminal }) {
  const { log, info, debug } = console;
  const print = (/** @type {unknown[]} */ ...words) => terminal.note(words.map(word).join(' '));
  if (terminal.forProgram || terminal.rewrites)
    Object.assign(console, { log: print, info: print, debug: print });
  return { restore: () => void Object.assign(console, { log, info, debug }) };
}

/** @param {unknown} value */
const word = (value) => (typeof value === 'string' ? value : (json(value) ?? String(value)));

/**
 * Names the command with which the job goes on; undefined where it is not kept.
 *
 * @param {Desk} desk
 * @param {Session} session
 * @param {string} jobId
 */
function howToGoOn({ options }, { opened }, jobId) {
  const files = ['agents', 'tools'].filter((name) => options[name] !== undefined);
  const parts = files.map((name) => ` --${name} ${shellWord(options[name])}`).join('');
  return (/** @type {Parameters<typeof approveCommand>[0]} */ requests = []) =>
    opened.lasts
      ? (approveCommand(requests, opened.flag + parts) ?? nextCommand('start', jobId, opened.flag + parts))
      : undefined;
}

/** @param {string | undefined} next */
const sentence = (next) =>
  next === undefined
    ? 'It was kept in memory and is gone; --store jobs.db keeps jobs.'
    : `It goes on with: ${next}`;

/**
 * @param {Desk} desk
 * @param {Session} session
 * @param {Job} job
 * @param {{ refusal: Refusal, interrupted: boolean, goOn: ReturnType<typeof howToGoOn> }} end
 * @returns {Promise<number>}
 */
async function summarise(desk, session, job, { refusal, interrupted, goOn }) {
  const { terminal } = desk;
  const requests = await requestsOf(session.store, job.id);
  const { status, context, run: { failure, pause } = {} } = job;
  const command = hasEnded(job) ? undefined : goOn(requests);
  // With the limit that it has, it would pause again at once.
  const isLimit = command !== undefined && pause?.reason === 'step_limit';
  const next = isLimit ? `${command} --max-steps N` : command;
  if (terminal.forProgram) {
    const about = { jobId: job.id, status, context, cost: costOf(job), failure, pause };
    terminal.json({
      ...about,
      approvals: requests.map(({ jobId, request }) => ({ jobId, ...request })),
      next,
    });
  }
  terminal.line(closing(terminal, job));
  if (status === 'completed') {
    for (const line of contextLines(job)) terminal.line(line);
    return EXIT.ok;
  }
  if (status === 'failed') {
    const where = failure?.step === undefined ? '' : ` at step ${quoted(failure.step)}`;
    terminal.error(
      failure?.code ?? 'failed',
      `The job failed${where}: ${plain(failure?.message ?? '', 1_000)}`,
    );
    return EXIT.failed;
  }
  if (refusal?.code === 'conflict')
    throw new Failure('conflict', `Job ${quoted(job.id)}: ${refusal.error}.`, EXIT.refused);
  if (interrupted) {
    terminal.note(`Interrupted. ${sentence(next)}`);
    return EXIT.interrupted;
  }
  terminal.note(`${plain(refusal?.error ?? 'Paused', 1_000)}. ${sentence(next)}`);
  return EXIT.waiting;
}

/** @param {import('./terminal.js').Terminal} terminal @param {Job} job */
function closing(terminal, job) {
  const { timing, run } = job;
  const done = Object.entries(run?.steps ?? {}).filter(
    ([id, { status }]) => status === 'done' && !id.endsWith(']'),
  );
  const cost = costOf(job);
  const time = duration((timing.completed ?? Date.now()) - (timing.started ?? timing.created));
  const figures = [`${count(done.length, 'step')} done`, cost > 0 ? `cost ${cost}` : '', time].filter(
    Boolean,
  );
  return `${terminal.paint(`Job ${plain(job.id)} ${standing(job)}`, 'bold')}: ${figures.join(', ')}`;
}

/** How many members of a context are shown where nobody asked for them. */
const MEMBERS = 20;

/** @param {Job} job */
export function contextLines({ context }) {
  const members = Object.entries(context);
  const lines = members.slice(0, MEMBERS).map(([key, value]) => `  ${plain(key, 60)}: ${inline(value, 300)}`);
  return members.length > MEMBERS ? [...lines, `  and ${members.length - MEMBERS} more`] : lines;
}
