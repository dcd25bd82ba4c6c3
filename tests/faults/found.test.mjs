// @ts-check
/** What runs over faulty stores have found: each was once an orchestrator that broke down, or a history without sense. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importPackage } from '../package/installed.mjs';

const { createMemoryStore, createOrchestrator } = await importPackage();

test('a job as it was before its list was begun, read after a commit was rejected', async () => {
  const kept = createMemoryStore();
  const full = new Error('the disk is full');
  /** @type {any} */
  let old = null;
  let isRejected = false;
  const store = {
    ...kept,
    /** @param {any} change */
    async commit(change) {
      if (!isRejected && change.events.some((/** @type {any} */ { type }) => type === 'item_completed')) {
        isRejected = true;
        throw full;
      }
      kept.commit(change);
      if (change.events.some((/** @type {any} */ { type }) => type === 'job_started'))
        old = kept.getJob(change.jobId);
    },
    /** @param {string} id */
    async getJob(id) {
      const stale = isRejected ? old : null;
      if (stale !== null) old = null;
      return stale ?? kept.getJob(id);
    },
  };
  const orchestrator = createOrchestrator({
    store,
    agentRegistry: { work: async () => 'done' },
    logger: {},
  });
  const plan = { steps: [{ id: 'list', agent: 'work', forEach: [1, 2, 3] }] };
  await orchestrator.createJob({}, { requireApproval: false }, { id: 'job', plan });
  await orchestrator.startJob('job');
  await assert.rejects(orchestrator.runJob('job'), (error) => error === full);
  const { job } = await orchestrator.runJob('job');
  assert.deepEqual(job.context, { list: ['done', 'done', 'done'] });
});

test('whoever runs a job is told that its store forgot what it had stored', async () => {
  const kept = createMemoryStore();
  /** @type {any} */
  let old = null;
  let isForgetful = false;
  let calls = 0;
  const store = {
    ...kept,
    getHead: async (/** @type {string} */ id) => (isForgetful ? old : kept.getHead(id)),
    getJob: async (/** @type {string} */ id) => (isForgetful ? old : kept.getJob(id)),
  };
  const orchestrator = createOrchestrator({
    store,
    agentRegistry: {
      work: () => {
        if (calls++ > 0) return 'done';
        isForgetful = true;
        // What was read is forgotten here, because somebody else changes the job.
        const head = /** @type {any} */ (kept.getHead('job'));
        const run = { ...head.run, revision: head.run.revision + 1 };
        const { revision: expectedRevision } = head.run;
        kept.commit({ jobId: 'job', expectedRevision, head: { ...head, run }, context: {}, events: [] });
        return 'done';
      },
    },
    logger: {},
  });
  const plan = { steps: [{ id: 'one', agent: 'work' }] };
  await orchestrator.createJob({}, { requireApproval: false }, { id: 'job', plan });
  old = kept.getJob('job');
  await orchestrator.startJob('job');
  await assert.rejects(orchestrator.runJob('job'), {
    code: 'conflict',
    message: /^The store answered with revision 1 of job "job", after it had stored 3$/,
  });
  isForgetful = false;
  assert.equal((await orchestrator.runJob('job')).status, 'completed');
});

test('a child job that could not be stored, beside a step that waits for a person', async () => {
  const kept = createMemoryStore();
  const full = new Error('the disk is full');
  let isRejected = false;
  const store = {
    ...kept,
    /** @param {any} change */
    async commit(change) {
      if (change.jobId !== 'job' && !isRejected) {
        isRejected = true;
        throw full;
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
  await assert.rejects(orchestrator.runJob('job'), (error) => error === full);
  assert.equal((await orchestrator.runJob('job')).code, 'approval_required');
  const { history } = await orchestrator.getJob('job');
  assert.deepEqual(
    history.map((/** @type {any} */ { type, payload }) => [type, payload.step ?? payload.reason].join(' ')),
    [
      'job_created ',
      'job_started ',
      'step_started child',
      'approval_requested agree',
      'step_recovered child',
      'step_started child',
      'step_completed child',
      'job_paused approval',
    ],
  );
  assert.deepEqual((await orchestrator.replayJob('job')).ok, true);
});
