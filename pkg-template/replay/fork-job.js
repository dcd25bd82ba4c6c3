// @ts-check
import { changeNumbers, invalidArgument, optionsObject } from '../engine/arguments.js';
import { newJobId } from '../engine/create-job.js';
import { endowmentOf } from '../engine/endow.js';
import { traceIdOf } from '../engine/ids.js';
import { ENGINE_EVENTS } from '../engine/names.js';
import { JobwrightError } from '../parts/errors.js';
import { spanIdOf } from '../parts/noted-event.js';
import { describe, JOB_DEPTH, plainCopy } from '../parts/plain.js';
import { CANCELLED } from './redact.js';
import { Replay } from './replay.js';
import { historyOf, storedJob } from './stored.js';

/**
 * See `Orchestrator.forkJob`. What the fork shares is decided again under its own id, and what that comes to is stored.
 *
 * @param {import('../engine/engine.js').Engine} engine
 * @param {unknown} jobId
 * @param {any} options
 * @returns {Promise<string>}
 */
export async function forkJob(engine, jobId, options) {
  const { afterStep, context, permissions, budget } = optionsObject(options, 'options');
  if (typeof afterStep !== 'string') {
    throw invalidArgument(`options.afterStep must be a step's id; found ${describe(afterStep)}`);
  }
  const changed = { context: changedContext(context), permissions: changedPermissions(permissions) };
  const origin = await storedJob(engine, jobId);
  const { id: from, history } = historyOf(origin);
  const end = endOf(origin, history, afterStep);
  const id = newJobId(engine, undefined);
  const forkedFrom = { jobId: from, afterStep };
  const shared = history.slice(0, end + 1).map(underId(id, from));
  shared[0].payload = { ...shared[0].payload, forkedFrom };
  shared.push(forkEvent(id, end + 2, { from: forkedFrom, ...changed }, engine.now()));
  const { run, ...decided } = decideAgain(id, shared, origin);
  const { type, config } = origin;
  const job = {
    ...{ id, type, config, ...decided, history: shared, timing: { created: engine.now() } },
    run: { ...run, revision: 1, slowPlayMs: origin.run?.slowPlayMs, forkedFrom },
  };
  await store(engine, plainCopy(job, 'job', JOB_DEPTH), endowmentOf(engine, { id }, budget));
  return id;
}

/** @param {any} context */
function changedContext(context) {
  if (context === undefined) return undefined;
  if (context === null || typeof context !== 'object' || Array.isArray(context)) {
    throw invalidArgument(`options.context must be an object; found ${describe(context)}`);
  }
  return plainCopy(context, 'options.context');
}

/** @param {any} permissions */
function changedPermissions(permissions) {
  changeNumbers(permissions);
  const { allowTools, requireApproval, maxSteps } = permissions ?? {};
  const given = plainCopy({ allowTools, requireApproval, maxSteps });
  return Object.keys(given).length === 0 ? undefined : given;
}

/**
 * The place of the event that says how the step ended, or of the one that belongs to it.
 *
 * @param {any} job
 * @param {any[]} history
 * @param {string} step
 */
function endOf({ id, run }, history, step) {
  const state = Object.hasOwn(run?.steps ?? {}, step) ? run.steps[step] : undefined;
  const planned = run?.plan?.steps.find((/** @type {any} */ other) => other.id === step);
  if (state === undefined && planned === undefined) {
    throw new JobwrightError(`Job ${describe(id)} has no step ${describe(step)}`, { code: 'unknown_step' });
  }
  const status = state?.status ?? 'pending';
  // Nothing goes on after a step that failed because its job ended, whatever its `onError`.
  const { code, message } = state?.error ?? {};
  const wasCutOff = code === 'cancelled' && message === CANCELLED;
  const goesOn =
    status === 'done' ||
    status === 'skipped' ||
    (status === 'failed' && planned?.onError === 'continue' && !wasCutOff);
  if (!goesOn) {
    throw invalidArgument(
      `A fork begins after a step that has ended and that the job went on after; step ${describe(step)} of job ${describe(id)} is ${status}`,
    );
  }
  const place = history.findLastIndex(
    ({ type, payload }) => ENDS.has(type) && payload.step === step && payload.item === undefined,
  );
  if (place >= 0) return isStartedBy(history[place + 1], history[place]) ? place + 1 : place;
  const problem = `The history of job ${describe(id)} does not say how step ${describe(step)} ended`;
  throw new JobwrightError(problem, { code: 'invalid_job' });
}

/**
 * A rejection that the job goes on after starts it again, in one commit, which can't be shared in part.
 *
 * @param {any} event
 * @param {any} end
 */
const isStartedBy = (event, end) => event?.type === 'job_started' && event.trace?.parentId === end.id;

const ENDS = new Set(['step_completed', 'step_skipped', 'step_failed']);

/**
 * Makes events those of another job.
 *
 * @param {string} id the new one's
 * @param {string} from the old one's
 */
function underId(id, from) {
  const traceId = traceIdOf(id);
  /** @type {Map<string, string>} */
  const spans = new Map();
  return (/** @type {any} */ event, /** @type {number} */ place) => {
    const spanId = spanIdOf(traceId, place + 1);
    spans.set(event.id, spanId);
    const { parentId } = event.trace ?? {};
    const trace = { traceId, spanId, ...(parentId !== undefined && { parentId: spans.get(parentId) }) };
    const isOwn = ENGINE_EVENTS.has(event.type) && event.payload?.jobId === from;
    const payload = isOwn ? { ...event.payload, jobId: id } : event.payload;
    return { ...event, id: spanId, payload, trace };
  };
}

/**
 * @param {string} jobId
 * @param {number} seq
 * @param {object} what
 * @param {number} timestamp
 */
function forkEvent(jobId, seq, what, timestamp) {
  const traceId = traceIdOf(jobId);
  const id = spanIdOf(traceId, seq);
  const trace = { traceId, spanId: id, parentId: spanIdOf(traceId, seq - 1) };
  const meta = { timestamp, source: 'jobwright' };
  return { id, seq, type: 'job_forked', payload: plainCopy({ jobId, ...what }), trace, meta };
}

/**
 * What the shared history comes to.
 *
 * @param {string} id
 * @param {any[]} history
 * @param {any} origin
 */
function decideAgain(id, history, origin) {
  const replay = new Replay(id, history);
  try {
    for (const _ of history) {
      const difference = replay.meet();
      if (difference === null) continue;
      const problem = `Job ${describe(origin.id)} can't be forked: its history is not what is decided at event ${difference.at}`;
      throw new JobwrightError(problem, { code: 'invalid_job', details: difference });
    }
    const { status, permissions, context, run } = replay.job;
    return { status, permissions, context, run: { ...run, steps: ownSteps(run.steps, origin) } };
  } finally {
    replay.drop();
  }
}

/**
 * Steps that have ended were done by the children that the origin had.
 *
 * @param {Record<string, any>} steps
 * @param {any} origin
 */
function ownSteps(steps, origin) {
  const own = Object.entries(steps).map(([id, { childId, ...state }]) => {
    const known = state.finishedAt === undefined ? undefined : origin.run.steps[id]?.childId;
    return [id, known === undefined ? state : { ...state, childId: known }];
  });
  return Object.fromEntries(own);
}

/**
 * @param {import('../engine/engine.js').Engine} engine
 * @param {any} job
 * @param {import('../engine/endow.js').Endowment | null} endowment
 */
async function store(engine, job, endowment) {
  await endowment?.give();
  if (!engine.commits()) {
    await engine.store.saveJob(job);
    engine.noteLive(job);
    return;
  }
  const { context, history, run, ...head } = job;
  const { plan, steps, ...kept } = run;
  head.run = kept;
  const change = { jobId: job.id, expectedRevision: 0, head, plan, steps, context, events: history };
  if (plan === undefined) delete change.plan;
  await engine.store.commit(change);
}
