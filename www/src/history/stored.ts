/** The history of a job that was read, also where its events were removed and only the job is left. */
import type { Job } from 'jobwright';
import { errorOf, isRecord, member, momentOf, numberOf, STEP_STATUSES, textOf } from './event';
import { History } from './history';
import { type JobState, newState, newStep, type StepNow } from './state';

export function historyOf(job: Job): History {
  const { id, history, run } = job;
  const events: unknown[] = Array.isArray(history) ? history : [];
  const first = member(events[0], 'seq');
  const isWhole = events.length > 0 ? first === 1 || first === undefined : (run?.seq ?? 0) === 0;
  const built = new History(id, run?.plan, isWhole ? beginning(job) : storedState(job));
  built.append(events);
  return built;
}

/** Before its first event; a job without a plan tells its context only when it begins. */
function beginning(job: Job): JobState {
  const state = newState();
  state.created = momentOf(job.timing?.created);
  if (job.run?.seq === undefined || job.run.seq === 0) takeContext(state, job.context);
  return state;
}

function storedState(job: Job): JobState {
  const state = newState();
  const { timing, run } = job;
  state.status = job.status;
  state.created = momentOf(timing?.created);
  state.started = momentOf(timing?.started);
  state.completed = momentOf(timing?.completed);
  state.permissions = { ...job.permissions };
  state.stepsTaken = numberOf(run?.stepsTaken) ?? 0;
  if (run?.failure !== undefined) state.failure = { step: undefined, ...run.failure };
  if (run?.pause !== undefined) state.pause = { step: undefined, message: undefined, ...run.pause };
  takeContext(state, job.context);
  if (isRecord(run?.steps)) for (const id of Object.keys(run.steps)) takeStep(state, id, run.steps[id]);
  return state;
}

function takeContext(state: JobState, context: unknown): void {
  if (isRecord(context)) for (const key of Object.keys(context)) state.context.set(key, context[key]);
}

function takeStep(state: JobState, id: string, stored: unknown): void {
  const item = /^(.*)\[(\d+)\]$/su.exec(id);
  const step: StepNow = newStep(item?.[1] ?? id, item === null ? undefined : Number(item[2]));
  const status = member(stored, 'status');
  step.status = STEP_STATUSES.find((known) => known === status) ?? 'pending';
  step.attempts = numberOf(member(stored, 'attempts')) ?? 0;
  step.startedAt = momentOf(member(stored, 'startedAt'));
  step.finishedAt = momentOf(member(stored, 'finishedAt'));
  step.dueAt = momentOf(member(stored, 'dueAt'));
  step.rounds = numberOf(member(stored, 'round')) ?? 0;
  step.childId = textOf(member(stored, 'childId'));
  step.error = errorOf(member(stored, 'error'));
  step.approvedBy = textOf(member(stored, 'approvedBy'));
  (item === null ? state.steps : state.items).set(id, step);
}
