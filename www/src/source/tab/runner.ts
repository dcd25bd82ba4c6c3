/** Runs jobs in this tab: those that are started here, and those that a tab left that is gone. */
import type { JobHead, Orchestrator } from 'jobwright';
import type { Suspended } from './suspended';

/** A tab that is loaded again finds that its old self is gone within moments, and looks often at first. */
const FIRST_LOOKS = 20;
const FIRST_PAUSE_MS = 250;
const PAUSE_MS = 2_000;
/** Looking takes a tenth of the time at most. */
const SHARE = 10;

export interface Runner {
  /** Runs a job that is running, in the background, with whatever of it is to be followed. */
  run(jobId: string): void;
  /** The same of several; those that a parent among them runs are left to it. */
  runAll(jobIds: string[]): Promise<void>;
  /** What waits for this job above it goes on too. */
  wakeParents(jobId: string): Promise<void>;
  takeOver(): void;
  /** Does something with a job that is running, which nobody else here takes up meanwhile. */
  alone<T>(jobId: string, work: () => Promise<T>): Promise<T>;
}

export function createRunner(
  orchestrator: Orchestrator,
  getHead: (id: string) => Promise<JobHead | null>,
  suspended: Suspended,
  failed: (error: unknown) => void,
): Runner {
  const reserved = new Set<string>();

  async function go(jobId: string) {
    const head = await getHead(jobId);
    if (head === null) return;
    if (isMonitored(head)) {
      const job = await orchestrator.getJob(jobId);
      if (job !== null) orchestrator.startMonitoring(job);
      if (job?.run?.plan === undefined) return;
    }
    // What it comes to is in the store, and seen there.
    const outcome = await orchestrator.runJob(jobId);
    if (outcome.success || outcome.code === 'conflict') return;
    if ((await getHead(jobId))?.status === 'running')
      suspended.add(jobId, await orchestrator.listJobs({ status: 'paused' }));
  }

  const run = (jobId: string) => void go(jobId).catch(failed);

  async function runAll(jobIds: string[]) {
    const among = new Set(jobIds);
    for (const jobId of jobIds) {
      const head = await getHead(jobId);
      if (head === null || !isRunByParent(head, among)) run(jobId);
    }
  }

  async function wakeParents(jobId: string) {
    const parentId = (await getHead(jobId))?.parentId;
    if (parentId === undefined || (await getHead(parentId))?.status !== 'running') return;
    run(parentId);
    await wakeParents(parentId);
  }

  async function look() {
    const { resumed } = await orchestrator.recover();
    await runAll(resumed.filter((jobId) => !reserved.has(jobId) && !suspended.has(jobId)));
  }

  async function alone<T>(jobId: string, work: () => Promise<T>): Promise<T> {
    reserved.add(jobId);
    try {
      return await work();
    } finally {
      reserved.delete(jobId);
    }
  }

  /** A tab that is closed tells nobody: its jobs are found by looking. */
  function takeOver() {
    let looks = 0;
    const again = async () => {
      const start = performance.now();
      await look().catch(failed);
      looks += 1;
      const pause = looks < FIRST_LOOKS ? FIRST_PAUSE_MS : PAUSE_MS;
      setTimeout(again, Math.max(pause, SHARE * (performance.now() - start)));
    };
    void again();
  }

  return { run, runAll, wakeParents, takeOver, alone };
}

function isMonitored({ type, config }: JobHead) {
  return type === 'parent' && typeof config?.source_type === 'string';
}

/** A child that a step made is called after its parent and the step. */
function isRunByParent({ id, parentId }: JobHead, running: Set<string>) {
  return parentId !== undefined && running.has(parentId) && id.startsWith(`${parentId}:`);
}
