// @ts-check
/** Creating, starting, pausing and ending jobs: every move, every refusal, every word. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, created, FREE, LIMIT, setup } from './support/setup.mjs';

/** A job in each state, and how it gets there. */
const REACH = {
  created: async () => {},
  running: async (/** @type {any} */ o, /** @type {string} */ id) => o.startJob(id),
  paused: async (/** @type {any} */ o, /** @type {string} */ id) => {
    await o.startJob(id);
    await o.pauseJob(id);
  },
  completed: async (/** @type {any} */ o, /** @type {string} */ id) => {
    await o.startJob(id);
    await o.completeJob(id);
  },
  failed: async (/** @type {any} */ o, /** @type {string} */ id) => o.failJob(id),
};

const WRONG = 'Invalid state transition';
const NOT_RUNNING = 'Only running jobs can be paused';

/** What each operation makes of each state: the new state, or the refusal's sentence. */
const TABLE = {
  startJob: { created: 'running', running: WRONG, paused: 'running', completed: WRONG, failed: WRONG },
  pauseJob: {
    created: NOT_RUNNING,
    running: 'paused',
    paused: NOT_RUNNING,
    completed: NOT_RUNNING,
    failed: NOT_RUNNING,
  },
  completeJob: { created: WRONG, running: 'completed', paused: WRONG, completed: WRONG, failed: WRONG },
  failJob: { created: 'failed', running: 'failed', paused: 'failed', completed: WRONG, failed: WRONG },
  cancelJob: { created: 'failed', running: 'failed', paused: 'failed' },
};

const EVENT = {
  running: 'job_started',
  paused: 'job_paused',
  completed: 'job_completed',
  failed: 'job_failed',
};
const STATES = /** @type {(keyof typeof REACH)[]} */ (Object.keys(REACH));

for (const [operation, row] of Object.entries(TABLE)) {
  for (const [from, expected] of Object.entries(row)) {
    test(`${operation} of a ${from} job: ${expected}`, LIMIT, async () => {
      const w = setup();
      const id = await created(w);
      await REACH[/** @type {keyof typeof REACH} */ (from)](w, id);
      const before = w.store.jobs.get(id);
      w.bus.clear();
      const outcome = await w[/** @type {'startJob'} */ (operation)](id);
      const after = w.store.jobs.get(id);
      if (expected in EVENT) {
        assert.equal(outcome.success, true);
        if (operation !== 'cancelJob') assert.deepStrictEqual(outcome, { success: true });
        assert.equal(after.status, expected);
        const payload =
          expected === 'running' || expected === 'paused' ? { jobId: id } : { jobId: id, status: expected };
        assert.deepStrictEqual(w.bus.emitted, [[EVENT[/** @type {'running'} */ (expected)], payload]]);
      } else {
        assertRefused(outcome, 'invalid_transition', /** @type {string} */ (expected));
        assert.deepStrictEqual(after, before);
        assert.deepStrictEqual(w.bus.emitted, []);
      }
    });
  }
}

for (const from of STATES) {
  test(`completeJob(id, "failed") of a ${from} job`, LIMIT, async () => {
    const w = setup();
    const id = await created(w);
    await REACH[from](w, id);
    w.bus.clear();
    const outcome = await w.completeJob(id, 'failed');
    if (from !== 'running') return assertRefused(outcome, 'invalid_transition', WRONG);
    assert.deepStrictEqual(outcome, { success: true });
    assert.equal(w.store.jobs.get(id).status, 'failed');
    assert.deepStrictEqual(w.bus.emitted, [['job_failed', { jobId: id, status: 'failed' }]]);
  });

  test(`nextStep of a ${from} job that has no plan and no router`, LIMIT, async () => {
    const w = setup();
    const id = await created(w);
    await REACH[from](w, id);
    const before = w.store.jobs.get(id);
    const outcome = await w.nextStep(id);
    if (from === 'running') assertRefused(outcome, 'no_plan');
    else assertRefused(outcome, 'not_running', 'Job not running');
    assert.deepStrictEqual(w.store.jobs.get(id), before);
  });
}

for (const from of /** @type {const} */ (['completed', 'failed'])) {
  test(`an ended job (${from}) takes nothing more`, LIMIT, async () => {
    const w = setup();
    const id = await created(w);
    await REACH[from](w, id);
    const before = w.store.jobs.get(id);
    w.bus.clear();
    for (const refused of [await w.approveStep(id), await w.rejectStep(id)]) {
      assert.equal(refused.success, false);
      assert.match(refused.error, /\w/);
    }
    const cancelled = await w.cancelJob(id);
    if (cancelled.success) assert.deepStrictEqual(cancelled.results, { [id]: 'already_ended' });
    else assertRefused(cancelled, 'invalid_transition', WRONG);
    assert.deepStrictEqual(w.store.jobs.get(id), before);
    assert.deepStrictEqual(w.bus.emitted, []);
  });
}

const ON_A_JOB = [
  'startJob',
  'pauseJob',
  'nextStep',
  'completeJob',
  'failJob',
  'cancelJob',
  'approveStep',
  'rejectStep',
  'runJob',
];
for (const operation of ON_A_JOB) {
  test(`${operation} of a job that is not there`, LIMIT, async () => {
    const w = setup();
    assertRefused(await w[/** @type {'startJob'} */ (operation)]('nowhere'), 'not_found', 'Job not found');
    assertRefused(await w.setPermissions('nowhere', { maxSteps: 1 }), 'not_found', 'Job not found');
    assert.equal(await w.getJob('nowhere'), null);
    assert.deepStrictEqual(w.store.saved, []);
    assert.deepStrictEqual(w.bus.emitted, []);
  });
}

test('JOB_STATUS is frozen and names the five states', () => {
  assert.deepStrictEqual(
    { ...jobwright.JOB_STATUS },
    { CREATED: 'created', RUNNING: 'running', PAUSED: 'paused', COMPLETED: 'completed', FAILED: 'failed' },
  );
  assert.ok(Object.isFrozen(jobwright.JOB_STATUS));
});

test('createJob stores a whole job, emits nothing and gives its id', LIMIT, async () => {
  const w = setup();
  const context = { topic: 'tides' };
  const id = await w.createJob(context);
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const job = w.store.jobs.get(id);
  assert.equal(job.id, id);
  assert.equal(job.status, 'created');
  assert.deepStrictEqual(job.context, { topic: 'tides' });
  assert.deepStrictEqual(job.permissions, { allowTools: false, requireApproval: true, maxSteps: 10 });
  assert.deepStrictEqual(job.history, []);
  assert.deepStrictEqual(job.timing, { created: w.clock.now() });
  assert.deepStrictEqual(await w.getJob(id), job);
  assert.deepStrictEqual(w.bus.emitted, []);
});

test('createJob with nothing given', LIMIT, async () => {
  const w = setup();
  const id = await w.createJob();
  assert.deepStrictEqual(w.store.jobs.get(id).context, {});
});

test('permissions that are not given take their defaults', LIMIT, async () => {
  const w = setup();
  const some = await w.createJob({}, { allowTools: true });
  assert.deepStrictEqual(w.store.jobs.get(some).permissions, {
    allowTools: true,
    requireApproval: true,
    maxSteps: 10,
  });
  const none = await w.createJob({}, { maxSteps: 0, requireApproval: false });
  assert.deepStrictEqual(w.store.jobs.get(none).permissions, {
    allowTools: false,
    requireApproval: false,
    maxSteps: 0,
  });
});

test('a job with a plan begins its history with job_created, which the bus is not told', LIMIT, async () => {
  const w = setup();
  const plan = { steps: [{ id: 'one', agent: 'reader' }] };
  const id = await w.createJob({ topic: 'tides' }, FREE, { plan });
  const job = w.store.jobs.get(id);
  assert.equal(job.history.length, 1);
  const [event] = job.history;
  assert.equal(event.type, 'job_created');
  assert.equal(event.seq, 1);
  assert.equal(event.trace.parentId, undefined);
  assert.equal(event.trace.spanId, event.id);
  assert.equal(event.trace.traceId, id.replaceAll('-', ''));
  assert.match(event.id, /^[0-9a-f]{16}$/);
  assert.equal(event.meta.timestamp, w.clock.now());
  assert.deepStrictEqual(event.payload.plan, plan);
  assert.deepStrictEqual(event.payload.permissions, FREE);
  assert.deepStrictEqual(event.payload.context, { topic: 'tides' });
  assert.deepStrictEqual(w.bus.emitted, []);
});

test('an id that exists is a conflict, and the job that has it stays', LIMIT, async () => {
  const w = setup();
  assert.equal(await w.createJob({ first: true }, {}, { id: 'mine' }), 'mine');
  await assert.rejects(w.createJob({ second: true }, {}, { id: 'mine' }), (/** @type {any} */ error) => {
    assert.ok(error instanceof jobwright.JobwrightError);
    assert.equal(error.code, 'conflict');
    assert.match(error.message, /mine/);
    return true;
  });
  assert.deepStrictEqual(w.store.jobs.get('mine').context, { first: true });
});

test('the same id twice at once: one is made, one is a conflict', LIMIT, async () => {
  const w = setup();
  const [first, second] = await Promise.allSettled([
    w.createJob({ n: 1 }, {}, { id: 'mine' }),
    w.createJob({ n: 2 }, {}, { id: 'mine' }),
  ]);
  assert.equal(first.status, 'fulfilled');
  assert.equal(second.status, 'rejected');
  assert.deepStrictEqual(w.store.jobs.get('mine').context, { n: 1 });
});

test('type, config and parentId are stored where they were given', LIMIT, async () => {
  const w = setup();
  const parent = await w.createJob({}, {}, { type: 'parent', config: { source_type: 'list' } });
  const child = await w.createJob({}, {}, { parentId: parent });
  const { type, config } = w.store.jobs.get(parent);
  assert.deepStrictEqual({ type, config }, { type: 'parent', config: { source_type: 'list' } });
  assert.ok(!('parentId' in w.store.jobs.get(parent)));
  assert.equal(w.store.jobs.get(child).parentId, parent);
  assert.ok(!('type' in w.store.jobs.get(child)) && !('config' in w.store.jobs.get(child)));
});

test('a parent that is not there, or has ended, refuses its child', LIMIT, async () => {
  const w = setup();
  await assert.rejects(w.createJob({}, {}, { parentId: 'nowhere' }), { code: 'not_found' });
  const ended = await w.createJob();
  await w.failJob(ended);
  const made = w.store.jobs.size;
  await assert.rejects(w.createJob({}, {}, { parentId: ended }), jobwright.JobwrightError);
  assert.equal(w.store.jobs.size, made);
});

test("a child's permissions are the meet of its own and its parent's", LIMIT, async () => {
  const w = setup();
  const parent = await w.createJob({}, { allowTools: true, requireApproval: false, maxSteps: 5 });
  const asked = await w.createJob(
    {},
    { allowTools: true, requireApproval: false, maxSteps: 50 },
    { parentId: parent },
  );
  assert.deepStrictEqual(w.store.jobs.get(asked).permissions, {
    allowTools: true,
    requireApproval: false,
    maxSteps: 5,
  });
  const stricter = await w.createJob(
    {},
    { allowTools: false, requireApproval: true, maxSteps: 2 },
    { parentId: parent },
  );
  assert.deepStrictEqual(w.store.jobs.get(stricter).permissions, {
    allowTools: false,
    requireApproval: true,
    maxSteps: 2,
  });
  const silent = await w.createJob({}, {}, { parentId: parent });
  assert.deepStrictEqual(w.store.jobs.get(silent).permissions, {
    allowTools: true,
    requireApproval: false,
    maxSteps: 5,
  });
});

test('a plan that is wrong refuses the job, with a path', LIMIT, async () => {
  const w = setup();
  const plan = {
    steps: [
      { id: 'one', agent: 'reader' },
      { id: 'one', agent: 'reader' },
    ],
  };
  await assert.rejects(w.createJob({}, {}, { plan }), (/** @type {any} */ error) => {
    assert.ok(error instanceof jobwright.JobwrightError);
    assert.equal(error.code, 'invalid_plan');
    assert.match(`${error.message} ${JSON.stringify(error.details)}`, /steps\[1\]/);
    return true;
  });
  assert.equal(w.store.jobs.size, 0);
});

test('failJob and cancelJob say in the job why it ended', LIMIT, async () => {
  const w = setup();
  const failed = await created(w);
  await w.failJob(failed, new Error('the well is dry'));
  assert.match(w.store.jobs.get(failed).run.failure.message, /the well is dry/);
  const told = await created(w);
  await w.failJob(told, { status: 503, why: 'busy' });
  assert.equal(w.store.jobs.get(told).run.failure.message, '{"status":503,"why":"busy"}');
  const cancelled = await created(w);
  assert.deepStrictEqual(await w.cancelJob(cancelled, 'not needed'), {
    success: true,
    results: { [cancelled]: 'cancelled' },
  });
  assert.equal(w.store.jobs.get(cancelled).run.failure.code, 'cancelled');
  assert.match(w.store.jobs.get(cancelled).run.failure.message, /not needed/);
});

test('times: created, the first start, the end', LIMIT, async () => {
  const w = setup();
  const created0 = w.clock.now();
  const id = await created(w);
  await w.clock.advance(5);
  await w.startJob(id);
  await w.clock.advance(7);
  await w.pauseJob(id);
  await w.startJob(id);
  await w.clock.advance(11);
  await w.completeJob(id);
  assert.deepStrictEqual(w.store.jobs.get(id).timing, {
    created: created0,
    started: created0 + 5,
    completed: created0 + 23,
  });
});

test('operations on one job take effect in the order of the calls', LIMIT, async () => {
  const w = setup();
  const id = await created(w);
  const outcomes = await Promise.all([
    w.startJob(id),
    w.pauseJob(id),
    w.pauseJob(id),
    w.startJob(id),
    w.completeJob(id),
    w.startJob(id),
  ]);
  assert.deepStrictEqual(
    outcomes.map((outcome) => outcome.success),
    [true, true, false, true, true, false],
  );
  assert.deepStrictEqual(w.bus.types(), ['job_started', 'job_paused', 'job_started', 'job_completed']);
});

test('revisions rise by one with every commit', LIMIT, async () => {
  const w = setup({ agentRegistry: { reader: () => 1 } });
  const id = await created(w, [{ id: 'one', agent: 'reader' }]);
  await w.startJob(id);
  await w.pauseJob(id);
  await w.startJob(id);
  await w.nextStep(id);
  const revisions = w.store.saved.map((/** @type {any} */ job) => job.run.revision);
  assert.deepStrictEqual(
    revisions,
    revisions.map((/** @type {number} */ _, /** @type {number} */ at) => at + 1),
  );
});

test('listJobs gives the jobs of this orchestrator, by state', LIMIT, async () => {
  const w = setup();
  const one = await created(w);
  const two = await created(w);
  await w.startJob(two);
  const ids = (/** @type {any[]} */ heads) => heads.map((head) => head.id);
  assert.deepStrictEqual(ids(await w.listJobs()), [one, two]);
  assert.deepStrictEqual(ids(await w.listJobs({ status: 'running' })), [two]);
  assert.deepStrictEqual(ids(await w.listJobs({ status: ['created', 'running'], limit: 1 })), [one]);
  assert.deepStrictEqual(ids(await w.listJobs({ cursor: one })), [two]);
  for (const head of await w.listJobs()) assert.ok(!('context' in head) && !('history' in head));
});
