// @ts-check
/**
 * The specification as plain JavaScript, slow and obvious, to compare the engine with.
 *
 * Each operation is a generator: it yields what it asks of the outside (`['load', id]`, `['save', job]`,
 * `['emit', type, payload]`, ...) and is given the answer. `run-model.mjs` answers at once, which makes this a
 * synchronous model; `reference.mjs` awaits each answer, which makes it an orchestrator of its own.
 */
import { nextStep, runJob } from './model-steps.mjs';

/** What a mutation may change, to see that the comparison notices. */
export const RULES = Object.freeze({
  startable: ['created', 'paused'],
  pausable: ['running'],
  completable: ['running'],
  failable: ['created', 'running', 'paused'],
  defaults: { allowTools: false, requireApproval: true, maxSteps: 10 },
  pauseRefusal: 'Only running jobs can be paused',
  monitorOnEnd: true,
  emitBeforeSave: false,
  askBudgetOnStart: true,
  askBudgetPerAttempt: false,
  countEnded: 1,
});

/** @param {string} code @param {string} error */
export function refuse(code, error) {
  return Object.defineProperty({ success: false, error }, 'code', { value: code, enumerable: false });
}

/** @param {object} [extra] */
export const success = (extra = {}) => ({ success: true, ...extra });

/**
 * Emits what a commit decided; in its own step, so that a broken rule can put it first.
 * @param {any} rules @param {any} job @param {[string, object][]} events
 * @returns {Generator<any, any, any>}
 */
export function* commit(rules, job, events) {
  if (rules.emitBeforeSave) for (const [type, payload] of events) yield ['emit', type, payload];
  yield ['save', job];
  if (!rules.emitBeforeSave) for (const [type, payload] of events) yield ['emit', type, payload];
}

/**
 * The job as it ends, and what is said of it.
 * @param {any} rules @param {any} job @param {'completed' | 'failed'} status @param {any} failure
 * @param {[string, object][]} before events of the same commit that come first
 * @returns {Generator<any, any, any>}
 */
export function* end(rules, job, status, failure, before = []) {
  const now = yield ['now'];
  const ended = {
    ...job,
    status,
    timing: { ...job.timing, completed: now },
    run: { ...job.run, failure, pause: undefined, approvals: [] },
  };
  const type = status === 'completed' ? 'job_completed' : 'job_failed';
  yield* commit(rules, ended, [...before, [type, { jobId: job.id, status }]]);
  if (rules.monitorOnEnd) {
    const duration = now - (job.timing.started ?? job.timing.created);
    for (let n = 0; n < rules.countEnded; n++) yield ['monitor', job.id, duration, { status }];
  }
}

/**
 * Ends a job because somebody says so: steps under way are given up.
 * @param {any} rules @param {any} job @param {'completed' | 'failed'} status @param {any} [failure]
 * @returns {Generator<any, any, any>}
 */
function* endByCaller(rules, job, status, failure) {
  const steps = { ...job.run.steps };
  /** @type {[string, object][]} */
  const said = [];
  for (const [step, state] of Object.entries(steps)) {
    const isOpen = state.attempts > 0 && state.status !== 'done' && state.status !== 'failed';
    if (!isOpen) continue;
    steps[step] = { ...state, status: 'failed' };
    const agent = (job.run.plan?.steps ?? [job.run.current]).find(
      (/** @type {any} */ s) => s.id === step,
    ).agent;
    said.push(['step_failed', { jobId: job.id, step, agent, attempt: state.attempts }]);
  }
  yield* end(rules, { ...job, run: { ...job.run, steps } }, status, failure, said);
}

/** @param {any} job */
const planIsDone = (job) =>
  job.run?.plan?.steps.every((/** @type {any} */ step) => job.run.steps[step.id].status === 'done') ?? false;

/**
 * Load, decide, commit and tell, with the job held until told.
 * @param {string} id @param {(job: any) => Generator<any, any, any>} decide
 * @returns {Generator<any, any, any>}
 */
function* onJob(id, decide) {
  yield ['lock', id];
  try {
    const job = yield ['load', id];
    if (!job) return refuse('not_found', 'Job not found');
    return yield* decide(job);
  } finally {
    yield ['unlock', id];
  }
}

export function createModel(rules = RULES) {
  /** @param {any} context @param {any} permissions @param {any} options @returns {Generator<any, any, any>} */
  function* createJob(context = {}, permissions = {}, options = {}) {
    const { id, plan } = options;
    yield ['lock', id];
    try {
      if (yield ['load', id]) return { rejects: 'conflict' };
      const job = {
        id,
        status: 'created',
        context,
        permissions: { ...rules.defaults, ...permissions },
        timing: { created: yield ['now'] },
        run: { stepsTaken: 0, approvals: [], steps: {}, ...(plan && { plan, steps: pendingSteps(plan) }) },
      };
      yield ['save', job];
      return id;
    } finally {
      yield ['unlock', id];
    }
  }

  /** @param {string} id */
  const startJob = (id) =>
    onJob(id, function* (job) {
      if (!rules.startable.includes(job.status))
        return refuse('invalid_transition', 'Invalid state transition');
      if (rules.askBudgetOnStart) {
        const verdict = yield ['canSpend', id];
        if (!verdict.success) return verdict;
      }
      const started = job.timing.started ?? (yield ['now']);
      const running = {
        ...job,
        status: 'running',
        timing: { ...job.timing, started },
        run: { ...job.run, pause: undefined },
      };
      /** @type {[string, object][]} */
      const said = [['job_started', { jobId: id }]];
      if (planIsDone(running)) yield* end(rules, running, 'completed', undefined, said);
      else yield* commit(rules, running, said);
      return success();
    });

  /** @param {string} id */
  const pauseJob = (id) =>
    onJob(id, function* (job) {
      if (!rules.pausable.includes(job.status)) return refuse('invalid_transition', rules.pauseRefusal);
      const paused = { ...job, status: 'paused', run: { ...job.run, pause: { reason: 'user' } } };
      yield* commit(rules, paused, [['job_paused', { jobId: id }]]);
      return success();
    });

  /** @param {string} id @param {'completed' | 'failed'} status */
  const completeJob = (id, status = 'completed') =>
    onJob(id, function* (job) {
      if (!rules.completable.includes(job.status))
        return refuse('invalid_transition', 'Invalid state transition');
      yield* endByCaller(rules, job, status);
      return success();
    });

  /** @param {string} id */
  const failJob = (id) =>
    onJob(id, function* (job) {
      if (!rules.failable.includes(job.status))
        return refuse('invalid_transition', 'Invalid state transition');
      yield* endByCaller(rules, job, 'failed', { code: 'agent_failed' });
      return success();
    });

  /** @param {string} id */
  const cancelJob = (id) =>
    onJob(id, function* (job) {
      if (!rules.failable.includes(job.status))
        return refuse('invalid_transition', 'Invalid state transition');
      yield* endByCaller(rules, job, 'failed', { code: 'cancelled' });
      return success({ results: { [id]: 'cancelled' } });
    });

  /** @param {string} id @param {object} permissions */
  const setPermissions = (id, permissions) =>
    onJob(id, function* (job) {
      if (!rules.failable.includes(job.status))
        return refuse('invalid_transition', 'Invalid state transition');
      yield* commit(rules, { ...job, permissions: { ...job.permissions, ...permissions } }, []);
      return success();
    });

  /** @param {string} id @param {any} by */
  const approveStep = (id, by = {}) =>
    onJob(id, function* (job) {
      if (!rules.failable.includes(job.status))
        return refuse('invalid_transition', 'Invalid state transition');
      const request = job.run.approvals[0];
      if (!request) return refuse('invalid_transition', 'No step is waiting for approval');
      const steps = { ...job.run.steps };
      steps[request.step] = { ...steps[request.step], status: 'pending', approvedBy: by.by, approved: true };
      const run = { ...job.run, steps, approvals: [] };
      const answer = { jobId: id, step: request.step, agent: request.agent };
      if (job.status !== 'paused' || job.run.pause.reason !== 'approval') {
        yield* commit(rules, { ...job, run }, [['step_approved', answer]]);
        return success();
      }
      const running = { ...job, status: 'running', run: { ...run, pause: undefined } };
      yield* commit(rules, running, [
        ['step_approved', answer],
        ['job_started', { jobId: id }],
      ]);
      return success();
    });

  /** @param {string} id */
  const rejectStep = (id) =>
    onJob(id, function* (job) {
      if (!rules.failable.includes(job.status))
        return refuse('invalid_transition', 'Invalid state transition');
      const request = job.run.approvals[0];
      if (!request) return refuse('invalid_transition', 'No step is waiting for approval');
      const steps = { ...job.run.steps };
      steps[request.step] = { ...steps[request.step], status: 'failed' };
      const failed = { ...job, run: { ...job.run, steps } };
      const answer = { jobId: id, step: request.step, agent: request.agent };
      const failure = { code: 'rejected', step: request.step };
      yield* end(rules, failed, 'failed', failure, [
        ['step_rejected', answer],
        ['step_failed', { ...answer, attempt: steps[request.step].attempts }],
      ]);
      return success();
    });

  /** @param {string} id @returns {Generator<any, any, any>} */
  function* getJob(id) {
    return (yield ['load', id]) ?? null;
  }

  return {
    createJob,
    startJob,
    pauseJob,
    completeJob,
    failJob,
    cancelJob,
    setPermissions,
    approveStep,
    rejectStep,
    getJob,
    /** @param {string} id @param {unknown} input */
    nextStep: (id, input) => nextStep(rules, id, input),
    /** @param {string} id @param {{ input?: unknown }} options */
    runJob: (id, { input }) => runJob(rules, id, input),
  };
}

/** @param {any} plan */
function pendingSteps(plan) {
  return Object.fromEntries(
    plan.steps.map((/** @type {any} */ s) => [s.id, { status: 'pending', attempts: 0 }]),
  );
}
