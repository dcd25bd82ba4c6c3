// @ts-check
/** Jobs as commands name them, and what is said of them. */
import { EXIT, Failure } from './failure.js';
import { plain, quoted, shellWord } from './text.js';

/**
 * @typedef {import('jobwright').Job} Job
 * @typedef {import('jobwright').JobHead} JobHead
 * @typedef {import('./stores.js').Opened} Opened
 */

const PAGE = 1_000;

/** How many jobs are named where several are meant. */
const NAMED = 5;

/**
 * The jobs of a store, page by page.
 *
 * @param {import('./stores.js').Store} store
 * @param {import('jobwright').JobFilter} [filter]
 */
export async function* headsOf(store, filter = {}) {
  let cursor = filter.cursor;
  for (let left = filter.limit ?? Infinity; left > 0; left -= PAGE) {
    const limit = Math.min(left, PAGE);
    const page = await store.listJobs({ ...filter, limit, ...(cursor === undefined ? {} : { cursor }) });
    yield* page;
    if (page.length < limit) return;
    cursor = page.at(-1)?.id;
  }
}

/**
 * The id that a person means: the whole of it, or a beginning that no other job has.
 *
 * @param {Opened} opened
 * @param {string} given
 * @returns {Promise<string>}
 */
export async function findJob({ store, name }, given) {
  if (given !== '' && (await store.getHead(given)) !== null) return given;
  /** @type {string[]} */
  const found = [];
  if (given !== '') {
    for await (const { id } of headsOf(store)) if (begins(id, given)) found.push(id);
  }
  if (found.length === 0) {
    throw new Failure('not_found', `There is no job ${quoted(given)} in ${plain(name)}.`, EXIT.refused);
  }
  // What a job's steps made begins with its id too, and the job itself is meant.
  const meant = found.find((id) => found.every((other) => other === id || other.startsWith(`${id}:`)));
  if (meant !== undefined) return meant;
  const named = found.slice(0, NAMED).map(quoted).join(', ');
  const more = found.length > NAMED ? ` and ${found.length - NAMED} more` : '';
  throw new Failure(
    'ambiguous',
    `${quoted(given)} is the beginning of several ids: ${named}${more}.`,
    EXIT.refused,
  );
}

/**
 * A child's id may be shortened in both of its parts: `3f2a:pack`.
 *
 * @param {string} id
 * @param {string} given
 */
function begins(id, given) {
  const [at, colon] = [given.indexOf(':'), id.indexOf(':')];
  if (at < 1 || colon < at) return id.startsWith(given);
  return id.startsWith(given.slice(0, at)) && id.startsWith(given.slice(at), colon);
}

/**
 * @param {Opened} opened
 * @param {string} jobId
 * @returns {Promise<Job>}
 */
export async function loadJob({ store, name }, jobId) {
  const job = await store.getJob(jobId);
  if (job) return job;
  throw new Failure('not_found', `There is no job ${quoted(jobId)} in ${plain(name)}.`, EXIT.refused);
}

/** @param {{ status: string }} job */
export const hasEnded = ({ status }) => status === 'completed' || status === 'failed';

/**
 * A job's status in a few words, with the reason where there is one.
 *
 * @param {Pick<JobHead, 'status' | 'run'>} job
 */
export function standing({ status, run }) {
  const why = status === 'paused' ? run?.pause?.reason : status === 'failed' ? run?.failure?.code : undefined;
  return why === undefined ? plain(status) : `${plain(status)} (${plain(why)})`;
}

/**
 * What the job has cost so far: the costs that its history records.
 *
 * @param {Pick<Job, 'history'>} job
 */
export function costOf({ history }) {
  const costs = history.map(({ payload }) => /** @type {{ cost?: unknown } | null} */ (payload)?.cost);
  return costs.reduce((/** @type {number} */ sum, cost) => sum + (typeof cost === 'number' ? cost : 0), 0);
}

/**
 * The requests that wait for a person, of a job and the jobs below it.
 *
 * @param {import('./stores.js').Store} store
 * @param {string} jobId
 * @returns {Promise<{ jobId: string, request: import('jobwright').ApprovalRequest }[]>}
 */
export async function requestsOf(store, jobId) {
  const head = await store.getHead(jobId);
  if (head === null || hasEnded(head)) return [];
  const found = (head.run?.approvals ?? []).map((request) => ({ jobId, request }));
  for await (const { id } of headsOf(store, { parentId: jobId })) {
    // Of the children, those that steps of the job made: it waits for no others.
    if (id.startsWith(`${jobId}:`)) found.push(...(await requestsOf(store, id)));
  }
  return found;
}

/**
 * The job that has to be run for this one to go on: where a step of another job made it, that one.
 *
 * @param {import('./stores.js').Store} store
 * @param {string} jobId
 * @returns {Promise<string>}
 */
export async function runnerOf(store, jobId) {
  const head = await store.getHead(jobId);
  const parentId = head?.parentId;
  if (parentId === undefined || !jobId.startsWith(`${parentId}:`)) return jobId;
  const parent = await store.getHead(parentId);
  return parent === null || hasEnded(parent) ? jobId : runnerOf(store, parentId);
}

/**
 * The command that answers the first of some requests.
 *
 * @param {{ jobId: string, request: import('jobwright').ApprovalRequest }[]} requests not empty
 * @param {string} flags each with a space before
 */
export function approveCommand(requests, flags) {
  const [first] = requests;
  if (first === undefined) return undefined;
  const isOne = requests.filter(({ jobId }) => jobId === first.jobId).length === 1;
  const which = isOne ? '' : ` --approval ${shellWord(first.request.id)}`;
  return nextCommand('approve', first.jobId, which + flags);
}

/**
 * A command that somebody may type next.
 *
 * @param {string} command
 * @param {string} jobId
 * @param {string} flags each with a space before
 */
export const nextCommand = (command, jobId, flags) => `jobwright ${command} ${shellWord(jobId)}${flags}`;
