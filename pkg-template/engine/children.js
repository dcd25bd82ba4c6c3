// @ts-check
import { describe } from '../parts/plain.js';
import { core } from './core.js';
import { announce } from './event-bus.js';
import { ask, frameOf } from './executor.js';
import { Family } from './family.js';
import { JOB_STATUSES, OVERALL_STATUSES } from './names.js';
import { slotOf } from './slots.js';

const NO = 0;
const YES = 1;
const FAILED = 2;
/** The statuses from this place on are those of jobs that have ended. */
const ENDED = JOB_STATUSES.indexOf('completed');

/** @param {number} task */
function familyOf(task) {
  return /** @type {Family} */ (frameOf(task).family);
}

/**
 * @param {number} task
 * @param {number} parent
 */
export function children_count(task, parent) {
  const frame = frameOf(task);
  const slot = slotOf(parent);
  frame.family = new Family(frame.engine, slot);
  if (frame.monitors) frame.engine.monitors.set(slot.id, frame.family);
}

/** @param {number} task */
export function children_changed(task) {
  const { changes, taken } = familyOf(task);
  return changes.length - taken;
}

/** @param {number} task */
export function children_next(task) {
  return familyOf(task).next();
}

/** @param {number} task */
export function children_unread(task) {
  const { unread, isMissed } = familyOf(task);
  return unread.size > 0 || isMissed;
}

/**
 * @param {number} task
 * @param {boolean} all
 * @param {number} call
 */
export function children_read(task, all, call) {
  const family = familyOf(task);
  if (!all && family.unread.size === 0 && !family.isMissed) return NO;
  return askFor(
    task,
    call,
    () => (all ? family.readAll() : family.readUnread()),
    () => NO,
  );
}

/**
 * @param {number} task
 * @param {number} call
 */
export function children_open(task, call) {
  const family = familyOf(task);
  return askFor(
    task,
    call,
    () => family.isOpen(),
    (_, isOpen) => (isOpen ? YES : NO),
  );
}

/**
 * @param {number} task
 * @param {number} call
 * @param {() => Promise<any>} question
 * @param {(frame: import('./executor.js').Frame, answer: any) => number} read
 */
function askFor(task, call, question, read) {
  return ask(frameOf(task), call, question, read, (frame, error) => {
    frame.listError = error;
    return FAILED;
  });
}

/** @param {number} task */
export function children_error(task) {
  return frameOf(task).listError;
}

/**
 * A child was made, which is not announced, or its status changed.
 *
 * @param {number} child
 * @param {number} status
 * @returns {number} the key of the parent, where its children are counted here, or -1
 */
export function child_changed(child, status) {
  const { engine, id, record, outbox, seq } = slotOf(child);
  const job = record ?? outbox?.origin;
  // A handler of what was announced has gone on with it.
  if (typeof job?.parentId !== 'string') return -1;
  const { parentId, type } = job;
  const family = engine.monitors.get(parentId);
  family?.note(job);
  if (status > 0) {
    const payload = { jobId: id, parentId, status: JOB_STATUSES[status] };
    engine.echo = id;
    announce(engine, id, seq, 'job_status_change', type === undefined ? payload : { ...payload, type });
    engine.echo = null;
  }
  if (family !== undefined) return family.parent.key;
  if (status >= ENDED) ringForGrandchild(engine, parentId);
  return -1;
}

/**
 * What happens further down matters to a parent whose children have ended.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {string} parentId of the job that has ended
 */
function ringForGrandchild(engine, parentId) {
  for (const { parent, children } of engine.monitors.values()) {
    if (children.has(parentId)) core.heard_of_child(engine.number, parent.key);
  }
}

/**
 * @param {number} parent
 * @param {number} pending
 * @param {number} running
 * @param {number} completed
 * @param {number} failed
 * @param {number} cancelled
 * @param {string} text
 * @param {number} overall
 * @param {number} done
 * @param {number} total
 * @param {number} fraction
 */
export function children_progress(
  parent,
  pending,
  running,
  completed,
  failed,
  cancelled,
  text,
  overall,
  done,
  total,
  fraction,
) {
  const { engine, id: jobId, seq } = slotOf(parent);
  const stats = statsOf(pending, running, completed, failed, cancelled, text, overall);
  for (const type of ['parent_job_progress', 'child_job_stats']) {
    const progress = { done, total, fraction: Number.isNaN(fraction) ? null : fraction };
    announce(engine, jobId, seq, type, { jobId, ...stats, progress });
  }
}

/**
 * @param {number} pending
 * @param {number} running
 * @param {number} completed
 * @param {number} failed
 * @param {number} cancelled
 * @param {string} progressText
 * @param {number} overall
 */
export function statsOf(pending, running, completed, failed, cancelled, progressText, overall) {
  const total = pending + running + completed + failed + cancelled;
  const overallStatus = OVERALL_STATUSES[overall];
  return { total, pending, running, completed, failed, cancelled, progressText, overallStatus };
}

/**
 * @param {number} parent
 * @param {unknown} why undefined where others commit to the job again and again
 */
export function monitor_failed(parent, why) {
  const { engine, id } = slotOf(parent);
  const words = `Monitoring job ${describe(id)} failed; it is tried again`;
  engine.log('error', words, why ?? 'Others commit to the job again and again');
}
