// @ts-check
/** Jobs of sequential steps: what contenders are asked for, and what they have to have done. */
import { timed } from '../harness/rounds.mjs';

/** @typedef {{ context: any, history?: any[] }} Ended a job */

/**
 * @typedef {object} Wanted
 * @property {{ concurrency: number, steps: { id: string, agent: string }[] }} plan
 * @property {Record<string, unknown>} context that jobs begin with
 * @property {{ requireApproval: boolean, maxSteps: number }} permissions
 * @property {(input: any) => any} work the agent: its input, and one more
 * @property {(type: string, payload: unknown) => void} emit the bus
 *
 * @typedef {object} Runner
 * @property {() => Promise<any>} create a job that is ready to be run
 * @property {(job: any) => Promise<Ended | (() => Ended)>} run to its end; gives the job, or what reads it
 * @property {(job: any) => Promise<{ context: any, history?: any[] } | null | undefined>} [read] what is stored of it
 * @property {() => unknown} [clear] forgets the jobs that have ended
 * @property {() => unknown} [close]
 *
 * @typedef {object} Sizes
 * @property {number} steps of a job
 * @property {number} jobs in a batch
 * @property {number} batches in a round
 * @property {boolean} [whole] whether creating and starting is timed too
 * @property {boolean} [later] whether the agent answers with a promise
 * @property {number} [inFlight] how many jobs run side by side; default: 1
 */

/**
 * @param {number} steps
 * @returns {Pick<Wanted, 'plan' | 'context' | 'permissions'>}
 */
export function planOf(steps) {
  return {
    plan: {
      concurrency: 1,
      steps: Array.from({ length: steps }, (_, n) => ({ id: `s${n}`, agent: 'work' })),
    },
    context: {},
    permissions: { requireApproval: false, maxSteps: 1_000_000 },
  };
}

/** @param {number} steps */
const eventsOf = (steps) => [
  'job_created',
  'job_started',
  ...Array.from({ length: steps }, () => ['step_started', 'step_completed']).flat(),
  'job_completed',
];

/**
 * What a contender with a bus and a history has to have told and kept is checked too.
 *
 * @param {(wanted: Wanted) => Promise<Runner>} open
 * @param {object} task
 * @param {string} task.contender
 * @param {Sizes} task.sizes
 * @param {number} task.rounds
 * @param {boolean} task.tells
 * @param {Record<string, unknown>} [task.context] that jobs begin with
 * @returns {Promise<number[]>} microseconds per step
 */
export async function timeSteps(open, { contender, sizes, rounds, tells, context: given = {} }) {
  const { steps, jobs, batches, whole = false, later = false, inFlight = 1 } = sizes;
  const counts = { calls: 0, events: 0 };
  const next = (/** @type {number | undefined} */ input) => {
    counts.calls += 1;
    return (input ?? 0) + 1;
  };
  const work = later ? async (/** @type {any} */ input) => next(input) : next;
  const emit = () => void counts.events++;
  const runner = await open({ ...planOf(steps), context: given, work, emit });
  /** @type {any[]} */
  let ready = [];
  /** @type {any[]} */
  const ended = [];
  /** @type {any[]} */
  const ids = [];
  const one = async () => {
    const job = ready.pop() ?? (await runner.create());
    const end = await runner.run(job);
    ended.push(whole ? read(end) : end);
    ids.push(job);
  };
  const lane = async () => {
    while (ended.length + busy < jobs) {
      busy += 1;
      await one();
      busy -= 1;
    }
  };
  let busy = 0;
  const outputs = Object.fromEntries(Array.from({ length: steps }, (_, n) => [`s${n}`, n + 1]));
  const context = { ...given, ...outputs };
  const history = eventsOf(steps);
  /** @param {any} job */
  const isRight = (job) => isAsWanted(read(job), context, tells ? history : undefined);
  const announced = history.length - (whole ? 1 : 2);
  const times = await timed(
    {
      units: steps * jobs,
      batches,
      prepare: async () => {
        await runner.clear?.();
        ended.length = 0;
        ids.length = 0;
        ready = [];
        if (!whole) for (let n = 0; n < jobs; n++) ready.push(await runner.create());
        Object.assign(counts, { calls: 0, events: 0 });
      },
      batch: () => Promise.all(Array.from({ length: inFlight }, lane)),
      done: async () => {
        const kept = [];
        if (runner.read) for (const id of ids) kept.push(await runner.read(id));
        return {
          right: ended.filter(isRight).length,
          kept: kept.filter(isRight).length,
          calls: counts.calls,
          events: tells ? counts.events : 0,
        };
      },
      ...(runner.close && { close: runner.close }),
    },
    {
      contender,
      rounds,
      expected: {
        right: jobs,
        kept: runner.read ? jobs : 0,
        calls: jobs * steps,
        events: tells ? jobs * announced : 0,
      },
    },
  );
  return times;
}

/**
 * What a run gave. This package copies it when it is read: as a part of what is timed where whole jobs are, else after it.
 *
 * @param {any} end the job, or what reads it
 */
const read = (end) => (typeof end === 'function' ? end() : end);

/**
 * @param {{ context: any, history?: any[] } | null | undefined} job
 * @param {Record<string, unknown>} context
 * @param {string[] | undefined} history
 */
function isAsWanted(job, context, history) {
  if (!job) return false;
  const keys = Object.keys(context);
  if (Object.keys(job.context).length !== keys.length) return false;
  if (!keys.every((key) => job.context[key] === context[key])) return false;
  return history === undefined || String(job.history?.map(({ type }) => type)) === String(history);
}
