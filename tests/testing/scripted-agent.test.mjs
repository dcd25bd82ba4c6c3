// @ts-check
/** An agent that answers with what it was given beforehand, alone and in jobs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import vm from 'node:vm';
import { importPackage } from '../package/installed.mjs';

const { createVirtualClock, scriptedAgent } = await importPackage('jobwright/testing');
const { createAgentRegistry, createOrchestrator, NonRetryableError } = await importPackage();

/** @param {any} agents @param {any[]} steps @param {any} [input] */
async function runPlan(agents, steps, input) {
  const clock = createVirtualClock();
  const orchestrator = createOrchestrator({ clock, agentRegistry: agents, logger: {} });
  const jobId = await orchestrator.createJob({}, { requireApproval: false }, { plan: { steps } });
  await orchestrator.startJob(jobId);
  const run = orchestrator.runJob(jobId, { input });
  await clock.advance(3_600_000);
  const [outcome, job] = [await run, await orchestrator.getJob(jobId)];
  await orchestrator.close();
  return { jobId, outcome, job };
}

test('each call takes the next output, as it is', async () => {
  const object = { deep: [1] };
  const promise = Promise.resolve(7);
  const outputs = ['text', 0, null, undefined, false, object, promise, [1, 2]];
  const agent = scriptedAgent(outputs);
  for (const output of outputs) assert.equal(agent('input'), output);
});

test('an error is thrown, the same one', () => {
  const elsewhere = vm.runInNewContext('new Error("elsewhere")');
  const errors = [
    new Error('once'),
    new TypeError('twice'),
    new DOMException('gone', 'AbortError'),
    elsewhere,
  ];
  const agent = scriptedAgent(errors);
  for (const error of errors) {
    assert.throws(
      () => agent('input'),
      (thrown) => thrown === error,
    );
  }
});

test('a function is called with the input and the context, and answers or throws', async () => {
  const agent = scriptedAgent([
    (/** @type {any} */ input, /** @type {any} */ context) => [input, context],
    async () => 'later',
    () => {
      throw new Error('not today');
    },
  ]);
  const context = { attempt: 2, step: 'one' };
  assert.deepEqual(agent('x', context), ['x', context]);
  assert.equal(await agent('x', context), 'later');
  assert.throws(() => agent('x', context), /not today/);
});

for (const [outputs, calls, sentence] of /** @type {[any[], number, RegExp][]} */ ([
  [[], 1, /^The script of this agent has no outputs; this is call 1$/],
  [['a'], 2, /^The script of this agent has 1 output; this is call 2$/],
  [['a', 'b'], 4, /^The script of this agent has 2 outputs; this is call 4$/],
])) {
  test(`call ${calls} of a script of ${outputs.length} is refused for good`, () => {
    const agent = scriptedAgent(outputs);
    for (let n = 1; n < calls; n++) {
      if (n <= outputs.length) agent();
      else assert.throws(() => agent());
    }
    assert.throws(
      () => agent(),
      (/** @type {any} */ error) => {
        assert.ok(error instanceof NonRetryableError);
        assert.match(error.message, sentence);
        return true;
      },
    );
    assert.equal(agent.calls.length, calls);
  });
}

test('the script is what it was when the agent was made', () => {
  const outputs = ['a'];
  const agent = scriptedAgent(outputs);
  outputs.push('b');
  outputs[0] = 'c';
  assert.equal(agent(), 'a');
  assert.throws(() => agent(), /1 output;/);
});

for (const wrong of [undefined, null, 'outputs', 7, {}, () => 'a']) {
  test(`outputs that are ${String(wrong)} are refused`, () => {
    const message = /^scriptedAgent: outputs: expected an array, found /;
    assert.throws(() => scriptedAgent(wrong), { name: 'TypeError', message });
  });
}

test('a call outside of any job is recorded too', () => {
  const agent = scriptedAgent(['a']);
  agent({ question: 1 });
  assert.deepEqual(agent.calls, [
    { input: { question: 1 }, attempt: 1, step: undefined, jobId: undefined, idempotencyKey: undefined },
  ]);
});

test('a rejected promise in the script disturbs nobody before it is called for', async () => {
  const agent = scriptedAgent(['first', Promise.reject(new Error('at last'))]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(agent(), 'first');
  await assert.rejects(agent(), /at last/);
});

test('in a job: errors are retried, promises awaited, and every call is recorded', async () => {
  const writer = scriptedAgent([
    new Error('overloaded'),
    Promise.reject(new Error('overloaded still')),
    Promise.resolve('a draft'),
    (/** @type {any} */ input, /** @type {any} */ { step }) => `${input}, ${step}ed`,
  ]);
  const { jobId, outcome, job } = await runPlan(
    createAgentRegistry({ writer }),
    [
      {
        id: 'draft',
        agent: 'writer',
        retry: { maxAttempts: 3, backoffMs: 600_000, maxBackoffMs: 3_600_000 },
      },
      { id: 'polish', agent: 'writer' },
    ],
    'a topic',
  );
  assert.equal(outcome.status, 'completed');
  assert.deepEqual(job.context, { draft: 'a draft', polish: 'a draft, polished' });
  assert.deepEqual(
    writer.calls.map(({ input, attempt, step }) => [input, attempt, step]),
    [
      ['a topic', 1, 'draft'],
      ['a topic', 2, 'draft'],
      ['a topic', 3, 'draft'],
      ['a draft', 1, 'polish'],
    ],
  );
  const keys = writer.calls.map((/** @type {any} */ call) => call.idempotencyKey);
  assert.deepEqual([new Set(keys.slice(0, 3)).size, new Set(keys).size], [1, 2]);
  assert.ok(writer.calls.every((/** @type {any} */ call) => call.jobId === jobId));
});

test('in a job: a script that is used up fails the step at once, and says so', async () => {
  const writer = scriptedAgent([new Error('overloaded')]);
  const { outcome, job } = await runPlan({ writer }, [
    { id: 'draft', agent: 'writer', retry: { maxAttempts: 9 } },
  ]);
  assert.equal(outcome.success, false);
  assert.equal(
    job.run.steps.draft.error.message,
    'The script of this agent has 1 output; this is call 2, attempt 2 at step "draft"',
  );
  assert.equal(writer.calls.length, 2);
});
