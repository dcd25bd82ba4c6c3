// @ts-check
/** Steps that are done again until something is true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOrchestrator, jobwright } from '../differential/subject.mjs';
import { assertRefused, createStore, LIMIT, setup, started } from './support/setup.mjs';
import { createMortalStore } from './support/trees.mjs';

const { createMemoryStore } = jobwright;

const draft = (/** @type {any} */ more = {}) => ({
  id: 'draft',
  agent: 'write',
  repeat: { until: { '>=': [{ var: 'draft.score' }, 3] }, max: 5 },
  ...more,
});

/** An agent whose score rises with each call. */
function writer() {
  /** @type {{ input: any, key: string, attempt: number }[]} */
  const calls = [];
  const write = (/** @type {any} */ input, /** @type {any} */ { idempotencyKey, attempt }) => {
    calls.push({ input, key: idempotencyKey, attempt });
    return { score: calls.length };
  };
  return { calls, write };
}

test('a step is done again until its condition holds, and counts once', LIMIT, async () => {
  const { calls, write } = writer();
  const w = setup({ agentRegistry: { write } });
  const id = await started(w, [draft(), { id: 'next', agent: 'write' }]);
  const { job, status } = await w.runJob(id, { input: 'a topic' });
  assert.equal(status, 'completed');
  assert.deepStrictEqual(
    calls.map(({ input, key }) => [input, key]),
    [
      ['a topic', `${id}:draft:1`],
      ['a topic', `${id}:draft:2`],
      ['a topic', `${id}:draft:3`],
      [{ score: 3 }, `${id}:next`],
    ],
  );
  assert.deepStrictEqual(job.context, { draft: { score: 3 }, next: { score: 4 } });
  assert.deepStrictEqual([job.run.steps.draft.round, job.run.stepsTaken], [3, 2]);
  assert.deepStrictEqual(
    w.bus.of('round_completed').map((/** @type {any} */ { round }) => round),
    [1, 2, 3],
  );
});

test('each round is given its input as the context is then', LIMIT, async () => {
  const { calls, write } = writer();
  const w = setup({ agentRegistry: { write } });
  const id = await started(w, [draft({ input: { before: { var: ['draft.score', 0] } } })]);
  await w.runJob(id);
  assert.deepStrictEqual(
    calls.map(({ input }) => input.before),
    [0, 1, 2],
  );
});

test('a step that is not done after its last round fails', LIMIT, async () => {
  const { write } = writer();
  const w = setup({ agentRegistry: { write } });
  const id = await started(w, [draft({ repeat: { until: false, max: 2 } })]);
  assertRefused(await w.runJob(id), 'agent_failed', 'Step "draft" is not done after 2 rounds');
});

test('where the plan goes on after that, the step gives null', LIMIT, async () => {
  const { calls, write } = writer();
  const plan = [
    draft({ repeat: { until: false, max: 1 }, onError: 'continue' }),
    { id: 'next', agent: 'write' },
  ];
  for (const store of [createStore(), createMemoryStore()]) {
    calls.length = 0;
    const w = setup({ agentRegistry: { write }, store });
    const id = await started(w, plan);
    await w.nextStep(id);
    // Another orchestrator knows only what is stored.
    const other = createOrchestrator({ agentRegistry: { write }, store });
    assert.equal((await other.runJob(id)).status, 'completed');
    assert.equal(calls[1]?.input, null);
    assert.equal((await store.getJob(id))?.context.draft, null);
  }
});

test('a round has attempts of its own', LIMIT, async () => {
  /** @type {string[]} */
  const seen = [];
  let score = 0;
  const write = (/** @type {any} */ _, /** @type {any} */ { attempt, idempotencyKey }) => {
    seen.push(`${idempotencyKey.split(':').at(-1)}.${attempt}`);
    if (attempt === 1) throw new Error('not yet');
    return { score: ++score };
  };
  const w = setup({ agentRegistry: { write } });
  const id = await started(w, [draft({ retry: { maxAttempts: 2, backoffMs: 0 } })]);
  assert.equal((await w.runJob(id)).status, 'completed');
  assert.deepStrictEqual(seen, ['1.1', '1.2', '2.1', '2.2', '3.1', '3.2']);
});

test('rounds that ended are not done again after a crash', LIMIT, async () => {
  const store = createMortalStore();
  const { calls, write } = writer();
  const hangs = (/** @type {any} */ input, /** @type {any} */ context) =>
    calls.length === 1 ? new Promise(() => {}) : write(input, context);
  const first = setup({ agentRegistry: { write: hangs }, store });
  const id = await started(first, [draft()]);
  first.runJob(id);
  await new Promise((resolve) => setTimeout(resolve, 20));
  store.endLeases();
  const second = createOrchestrator({ agentRegistry: { write }, store });
  const { job } = await second.runJob(id);
  assert.deepStrictEqual(
    calls.map(({ key }) => key),
    [1, 2, 3].map((round) => `${id}:draft:${round}`),
  );
  assert.deepStrictEqual(job.context.draft, { score: 3 });
});

test('nextStep runs all rounds of its step', LIMIT, async () => {
  const { write } = writer();
  const w = setup({ agentRegistry: { write } });
  const id = await started(w, [draft(), { id: 'next', agent: 'write' }]);
  const { status, step } = await w.nextStep(id);
  assert.deepStrictEqual(
    [status, step.id, step.status, step.output],
    ['running', 'draft', 'done', { score: 3 }],
  );
});

test('what is held for a round is settled with it', LIMIT, async () => {
  const { write } = writer();
  /** @type {any[][]} */
  const asked = [];
  const note =
    (/** @type {string} */ what) =>
    (/** @type {any[]} */ ...args) => {
      asked.push([what, ...args.slice(1)]);
      return { success: true };
    };
  const budgetManager = {
    canSpend: () => ({ success: true }),
    reserve: note('reserve'),
    settle: note('settle'),
    release: note('release'),
  };
  const w = setup({ agentRegistry: { write }, budgetManager });
  const id = await started(w, [
    draft({ cost: 2, repeat: { until: { '>=': [{ var: 'draft.score' }, 2] }, max: 5 } }),
  ]);
  await w.runJob(id);
  const key = (/** @type {number} */ round) => `${id}:draft:${round}`;
  assert.deepStrictEqual(asked, [
    ['reserve', 2, key(1)],
    ['settle', key(1), 2],
    ['reserve', 2, key(2)],
    ['settle', key(2), 2],
  ]);
});
