// @ts-check
/** Names and numbers nobody should choose: each works or is refused with a sentence, and the next operation works. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { created, FREE, LIMIT, started } from '../behaviour/support/setup.mjs';
import { createOrchestrator } from '../differential/subject.mjs';
import { assertWorks, PLAN, reader, worksOrSays, world } from './support.mjs';

const LIMITS = [
  Number.NaN,
  -1,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  1.5,
  2 ** 53,
  1e300,
  '5',
  null,
  true,
  {},
  5n,
];
for (const maxSteps of LIMITS) {
  test(`maxSteps ${String(maxSteps)}${typeof maxSteps}`, LIMIT, async () => {
    const w = world();
    const id = await worksOrSays(() => w.createJob({}, { ...FREE, maxSteps }, { plan: PLAN }), 'createJob');
    if (typeof id === 'string') {
      const { permissions } = await w.getJob(id);
      assert.ok(
        typeof permissions.maxSteps === 'number' && permissions.maxSteps >= 0,
        `stored as ${permissions.maxSteps}`,
      );
      await w.startJob(id);
      await worksOrSays(() => w.nextStep(id), 'nextStep');
    } else {
      assert.match(id.message, /maxSteps/);
    }
    const other = await created(w);
    await worksOrSays(() => w.setPermissions(other, { maxSteps }), 'setPermissions');
    const stored = (await w.getJob(other)).permissions.maxSteps;
    assert.ok(typeof stored === 'number' && stored >= 0, `stored as ${stored}`);
    await assertWorks(w);
  });

  test(`times and counts of ${String(maxSteps)}${typeof maxSteps}`, LIMIT, async () => {
    const w = world();
    for (const change of [
      { timeoutMs: maxSteps },
      { cost: maxSteps },
      { retry: maxSteps },
      { retry: { maxAttempts: maxSteps } },
      { retry: { maxAttempts: 2, backoffMs: maxSteps } },
      { retry: { maxAttempts: 2, factor: maxSteps } },
      { retry: { maxAttempts: 2, maxBackoffMs: maxSteps } },
    ]) {
      const plan = { steps: [{ id: 'one', agent: 'reader', ...change }] };
      const id = await worksOrSays(
        () => w.createJob({}, FREE, { plan }),
        JSON.stringify(Object.keys(change)),
      );
      if (typeof id !== 'string') continue;
      await w.startJob(id);
      await worksOrSays(() => w.nextStep(id), 'nextStep');
    }
    await worksOrSays(() => w.setSlowPlay(/** @type {any} */ (maxSteps)), 'setSlowPlay');
    w.setSlowPlay(0);
    await worksOrSays(() => w.createJob({}, {}, { slowPlayMs: maxSteps }), 'slowPlayMs');
    await worksOrSays(() => w.createJob({}, {}, { budget: maxSteps }), 'budget');
    await worksOrSays(() => createOrchestrator({ slowPlayMs: maxSteps }), 'createOrchestrator');
    await worksOrSays(() => createOrchestrator({ leaseMs: maxSteps }), 'createOrchestrator');
    await assertWorks(w);
  });
}

const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'then',
  '',
  ' ',
  '0',
  '-1',
  'a.b',
  'a[0]',
  '\u0000',
  '😀',
  '\ud800',
  'length',
];
for (const name of NAMES) {
  test(`${JSON.stringify(name)} as the id of a job, a step, a key and an agent`, LIMIT, async () => {
    const own = /** @type {Map<string, any>} */ (new Map()).set(name, () => ({ said: name }));
    const w = world({ agentRegistry: new Map([...own, ['reader', reader]]) });
    const id = await worksOrSays(() => w.createJob({}, FREE, { id: name, plan: PLAN }), 'createJob');
    if (typeof id === 'string') {
      assert.equal((await w.getJob(name)).id, name);
      await w.startJob(name);
      assert.equal((await w.nextStep(name)).status, 'completed');
    }
    for (const step of [
      { id: name, agent: 'reader' },
      { id: 'one', agent: 'reader', into: name },
      { id: 'one', agent: name },
      { id: 'one', agent: 'reader', input: { var: name } },
    ]) {
      const made = await worksOrSays(() => w.createJob({}, FREE, { plan: { steps: [step] } }), 'createJob');
      if (typeof made !== 'string') continue;
      await w.startJob(made);
      const outcome = await worksOrSays(() => w.nextStep(made), 'nextStep');
      if (!outcome.success) continue;
      const job = await w.getJob(made);
      assert.ok(
        Object.hasOwn(job.context, step.into ?? step.id),
        `no own key ${JSON.stringify(step.into ?? step.id)}`,
      );
      assert.ok(Object.hasOwn(job.run.steps, step.id));
      assert.equal(job.run.steps[step.id].status, 'done');
    }
    assert.equal(/** @type {any} */ ({}).said, undefined);
    await assertWorks(w);
  });

  test(`${JSON.stringify(name)} as an agent that nobody registered`, LIMIT, async () => {
    for (const agentRegistry of [{ reader }, new Map([['reader', reader]])]) {
      const w = world({ agentRegistry });
      const id = await worksOrSays(() => started(w, [{ id: 'one', agent: name }]), 'createJob');
      if (typeof id !== 'string') continue;
      const outcome = await w.nextStep(id);
      assert.equal(outcome.code, 'unknown_agent', JSON.stringify(outcome));
    }
  });
}
