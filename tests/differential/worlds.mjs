// @ts-check
/**
 * The engine against the model, over random operations with late and failing dependencies.
 *
 * JOBWRIGHT_OPERATIONS=1000000 does more of them, JOBWRIGHT_SEED=5 does others, and JOBWRIGHT_WORLD=<seed of a
 * failure> does that one world again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOrchestrator } from './subject.mjs';
import { runWorld } from './world.mjs';

const OPERATIONS = Number(process.env.JOBWRIGHT_OPERATIONS ?? 110_000);
const SEED = Number(process.env.JOBWRIGHT_SEED ?? 1);
const ONLY = process.env.JOBWRIGHT_WORLD;
const PER_WORLD = 2000;

/** What a run of this size must have met, or it has compared nothing worth comparing. */
const MUST_MEET = [
  'createJob: conflict',
  'createJob: rejected',
  'startJob: success',
  'startJob: invalid_transition',
  'startJob: own refusal',
  'startJob: rejected',
  'pauseJob: success',
  'pauseJob: invalid_transition',
  'completeJob: success',
  'completeJob: invalid_transition',
  'failJob: success',
  'cancelJob: success',
  'approveStep: success',
  'rejectStep: success',
  'setPermissions: success',
  'nextStep: success',
  'nextStep: not_running',
  'nextStep: step_limit',
  'nextStep: tools_denied',
  'nextStep: unknown_agent',
  'nextStep: approval_required',
  'nextStep: own refusal',
  'nextStep: agent_failed',
  'nextStep: cancelled',
  'nextStep: rejected',
  'runJob: success',
  'runJob: agent_failed',
  'runJob: approval_required',
];

/** @param {import('./delays.mjs').StoreKind} kind @param {number} at its place @param {Map<string, number>} tally @param {number} total */
async function runWorlds(kind, at, tally, total) {
  let done = 0;
  for (let world = SEED * 100_000 + at * 30_000; done < total; world++) {
    const seed = ONLY === undefined ? world : Number(ONLY);
    done += await runWorld({
      seed,
      operations: PER_WORLD,
      createSubject: createOrchestrator,
      kind,
      tally,
    });
    if (ONLY !== undefined) break;
  }
  return done;
}

/** @param {Map<string, number>} tally @param {boolean} loadsNeverFail */
function checkTally(tally, loadsNeverFail) {
  if (ONLY !== undefined || OPERATIONS < 20_000) return;
  for (const outcome of MUST_MEET) {
    if (loadsNeverFail && outcome === 'createJob: rejected') continue;
    assert.ok((tally.get(outcome) ?? 0) >= 3, `"${outcome}" was hardly met`);
  }
}

/** The places of the kinds of stores among the seeds. */
const PLACES = /** @type {const} */ (['plain', 'commits', 'heads']);

/** A test over one kind of store; each has a file of its own, so that they run side by side. @param {import('./delays.mjs').StoreKind} kind @param {string} methods */
export function testOver(kind, methods) {
  test(`random operations over a store with ${methods}`, { timeout: 300_000 }, async (t) => {
    const tally = new Map();
    const done = await runWorlds(kind, PLACES.indexOf(kind), tally, OPERATIONS / PLACES.length);
    t.diagnostic(`seed ${SEED}: ${done} operations compared`);
    checkTally(tally, kind === 'heads');
  });
}
