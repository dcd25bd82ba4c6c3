// @ts-check
/** Agents and tools that call the orchestrator, about their own job and about others, and wait for the answer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from '../behaviour/support/clock.mjs';
import { LIMIT, setup, started, within } from '../behaviour/support/setup.mjs';

const PLAN = [{ id: 'one', agent: 'reader' }];

const OPERATIONS = /** @type {[string, (w: any, id: string) => Promise<any>, string][]} */ ([
  ['pauseJob', (w, id) => w.pauseJob(id), 'paused'],
  ['cancelJob', (w, id) => w.cancelJob(id), 'failed'],
  ['failJob', (w, id) => w.failJob(id), 'failed'],
  ['completeJob', (w, id) => w.completeJob(id), 'completed'],
  [
    'pauseJob and startJob',
    async (w, id) => {
      await w.pauseJob(id);
      return w.startJob(id);
    },
    'completed',
  ],
  ['setPermissions', (w, id) => w.setPermissions(id, { maxSteps: 99 }), 'completed'],
  ['getJob', async (w, id) => ({ success: (await w.getJob(id)).status === 'running' }), 'completed'],
  [
    'close',
    async (w) => {
      void w.close();
      return { success: true };
    },
    'running',
  ],
]);

for (const [name, act, status] of OPERATIONS) {
  for (const from of ['an agent', 'a tool', 'a tool that nobody waits for']) {
    test(`${from} calls ${name} on its own job and awaits it`, LIMIT, async () => {
      /** @type {any} */
      let acted;
      const tools = {
        act: async (/** @type {any} */ _, /** @type {any} */ c) => (acted = await act(w, c.jobId)),
      };
      const agent = async (/** @type {any} */ _, /** @type {any} */ c) => {
        if (from === 'an agent') acted = await act(w, c.jobId);
        else if (from === 'a tool') await c.callTool('act');
        else void c.callTool('act').catch(() => {});
        return 'done';
      };
      const w = setup({ tools, agentRegistry: { reader: agent } });
      const id = await started(w, [{ id: 'one', agent: 'reader', tools: ['act'] }]);
      const outcome = await within(w.nextStep(id), 'nextStep');
      await settle();
      assert.equal(typeof outcome.success, 'boolean');
      if (acted) assert.equal(acted.success, true);
      if (from !== 'a tool that nobody waits for') assert.equal(w.store.jobs.get(id).status, status);
      const fresh = setup({ store: w.store });
      assert.ok(await within(fresh.getJob(id), 'the next operation'));
    });
  }
}

test('an agent runs another job to its end', LIMIT, async () => {
  const w = setup({
    agentRegistry: {
      outer: async () => {
        const inner = await started(w, PLAN);
        const { status, job } = await w.runJob(inner);
        return [status, job.context.one];
      },
      reader: () => 'read',
    },
  });
  const id = await started(w, [{ id: 'one', agent: 'outer' }]);
  const { job } = await within(w.runJob(id), 'runJob');
  assert.deepStrictEqual(job.context.one, ['completed', 'read']);
});

test('agents that run jobs of agents that run jobs, twenty deep', LIMIT, async () => {
  const w = setup({
    agentRegistry: {
      deeper: async (/** @type {number} */ depth) => {
        if (depth === 0) return 'the bottom';
        const id = await started(w, [{ id: 'one', agent: 'deeper' }]);
        return (await w.runJob(id, { input: depth - 1 })).job.context.one;
      },
    },
  });
  const id = await started(w, [{ id: 'one', agent: 'deeper' }]);
  assert.equal((await within(w.runJob(id, { input: 20 }), 'runJob')).job.context.one, 'the bottom');
});

test('an agent that asks for the next step of its own job is answered', LIMIT, async () => {
  /** @type {any} */
  let inner;
  let called = 0;
  const reader = async (/** @type {any} */ _, /** @type {any} */ c) => {
    if (called++ === 0)
      inner = await within(
        Promise.race([w.nextStep(c.jobId), settle().then(() => 'waits')]),
        'the inner nextStep',
      );
    return 'done';
  };
  const w = setup({ agentRegistry: { reader } });
  const id = await started(
    w,
    ['one', 'two'].map((step) => ({ id: step, agent: 'reader' })),
  );
  const outcome = await within(w.nextStep(id), 'nextStep');
  assert.equal(typeof outcome.success, 'boolean');
  assert.ok(inner === 'waits' || typeof inner.success === 'boolean');
  await within(w.runJob(id), 'runJob');
  assert.equal(w.store.jobs.get(id).status, 'completed');
  assert.equal(called, 2, 'each step ran once');
});
