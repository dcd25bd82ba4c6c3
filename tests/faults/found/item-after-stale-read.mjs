// A commit in the middle of a `forEach` is rejected, and the next read answers with the job as it was before the list
// was begun: the orchestrator breaks down with "Internal error" instead of rejecting with the store's error, or with a
// conflict. Say `node tests/faults/found/item-after-stale-read.mjs`; it prints what runJob rejected with.
import { importPackage } from '../../package/installed.mjs';

const { createMemoryStore, createOrchestrator } = await importPackage();

const kept = createMemoryStore();
let old = null;
let isRejected = false;
const store = {
  ...kept,
  async commit(change) {
    if (!isRejected && change.events.some(({ type }) => type === 'item_completed')) {
      isRejected = true;
      throw new Error('the disk is full');
    }
    kept.commit(change);
    if (change.events.some(({ type }) => type === 'job_started')) old = kept.getJob(change.jobId);
  },
  async getJob(id) {
    const stale = isRejected ? old : null;
    if (stale !== null) old = null;
    return stale ?? kept.getJob(id);
  },
  async getHead(id) {
    return kept.getHead(id);
  },
};
const orchestrator = createOrchestrator({ store, agentRegistry: { work: async () => 'done' }, logger: {} });
const plan = { steps: [{ id: 'list', agent: 'work', forEach: [1, 2, 3] }] };
await orchestrator.createJob({}, { requireApproval: false }, { id: 'job', plan });
await orchestrator.startJob('job');
console.log(
  await orchestrator.runJob('job').then(
    ({ code, error, status }) => code ?? error ?? status,
    (error) => String(error),
  ),
);
