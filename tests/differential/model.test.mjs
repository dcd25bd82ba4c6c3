// @ts-check
/** The comparison itself: the model agrees with itself, and every broken rule is noticed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RULES } from './model.mjs';
import { createReference } from './reference.mjs';
import { runWorld } from './world.mjs';

/** @param {any} [change] */
const world = (change) =>
  runWorld({
    seed: 7,
    operations: 3000,
    createSubject: (deps) => createReference(deps, { ...RULES, ...change }),
    keepsHistory: false,
  });

test('the model agrees with itself over late and failing dependencies', { timeout: 30_000 }, async () => {
  assert.ok((await world()) >= 3000);
});

const BROKEN = {
  'a completed job can be started': { startable: ['created', 'paused', 'completed'] },
  'a running job can be started': { startable: ['created', 'paused', 'running'] },
  'a created job can be paused': { pausable: ['running', 'created'] },
  'a paused job can be completed': { completable: ['running', 'paused'] },
  'a created job cannot fail': { failable: ['running', 'paused'] },
  'permissions default otherwise': { defaults: { allowTools: true, requireApproval: true, maxSteps: 10 } },
  'a refusal in other words': { pauseRefusal: 'Invalid state transition' },
  'the monitor is not told': { monitorOnEnd: false },
  'the monitor is told twice': { countEnded: 2 },
  'events before the commit': { emitBeforeSave: true },
  'the budget is not asked': { askBudgetOnStart: false },
  'the budget is asked for each attempt': { askBudgetPerAttempt: true },
  'events with a third argument': { moreArguments: ['source'] },
  'operations on one job are not serialised': { noLocks: true },
};

for (const [name, change] of Object.entries(BROKEN)) {
  test(`noticed: ${name}`, { timeout: 30_000 }, async () => {
    await assert.rejects(world(change), /world 7/);
  });
}
