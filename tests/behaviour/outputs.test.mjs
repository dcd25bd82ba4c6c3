// @ts-check
/** What may go into an agent and come out of it: schemas, and what a store can hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSqliteStore } from '../../pkg-template/sqlite/index.js';
import { jobwright } from '../differential/subject.mjs';
import { assertRefused, LIMIT, setup, started } from './support/setup.mjs';

const { createMemoryStore, verifyRun } = jobwright;

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

/** @param {number} levels */
const nested = (levels) => {
  let value = /** @type {unknown[]} */ ([]);
  for (let level = 1; level < levels; level++) value = [value];
  return value;
};

for (const [kind, makeStore] of Object.entries({
  memory: async () => createMemoryStore(),
  sqlite: () => createSqliteStore({ path: ':memory:' }),
})) {
  test(`${kind} store: an output as deep as may be is stored, read, replayed and forked`, LIMIT, async () => {
    const store = await makeStore();
    const deep = nested(1_000);
    const w = await running({ reader: () => deep }, PLAN, {}, { store });
    assert.equal((await w.runJob(w.id)).job.history.at(-1).type, 'job_completed');
    assert.deepStrictEqual((await store.getJob(w.id)).context.one, deep);
    assert.equal((await w.replayJob(w.id)).ok, true);
    const lines = [];
    for await (const line of w.exportJob(w.id, { redact: false })) lines.push(line);
    assert.equal((await verifyRun(lines)).ok, true);
    const fork = await w.forkJob(w.id, { afterStep: 'one' });
    assert.deepStrictEqual((await w.getJob(fork)).context.one, deep);
    const deeper = await running({ reader: () => nested(1_001) }, PLAN, {}, { store });
    assertRefused(await deeper.runJob(deeper.id), 'invalid_output', /1000 levels/);
  });
}
