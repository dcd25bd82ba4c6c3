// @ts-check
/** What a replay says of jobs as they are, of jobs that were edited, and of what is no job. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStore, LIMIT, setup, started } from '../behaviour/support/setup.mjs';
import { jobwright } from '../differential/subject.mjs';

const { createMemoryStore } = jobwright;

const plan = [
  { id: 'count', agent: 'count' },
  { id: 'again', agent: 'count', when: { '<': [{ var: 'count.n' }, 5] } },
  { id: 'ask', approve: {} },
];

/** A job that waits for a person behind the last step. @param {any} [more] */
async function waiting(more = {}) {
  let called = 0;
  const w = setup({ agentRegistry: { count: () => ({ n: ++called }) }, ...more });
  const id = await started(w, plan);
  await w.runJob(id);
  return { ...w, id, calls: () => called };
}

/** Without what a job and its history share. @param {any} job */
const clone = (job) => JSON.parse(JSON.stringify(job));

/** @param {any} job */
const types = (job) => job.history.map((/** @type {any} */ { type }) => type);

for (const [kind, makeStore] of Object.entries({ plain: createStore, bundled: createMemoryStore })) {
  test(`${kind} store: a job is replayed at any time, and no agent is called`, LIMIT, async () => {
    const w = await waiting({ store: makeStore() });
    assert.deepStrictEqual(await w.replayJob(w.id), { ok: true, decisions: 4 });
    await w.approveStep(w.id);
    await w.runJob(w.id);
    const job = await w.getJob(w.id);
    assert.equal(job.status, 'completed');
    assert.deepStrictEqual(await w.replayJob(job), { ok: true, decisions: 7 });
    assert.equal(w.calls(), 2);
  });
}

test('the first difference is named', LIMIT, async () => {
  const w = await waiting();
  const whole = clone(await w.getJob(w.id));
  const edits = /** @type {[string, (job: any) => void, number, RegExp][]} */ ([
    [
      'an output that a rule read',
      (job) => {
        job.history[3].payload.output.n = 7;
        job.context.count.n = 7;
      },
      5,
      /step_skipped/,
    ],
    [
      'an output that no rule read',
      (job) => {
        job.history[5].payload.output.n = 9;
      },
      8,
      /context\.again/,
    ],
    [
      'a step that no plan has',
      (job) => {
        job.history[4].payload.step = 'other';
      },
      5,
      /./,
    ],
    ['an event too few', (job) => void job.history.splice(4, 1), 5, /step_started/],
    ['an event too many', (job) => void job.history.splice(4, 0, job.history[4]), 6, /another event|nothing/],
    ['a cut tail', (job) => void job.history.splice(6), 6, /running|seq/],
    [
      'a status',
      (job) => {
        job.status = 'completed';
      },
      8,
      /paused/,
    ],
    [
      'a number of steps',
      (job) => {
        job.run.stepsTaken = 1;
      },
      8,
      /stepsTaken/,
    ],
    [
      'permissions',
      (job) => {
        job.permissions.maxSteps = 3;
      },
      8,
      /permissions/,
    ],
    [
      'the context',
      (job) => {
        job.context.again = null;
      },
      8,
      /context\.again/,
    ],
    [
      'the plan',
      (job) => {
        job.run.plan.steps[1].when = true;
      },
      8,
      /run\.plan/,
    ],
    [
      'the plan in history',
      (job) => {
        job.history[0].payload.plan.steps[1].when = false;
      },
      5,
      /step_skipped/,
    ],
    [
      'a plan that is none',
      (job) => {
        job.history[0].payload.plan = { steps: 3 };
      },
      1,
      /a plan without problems/,
    ],
    [
      'no plan',
      (job) => {
        job.history[0].payload.plan = undefined;
      },
      1,
      /./,
    ],
  ]);
  for (const [what, edit, at, expected] of edits) {
    const job = clone(whole);
    edit(job);
    const result = await w.replayJob(job);
    assert.equal(result.ok, false, what);
    assert.equal(result.at, at, `${what}: ${JSON.stringify(result)}`);
    assert.match(JSON.stringify(result.expected), expected, what);
  }
  assert.deepStrictEqual(types(whole).slice(-2), ['approval_requested', 'job_paused']);
});

test('what is no job, or none that can be read, is refused in a sentence', LIMIT, async () => {
  const w = await waiting();
  const whole = clone(await w.getJob(w.id));
  const cyclic = clone(whole);
  cyclic.history[3].payload.output.self = cyclic.history[3].payload.output;
  const throwing = {
    get timing() {
      throw new Error('no entry');
    },
  };
  const refusals = /** @type {[unknown, string, RegExp][]} */ ([
    ['nobody', 'not_found', /Job not found: "nobody"/],
    [undefined, 'invalid_argument', /takes a job or a job's id; found undefined/],
    [7, 'invalid_argument', /found 7/],
    [{ ...whole, id: 3 }, 'invalid_argument', /id must be a string; found 3/],
    [{ ...whole, history: 'long' }, 'invalid_argument', /must be a list; found "long"/],
    [cyclic, 'invalid_argument', /Event 4 of the history can't be read/],
    [throwing, 'invalid_argument', /The job can't be read: .*no entry/],
  ]);
  for (const [job, code, message] of refusals) await assert.rejects(w.replayJob(job), { code, message });
});

test('events that are not even objects part from what is decided', LIMIT, async () => {
  const w = await waiting();
  const whole = clone(await w.getJob(w.id));
  for (const junk of [null, 3, 'text', [], {}, { type: 'job_started' }, { type: {}, payload: [] }]) {
    for (const place of [0, 3, 7]) {
      const job = clone(whole);
      job.history[place] = junk;
      const result = await w.replayJob(job);
      assert.equal(result.ok, false, JSON.stringify(junk));
      assert.equal(result.at, place + 1);
    }
  }
});

test('a job that nobody has started yet', LIMIT, async () => {
  const w = setup();
  const [planned, routed] = await Promise.all([
    w.createJob({ a: 1 }, {}, { plan: { steps: plan } }),
    w.createJob({ a: 1 }),
  ]);
  assert.deepStrictEqual(await w.replayJob(planned), { ok: true, decisions: 0 });
  assert.deepStrictEqual(await w.replayJob(routed), { ok: true, decisions: 0 });
});

test('several replays at a time do not disturb each other, nor the jobs that run', LIMIT, async () => {
  const w = await waiting();
  const others = await Promise.all([1, 2, 3].map(() => waiting()));
  const results = await Promise.all([
    ...others.flatMap((other) => [w.replayJob(w.id), other.replayJob(other.id)]),
    w.approveStep(w.id),
  ]);
  for (const result of results.slice(0, -1)) assert.equal(/** @type {any} */ (result).ok, true);
  await w.runJob(w.id);
  assert.equal((await w.replayJob(w.id)).ok, true);
});

test('agents that are named like a sentence about them', LIMIT, async () => {
  const name = 'known agents: a';
  const w = setup({ agentRegistry: { [name]: () => 1, 'b, known agents: c': () => 2 } });
  const id = await started(w, [{ id: 'lost', agent: `${name}"; ${name}` }]);
  await w.runJob(id);
  assert.equal((await w.getJob(id)).run.failure.code, 'unknown_agent');
  assert.equal((await w.replayJob(id)).ok, true);
});
