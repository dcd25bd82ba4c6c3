// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { isOpen } from './accounts.js';
import { engineAt } from './engines.js';
import { ask, frameOf, pin } from './executor.js';
import { JOB_STATUSES } from './names.js';
import { slotOf } from './slots.js';

const ENDED = ['completed', 'failed'];

/** Heads are read in pages of this many, so that a long list holds nobody up. */
const PAGE = 1_000;

const LISTED = 0;
const FAILED = 2;

/**
 * @param {number} parent
 * @param {number} task
 * @param {number} call
 */
export function list_children(parent, task, call) {
  const { engine, id } = slotOf(parent);
  const canList = typeof engine.store.listJobs === 'function' || !engine.commits();
  // Whatever a store makes of the filter, only children are taken.
  const isChild = (/** @type {any} */ head) => head.parentId === id;
  return list(engine, task, call, () => (canList ? listJobs(engine, { parentId: id }) : []), isChild);
}

/**
 * @param {number} number
 * @param {number} place of the status
 * @param {number} task
 * @param {number} call
 */
export function list_jobs(number, place, task, call) {
  const engine = engineAt(number);
  const status = JOB_STATUSES[place];
  const standsThere = (/** @type {any} */ head) => head.status === status;
  return list(engine, task, call, () => listJobs(engine, { status }), standsThere);
}

/**
 * Jobs that have ended and left something to be settled with the budget manager.
 *
 * @param {number} number
 * @param {number} task
 * @param {number} call
 */
export function list_unsettled(number, task, call) {
  const engine = engineAt(number);
  const question = () => (engine.budget === null ? [] : unsettled(engine));
  return list(engine, task, call, question, () => true);
}

/** @param {import('./engine.js').Engine} engine */
async function unsettled(engine) {
  const found = [];
  for await (const head of pagesOf(engine, { status: ENDED })) {
    if (ENDED.includes(head.status) && isOpen(head.run?.account)) found.push(head);
  }
  return found;
}

/** @param {number} task */
export function list_next(task) {
  return frameOf(task).listed.pop()?.key ?? -1;
}

/** @param {number} task */
export function list_error(task) {
  return frameOf(task).listError;
}

/**
 * Heads of jobs: from the store where it can list them, else of those that are live here.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {any} [filter]
 */
export function listJobs(engine, filter = {}) {
  if (typeof engine.store.listJobs === 'function') return engine.store.listJobs(filter);
  if (!engine.commits()) return listLive(engine, filter);
  throw new JobwrightError('The store has no listJobs, which this needs', { code: 'unsupported' });
}

/**
 * Heads from the store, page by page. One that knows nothing of pages answers with all of them, each time.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {any} filter
 */
export async function* pagesOf(engine, filter) {
  /** @type {string | undefined} */
  let cursor;
  for (;;) {
    const asked = cursor === undefined ? { ...filter, limit: PAGE } : { ...filter, limit: PAGE, cursor };
    const page = await listJobs(engine, asked);
    checkHeads(page);
    yield* page;
    const last = page.at(-1)?.id;
    if (page.length !== PAGE || last === cursor) return;
    cursor = last;
  }
}

/** @param {any} heads as a store listed them */
export function checkHeads(heads) {
  if (!Array.isArray(heads) || heads.some((head) => typeof head?.id !== 'string'))
    throw new JobwrightError('store.listJobs must answer a list of heads', { code: 'invalid_job' });
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {any} filter
 */
function listLive({ live, families }, { status, parentId, limit = Infinity, cursor }) {
  const statuses = status === undefined ? undefined : [status].flat();
  const jobs = parentId === undefined ? live : (families.get(parentId) ?? new Map());
  const heads = [...jobs.values()]
    .filter((job) => statuses === undefined || statuses.includes(job.status))
    .map(headOf);
  const from = cursor === undefined ? 0 : heads.findIndex((head) => head.id === cursor) + 1;
  return heads.slice(from, from + limit);
}

/** @param {any} job */
export function headOf({ context, history, run, ...head }) {
  if (run === undefined) return head;
  const { plan, steps, ...kept } = run;
  return { ...head, run: kept };
}

/**
 * Asks for a list of jobs and enters each in the table of jobs, where it stays until the task ends. The core is told of
 * each once in a task: parents that go round in a ring come to an end.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {number} task
 * @param {number} call
 * @param {() => any} question
 * @param {(head: any) => boolean} isMeant
 */
function list(engine, task, call, question, isMeant) {
  const frame = frameOf(task);
  const failed = (/** @type {unknown} */ _, /** @type {unknown} */ error) => {
    frame.listError = error;
    return FAILED;
  };
  const read = (/** @type {unknown} */ _, /** @type {any} */ heads) => {
    try {
      checkHeads(heads);
    } catch (error) {
      return failed(_, error);
    }
    for (const head of heads) {
      if (isMeant(head)) pin(frame, engine.jobs.enter(head.id));
    }
    // Told from the end, where taking one away costs the same however many there are.
    frame.listed.reverse();
    return LISTED;
  };
  return ask({ engine }, call, question, read, failed);
}
