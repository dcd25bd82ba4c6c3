// @ts-check
/** What may go into an agent and come out of it: schemas, and what a store can hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, LIMIT, setup, started } from './support/setup.mjs';

const PLAN = [{ id: 'one', agent: 'reader' }];

/** A world with agents, and a job in it that runs this plan. @param {any} agentRegistry @param {any[]} [steps] @param {any} [options] @param {any} [deps] */
async function running(agentRegistry, steps = PLAN, options = {}, deps = {}) {
  const w = setup({ agentRegistry, ...deps });
  const id = await started(w, steps, options);
  w.bus.clear();
  return { ...w, id, job: () => w.store.jobs.get(id) };
}

/** @param {(value: any) => any} validate */
const schema = (validate) => ({ '~standard': { version: 1, vendor: 'test', validate } });
const isText = (/** @type {any} */ value) =>
  typeof value === 'string'
    ? { value: value.trim() }
    : { issues: [{ message: 'expected text', path: ['a'] }] };

for (const [how, validate] of Object.entries({
  sync: isText,
  async: async (/** @type {any} */ value) => isText(value),
})) {
  test(`an output schema (${how}) passes what it makes of the output, or fails the step`, LIMIT, async () => {
    const agent = (/** @type {any} */ output) => ({
      metadata: { outputSchema: schema(validate) },
      execute: () => output,
    });
    const good = await running({ reader: agent('  text ') });
    assert.equal((await good.nextStep(good.id)).step.output, 'text');
    assert.equal(good.job().context.one, 'text');
    const bad = await running({ reader: agent(5) });
    assertRefused(await bad.nextStep(bad.id), 'invalid_output', /expected text/);
    assert.equal(bad.job().status, 'failed');
    assert.equal(bad.job().run.failure.code, 'invalid_output');
    assert.deepStrictEqual(bad.job().context, {});
  });

  test(`an input schema (${how}) is asked before the agent`, LIMIT, async () => {
    let called = 0;
    const agent = {
      metadata: { inputSchema: schema(validate) },
      execute: (/** @type {any} */ input) => {
        called++;
        return input;
      },
    };
    const good = await running({ reader: agent });
    assert.equal((await good.nextStep(good.id, ' in ')).step.output, 'in');
    const bad = await running({ reader: agent });
    const outcome = await bad.nextStep(bad.id, 7);
    assert.equal(outcome.success, false);
    assert.match(outcome.error, /expected text/);
    assert.equal(called, 1);
    assert.equal(bad.job().status, 'failed');
  });
}

const NOT_STORABLE = {
  'a function': () => () => 1,
  'a symbol': () => Symbol('s'),
  'a BigInt': () => 5n,
  'a cycle': () => {
    const cyclic = /** @type {any} */ ({});
    cyclic.self = cyclic;
    return cyclic;
  },
  'a function deep inside': () => ({ a: [{ b: () => 1 }] }),
};

for (const [name, output] of Object.entries(NOT_STORABLE)) {
  test(`${name} is no output that a store can hold`, LIMIT, async () => {
    const w = await running({ reader: output });
    assertRefused(await w.nextStep(w.id), 'invalid_output');
    assert.equal(w.job().status, 'failed');
    assert.equal(w.job().run.failure.code, 'invalid_output');
  });
}

test('an agent that gives nothing gives null or undefined, and is done', LIMIT, async () => {
  const w = await running({ reader: () => undefined });
  const outcome = await w.nextStep(w.id);
  assert.equal(outcome.status, 'completed');
  assert.equal(outcome.step.output ?? null, null);
});
