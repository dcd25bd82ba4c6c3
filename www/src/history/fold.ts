/** What each event makes of a job. The engine's own decisions are not made again here: events say what came of them. */
import {
  type Fact,
  isRecord,
  member,
  momentOf,
  numberOf,
  STEP_EVENTS,
  type StepStatus,
  textOf,
} from './event';
import type { PlanRead } from './plan';
import { type Items, itemId, type JobState, newStep, type StepNow } from './state';

/** A key of the context that a step wrote. */
export interface Write {
  place: number;
  step: string;
  key: string;
  /** Was there something under the key before? */
  had: boolean;
  before: unknown;
  after: unknown;
}

export interface FoldContext {
  plan: PlanRead;
  jobId: string;
  factAt(place: number): Fact | undefined;
}

/** Takes the next event in. Returns what it wrote to the context, if it did. */
export function applyFact(state: JobState, fact: Fact, about: FoldContext): Write | undefined {
  state.position = fact.place + 1;
  state.time = fact.time;
  if (STEP_EVENTS.has(fact.type)) return applyToStep(state, fact, about);
  applyToJob(state, fact, about);
  return undefined;
}

function applyToJob(state: JobState, fact: Fact, { factAt }: FoldContext): void {
  const { payload, time, type } = fact;
  switch (type) {
    case 'job_created':
      state.created ??= time;
      takePermissions(state, member(payload, 'permissions'));
      takeContext(state, member(payload, 'context'));
      state.paceMs = numberOf(member(payload, 'slowPlayMs'));
      break;
    case 'job_started':
      state.status = 'running';
      state.started ??= time;
      state.pause = undefined;
      break;
    case 'job_paused':
      state.status = 'paused';
      state.pause = {
        reason: textOf(member(payload, 'reason')) ?? 'user',
        step: factAt(fact.cause)?.step,
        message: textOf(member(payload, 'message')),
      };
      break;
    case 'job_completed':
    case 'job_failed':
      endJob(state, fact, factAt(fact.cause));
      break;
    case 'permissions_changed':
      takePermissions(state, member(payload, 'permissions'));
      break;
    case 'breakpoints_changed': {
      const steps = member(payload, 'steps');
      state.breakpoints = Array.isArray(steps) ? steps.filter((step) => typeof step === 'string') : [];
      break;
    }
    case 'slow_play_changed':
      state.paceMs = numberOf(member(payload, 'ms'));
      break;
    case 'signal_received':
      state.signals.push({ name: textOf(member(payload, 'name')) ?? '', place: fact.place });
      break;
    case 'job_forked':
      fork(state, payload);
      break;
  }
}

function endJob(state: JobState, fact: Fact, cause: Fact | undefined): void {
  state.status = fact.type === 'job_completed' ? 'completed' : 'failed';
  state.completed = fact.time;
  state.pause = undefined;
  state.approvals.clear();
  if (state.status !== 'failed' || cause?.error === undefined) return;
  state.failure = { ...cause.error, step: cause.step };
}

/** The job goes on as another one, which nobody has started. */
function fork(state: JobState, payload: Fact['payload']): void {
  const from = member(payload, 'from');
  state.forkedFrom = {
    jobId: textOf(member(from, 'jobId')) ?? '',
    afterStep: textOf(member(from, 'afterStep')) ?? '',
  };
  state.status = 'created';
  state.started = undefined;
  state.pause = undefined;
  const permissions = member(payload, 'permissions');
  if (isRecord(permissions)) takePermissions(state, { ...state.permissions, ...permissions });
  takeContext(state, member(payload, 'context'));
  for (const map of [state.steps, state.items]) {
    for (const [id, step] of map) {
      if (step.status === 'running' && step.items === undefined) map.set(id, { ...step, status: 'pending' });
    }
  }
}

function takePermissions(state: JobState, permissions: unknown): void {
  if (isRecord(permissions)) state.permissions = permissions;
}

function takeContext(state: JobState, context: unknown): void {
  if (isRecord(context)) for (const key of Object.keys(context)) state.context.set(key, context[key]);
}

function applyToStep(state: JobState, fact: Fact, about: FoldContext): Write | undefined {
  const { step: id, item } = fact;
  if (id === undefined) return undefined;
  const map = item === undefined ? state.steps : state.items;
  const key = item === undefined ? id : itemId(id, item);
  const before = map.get(key) ?? newStep(id, item);
  const after: StepNow = { ...before, latest: fact.place };
  if (fact.status !== undefined) after.status = fact.status;
  if (fact.attempt !== undefined) after.attempts = fact.attempt;
  after.agent = fact.agent ?? before.agent;
  after.round = fact.round ?? before.round;
  applyKind(state, fact, after, about);
  if (fact.cost !== undefined && fact.cost > 0) {
    after.cost += fact.cost;
    state.cost += fact.cost;
  }
  map.set(key, after);
  if (item !== undefined) countItem(state, id, before, after);
  return writeOf(state, fact, after, about);
}

function applyKind(state: JobState, fact: Fact, step: StepNow, about: FoldContext): void {
  switch (fact.type) {
    case 'step_started':
    case 'item_started':
      begin(state, fact, step, about);
      break;
    case 'step_completed':
    case 'item_completed':
      step.finishedAt = fact.time;
      step.outputAt = fact.place;
      takeSignal(state, fact, about);
      break;
    case 'round_completed':
      step.rounds = fact.round ?? step.rounds + 1;
      step.outputAt = fact.place;
      break;
    case 'step_skipped':
      step.finishedAt = fact.time;
      break;
    case 'step_failed':
    case 'item_failed':
      fail(state, fact, step);
      break;
    case 'step_suspended':
      step.suspended = fact.error?.message ?? '';
      break;
    default:
      applyAnswer(state, fact, step);
  }
}

function applyAnswer(state: JobState, fact: Fact, step: StepNow): void {
  const approval = textOf(member(fact.payload, 'approval'));
  if (approval === undefined) return;
  if (fact.type !== 'approval_requested') {
    const asked = state.approvals.get(approval);
    state.approvals.delete(approval);
    if (fact.type === 'step_approved' && asked?.tool === undefined) {
      step.approvedBy = textOf(member(fact.payload, 'by')) ?? 'unknown';
    }
    return;
  }
  const { id, item } = step;
  const tool = textOf(member(fact.payload, 'tool'));
  state.approvals.set(approval, { id: approval, step: id, item, tool, place: fact.place });
}

function begin(state: JobState, fact: Fact, step: StepNow, { plan, jobId }: FoldContext): void {
  const isFirst = step.startedAt === undefined;
  step.startedAt ??= fact.time;
  step.dueAt = momentOf(member(fact.payload, 'dueAt'));
  step.error = undefined;
  step.suspended = undefined;
  if (fact.item === undefined && isFirst && fact.status === 'running') state.stepsTaken += 1;
  const items = member(fact.payload, 'items');
  const count = Array.isArray(items) ? items.length : undefined;
  if (count !== undefined) step.items = { count, running: 0, waiting: 0, done: 0, failed: 0 };
  if (count !== undefined || Object.hasOwn(fact.payload, 'input')) step.inputAt = fact.place;
  withdraw(state, fact);
  const planned = plan.byId.get(step.id);
  if (planned?.kind !== 'job' || count !== undefined) return;
  const part = fact.item ?? fact.round;
  step.childId = `${jobId}:${step.id}${part === undefined ? '' : `:${part}`}`;
}

function fail(state: JobState, fact: Fact, step: StepNow): void {
  step.error = fact.error;
  step.dueAt = momentOf(member(fact.payload, 'retryAt'));
  if (fact.status !== 'failed') return;
  step.finishedAt = fact.time;
  withdraw(state, fact);
}

/** Nobody need answer what was asked about a step. */
function withdraw({ approvals }: JobState, { step, item }: Fact): void {
  for (const [id, asked] of approvals) if (asked.step === step && asked.item === item) approvals.delete(id);
}

/** A wait that a signal ended has taken the first of that name. */
function takeSignal(state: JobState, fact: Fact, { plan }: FoldContext): void {
  if (plan.byId.get(fact.step ?? '')?.kind !== 'wait') return;
  const name = textOf(member(member(fact.payload, 'output'), 'signal'));
  const taken = state.signals.findIndex((signal) => signal.name === name);
  if (taken >= 0) state.signals.splice(taken, 1);
}

/** An item that stands elsewhere now is counted where its step is. */
function countItem(state: JobState, id: string, before: StepNow, after: StepNow): void {
  const whole = state.steps.get(id) ?? newStep(id);
  const items: Items = { ...(whole.items ?? { count: 0, running: 0, waiting: 0, done: 0, failed: 0 }) };
  const [from, to] = [placeIn(before.status), placeIn(after.status)];
  if (from !== undefined && before.latest >= 0) items[from] -= 1;
  if (to !== undefined) items[to] += 1;
  items.count = Math.max(items.count, (after.item ?? 0) + 1);
  const cost = whole.cost + after.cost - before.cost;
  state.steps.set(id, { ...whole, items, cost, agent: whole.agent ?? after.agent });
}

function placeIn(status: StepStatus): Exclude<keyof Items, 'count'> | undefined {
  return status === 'pending' || status === 'skipped' ? undefined : status;
}

function writeOf(state: JobState, fact: Fact, step: StepNow, { plan }: FoldContext): Write | undefined {
  if (fact.item !== undefined) return undefined;
  const planned = plan.byId.get(step.id);
  const gives = fact.type === 'step_completed' || fact.type === 'round_completed';
  const leavesNull = planned?.goesOnAfterError === true && failedForGood(fact);
  if (!gives && !leavesNull) return undefined;
  // A step that a router asked for writes under its agent's name.
  const key = planned?.into ?? step.agent ?? step.id;
  const after = gives ? (member(fact.payload, 'output') ?? null) : null;
  const write = {
    place: fact.place,
    step: step.id,
    key,
    had: state.context.has(key),
    before: state.context.get(key),
    after,
  };
  state.context.set(key, after);
  return write;
}

/** Of its own: a step that was given up because the job ended writes nothing. */
function failedForGood({ type, status, error }: Fact): boolean {
  const wasGivenUp = error?.code === 'cancelled' && error.message === 'Job cancelled';
  return type === 'step_failed' && status === 'failed' && !wasGivenUp;
}
