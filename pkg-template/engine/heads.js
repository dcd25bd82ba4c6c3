// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { uncopied } from '../parts/handover.js';
import { describe } from '../parts/plain.js';

/** Heads are read in pages of this many, so that a long list holds nobody up. */
const PAGE = 1_000;

/**
 * The head of a job, or the job where the store gives no heads, for the engine to read and not to change.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {string} id
 */
export function readHead({ store }, id) {
  if (typeof store.getHead !== 'function') return store.getJob(id);
  const kept = uncopied.get(store.getHead);
  return kept === undefined ? store.getHead(id) : kept(id);
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
 * The same, for the engine to read and not to change.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {any} filter
 */
export function listKept(engine, filter) {
  const { store } = engine;
  return uncopied.get(store.listJobs)?.(filter) ?? listJobs(engine, filter);
}

/**
 * Lists of heads from the store, for the engine to read. A store that knows nothing of pages answers with all of them,
 * each time.
 *
 * @param {import('./engine.js').Engine} engine
 * @param {any} filter
 */
export async function* pagesOf(engine, filter) {
  /** @type {string | undefined} */
  let cursor;
  for (;;) {
    const asked = cursor === undefined ? { ...filter, limit: PAGE } : { ...filter, limit: PAGE, cursor };
    const page = await listKept(engine, asked);
    checkHeads(page);
    yield page;
    const last = page.at(-1)?.id;
    if (page.length !== PAGE || last === cursor) return;
    cursor = last;
  }
}

/** @param {any} heads as a store listed them */
export function checkHeads(heads) {
  const wrong = Array.isArray(heads) ? heads.findIndex((head) => typeof head?.id !== 'string') : null;
  if (wrong === -1) return;
  const found = wrong === null ? describe(heads) : `id ${describe(heads[wrong]?.id)} in head ${wrong}`;
  throw new JobwrightError(`store.listJobs must answer a list of heads; found ${found}`, {
    code: 'invalid_job',
  });
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
