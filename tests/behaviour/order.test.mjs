// @ts-check
/** The checks of nextStep in their order: of two that refuse, the earlier one says so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, createBus, createStore, LIMIT, setup } from './support/setup.mjs';

/**
 * What makes each check refuse, in the order in which they are made. `make` changes the job's plan and permissions
 * before it is created, `later` changes the job once it runs.
 */
const CHECKS = [
  { code: 'not_found', error: 'Job not found', later: (/** @type {any} */ w) => w.store.jobs.clear() },
  {
    code: 'not_running',
    error: 'Job not running',
    later: (/** @type {any} */ w, /** @type {string} */ id) => w.pauseJob(id),
  },
  {
    code: 'step_limit',
    error: 'Step limit reached',
    make: (/** @type {any} */ j) => Object.assign(j.permissions, { maxSteps: 0 }),
  },
  {
    code: 'tools_denied',
    make(/** @type {any} */ j) {
      j.permissions.allowTools = false;
      j.step.tools = ['lookup'];
    },
  },
  { code: 'unknown_agent', make: (/** @type {any} */ j) => Object.assign(j.step, { agent: 'nobody' }) },
  {
    code: 'approval_required',
    error: 'Approval required',
    make: (/** @type {any} */ j) => Object.assign(j.permissions, { requireApproval: true }),
  },
  { code: 'budget', make: (/** @type {any} */ j) => Object.assign(j, { poor: true }) },
];

const AFTERWARDS = {
  not_running: 'paused',
  step_limit: 'paused',
  tools_denied: 'failed',
  unknown_agent: 'failed',
  approval_required: 'paused',
  budget: 'paused',
};

/** @param {any[]} violated */
async function stepOn(violated) {
  const own = { success: false, error: 'too dear' };
  let called = 0;
  const j = {
    permissions: { allowTools: true, requireApproval: false, maxSteps: 10 },
    step: /** @type {any} */ ({ id: 'one', agent: 'reader', cost: 2 }),
    poor: false,
  };
  for (const { make } of violated) make?.(j);
  const w = setup({
    store: createStore(),
    eventBus: createBus(),
    budgetManager: {
      canSpend: (/** @type {any} */ _, /** @type {any} */ cost) =>
        cost !== undefined && j.poor ? own : { success: true },
    },
    agentRegistry: { reader: () => ++called },
    tools: { lookup: () => 1 },
  });
  const id = await w.createJob({}, j.permissions, { plan: { steps: [j.step] } });
  await w.startJob(id);
  // the last one first: a job that is gone can't be paused
  for (const { later } of [...violated].reverse()) await later?.(w, id);
  w.bus.clear();
  const outcome = await w.nextStep(id);
  assert.equal(called, 0, 'the agent was called');
  return { w, id, outcome, own };
}

for (const [at, first] of CHECKS.entries()) {
  for (const second of [undefined, ...CHECKS.slice(at + 1)]) {
    test(`${first.code}${second ? ` comes before ${second.code}` : ' refuses'}`, LIMIT, async () => {
      const { w, id, outcome, own } = await stepOn(second ? [first, second] : [first]);
      if (first.code === 'budget') assert.equal(outcome, own);
      else assertRefused(outcome, first.code, first.error);
      if (first.code === 'not_found') return;
      const job = w.store.jobs.get(id);
      const status = AFTERWARDS[/** @type {'budget'} */ (first.code)];
      assert.equal(job.status, status);
      if (status === 'failed') {
        assert.equal(job.run.failure.code, first.code);
        assert.deepStrictEqual(w.bus.of('job_failed'), [{ jobId: id, status: 'failed' }]);
      } else if (first.code !== 'not_running') {
        const reason = first.code === 'approval_required' ? 'approval' : first.code;
        assert.equal(job.run.pause.reason, reason);
        assert.deepStrictEqual(w.bus.of('job_paused'), [{ jobId: id, reason }]);
      }
    });
  }
}

test('an agent that is not known is named, and so are those that are', LIMIT, async () => {
  const { outcome } = await stepOn([CHECKS[4]]);
  assert.match(outcome.error, /nobody/);
  assert.match(outcome.error, /reader/);
});

test('the words of a refusal at the step limit say what goes on', LIMIT, async () => {
  const { w, id } = await stepOn([CHECKS[2]]);
  assertRefused(await w.nextStep(id), 'not_running', 'Job not running');
  assert.deepStrictEqual(await w.setPermissions(id, { maxSteps: 1 }), { success: true });
  assert.equal(w.store.jobs.get(id).status, 'paused');
  assert.deepStrictEqual(await w.startJob(id), { success: true });
  assert.equal((await w.nextStep(id)).status, 'completed');
});
