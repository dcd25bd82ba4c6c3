// @ts-check
/** What has to be true of every run, whatever happened to its store. */
import assert from 'node:assert/strict';
import { importPackage } from '../../package/installed.mjs';
import { anyRun } from './any-run.mjs';

const { createOrchestrator } = await importPackage();

/** How a step or an item ends, for good: each does so in one commit. An attempt that failed may be followed by another. */
const ENDED = new Set(['done', 'failed', 'skipped']);

/** @param {import('./any-run.mjs').Run} run @param {any} job */
function assertOnce({ ledger }, job) {
  const ends = new Map();
  for (const { type, payload } of job.history) {
    const place = JSON.stringify([job.id, payload?.step, payload?.item ?? null]);
    if (ENDED.has(payload?.status) && type !== 'late_result_dropped')
      ends.set(place, [...(ends.get(place) ?? []), type]);
    if (type === 'round_completed') {
      const round = `${place} ${payload.round}`;
      ends.set(round, [...(ends.get(round) ?? []), type]);
    }
    const calls = [...ledger.values()].filter((entry) => entry.place === place);
    if (/^(step|item)_completed$/.test(type) && calls.length > 0) {
      const outputs = calls.flatMap((call) => call.outputs);
      assert.ok(outputs.includes(JSON.stringify(payload.output)), `${place}: an output of no call`);
    }
  }
  for (const [place, types] of ends) assert.equal(types.length, 1, `${place} ended as ${types}`);
  if (job.status !== 'completed') return;
  for (const { id } of job.history[0].payload.plan.steps) {
    assert.ok(ends.has(JSON.stringify([job.id, id, null])), `${job.id} is completed without an end of ${id}`);
  }
}

/** The same work has the same key, other work has another. @param {import('./any-run.mjs').Run} run */
function assertKeys({ ledger, plan }) {
  const keys = new Map();
  for (const [key, { place }] of ledger) keys.set(place, [...(keys.get(place) ?? []), key]);
  for (const [place, known] of keys) {
    const [, step] = JSON.parse(place);
    const most = plan.steps.find((/** @type {any} */ { id }) => id === step)?.repeat?.max ?? 1;
    assert.ok(known.length <= most, `${place} was asked for under ${known.length} keys`);
  }
}

/** @param {number} seed */
export async function check(seed) {
  const run = await anyRun(seed);
  const { truth } = run;
  assert.deepEqual(run.problems, []);
  assertKeys(run);
  const reader = createOrchestrator({ store: truth.store, logger: {} });
  for (const jobId of truth.jobs()) {
    truth.assertKept(jobId);
    const job = truth.store.getJob(jobId);
    assertOnce(run, job);
    const replay = await reader.replayJob(job);
    assert.ok(replay.ok, JSON.stringify(replay));
  }
  await reader.close();
  return run.counts;
}
