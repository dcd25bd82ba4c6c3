// @ts-check
/**
 * Whatever happens to a store, and whenever: what was committed is there, nothing is done twice, and what is told is
 * true. `JOBWRIGHT_SEED=n` makes one of the runs again, `JOBWRIGHT_RUNS=n` so many.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importPackage } from '../package/installed.mjs';
import { anyRun } from './support/any-run.mjs';

const { createOrchestrator } = await importPackage();

const RUNS = Number(process.env.JOBWRIGHT_RUNS ?? 20_000);
const only = process.env.JOBWRIGHT_SEED;

/** How a step or an item ends, for good: each does so in one commit. An attempt that failed may be followed by another. */
const ENDED = new Set(['done', 'failed', 'skipped']);

/** @param {import('./support/any-run.mjs').Run} run @param {any} job */
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

/** The same work has the same key, other work has another. @param {import('./support/any-run.mjs').Run} run */
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
async function check(seed) {
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

test(`${only ?? RUNS} runs over faulty stores`, { timeout: 900_000 }, async (t) => {
  const sum = { operations: 0, faults: 0, deaths: 0, rejections: 0 };
  const seeds = only === undefined ? Array.from({ length: RUNS }, (_, seed) => seed) : [Number(only)];
  /** @type {[number, string][]} */
  const failures = [];
  for (const seed of seeds) {
    try {
      const counts = await check(seed);
      for (const key of /** @type {(keyof typeof sum)[]} */ (Object.keys(sum))) sum[key] += counts[key];
    } catch (error) {
      failures.push([seed, String(/** @type {any} */ (error)?.stack).slice(0, 2_000)]);
      if (failures.length === 20) break;
    }
  }
  t.diagnostic(
    Object.entries(sum)
      .map(([what, count]) => `${count} ${what}`)
      .join(', '),
  );
  assert.equal(
    failures.length,
    0,
    failures.map(([seed, text]) => `JOBWRIGHT_SEED=${seed}\n${text}`).join('\n\n'),
  );
});
