// @ts-check

/**
 * How stores take a job apart and put it together again, so that they all agree.
 *
 * @typedef {import('../index.d.ts').Job} Job
 * @typedef {import('../index.d.ts').JobEvent} JobEvent
 * @typedef {import('../index.d.ts').JobHead} JobHead
 * @typedef {import('../index.d.ts').Plan} Plan
 * @typedef {import('../index.d.ts').RunState} RunState
 * @typedef {import('../index.d.ts').StepState} StepState
 *
 * @typedef {object} JobParts
 * @property {JobHead} head
 * @property {Record<string, unknown>} context
 * @property {JobEvent[]} history
 * @property {Plan | undefined} plan
 * @property {Record<string, StepState>} steps
 */

/**
 * @param {Job} job
 * @returns {JobParts}
 */
export function splitJob(job) {
  const { context, history, run, ...rest } = job;
  /** @type {JobHead} */
  const head = rest;
  const parts = { head, context: context ?? {}, history: history ?? [] };
  if (run === undefined) return { ...parts, plan: undefined, steps: {} };
  const { plan, steps, ...kept } = run;
  head.run = kept;
  return { ...parts, plan, steps: steps ?? {} };
}

/**
 * @param {JobParts} parts of which the head becomes the job: it is the caller's to give away
 * @returns {Job}
 */
export function joinJob({ head, context, history, plan, steps }) {
  const job = /** @type {Job} */ (head);
  job.context = context;
  job.history = history;
  const { run } = job;
  if (run === undefined) return job;
  if (plan !== undefined) run.plan = plan;
  if (hasMembers(steps)) run.steps = steps;
  return job;
}

/** @param {object} object */
function hasMembers(object) {
  for (const _ in object) return true;
  return false;
}

/**
 * A head as `commit` stores it: at the revision it must have, and without what is kept elsewhere.
 *
 * @param {JobHead} head a copy that is the store's own
 * @param {number} revision
 * @returns {JobHead}
 */
export function committedHead(head, revision) {
  const { context, history, run, ...rest } = /** @type {import('../index.d.ts').Job} */ (head);
  const { plan, steps, ...kept } = run ?? /** @type {RunState} */ ({ schema: 1 });
  return { ...rest, run: { ...kept, revision } };
}

/**
 * @param {JobHead} head
 * @returns {number} 0 for a job that was saved without one
 */
export function revisionOf({ run }) {
  return Number.isSafeInteger(run?.revision) ? Number(run?.revision) : 0;
}

/**
 * @param {JobHead} head
 * @returns {number | null} when the job ended, or null while it has not
 */
export function endedAt({ status, timing }) {
  if (status !== 'completed' && status !== 'failed') return null;
  return typeof timing?.completed === 'number' ? timing.completed : null;
}

/**
 * The number an event is stored under: its own, or the next one for events that somebody else made without.
 *
 * @param {unknown} seq
 * @param {number} last
 */
export function storedSeq(seq, last) {
  return Number.isSafeInteger(seq) && Number(seq) > last ? Number(seq) : last + 1;
}

/**
 * The numbers that new events are stored under.
 *
 * @param {JobEvent[]} events
 * @param {number} last the number of the last one stored
 * @param {(seq: number, last: number) => Error} refuse what to throw at one that is stored already
 * @returns {number[]}
 */
export function numberEvents(events, last, refuse) {
  let previous = last;
  return events.map(({ seq }) => {
    if (Number.isSafeInteger(seq) && seq <= previous) throw refuse(seq, previous);
    previous = storedSeq(seq, previous);
    return previous;
  });
}
