import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { importPackage } from '../package/installed.mjs';

const { createPerformanceMonitor, createOrchestrator } = await importPackage('jobwright');

test('jobs are counted in all and by how they ended', () => {
  const { recordJobDuration, stats } = createPerformanceMonitor();
  assert.deepEqual(stats(), {});
  recordJobDuration('a', 10, { status: 'completed' });
  recordJobDuration('b', 20, { status: 'completed' });
  recordJobDuration('c', 60, { status: 'failed' });
  recordJobDuration('d', 30, { status: 'running' });
  recordJobDuration('e', 30);
  const { job, 'job:completed': completed, 'job:failed': failed, ...rest } = stats();
  assert.deepEqual(rest, {});
  assert.deepEqual([job.count, job.min, job.max, job.avg], [5, 10, 60, 30]);
  assert.deepEqual([completed.count, completed.min, completed.max, completed.avg], [2, 10, 20, 15]);
  assert.deepEqual(failed, { count: 1, min: 60, max: 60, avg: 60, p50: 60, p90: 60, p99: 60 });
});

test('steps are counted in all and by agent, and the names are bounded', () => {
  const { recordLatency, stats } = createPerformanceMonitor({ namedAgents: 3 });
  recordLatency(1);
  for (const agent of ['a', '__proto__', 'constructor', 'd', 'e', 'a']) recordLatency(2, { agent });
  const counts = Object.fromEntries(Object.entries(stats()).map(([name, { count }]) => [name, count]));
  assert.deepEqual(counts, {
    step: 7,
    'step:a': 2,
    'step:__proto__': 1,
    'step:constructor': 1,
    'step:other': 2,
  });
  const many = createPerformanceMonitor();
  for (let i = 0; i < 1000; i += 1) many.recordLatency(1, { agent: `agent ${i}` });
  assert.equal(Object.keys(many.stats()).length, 102);
  assert.equal(many.stats()['step:other'].count, 900);
});

test('what is no duration is ignored', () => {
  const { recordJobDuration, recordLatency, stats } = createPerformanceMonitor();
  for (const bad of [Number.NaN, -1, Number.POSITIVE_INFINITY, undefined, null, '5', {}]) {
    recordJobDuration('j', bad, { status: 'completed' });
    recordLatency(bad, { agent: 'a' });
  }
  assert.deepEqual(stats(), {});
});

test('a duration of more than thirty days counts as thirty days', () => {
  const { recordLatency, stats } = createPerformanceMonitor();
  recordLatency(Number.MAX_VALUE);
  recordLatency(0);
  const { count, min, max } = stats().step;
  assert.deepEqual({ count, min, max }, { count: 2, min: 0, max: 30 * 24 * 60 * 60 * 1_000 });
});

test('quantiles are those of the sorted durations, to one in a hundred', () => {
  const durations = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(durations, (each) => {
      const { recordLatency, stats } = createPerformanceMonitor();
      for (const ms of each) recordLatency(ms);
      const sorted = each.toSorted((a, b) => a - b);
      const { count, min, max, avg, ...quantiles } = stats().step;
      assert.deepEqual([count, min, max], [each.length, sorted[0], sorted.at(-1)]);
      const mean = each.reduce((sum, ms) => sum + ms, 0) / each.length;
      assert.ok(Math.abs(avg - mean) <= 1e-9 * mean);
      for (const [name, share] of Object.entries({ p50: 0.5, p90: 0.9, p99: 0.99 })) {
        const exact = sorted[Math.max(1, Math.ceil(share * each.length)) - 1];
        const error = Math.abs(quantiles[name] - exact);
        assert.ok(error <= exact / 100 + 0.001, `${name}: ${quantiles[name]} is not ${exact}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('a million durations take no more room than a few', () => {
  const { recordLatency, stats } = createPerformanceMonitor();
  recordLatency(1e9, { agent: 'a' });
  const before = process.memoryUsage().rss;
  for (let i = 0; i < 1_000_000; i += 1) recordLatency((i * 7919) % 100_000, { agent: 'a' });
  assert.equal(stats().step.count, 1_000_001);
  const grown = process.memoryUsage().rss - before;
  assert.ok(grown < 30_000_000, `grew by ${grown} bytes`);
});

test('an orchestrator tells its monitor of jobs and steps', async () => {
  const performanceMonitor = createPerformanceMonitor();
  const { createJob, startJob, runJob, close } = createOrchestrator({
    performanceMonitor,
    agentRegistry: { greet: () => 'hello' },
  });
  const plan = {
    steps: [
      { id: 'a', agent: 'greet' },
      { id: 'b', agent: 'greet' },
    ],
  };
  const jobId = await createJob({}, { requireApproval: false }, { plan });
  assert.equal((await startJob(jobId)).success, true);
  assert.equal((await runJob(jobId)).success, true);
  await close();
  const { job, step, ...rest } = performanceMonitor.stats();
  assert.deepEqual([job.count, step.count], [1, 2]);
  assert.deepEqual(Object.keys(rest).sort(), ['job:completed', 'step:greet']);
});
