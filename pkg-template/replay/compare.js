// @ts-check
import { parting, same } from './same.js';
import { readable, readableContext } from './stored.js';

/**
 * Is a stored job what its history comes to?
 *
 * @param {import('./replay.js').Replay} replay of which all events were met
 * @param {any} job
 * @returns {import('./same.js').Parting | null}
 */
export function compareJob(replay, job) {
  // A job without a plan has none before its first step.
  const stored = { ...job, run: readable(job.run) ?? { seq: replay.met } };
  return (
    parting('', headOf(replay, replay.job), headOf(replay, stored)) ?? compareContext(replay, job.context)
  );
}

/**
 * Is what the head of an export says of the job what its history comes to?
 *
 * @param {import('./replay.js').Replay} replay
 * @param {any} head
 */
export function compareHead(replay, head) {
  const { status, permissions, timing, run } = headOf(replay, replay.job);
  const said = headOf(replay, { ...head, run: {} });
  const expected = { status, permissions, timing, stepsTaken: run.stepsTaken, steps: stepCounts(run.steps) };
  const { stepsTaken, steps } = head ?? {};
  return parting('', expected, { ...said, run: undefined, stepsTaken, steps });
}

/**
 * How many steps and items stand where, of those that were touched.
 *
 * @param {Record<string, any>} [steps]
 */
export function stepCounts(steps = {}) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const { status } of Object.values(steps)) {
    if (status !== 'pending') counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
}

/**
 * What follows from a history, of a job or what is said of one.
 *
 * @param {import('./replay.js').Replay} replay
 * @param {any} job
 */
function headOf({ history }, { status, permissions, timing, run }) {
  const { started, completed } = timing ?? {};
  // What a job without a plan may do is said when its first step begins.
  const isSaid = history.some(({ type }) => type === 'job_created' || type === 'permissions_changed');
  return {
    status,
    permissions: isSaid ? permissions : undefined,
    timing: { started, completed },
    run: runOf(run),
  };
}

/**
 * Without what only the host knows: revisions, the pace, why a person ended or paused the job; nor what stands in the
 * histories of others: what the job's tree does, and its budget.
 *
 * @param {any} run
 */
function runOf({ revision, slowPlayMs, schema, seq = 0, pause, failure, steps, ...others }) {
  const { sharedBy, treeSteps, account, ...run } = others;
  for (const list of ['approvals', 'signals', 'breakpoints']) if (run[list]?.length === 0) delete run[list];
  if (pause !== undefined && !['user', 'global', 'budget'].includes(pause?.reason))
    run.pause = pauseOf(pause);
  if (failure?.step !== undefined) run.failure = failure;
  run.stepsTaken ??= 0;
  const states = Object.entries(steps ?? {}).map(([id, state]) => [id, stateOf(state)]);
  // A step that a router asked for and that nothing came of yet is in no event.
  run.steps = Object.fromEntries(
    states.filter(([, state]) => state?.status !== 'pending' || state.seq !== undefined),
  );
  return { seq, ...run };
}

/**
 * A step that a router asked for when the limit of an ancestor was reached is in no event.
 *
 * @param {any} pause
 */
function pauseOf(pause) {
  if (pause?.reason !== 'step_limit' || pause.message === undefined) return pause;
  const { step, ...why } = pause;
  return why;
}

/** @param {any} whole */
function stateOf(whole) {
  if (whole === null || typeof whole !== 'object') return whole;
  const { items, childId, input, grants, ...state } = whole;
  // What a step was given goes with the commit after its end.
  return state.finishedAt === undefined ? { ...state, input, grants } : state;
}

/**
 * Of the context, what steps wrote.
 *
 * @param {import('./replay.js').Replay} replay
 * @param {any} context
 * @returns {import('./same.js').Parting | null}
 */
function compareContext({ job, written }, context) {
  for (const key of written) {
    const expected = job.context[key];
    const actual = readableContext({ [key]: context?.[key] })[key];
    if (!same(expected, actual)) return parting(`context.${key}`, expected, actual);
  }
  return null;
}
