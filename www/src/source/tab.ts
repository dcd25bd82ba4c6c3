/** The jobs of this tab: the orchestrator is in the page, its store is the browser's, and other tabs share it. */
import { createEventBus, createOrchestrator, type Outcome } from 'jobwright';
import { agents, tools } from '../samples/agents';
import { createQueue } from './queue';
import type { Change, NewJob, Source } from './source';
import { accountsInMemory, openAccounts } from './tab/accounts';
import { createRunner } from './tab/runner';
import { openTabStore } from './tab/store';
import { createSuspended } from './tab/suspended';

const DATABASE = 'jobwright-demo';
const BY = { by: 'you, in the demo' };

export async function openTabSource(): Promise<Source> {
  const { store, isKept, listen } = await openTabStore(DATABASE);
  const accounts = isKept ? await openAccounts(`${DATABASE}-accounts`) : accountsInMemory();
  const orchestrator = createOrchestrator({
    store,
    eventBus: createEventBus(),
    budgetManager: accounts,
    agentRegistry: agents,
    tools,
    generateId: shortId,
  });
  const getHead = async (jobId: string) => (await store.getHead(jobId)) ?? null;
  const suspended = createSuspended();
  listen(suspended.hear);
  const runner = createRunner(orchestrator, getHead, suspended, (error) => console.warn(error));
  runner.takeOver();

  /** What sets a job running is followed by running it, and what waits for it. */
  async function thenRun(jobId: string, outcome: Outcome): Promise<Outcome> {
    if (!outcome.success) return outcome;
    runner.run(jobId);
    await runner.wakeParents(jobId);
    return outcome;
  }

  async function stepJob(jobId: string): Promise<Outcome> {
    const started = await orchestrator.startJob(jobId);
    if (!started.success) return started;
    const stepped = await orchestrator.nextStep(jobId);
    if (!stepped.success) return stepped;
    return stepped.status === 'running' ? orchestrator.pauseJob(jobId) : { success: true };
  }

  return {
    home: 'tab',
    name: isKept ? 'this browser' : 'this tab, until it is closed',
    access: { steer: true, create: true, run: true, redacted: false },

    listJobs: async (filter) => store.listJobs(filter),
    getHead,
    getJob: (jobId) => orchestrator.getJob(jobId),
    health: () => orchestrator.health(),
    isPaused: async () => (await store.getControl())?.paused === true,
    getBudget: (jobId) => accounts.getBudget(jobId),
    events: (jobId, options) => orchestrator.events(jobId, options),
    changes: (signal) => {
      const keyOf = (change: Change) => (change.type === 'job' ? `job:${change.jobId}` : change.type);
      const queue = createQueue<Change>(signal, keyOf);
      signal.addEventListener('abort', listen(queue.push), { once: true });
      return queue;
    },

    createJob: ({ plan, context, permissions, ...options }: NewJob) =>
      orchestrator.createJob(context, permissions, { plan, ...options }),
    startJob: async (jobId) => thenRun(jobId, await orchestrator.startJob(jobId)),
    pauseJob: (jobId) => orchestrator.pauseJob(jobId),
    stepJob: (jobId) => runner.alone(jobId, () => stepJob(jobId)),
    cancelJob: (jobId, reason) => orchestrator.cancelJob(jobId, reason),
    approveStep: async (jobId, answer) =>
      thenRun(jobId, await orchestrator.approveStep(jobId, { ...BY, ...answer })),
    rejectStep: async (jobId, answer) => {
      const outcome = await orchestrator.rejectStep(jobId, { ...BY, ...answer });
      // Where the plan goes on after a step that failed, so does the job.
      const isRunning = (await getHead(jobId))?.status === 'running';
      return isRunning ? thenRun(jobId, outcome) : outcome;
    },
    signal: (jobId, name, payload) => orchestrator.signal(jobId, name, payload),
    setBreakpoints: (jobId, steps) => orchestrator.setBreakpoints(jobId, steps),
    setPermissions: (jobId, permissions) => orchestrator.setPermissions(jobId, permissions),
    setBudget: (jobId, limit) => accounts.setBudget(jobId, limit),
    setSlowPlay: async (ms) => orchestrator.setSlowPlay(ms),
    pauseAll: () => orchestrator.pauseAll(),
    startAll: async () => {
      const outcome = await orchestrator.startAll();
      await runner.runAll(outcome.started);
      return outcome;
    },
    stopAll: (reason) => orchestrator.stopAll(reason),
    forkJob: async (jobId, options) => {
      const account = await accounts.getBudget(jobId);
      return orchestrator.forkJob(jobId, { ...options, ...(account !== null && { budget: account.limit }) });
    },
    replayJob: (jobId) => orchestrator.replayJob(jobId),
    exportJob: async (jobId, options) => {
      const lines: string[] = [];
      for await (const line of orchestrator.exportJob(jobId, options)) lines.push(line);
      return `${lines.join('\n')}\n`;
    },
  };
}

/** Ids that a person can tell apart and type: of ten characters, 50 bits. */
function shortId(): string {
  const digits = '0123456789abcdefghjkmnpqrstvwxyz';
  return Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => digits[byte % 32]).join('');
}
