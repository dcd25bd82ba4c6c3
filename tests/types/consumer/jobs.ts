/** Contexts are typed where the caller says what they are. */
import {
  createOrchestrator,
  JOB_STATUS,
  type Job,
  type JobStatus,
  type Plan,
  planToMermaid,
  validatePlan,
  verifyRun,
} from 'jobwright';

interface Report {
  topic: string;
  pages?: number;
}

const {
  createJob,
  getJob,
  runJob,
  listJobs,
  events,
  setPermissions,
  approveStep,
  replayJob,
  startMonitoring,
  exportJob,
  forkJob,
} = createOrchestrator();

const plan: Plan = {
  steps: [
    { id: 'collect', agent: 'collect', retry: { maxAttempts: 3 }, tools: ['search'] },
    { id: 'write', agent: 'write', input: { var: 'collect' }, timeoutMs: 1000, into: 'text', approval: true },
  ],
};

export async function typedContext(): Promise<number> {
  const jobId = await createJob<Report>({ topic: 'rust' }, { maxSteps: 5 }, { plan });
  const job: Job<Report> | null = await getJob<Report>(jobId);
  // @ts-expect-error: it may not exist
  job.context;
  // @ts-expect-error: the context has no such key
  job?.context.title;
  const outcome = await runJob<Report>(jobId, { input: 'x', signal: AbortSignal.timeout(5) });
  if (job !== null) {
    startMonitoring(job);
    await replayJob(job);
    planToMermaid(plan, job);
  }
  return outcome.success ? (outcome.job.context.pages ?? 0) : 0;
}

export async function untypedContext(jobId: string): Promise<unknown> {
  const job = await getJob(jobId);
  return job?.context.anything;
}

export async function streams(): Promise<void> {
  for await (const event of events('job', { after: 3, types: ['step_completed'] })) {
    const at: number = event.meta.timestamp;
    // @ts-expect-error: a payload is unknown until it is looked at
    event.payload.step;
    console.log(event.seq, at);
  }
  for (const head of await listJobs({ status: ['paused', 'running'], limit: 3 })) {
    // @ts-expect-error: a head leaves out what grows
    head.history;
    console.log(head.id, head.run?.approvals?.[0]?.tool);
  }
}

export async function histories(jobId: string): Promise<unknown> {
  const replay = await replayJob(jobId);
  if (!replay.ok) return replay.expected;
  // @ts-expect-error: there is no difference
  replay.at;
  const verified = await verifyRun(exportJob(jobId, { redact: false }));
  // @ts-expect-error: the last step that is shared has to be named
  await forkJob(jobId, {});
  return verified.ok ? verified.decisions : verified.at;
}

export async function wrongArguments(): Promise<void> {
  // @ts-expect-error: a context is an object
  await createJob('text');
  // @ts-expect-error: no such permission
  await createJob({}, { maxStep: 3 });
  // @ts-expect-error: a limit is a number
  await setPermissions('job', { maxSteps: '3' });
  // @ts-expect-error: a job is named by its id
  await approveStep(7);
  // @ts-expect-error: no such state
  await listJobs({ status: 'cancelled' });
}

export const states: JobStatus[] = Object.values(JOB_STATUS);
// @ts-expect-error: frozen
JOB_STATUS.CREATED = 'created';

export function problems(value: unknown): string[] {
  const checked = validatePlan(value);
  return checked.success ? [] : checked.errors.map(({ path, message }) => `${path}: ${message}`);
}
