// @ts-check
/** What callers, listeners and readers do with what they are given changes nothing that is stored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { FREE, LIMIT, started } from './support/setup.mjs';

const { createEventBus, createMemoryStore, createOrchestrator } = jobwright;

const PLAN = [
  { id: 'one', agent: 'lister' },
  { id: 'two', agent: 'echo' },
];
const agentRegistry = { lister: () => [1], echo: (/** @type {any} */ input) => input };

/** Changes all that can be changed. @param {any} value */
function spoil(value) {
  if (value === null || typeof value !== 'object') return;
  for (const key of Object.keys(value)) {
    spoil(value[key]);
    value[key] = 'spoilt';
  }
  value.spoilt = true;
}

for (const [kind, storeOf] of Object.entries({
  'that commits': createMemoryStore,
  'of two methods': () => {
    const { saveJob, getJob } = createMemoryStore();
    return { saveJob, getJob };
  },
})) {
  test(`the output that nextStep reports, on a store ${kind}`, LIMIT, async () => {
    const w = createOrchestrator({ store: storeOf(), agentRegistry });
    const id = await started(w, PLAN);
    spoil((await w.nextStep(id)).step.output);
    assert.deepStrictEqual((await w.getJob(id)).context, { one: [1] });
    assert.deepStrictEqual((await w.nextStep(id)).step.output, [1]);
  });

  test(`events that handlers of the bundled bus and readers get, on a store ${kind}`, LIMIT, async () => {
    const eventBus = createEventBus();
    eventBus.onAny(spoil);
    eventBus.on('permissions_changed', spoil);
    const w = createOrchestrator({ store: storeOf(), eventBus, agentRegistry });
    const id = await started(w, PLAN);
    const reading = (async () => {
      for await (const event of w.events(id)) {
        const { type } = event;
        spoil(event);
        if (type === 'job_completed') return;
      }
    })();
    await w.setPermissions(id, { maxSteps: 50 });
    assert.equal((await w.runJob(id)).success, true);
    await reading;
    const { history, permissions } = await w.getJob(id);
    assert.doesNotMatch(JSON.stringify({ history, permissions }), /spoilt/);
    assert.deepStrictEqual(
      history.map((/** @type {any} */ event) => event.seq),
      history.map((/** @type {any} */ _, /** @type {number} */ place) => place + 1),
    );
  });

  test(`requests in the details of a refusal, on a store ${kind}`, LIMIT, async () => {
    /** @type {any[]} */
    const sent = [];
    const tools = { send: { needsApproval: true, execute: (/** @type {any} */ args) => sent.push(args) } };
    const clerk = (/** @type {any} */ _, /** @type {any} */ { callTool }) => callTool('send', { to: 'ada' });
    const w = createOrchestrator({ store: storeOf(), agentRegistry: { clerk }, tools });
    const id = await started(w, [{ id: 'one', agent: 'clerk', tools: ['send'] }], { permissions: FREE });
    spoil((await w.runJob(id)).details);
    assert.deepStrictEqual(await w.approveStep(id), { success: true });
    assert.equal((await w.runJob(id)).success, true);
    assert.deepStrictEqual(sent, [{ to: 'ada' }]);
  });
}
