// A step that is a job stands as running when a store's rejection has ended the run that worked at it. The next run pauses
// for another step's approval while it still stands so, and the history that holds this can't be decided again. Say
// `node tests/faults/found/replay-of-a-pause.mjs`; it prints the history and what replayJob found.
import { importPackage } from '../../package/installed.mjs';

const { createMemoryStore, createOrchestrator } = await importPackage();

const kept = createMemoryStore();
let isRejected = false;
const store = {
  ...kept,
  async commit(change) {
    if (change.jobId !== 'job' && !isRejected) {
      isRejected = true;
      throw new Error('the disk is full');
    }
    kept.commit(change);
  },
};
const orchestrator = createOrchestrator({ store, agentRegistry: { work: () => 'done' }, logger: {} });
const plan = {
  concurrency: 2,
  steps: [
    { id: 'child', job: { plan: { steps: [{ id: 'inner', agent: 'work' }] } }, after: [] },
    { id: 'agree', approve: {}, after: [] },
  ],
};
await orchestrator.createJob({}, { requireApproval: false }, { id: 'job', plan });
await orchestrator.startJob('job');
for (let turn = 0; turn < 2; turn += 1) {
  const outcome = await orchestrator.runJob('job').catch(String);
  console.log(outcome.code ?? outcome);
}
const { history } = await orchestrator.getJob('job');
for (const { seq, type, payload } of history) console.log(seq, type, payload.step ?? payload.reason ?? '');
console.log(await orchestrator.replayJob('job'));
await orchestrator.close();
