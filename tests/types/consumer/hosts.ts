/** What a host may supply, from the least that is enough to the whole. */
import {
  type Agent,
  type AgentFn,
  ConflictError,
  createAgentRegistry,
  createBudgetManager,
  createEventBus,
  createMemoryStore,
  createOrchestrator,
  createPerformanceMonitor,
  type Job,
  type JobStore,
  JobwrightError,
  NonRetryableError,
} from 'jobwright';
import { z } from 'zod';

const jobs = new Map<string, Job>();
const plainStore: JobStore = {
  saveJob: (job) => void jobs.set(job.id, job),
  getJob: (id) => jobs.get(id),
};
// @ts-expect-error: two methods are the least
export const halfStore: JobStore = { getJob: (id: string) => jobs.get(id) };

const schema = z.object({ url: z.string() });
const fetchPage: Agent<z.infer<typeof schema>, string> = {
  metadata: { inputSchema: schema, outputSchema: z.string(), cost: 2 },
  async execute({ url }, { signal, callTool, attempt, idempotencyKey, emit, permissions }) {
    // @ts-expect-error: a frozen copy
    permissions.allowTools = true;
    emit('fetching', { url, attempt });
    if (url === '') throw new NonRetryableError('no address');
    signal.throwIfAborted();
    return { success: true, data: String(await callTool('fetch', { url, idempotencyKey })), cost: 1 };
  },
};
const shout: AgentFn<string, string> = (text) => text.toUpperCase();
// @ts-expect-error: the output is not what it says
export const wrongOutput: AgentFn<string, string> = (text) => text.length;

export const agents = createAgentRegistry({ fetchPage });
agents.register('shout', shout);
// @ts-expect-error: an agent has something to execute
agents.register('nothing', {});

export const full = createOrchestrator({
  store: createMemoryStore(),
  eventBus: createEventBus(),
  budgetManager: createBudgetManager(),
  performanceMonitor: createPerformanceMonitor(),
  agentRegistry: agents,
  tools: {
    fetch: (args: { url: string }) => args.url,
    remove: { needsApproval: ({ path }) => path !== '/tmp', execute: async () => 'removed' },
  },
  router: async (job) => (job.context.done ? null : { agent: 'shout', input: 'x' }),
  generateId: () => 'id',
  slowPlayMs: 5,
  stalledMs: 60_000,
  logger: console,
});
export const least = createOrchestrator({ store: plainStore, eventBus: null });
export const plain = createOrchestrator({ agentRegistry: { shout, fetchPage } });
export const mapped = createOrchestrator({ agentRegistry: new Map([['shout', shout]]) });

// @ts-expect-error: no such dependency
createOrchestrator({ storage: plainStore });
// @ts-expect-error: a store is an object
createOrchestrator({ store: 'jobs.db' });

export async function disposes(): Promise<void> {
  await using orchestrator = createOrchestrator();
  orchestrator.setSlowPlay(10);
}

export async function looksAfter(): Promise<string[]> {
  const { jobs, stalled, oldestStep, monitors } = await plain.health();
  // @ts-expect-error: there may be none
  console.log(jobs.running + monitors, oldestStep.runningMs);
  return stalled;
}

export async function parts(): Promise<number> {
  const off = createEventBus().on('job_completed', (event) => console.log(event.trace.traceId));
  off();
  const budget = await createBudgetManager().getBudget('job');
  // @ts-expect-error: it may have none
  budget.limit;
  return createPerformanceMonitor().stats().job?.p99 ?? 0;
}

export function explains(error: unknown): string {
  if (error instanceof ConflictError) return error.message;
  if (error instanceof JobwrightError && error.code === 'invalid_argument') return String(error.details);
  // @ts-expect-error: not one of the codes
  if (error instanceof JobwrightError && error.code === 'bad_argument') return '';
  return '';
}
