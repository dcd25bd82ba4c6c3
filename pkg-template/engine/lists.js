// @ts-check
import { isOpen } from './accounts.js';
import { engineAt } from './engines.js';
import { ask, frameOf, pin } from './executor.js';
import { checkHeads, listKept, pagesOf } from './heads.js';
import { JOB_STATUSES } from './names.js';
import { slotOf } from './slots.js';

const ENDED = ['completed', 'failed'];

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
  return list(engine, task, call, () => (canList ? listKept(engine, { parentId: id }) : []), isChild);
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
  return list(engine, task, call, () => listKept(engine, { status }), standsThere);
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
  for await (const page of pagesOf(engine, { status: ENDED, unsettled: true })) {
    for (const head of page) if (ENDED.includes(head.status) && isOpen(head.run?.account)) found.push(head);
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
