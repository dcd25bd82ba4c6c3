// @ts-check
/** Text with half of a surrogate pair in it: what the core reads of it is U+FFFD, and nothing is refused for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMIT } from '../behaviour/support/setup.mjs';
import { importPackage } from '../package/installed.mjs';

const { createOrchestrator, validatePlan } = await importPackage();

/** What an agent is given. @param {unknown} context @param {unknown} input @param {any} [more] */
async function given(context, input, more) {
  const echo = { execute: async (/** @type {unknown} */ asked) => ({ output: asked }) };
  const orchestrator = createOrchestrator({ agentRegistry: { echo }, ...more });
  const step = { id: 'step', agent: 'echo', input };
  const id = await orchestrator.createJob(context, { requireApproval: false }, { plan: { steps: [step] } });
  await orchestrator.startJob(id);
  const { error, job } = await orchestrator.runJob(id);
  assert.equal(error, undefined);
  return job.context.step.output;
}

const CONTEXT = { emoji: '😀', half: 'a\ud83db', path: 'C:\\ud83d', '\ude00': 1 };

for (const [name, input, expected] of /** @type {[string, unknown, unknown][]} */ ([
  ['a character of a text, as it stands', { var: 'emoji.0' }, '\ufffd'],
  ['a character of a text, in a template', { at: [{ val: ['emoji', '1'] }] }, { at: ['\ufffd'] }],
  ['a character of a text, computed with', { cat: [{ var: 'emoji.0' }, '!'] }, '\ufffd!'],
  ['a text that was given so, computed with', { cat: [{ var: 'half' }, '!'] }, 'a\ufffdb!'],
  ['a whole pair', { cat: [{ var: 'emoji' }, '!'] }, '😀!'],
  ['what only looks like an escape', { cat: [{ var: 'path' }, '!'] }, 'C:\\ud83d!'],
  ['all of the context', { in: ['\ude00', { cat: { var: '' } }] }, false],
  ['a text in the plan', ['\ud83d', { cat: ['\ude00', '\\ud83d'] }], ['\ufffd', '\ufffd\\ud83d']],
])) {
  test(name, LIMIT, async () => {
    assert.deepEqual(await given(CONTEXT, input), expected);
  });
}

test('a plan is valid whose ids have halves', LIMIT, () => {
  assert.deepEqual(validatePlan({ steps: [{ id: '\ud83d', agent: 'echo' }] }), { success: true });
  const { errors } = validatePlan({
    steps: [
      { id: '\ud83d', agent: 'echo' },
      { id: '\ude00', agent: 'echo' },
    ],
  });
  assert.equal(errors.length, 1);
  assert.match(errors[0].message, /\ufffd/);
});

test("a router's answer may have halves", LIMIT, async () => {
  const orchestrator = createOrchestrator({
    agentRegistry: {},
    router: async () => ({ agent: 'nobody\ud83d' }),
  });
  const id = await orchestrator.createJob({}, { requireApproval: false });
  await orchestrator.startJob(id);
  const { code, error } = await orchestrator.runJob(id);
  assert.equal(code, 'unknown_agent');
  assert.match(error, /nobody\ufffd/);
});
