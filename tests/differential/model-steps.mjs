// @ts-check
/** The steps of the model: what nextStep checks, in its order, and what a step leaves behind. */
import { commit, end, refuse, success } from './model.mjs';

/** @param {any} rules @param {string} id @param {unknown} input @returns {Generator<any, any, any>} */
export function* nextStep(rules, id, input) {
  yield ['lock', id];
  let held = true;
  try {
    const stored = yield ['load', id];
    if (!stored) return refuse('not_found', 'Job not found');
    if (stored.status !== 'running') return refuse('not_running', 'Job not running');

    const before = recovered(stored);
    const known = knownStep(before, input);
    const begun = known && before.run.steps[known.id].attempts > 0;
    // A step that a person was asked about is asked about nothing else until the answer, but for its tools.
    if (known && waitsForAnswer(before, known)) return yield* askApproval(rules, before, known);
    if (!begun && before.run.stepsTaken >= before.permissions.maxSteps) {
      return yield* stopFor(rules, before, 'step_limit');
    }
    const [job, step] = known ? [before, known] : yield* routedStep(before, input);
    if (!step) {
      yield* end(rules, job, 'completed', undefined);
      return success({ status: 'completed', step: null });
    }
    const { dueAt } = job.run.steps[step.id];
    const now = yield ['now'];
    if (dueAt > now) {
      yield ['save', job];
      yield ['sleep', dueAt - now];
    }

    const agent = yield ['findAgent', step.agent];
    const granted = step.tools ?? [];
    if (granted.length > 0 && !job.permissions.allowTools)
      return yield* failFor(rules, job, 'tools_denied', step);
    if (!agent) return yield* failFor(rules, job, 'unknown_agent', step);

    const asks = job.permissions.requireApproval || step.approval === true;
    if (asks && !job.run.steps[step.id].approved) return yield* askApproval(rules, job, step);

    const cost = step.cost ?? agent.metadata?.cost ?? 0;
    const verdict = yield ['askBudget', id, cost, step];
    if (!verdict.success) return yield* stopFor(rules, job, 'budget', verdict);

    yield* beginAttempt(rules, job, step, []);
    for (;;) {
      const current = yield* unlocked(id, job, step);
      held = true;
      const outcome = yield* settle(rules, current.job, step, current.result, cost);
      if (outcome) return outcome;
    }
  } finally {
    if (held) yield ['unlock', id];
  }

  /** Calls the agent while others may act on the job, which may look otherwise afterwards. @returns {Generator<any, any, any>} */
  function* unlocked(/** @type {string} */ jobId, /** @type {any} */ before, /** @type {any} */ step) {
    yield ['unlock', jobId];
    held = false;
    const running = yield ['look', jobId];
    const result = yield ['agent', step.agent, step.input, contextOf(running ?? before, step)];
    yield ['lock', jobId];
    held = true;
    return { job: yield ['load', jobId], result };
  }
}

/** @param {any} job @param {any} step */
function waitsForAnswer({ permissions, run }, { id, tools = [], approval }) {
  const asked = run.approvals.some((/** @type {any} */ waiting) => waiting.step === id);
  const asks = permissions.requireApproval || approval === true;
  return asked && asks && !run.steps[id].approved && (tools.length === 0 || permissions.allowTools);
}

/** What runJob says of a job that is not running. */
const STOPPED = /** @type {Record<string, string>} */ ({
  user: 'not_running',
  approval: 'approval_required',
  budget: 'budget_exceeded',
  step_limit: 'step_limit',
});

/** Step after step, until one says no. @param {any} rules @param {string} id @param {unknown} input @returns {Generator<any, any, any>} */
export function* runJob(rules, id, input) {
  const job = yield ['load', id];
  if (!job) return refuse('not_found', 'Job not found');
  if (job.status === 'completed') return success({ status: 'completed' });
  if (job.status === 'failed') return refuse(job.run.failure?.code ?? 'not_running', 'any sentence');
  if (job.status === 'paused') return refuse(STOPPED[job.run.pause.reason], 'any sentence');
  for (let given = input; ; given = undefined) {
    const outcome = yield* nextStep(rules, id, given);
    if (!outcome.success) return outcome;
    if (outcome.status === 'completed') return success({ status: 'completed' });
  }
}

/** Attempts that were cut off are made again, under the same number. @param {any} job */
function recovered(job) {
  const steps = Object.entries(job.run.steps ?? {}).map(([id, state]) =>
    state.status === 'running' ? [id, { ...state, status: 'pending', again: true }] : [id, state],
  );
  return { ...job, run: { ...job.run, steps: Object.fromEntries(steps) } };
}

/** The step that comes next, with the input it gets, unless the router has to be asked. @param {any} job @param {unknown} given */
function knownStep(job, given) {
  const { plan, steps, outputs = {}, current } = job.run;
  if (!plan) return current;
  const at = plan.steps.findIndex((/** @type {any} */ s) => steps[s.id].status !== 'done');
  const step = plan.steps[at];
  const before = at === 0 ? null : outputs[plan.steps[at - 1].id];
  const state = steps[step.id];
  // A step that is made again gets what it got the first time.
  const from = state.attempts > 0 ? state.given : given;
  return {
    ...step,
    given: from,
    input: 'input' in step ? evaluate(step.input, job.context) : (from ?? before),
  };
}

/** The job with the step that its router asks for. @param {any} job @param {unknown} given @returns {Generator<any, any, any>} */
function* routedStep(job, given) {
  const answer = yield ['route', job, given];
  if (answer === null) return [job, null];
  const asked = typeof answer === 'string' ? { agent: answer } : answer;
  const id = `${asked.agent}#${Object.keys(job.run.steps).length + 1}`;
  const step = { input: given ?? null, ...asked, id, into: asked.agent };
  const known = withStep(job, step, { status: 'pending', attempts: 0 });
  known.run.current = step;
  return [known, step];
}

/** The few expressions that the generated plans use. @param {any} expression @param {any} context @returns {any} */
function evaluate(expression, context) {
  if (expression === null || typeof expression !== 'object') return expression;
  const keys = Object.keys(expression);
  if (keys.length === 1 && keys[0] === 'var') {
    const path = expression.var.split('.');
    return path.reduce((/** @type {any} */ at, /** @type {string} */ key) => at?.[key] ?? null, context);
  }
  return Object.fromEntries(keys.map((key) => [key, evaluate(expression[key], context)]));
}

/** @param {any} job @param {any} step */
const about = (job, step) => ({
  jobId: job.id,
  step: step.id,
  agent: step.agent,
  attempt: job.run.steps[step.id].attempts,
});

/** @param {any} job @param {any} step @param {any} change */
function withStep(job, step, change) {
  const steps = { ...job.run.steps };
  steps[step.id] = { ...steps[step.id], ...change };
  return { ...job, run: { ...job.run, steps } };
}

/** Pauses the job because of what stopped it. @param {any} rules @param {any} job @param {string} reason @param {any} [own] @returns {Generator<any, any, any>} */
function* stopFor(rules, job, reason, own) {
  const paused = { ...job, status: 'paused', run: { ...job.run, pause: { reason } } };
  yield* commit(rules, paused, [['job_paused', { jobId: job.id, reason }]]);
  return own ?? refuse('step_limit', 'Step limit reached');
}

/** @param {any} rules @param {any} job @param {string} code @param {any} step @returns {Generator<any, any, any>} */
function* failFor(rules, job, code, step) {
  const failed = withStep(job, step, { status: 'failed' });
  yield* end(rules, failed, 'failed', { code, step: step.id }, [['step_failed', about(job, step)]]);
  return refuse(code, 'any sentence');
}

/** @param {any} rules @param {any} job @param {any} step @returns {Generator<any, any, any>} */
function* askApproval(rules, job, step) {
  const waiting = withStep(job, step, { status: 'waiting' });
  waiting.status = 'paused';
  waiting.run.pause = { reason: 'approval', step: step.id };
  waiting.run.approvals = [{ step: step.id, agent: step.agent }];
  /** @type {[string, object][]} */
  const said = [['job_paused', { jobId: job.id, reason: 'approval' }]];
  const asked = job.run.approvals.length > 0;
  if (!asked) said.unshift(['approval_requested', { jobId: job.id, step: step.id, agent: step.agent }]);
  yield* commit(rules, waiting, said);
  return refuse('approval_required', 'Approval required');
}

/** @param {any} rules @param {any} job @param {any} step @param {[string, object][]} said events of the same commit that come first @returns {Generator<any, any, any>} */
function* beginAttempt(rules, job, step, said) {
  const state = job.run.steps[step.id];
  const attempts = state.again ? state.attempts : state.attempts + 1;
  const now = { status: 'running', attempts, again: false, dueAt: undefined, given: step.given };
  const begun = withStep(job, step, now);
  if (state.attempts === 0) begun.run.stepsTaken = job.run.stepsTaken + 1;
  begun.run.approvals = [];
  yield* commit(rules, begun, [...said, ['step_started', about(begun, step)]]);
}

/** What the agent is told, of the job as it is now. @param {any} job @param {any} step */
const contextOf = (job, step) => ({
  jobId: job.id,
  step: step.id,
  attempt: job.run.steps[step.id].attempts,
  context: job.context,
  permissions: job.permissions,
  callTool(/** @type {string} */ name) {
    if (job.permissions.allowTools && (step.tools ?? []).includes(name)) return `${name} was called`;
    throw Object.assign(new Error('not granted'), { code: 'tools_denied' });
  },
});

/**
 * Commits what the attempt came to, unless the job ended before it. Gives nothing where another one has begun.
 * @param {any} rules @param {any} job @param {any} step @param {any} result @param {number} estimate
 * @returns {Generator<any, any, any>}
 */
function* settle(rules, job, step, result, estimate) {
  if (job.status !== 'running' && job.status !== 'paused') {
    return refuse(job.run.failure?.code ?? 'not_running', 'any sentence');
  }
  if (result.ok) return yield* finishStep(rules, job, step, result, estimate);

  const { attempts } = job.run.steps[step.id];
  const { maxAttempts = 1, backoffMs = 1000, factor = 2, maxBackoffMs = 60_000 } = step.retry ?? {};
  if (attempts < maxAttempts && result.retryable) {
    return yield* tryAgain(
      rules,
      job,
      step,
      Math.min(backoffMs * factor ** (attempts - 1), maxBackoffMs),
      estimate,
    );
  }
  const failed = withStep(job, step, { status: 'failed' });
  failed.run.current = undefined;
  const failure = { code: 'agent_failed', step: step.id };
  yield* end(rules, failed, 'failed', failure, [['step_failed', about(job, step)]]);
  return refuse('agent_failed', 'any sentence');
}

/** @param {any} rules @param {any} job @param {any} step @param {number} delay @param {number} cost @returns {Generator<any, any, any>} */
function* tryAgain(rules, job, step, delay, cost) {
  const dueAt = (yield ['now']) + delay;
  const waiting = withStep(job, step, { status: 'waiting', dueAt });
  /** @type {[string, object][]} */
  let said = [['step_failed', about(job, step)]];
  if (delay > 0) {
    yield* commit(rules, waiting, said);
    yield ['sleep', delay];
    said = [];
  }
  if (rules.askBudgetPerAttempt) yield ['askBudget', job.id, cost, step];
  yield* beginAttempt(rules, waiting, step, said);
}

/** @param {any} rules @param {any} job @param {any} step @param {any} result @param {number} estimate @returns {Generator<any, any, any>} */
function* finishStep(rules, job, step, result, estimate) {
  const done = withStep(job, step, { status: 'done' });
  done.context = { ...job.context, [step.into ?? step.id]: result.output };
  done.run.outputs = { ...job.run.outputs, [step.id]: result.output };
  done.run.current = undefined;
  // the agent has run, whether the commit goes through or not
  yield ['spend', job.id, result.cost ?? estimate, step];
  const said = /** @type {[string, object][]} */ ([['step_completed', about(job, step)]]);
  const { plan, steps } = done.run;
  const isLast = plan?.steps.every((/** @type {any} */ s) => steps[s.id].status === 'done') ?? false;
  const completes = isLast && job.status === 'running';
  if (completes) yield* end(rules, done, 'completed', undefined, said);
  else yield* commit(rules, done, said);
  const { attempts } = steps[step.id];
  const report = { id: step.id, agent: step.agent, status: 'done', output: result.output, attempts };
  return success({ status: completes ? 'completed' : job.status, step: report });
}
