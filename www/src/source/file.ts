/** A run file as a source of one job that can be looked at and nothing else. */
import type { Job, JobEvent, JobHead, JobStatus, Outcome, ReplayResult, StepState } from 'jobwright';
import { shown } from '../display';
import type { Source } from './source';

export interface OpenedFile {
  name: string;
  jobId: string;
  source: Source;
  verdict: ReplayResult;
}

/** A browser can't do much with more. */
const LARGEST_BYTES = 200_000_000;
const STATUSES: readonly JobStatus[] = ['created', 'running', 'paused', 'completed', 'failed'];

export async function openRunFile(file: File): Promise<OpenedFile> {
  if (file.size > LARGEST_BYTES) {
    throw new Error(
      `${shown(file.name, 80)} has ${file.size} bytes; at most ${LARGEST_BYTES} can be opened here`,
    );
  }
  const text = await file.text();
  const job = readRun(text, file.name);
  const { verifyRun } = await import('jobwright');
  return {
    name: file.name,
    jobId: job.id,
    source: sourceOf(job, file.name, text),
    verdict: await verifyRun(text),
  };
}

interface Head {
  jobId: string;
  status?: unknown;
  parentId?: unknown;
  forkedFrom?: unknown;
  permissions?: unknown;
  timing?: unknown;
  stepsTaken?: unknown;
}

/** The job that the lines tell of, as far as they can be read: a file that was tampered with is shown too. */
function readRun(text: string, name: string): Job {
  const [first = '', ...lines] = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const head = parse(first) as (Head & { format?: unknown }) | null;
  if (head?.format !== 'jobwright-run' || typeof head.jobId !== 'string') {
    throw new Error(
      `${shown(name, 80)} is no run file: its first line should be the head of an export, found ${shown(first, 80)}`,
    );
  }
  const history = lines.flatMap((line) => eventOf(parse(line)));
  return jobOf(head, history);
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** An event in which everybody finds what he looks for; none where a line holds none. */
function eventOf(line: Record<string, unknown> | null): JobEvent[] {
  const event = line?.event as Partial<JobEvent> | null | undefined;
  if (typeof event !== 'object' || event === null) return [];
  const { seq, type, payload, trace, meta } = event;
  if (typeof type !== 'string' || !Number.isSafeInteger(seq)) return [];
  const id = String(event.id ?? seq);
  return [
    {
      ...event,
      id,
      seq: seq as number,
      type,
      payload: typeof payload === 'object' && payload !== null ? payload : {},
      trace: typeof trace === 'object' && trace !== null ? trace : { traceId: '', spanId: id },
      meta: {
        timestamp: Number(meta?.timestamp ?? Number.NaN),
        source: String(meta?.source ?? ''),
      },
    },
  ];
}

function jobOf(head: Head, history: JobEvent[]): Job {
  const created = history.find(({ type }) => type === 'job_created')?.payload as
    | Record<string, unknown>
    | undefined;
  const record = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : {};
  const plan = record(created?.plan);
  const { steps, context } = foldSteps(history, plan, record(created?.context));
  const { timestamp = 0 } = history[0]?.meta ?? {};
  const stopped = history.findLast(({ type }) => type === 'job_failed')?.payload as
    | Record<string, unknown>
    | undefined;
  const error = record(stopped?.error);
  return {
    id: head.jobId,
    status: STATUSES.find((status) => status === head.status) ?? 'failed',
    context,
    permissions: { allowTools: false, requireApproval: true, maxSteps: 0, ...record(head.permissions) },
    history,
    timing: { created: timestamp, ...record(head.timing) },
    ...(typeof head.parentId === 'string' && { parentId: head.parentId }),
    run: {
      schema: 1,
      revision: history.length,
      seq: history.at(-1)?.seq ?? 0,
      stepsTaken: Number(head.stepsTaken ?? 0),
      steps,
      ...(Array.isArray(plan.steps) && { plan: plan as unknown as NonNullable<Job['run']>['plan'] & object }),
      ...(typeof error.message === 'string' && {
        failure: { code: String(error.code ?? 'agent_failed') as 'agent_failed', message: error.message },
      }),
    },
  };
}

const STEP_STATUSES: StepState['status'][] = ['pending', 'waiting', 'running', 'done', 'failed', 'skipped'];

/** What became of the steps, and of the context, event by event. */
function foldSteps(history: JobEvent[], plan: Record<string, unknown>, initial: Record<string, unknown>) {
  const steps: Record<string, StepState> = Object.create(null);
  const context = new Map(Object.entries(initial));
  const into = new Map<unknown, string>();
  for (const step of Array.isArray(plan.steps) ? plan.steps : [])
    into.set(step?.id, String(step?.into ?? step?.id));
  for (const { payload, meta } of history) {
    const { step, status, attempt, item, output } = payload as Record<string, unknown>;
    if (typeof step !== 'string') continue;
    const key = typeof item === 'number' ? `${step}[${item}]` : step;
    const state = steps[key] ?? { status: 'pending', attempts: 0, startedAt: meta.timestamp };
    const known = STEP_STATUSES.find((each) => each === status);
    if (known !== undefined) state.status = known;
    if (typeof attempt === 'number') state.attempts = Math.max(state.attempts, attempt);
    if (known === 'done' || known === 'failed' || known === 'skipped') state.finishedAt = meta.timestamp;
    steps[key] = state;
    if (known === 'done' && key === step && output !== undefined) context.set(into.get(step) ?? step, output);
  }
  return { steps: { ...steps }, context: Object.fromEntries(context) };
}

const refused = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('A run file can only be looked at'), { code: 'unsupported' }));
const refusal = async (): Promise<Outcome> =>
  ({ success: false, error: 'A run file can only be looked at', code: 'unsupported' }) as Outcome;

function sourceOf(job: Job, name: string, text: string): Source {
  const { context, history, run, ...rest } = job;
  const { plan, steps, ...small } = run ?? { schema: 1, revision: 0, seq: 0 };
  const head: JobHead = { ...rest, run: small };
  return {
    home: 'file',
    name,
    access: { steer: false, create: false, run: false, redacted: false },
    listJobs: async () => [head],
    getHead: async (jobId) => (jobId === job.id ? head : null),
    getJob: async (jobId) => (jobId === job.id ? job : null),
    health: async () => ({
      jobs: { created: 0, running: 0, paused: 0, completed: 0, failed: 0, [job.status]: 1 },
      stalled: [],
      monitors: 0,
    }),
    isPaused: async () => false,
    getBudget: async () => null,
    events: async function* (_, { after, signal }) {
      for (const event of history) {
        if (signal.aborted) return;
        if (event.seq > after) yield event;
      }
    },
    changes: async function* (signal) {
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    createJob: refused,
    startJob: refusal,
    pauseJob: refusal,
    stepJob: refusal,
    cancelJob: refusal,
    approveStep: refusal,
    rejectStep: refusal,
    signal: refusal,
    setBreakpoints: refusal,
    setPermissions: refusal,
    setBudget: refusal,
    setSlowPlay: refused,
    pauseAll: refused,
    startAll: refused,
    stopAll: refused,
    forkJob: refused,
    replayJob: async () => (await import('jobwright')).verifyRun(text),
    exportJob: async () => text,
  };
}
