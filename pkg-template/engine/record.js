// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe } from '../parts/plain.js';
import { accountProblem, isOpen } from './accounts.js';
import { headRegisters } from './core.js';
import { JOB_STATUSES } from './names.js';
import { treeProblem } from './step-trees.js';

const ALLOW_TOOLS = 1;
const REQUIRE_APPROVAL = 2;
const HAS_RUN = 4;
const HAS_PARENT = 8;
const SHARES_STEPS = 16;
const ACCOUNT_OPEN = 32;
const WAS_CANCELLED = 64;
const OWES = 128;

/** @type {Map<unknown, number>} */
const statusCodes = new Map(JOB_STATUSES.map((status, code) => [status, code]));

/**
 * An error for the caller: what the store returned is not the job that was asked for.
 *
 * @param {{ id: string }} slot
 * @param {string} problem
 * @param {unknown} [cause]
 */
export function badJob(slot, problem, cause) {
  const message = `The store's answer for job ${describe(slot.id)} can't be used: ${problem}`;
  return new JobwrightError(message, { code: 'invalid_job', cause });
}

/**
 * Takes what the store returned for a job: checks it, keeps it, and tells the core its head.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} job
 * @returns {number} the code of its status
 */
export function acceptJob(slot, job) {
  check(slot, job);
  const { context, history } = job;
  if (context === null || typeof context !== 'object') throw badJob(slot, `context is ${describe(context)}`);
  if (history !== undefined && !Array.isArray(history)) throw badJob(slot, `history is ${describe(history)}`);
  slot.forgetRecord();
  const seq = lastSeq(job);
  slot.record = slot.engine.commits() ? ownRecord(slot, job) : job;
  slot.current = true;
  return writeRegisters(slot, seq);
}

/**
 * Takes a head alone: enough for what needs neither context nor steps.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} head
 */
export function acceptHead(slot, head) {
  check(slot, head);
  slot.record = new OwnJob(head, {});
  slot.record.isHead = true;
  return writeRegisters(slot);
}

/**
 * @param {{ id: string }} slot
 * @param {any} job
 */
function check(slot, job) {
  if (typeof job !== 'object') throw badJob(slot, `it is ${describe(job)}`);
  if (job.id !== slot.id) throw badJob(slot, `its id is ${describe(job.id)}`);
  if (!statusCodes.has(job.status)) throw badJob(slot, `its status is ${describe(job.status)}`);
  const { permissions, run } = job;
  if (permissions !== undefined && (permissions === null || typeof permissions !== 'object')) {
    throw badJob(slot, `its permissions are ${describe(permissions)}`);
  }
  const maxSteps = permissions?.maxSteps;
  if (maxSteps !== undefined && !(typeof maxSteps === 'number' && maxSteps >= 0)) {
    throw badJob(slot, `permissions.maxSteps is ${describe(maxSteps)}`);
  }
  if (run === undefined) return;
  if (run === null || typeof run !== 'object') throw badJob(slot, `run is ${describe(run)}`);
  if (run.schema !== 1) {
    throw badJob(slot, `run.schema is ${describe(run.schema)}; this version of jobwright reads schema 1`);
  }
  if (run.approvals !== undefined && !areRequests(run.approvals)) {
    throw badJob(slot, 'run.approvals is not a list of requests');
  }
  const problem = treeProblem(run) ?? accountProblem(run.account);
  if (problem !== null) throw badJob(slot, problem);
}

/** @param {any} approvals */
function areRequests(approvals) {
  return Array.isArray(approvals) && approvals.every((request) => typeof request?.id === 'string');
}

/**
 * A job as the engine keeps it up to date. Every member is always there: objects of one shape are read and written at a
 * fraction of the time of others.
 */
export class OwnJob {
  /**
   * @param {any} job as a store gave it, or its head; it is never changed
   * @param {Record<string, unknown>} context the engine's own
   */
  constructor({ id, status, permissions, timing, type, config, parentId, run }, context) {
    this.id = id;
    this.status = status;
    this.permissions = permissions;
    this.timing = timing;
    this.type = type;
    this.config = config;
    this.parentId = parentId;
    this.context = context;
    this.run = run === undefined ? undefined : new OwnRun(run);
    /** @type {number | undefined} the event that set it running last */
    this.startedSeq = undefined;
    /** It has neither plan, steps nor context. */
    this.isHead = false;
  }
}

/** What the engine remembers of a job beyond its head. */
class OwnRun {
  /** @param {any} run */
  constructor(run) {
    this.schema = run.schema;
    this.revision = run.revision;
    this.seq = run.seq;
    this.stepsTaken = run.stepsTaken;
    this.approvals = run.approvals;
    this.signals = run.signals;
    this.breakpoints = run.breakpoints;
    this.slowPlayMs = run.slowPlayMs;
    this.paceMs = run.paceMs;
    this.forkedFrom = run.forkedFrom;
    this.sharedBy = run.sharedBy;
    this.treeSteps = run.treeSteps;
    this.account = run.account;
    this.pause = run.pause;
    this.failure = run.failure;
    this.plan = run.plan;
    this.steps = run.steps === undefined ? undefined : { ...run.steps };
  }
}

/**
 * A copy that the engine may keep up to date. History stays behind: all that is needed of it are the outputs of its
 * steps.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {any} job
 */
function ownRecord(slot, job) {
  const { history = [] } = job;
  /** @type {any} */
  const record = new OwnJob(job, { ...job.context });
  slot.record = record;
  record.startedSeq = lastStart(history);
  if (job.run?.stepsTaken === undefined) return record;
  const places = placesOf(slot);
  for (const event of history) {
    const { step, item, items, output = null } = event.payload ?? {};
    if (!places.has(step)) continue;
    if (Array.isArray(items) && event.type === 'step_started') slot.keepList(step, items);
    if (!givesOutput(event)) continue;
    const place = places.get(step);
    slot.outputs[item === undefined ? place : (record.run.steps[step]?.fanOut?.place ?? 0) + item] = output;
  }
  return record;
}

/**
 * The places of a job's steps, by id.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @returns {Map<string, any>}
 */
function placesOf(slot) {
  const { plan, steps = {} } = slot.record.run ?? {};
  if (plan !== undefined)
    return new Map(
      plan.steps.map((/** @type {any} */ step, /** @type {number} */ place) => [step.id, place]),
    );
  return new Map(Object.keys(steps).map((_, place) => [slot.routedIdAt(place), place]));
}

/**
 * What a step gave, as its event recorded it.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} step
 */
export function outputOf(slot, step) {
  const outputs = slot.isWhole ? slot.knownOutputs : slot.formerOutputs;
  const known = outputs?.[step];
  if (known !== undefined) return known;
  const { id, item } = slot.stepAt(step);
  const ended = slot.whole.history?.findLast(
    (/** @type {any} */ event) =>
      givesOutput(event) && event.payload?.step === id && event.payload.item === item,
  );
  return ended?.payload.output ?? null;
}

/**
 * Does the event say what a step gives? One that failed for good gives null, whatever its rounds gave.
 *
 * @param {any} event
 */
function givesOutput({ type, payload }) {
  if (type === 'step_failed' || type === 'item_failed') return payload?.retryAt === undefined;
  return type === 'step_completed' || type === 'round_completed' || type === 'item_completed';
}

/**
 * Where a job's history began and was started last, for the causes of what follows.
 *
 * @param {import('./slots.js').JobSlot} slot
 */
export function beginningOf({ record }) {
  const { run } = record;
  return {
    hasBeginning: run?.plan !== undefined || run?.stepsTaken !== undefined,
    startedSeq: record.startedSeq ?? lastStart(record.history ?? []),
  };
}

/** @param {any[]} history */
function lastStart(history) {
  return history.findLast((event) => event?.type === 'job_started')?.seq;
}

/** @param {any} job */
function lastSeq({ run, history = [] }) {
  const last = history.at(-1)?.seq;
  return run?.seq ?? (Number.isSafeInteger(last) ? last : history.length);
}

/**
 * Tells the core the head of the job that is at hand.
 *
 * @param {import('./slots.js').JobSlot} slot
 * @param {number} [seq] the number of its latest event, where `run` may not say
 * @returns {number} the code of its status
 */
export function writeRegisters(slot, seq) {
  slot.seq = seq ?? slot.record.run?.seq ?? slot.seq;
  return writeHead(slot.record, slot.seq);
}

/**
 * Tells the core the head of another job than those that are being worked on.
 *
 * @param {string} id
 * @param {any} head as the store gave it
 * @returns {number} the code of its status
 */
export function tellHead(id, head) {
  check({ id }, head);
  return writeHead(head, head.run?.seq ?? 0);
}

/**
 * @param {any} record
 * @param {number} seq
 */
function writeHead({ status, permissions, timing, run, parentId }, seq) {
  const head = headRegisters();
  head[0] = run?.revision ?? 0;
  head[1] = seq;
  head[2] = run?.stepsTaken ?? 0;
  head[3] = permissions?.maxSteps ?? 10;
  head[4] = timing?.created ?? Number.NaN;
  head[5] = timing?.started ?? Number.NaN;
  head[6] = timing?.completed ?? Number.NaN;
  head[7] =
    (permissions?.allowTools === true ? ALLOW_TOOLS : 0) |
    (permissions?.requireApproval === false ? 0 : REQUIRE_APPROVAL) |
    (hasMore(run) ? HAS_RUN : 0) |
    (parentId === undefined ? 0 : HAS_PARENT) |
    (run?.sharedBy === undefined ? 0 : SHARES_STEPS) |
    (isOpen(run?.account) ? ACCOUNT_OPEN : 0) |
    (run?.account?.owed === undefined ? 0 : OWES) |
    (run?.failure?.code === 'cancelled' ? WAS_CANCELLED : 0);
  head[8] = run?.treeSteps?.taken ?? 0;
  return /** @type {number} */ (statusCodes.get(status));
}

/**
 * A job's permissions, those that its store does not give at their defaults.
 *
 * @param {any} job
 */
export function permissionsOf({ permissions }) {
  return {
    allowTools: permissions?.allowTools === true,
    requireApproval: permissions?.requireApproval !== false,
    maxSteps: permissions?.maxSteps ?? 10,
  };
}

/**
 * Is there more to a job than its head?
 *
 * @param {any} run
 */
function hasMore(run) {
  if (run === undefined) return false;
  return (
    run.stepsTaken !== undefined ||
    run.plan !== undefined ||
    run.pause !== undefined ||
    run.failure !== undefined ||
    run.signals !== undefined ||
    run.slowPlayMs !== undefined
  );
}
