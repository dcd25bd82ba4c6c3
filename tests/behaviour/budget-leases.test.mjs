// @ts-check
/** What is held of a budget, and settled, when a lease is lost or nobody can say who has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { another, gatedAgent } from './support/leases.mjs';
import { assertRefused, LIMIT, started } from './support/setup.mjs';
import { createMortalStore } from './support/trees.mjs';

test(
  'what a round cost is settled as that round, also when the job has gone on elsewhere',
  LIMIT,
  async () => {
    const store = createMortalStore();
    /** @type {string[]} */
    const settled = [];
    const grant = { success: true };
    const budgetManager = {
      canSpend: () => grant,
      reserve: () => grant,
      settle: (/** @type {string} */ _, /** @type {string} */ key, /** @type {number} */ cost) =>
        void settled.push(`${key.slice(key.indexOf(':') + 1)} ${cost}`),
      release: () => {},
    };
    /** A worker whose agents wait until they are told to answer. @param {any} its */
    const worker = (its) => {
      /** @type {Map<string, () => void>} */
      const gates = new Map();
      const agentRegistry = {
        draft: (/** @type {any} */ _, /** @type {any} */ { idempotencyKey }) =>
          new Promise((resolve) => {
            const round = Number(idempotencyKey.split(':').at(-1));
            gates.set(`s ${round}`, () => resolve({ success: true, data: { round }, cost: 4 + round }));
          }),
        other: () =>
          new Promise((resolve) => gates.set('t', () => resolve({ success: true, data: 1, cost: 1 }))),
      };
      return { orchestrator: another(its, { agentRegistry, budgetManager }), gates };
    };
    const untilThere = async (/** @type {Map<string, () => void>} */ gates, /** @type {string} */ name) => {
      while (!gates.has(name)) await sleep(1);
      return /** @type {() => void} */ (gates.get(name));
    };

    // Whether it still has its lease, the first can't find out.
    const late = worker({
      ...store,
      renewLease() {
        throw new Error('the server is being started');
      },
    });
    const id = await started(late.orchestrator, [
      { id: 's', agent: 'draft', repeat: { until: { '>=': [{ var: 's.round' }, 2] }, max: 2 } },
      { id: 't', agent: 'other', after: [] },
    ]);
    const lateRun = late.orchestrator.runJob(id);
    await untilThere(late.gates, 't');
    store.endLeases();
    const next = worker(store);
    await next.orchestrator.recover();
    const nextRun = next.orchestrator.runJob(id);
    (await untilThere(next.gates, 's 1'))();
    const second = await untilThere(next.gates, 's 2');
    (await untilThere(late.gates, 't'))();
    await sleep(20);
    (await untilThere(late.gates, 's 1'))();
    assertRefused(await lateRun, 'conflict');
    second();
    (await untilThere(next.gates, 't'))();
    assert.equal((await nextRun).status, 'completed');
    assert.deepStrictEqual([...new Set(settled)].sort(), ['s:1 5', 's:2 6', 't 1']);
  },
);

test(
  'who can not find out whether it still has its lease leaves what is held to the one who runs the job',
  LIMIT,
  async () => {
    const store = createMortalStore();
    const grant = { success: true };
    /** @type {Map<string, number>} what is held, by key */
    const held = new Map();
    const budgetManager = {
      canSpend: () => grant,
      reserve: (/** @type {string} */ _, /** @type {number} */ cost, /** @type {string} */ key) => {
        held.set(key, cost);
        return grant;
      },
      settle: (/** @type {string} */ _, /** @type {string} */ key) => void held.delete(key),
      release: (/** @type {string} */ _, /** @type {string} */ key) => void held.delete(key),
    };
    /** A worker whose agent waits until it is told to answer. @param {any} its */
    const worker = (its) => {
      const agent = gatedAgent();
      return { orchestrator: another(its, { agentRegistry: { work: agent.work }, budgetManager }), agent };
    };
    let isDown = false;
    const down = new Error('the server is being started');
    /** @type {any} */
    const cutOff = { ...store };
    for (const name of ['getHead', 'getJob', 'commit', 'renewLease', 'releaseLease']) {
      cutOff[name] = (/** @type {any[]} */ ...values) => {
        if (isDown) throw down;
        return /** @type {any} */ (store)[name](...values);
      };
    }
    const late = worker(cutOff);
    const id = await started(late.orchestrator, [{ id: 'a', agent: 'work', cost: 5 }]);
    const lateRun = late.orchestrator.runJob(id);
    await late.agent.reached;
    isDown = true;
    store.endLeases();
    const next = worker(store);
    await next.orchestrator.recover();
    const nextRun = next.orchestrator.runJob(id);
    await next.agent.reached;
    late.agent.open();
    await assert.rejects(lateRun, down);
    assert.deepStrictEqual([...held.values()], [5]);
    next.agent.open();
    assert.equal((await nextRun).status, 'completed');
    assert.deepStrictEqual([...held.values()], []);
  },
);
