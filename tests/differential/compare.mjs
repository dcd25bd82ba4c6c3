// @ts-check
/** What must be equal between the engine and the model, and in which words the difference is told. */
import assert from 'node:assert/strict';

/** @param {Promise<any>} promise */
export async function settled(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

/** @param {any} actual @param {any} expected */
export function compareOutcomes(actual, expected) {
  if ('error' in expected) {
    assert.ok('error' in actual, `expected a rejection with ${expected.error}, got ${show(actual.value)}`);
    assert.equal(actual.error, expected.error, 'the rejection is not the same error object');
    return;
  }
  const wanted = expected.value;
  if (wanted?.rejects) {
    assert.equal(
      actual.error?.code,
      wanted.rejects,
      `expected a rejection "${wanted.rejects}", got ${show(actual)}`,
    );
    return;
  }
  assert.ok(
    !('error' in actual),
    `expected ${show(wanted)}, got a rejection: ${actual.error?.stack ?? show(actual.error)}`,
  );
  if (wanted?.own) assert.equal(actual.value, wanted, "not the budget manager's own object");
  if (wanted?.success === false) compareRefusals(actual.value, wanted);
  else assert.deepStrictEqual(withoutDuration(actual.value), withoutDuration(wanted));
}

/** @param {any} actual @param {any} wanted */
function compareRefusals(actual, wanted) {
  assert.equal(actual?.success, false, `expected ${show(wanted)} (${wanted.code}), got ${show(actual)}`);
  assert.equal(actual.code, wanted.code);
  if (wanted.error !== 'any sentence') return assert.deepStrictEqual(actual, wanted);
  assert.match(actual.error, /\w+/);
  assert.deepStrictEqual(Object.keys(actual), ['success', 'error']);
}

/** @param {any} value */
function withoutDuration(value) {
  if (!value?.step) return value;
  const { durationMs, ...step } = value.step;
  if (durationMs !== undefined) assert.ok(durationMs >= 0, `durationMs is ${durationMs}`);
  return { ...value, step };
}

/** What was asked of the outside, kind by kind: the order between kinds is free. @param {any[]} records */
export function byKind(records) {
  /** @type {Record<string, any[]>} */
  const kinds = {};
  for (const [kind, ...record] of records) {
    kinds[kind] ??= [];
    kinds[kind].push(kind === 'event' ? publicEvent(record) : record);
  }
  kinds.event = (kinds.event ?? []).filter(([type]) => COMPARED_EVENTS.has(type));
  return kinds;
}

const STEP_EVENTS = [
  'step_started',
  'step_completed',
  'step_failed',
  'step_approved',
  'step_rejected',
  'approval_requested',
];
const WITH_ATTEMPT = ['step_started', 'step_completed', 'step_failed'];
const COMPARED_EVENTS = new Set(['job_started', 'job_paused', 'job_completed', 'job_failed', ...STEP_EVENTS]);

/** Spec events whole; of step events what both sides must say. @param {any[]} event */
function publicEvent([type, payload, ...more]) {
  if (!STEP_EVENTS.includes(type)) return [type, payload, ...more];
  const { jobId, step, agent, attempt } = payload;
  return [type, { jobId, step, agent, ...(WITH_ATTEMPT.includes(type) && { attempt }) }, ...more];
}

/** The stored job, as far as the specification fixes it. @param {any} job */
export function viewOfJob(job) {
  if (!job) return null;
  const { id, status, context, permissions, timing, type, config, parentId, run = {} } = job;
  const known = run.plan?.steps.map((/** @type {any} */ step) => step.id) ?? Object.keys(run.steps ?? {});
  const steps = known.map((/** @type {string} */ step) => {
    const { status: stands = 'pending', attempts = 0, dueAt } = run.steps?.[step] ?? {};
    // Once approved, a step waits for nobody; whether it is called so until it begins is free.
    const asked = run.approvals?.some((/** @type {any} */ approval) => approval.step === step) ?? false;
    return [step, stands === 'waiting' && !asked && dueAt === undefined ? 'pending' : stands, attempts];
  });
  return {
    ...{ id, status, context, permissions, timing, type, config, parentId },
    steps,
    stepsTaken: run.stepsTaken ?? 0,
    failure: run.failure && { code: run.failure.code, step: run.failure.step },
    pause: status === 'paused' ? (run.pause?.reason ?? 'user') : undefined,
    approvals: (run.approvals ?? []).map((/** @type {any} */ a) => [a.step, a.tool, a.agent]),
  };
}

/** What must hold of every stored job, whoever made it. @param {any} job */
export function checkHistory(job) {
  const history = job?.history ?? [];
  const seen = new Set();
  for (const [at, event] of history.entries()) {
    assert.equal(event.seq, at + 1, `history of ${job.id} has a gap at ${at}`);
    assert.equal(event.trace.spanId, event.id);
    assert.equal(event.trace.traceId, history[0].trace.traceId);
    assert.ok(!seen.has(event.id), `event id ${event.id} twice`);
    const { parentId } = event.trace;
    assert.ok(
      parentId === undefined || seen.has(parentId),
      `event ${event.type} is caused by an event not before it`,
    );
    seen.add(event.id);
  }
  const types = history.map((/** @type {any} */ event) => event.type);
  const beginnings = types.filter((/** @type {string} */ type) => type === 'job_created').length;
  if (job?.run?.plan) assert.equal(types[0], 'job_created');
  const firstStep = types.indexOf('step_started');
  if (firstStep >= 0)
    assert.ok(types.slice(0, firstStep).includes('job_created'), 'a step before the beginning');
  assert.ok(beginnings <= 1, 'two beginnings');
}

/** @param {any} value */
export function show(value) {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
