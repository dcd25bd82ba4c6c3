// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { invalidArgument, milliseconds, optionalSignal, optionsObject } from './arguments.js';
import { core } from './core.js';
import { frameOf, operate } from './executor.js';
import { open } from './open.js';

const MOST = 0x7fffffff;
const HEARD = 'job_status_change';

/**
 * The operations on jobs that have children.
 *
 * @param {import('./engine.js').Engine} engine
 */
export function monitorOperations(engine) {
  return {
    /**
     * @param {any} job
     * @param {any} [options]
     */
    startMonitoring(job, options) {
      if (engine.closed || engine.broken !== null)
        throw new JobwrightError('Orchestrator is closed', { code: 'closed' });
      const { id, texts } = readParent(job);
      const { signal, numbers } = readOptions(options);
      if (!engine.monitors.has(id)) monitor(engine, id, texts, signal, numbers);
    },
    subscribeToChildStatusChanges: () => subscribe(engine),
    /** @param {any} parentId */
    childStats: async (parentId) => {
      if (typeof parentId !== 'string')
        throw invalidArgument(`parentId must be a string; found ${describe(parentId)}`);
      return open(engine, () => countChildren(engine, parentId));
    },
  };
}

/**
 * @param {any} job
 * @returns {{ id: string, texts: (string | undefined)[] }} its type and what it is a parent for
 */
function readParent(job) {
  const text = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : undefined);
  try {
    const { id, type, config } = job;
    if (typeof id === 'string') return { id, texts: [text(type), text(config?.source_type)] };
  } catch {
    // Said below.
  }
  throw invalidArgument(`startMonitoring takes a job, as getJob gives it; found ${describe(job)}`);
}

/** @param {any} options */
function readOptions(options) {
  const given = optionsObject(options, 'options');
  const { pollMs = 5_000, timeoutMs = 30 * 60_000, noChildrenMs = 30_000, maxFailedChildren = 0 } = given;
  const signal = optionalSignal(given.signal);
  if (milliseconds(pollMs, 'pollMs') === 0) throw invalidArgument('pollMs must be more than 0; found 0');
  if (typeof maxFailedChildren !== 'number' || !(maxFailedChildren >= 0)) {
    throw invalidArgument(
      `maxFailedChildren must be a number of at least 0; found ${describe(maxFailedChildren)}`,
    );
  }
  const numbers = [
    pollMs,
    milliseconds(timeoutMs, 'timeoutMs'),
    milliseconds(noChildrenMs, 'noChildrenMs'),
    Math.min(maxFailedChildren, MOST),
  ];
  return { signal, numbers };
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {string} id
 * @param {(string | undefined)[]} texts
 * @param {AbortSignal | undefined} signal
 * @param {number[]} numbers
 */
function monitor(engine, id, texts, signal, numbers) {
  const slot = engine.jobs.enter(id);
  engine.notices.begin();
  const stop = () => core.stop_monitoring(engine.number, slot.key);
  signal?.addEventListener('abort', stop, { once: true });
  const begin = (/** @type {number} */ task) => {
    frameOf(task).monitors = true;
    core.start_monitoring(engine.number, task, slot.key, ...numbers, signal?.aborted === true);
  };
  slot.remembered = true;
  const errorOf = (/** @type {string} */ code, /** @type {string} */ message) =>
    new JobwrightError(message, { code });
  operate(engine, slot, () => undefined, begin, undefined, texts, errorOf)
    .catch((error) => engine.log('error', `Job ${describe(id)} could not be monitored`, error))
    .finally(() => {
      signal?.removeEventListener('abort', stop);
    });
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {string} parentId
 */
function countChildren(engine, parentId) {
  const errorOf = (/** @type {string} */ code, /** @type {string} */ message) =>
    new JobwrightError(`${message}: ${describe(parentId)}`, { code });
  const begin = (/** @type {number} */ task, /** @type {import('./slots.js').JobSlot} */ slot) =>
    core.child_stats(engine.number, task, slot.key);
  const slot = engine.jobs.enter(parentId);
  return operate(engine, slot, ({ found }) => found, begin, undefined, [], errorOf);
}

/**
 * Listens for what other orchestrators, and other programs, say of the children of jobs that are monitored here.
 *
 * @param {import('./engine.js').Engine} engine
 */
function subscribe(engine) {
  const { bus } = engine;
  if (engine.unsubscribe !== null || engine.closed || typeof bus?.on !== 'function') return;
  const handler = (/** @type {any} */ event) => hear(engine, event);
  engine.unsubscribe = () => bus.off?.(HEARD, handler);
  try {
    const off = bus.on(HEARD, handler);
    if (typeof off === 'function') engine.unsubscribe = off;
  } catch (error) {
    engine.unsubscribe = null;
    engine.log('error', `eventBus.on failed for ${HEARD}`, error);
  }
}

/**
 * @param {import('./engine.js').Engine} engine
 * @param {any} event
 */
function hear(engine, event) {
  if (engine.closed) return;
  const heard = readHeard(event);
  if (heard === null) {
    if (!engine.heardJunk)
      engine.log('warn', `An event ${HEARD} that names no job was ignored, as others will be`, event);
    engine.heardJunk = true;
    return;
  }
  if (heard.jobId !== engine.echo) hearOfChild(engine, heard.jobId, heard.parentId);
}

/**
 * Something happened to a job, which may be a child, or a child's child, of one that is monitored here.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {string} jobId
 * @param {any} parentId
 */
export function hearOfChild(engine, jobId, parentId) {
  for (const { parent, children, unread } of engine.monitors.values()) {
    const isChild = parentId === parent.id || children.has(jobId);
    // What happens further down matters when the children have ended.
    if (!isChild && !children.has(parentId)) continue;
    if (isChild) unread.add(jobId);
    core.heard_of_child(engine.number, parent.key);
  }
}

/**
 * @param {any} event as bundled buses tell it, with a payload, or the payload itself; in either spelling
 */
function readHeard(event) {
  try {
    const payload = event.payload ?? event;
    const jobId = payload.jobId ?? payload.job_id;
    const parentId = payload.parentId ?? payload.parent_id;
    return typeof jobId === 'string' ? { jobId, parentId } : null;
  } catch {
    return null;
  }
}
