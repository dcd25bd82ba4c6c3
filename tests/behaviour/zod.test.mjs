// @ts-check
/** Schemas by zod, which speaks Standard Schema. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { assertRefused, LIMIT, setup, started } from './support/setup.mjs';

const PLAN = [{ id: 'one', agent: 'judge', tools: ['lookup'] }];

/** @param {any} execute */
const judge = (execute) => ({
  metadata: {
    inputSchema: z.object({ licence: z.string() }),
    outputSchema: z.object({
      verdict: z.enum(['allowed', 'denied']),
      reason: z.string().default('none given'),
    }),
  },
  execute,
});

const lookup = {
  inputSchema: z.object({ name: z.string().trim() }),
  execute: (/** @type {any} */ { name }) => `[${name}]`,
};

/** @param {any} execute */
async function judging(execute) {
  const w = setup({ agentRegistry: { judge: judge(execute) }, tools: { lookup } });
  return { ...w, id: await started(w, PLAN) };
}

test('input, output and tool arguments that fit are passed as the schema makes them', LIMIT, async () => {
  const w = await judging(async (/** @type {any} */ { licence }, /** @type {any} */ context) => {
    assert.equal(await context.callTool('lookup', { name: ' mit ' }), '[mit]');
    return { verdict: licence === 'MIT' ? 'allowed' : 'denied', more: 'is stripped' };
  });
  const outcome = await w.nextStep(w.id, { licence: 'MIT' });
  assert.deepStrictEqual(outcome.step.output, { verdict: 'allowed', reason: 'none given' });
});

test('an output that does not fit fails the step, and says where', LIMIT, async () => {
  const w = await judging(() => ({ verdict: 'perhaps' }));
  assertRefused(await w.nextStep(w.id, { licence: 'MIT' }), 'invalid_output', /verdict/);
});

test('an input that does not fit never reaches the agent', LIMIT, async () => {
  const w = await judging(() => assert.fail('was called'));
  const outcome = await w.nextStep(w.id, { licence: 5 });
  assert.equal(outcome.success, false);
  assert.match(outcome.error, /licence/);
});

test('arguments that do not fit never reach the tool', LIMIT, async () => {
  const w = await judging(async (/** @type {any} */ _, /** @type {any} */ context) => {
    await assert.rejects(context.callTool('lookup', { name: 5 }), /name/);
    return { verdict: 'denied' };
  });
  assert.equal((await w.nextStep(w.id, { licence: 'MIT' })).status, 'completed');
});
