// @ts-check
/** Processes that are killed, interrupted, or die of their agents; and how their jobs go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atWork, EXIT, LIMIT, makePlace, planOf } from './support.mjs';

test('kill -9: start takes up what a dead process left, with the same attempt', LIMIT, async (t) => {
  const place = makePlace(t);
  const run = await atWork(place, 'job-1');
  run.child.kill('SIGKILL');
  await run.end;
  const { job: killed } = await place.answer('show', 'job-1');
  assert.deepEqual([killed.status, killed.run.steps.gated0.status], ['running', 'running']);
  place.open();
  const { code, stdout } = await place.stored('start', 'job-1', '--agents', 'agents.mjs');
  assert.equal(code, EXIT.ok);
  assert.match(stdout, /▸ gated0 {2}was cut off, and runs again\n/);
  const [job] = await place.jobs();
  assert.equal(job.context.gated0, 1, 'the same attempt');
  const done = job.history.filter((/** @type {any} */ { type }) => type === 'step_completed');
  assert.equal(done.length, 2, 'each step is committed once');
});

test('kill -9 in a child job: starting the parent takes up both', LIMIT, async (t) => {
  const place = makePlace(t);
  place.put('plan.json', { steps: [{ id: 'pack', job: { plan: planOf('gated', 'greet') } }] });
  const run = place.start([
    'run',
    'plan.json',
    '--agents',
    'agents.mjs',
    '--store',
    'jobs.db',
    '--id',
    'job-1',
  ]);
  await place.reached();
  run.child.kill('SIGKILL');
  await run.end;
  place.open();
  const { code, stdout } = await place.stored('start', 'job-1', '--agents', 'agents.mjs');
  assert.equal(code, EXIT.ok);
  assert.match(stdout, /▸ pack:gated0 {2}was cut off, and runs again\n[\s\S]*Job job-1 completed/);
});

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  test(
    `${signal}: the step at work finishes, the job is paused, and the command that goes on is named`,
    LIMIT,
    async (t) => {
      const place = makePlace(t);
      const run = await atWork(place, 'job-1');
      run.child.kill(signal);
      await run.shows(/Pausing/);
      place.open();
      const { code, stderr } = await run.end;
      assert.equal(code, EXIT.interrupted);
      assert.match(
        stderr,
        /Interrupted\. It goes on with: jobwright start job-1 --store jobs\.db --agents agents\.mjs\n$/,
      );
      const [job] = await place.jobs();
      assert.deepEqual([job.status, job.run.steps.gated0.status], ['paused', 'done']);
    },
  );
}

test(
  'a promise that an agent left behind ends the process with a sentence; start goes on',
  LIMIT,
  async (t) => {
    const place = makePlace(t);
    place.put('plan.json', planOf('stray', 'greet'));
    const stray = (/** @type {string} */ body) =>
      place.put('stray.mjs', `export * from './agents.mjs'; export const stray = () => { ${body} };`);
    stray("Promise.reject(new Error('left behind')); return new Promise(() => {});");
    const { code, stderr } = await place.stored('run', 'plan.json', '--agents', 'stray.mjs', '--id', 'job-1');
    assert.equal(code, EXIT.broken);
    assert.match(stderr, /^jobwright: .+: left behind \[uncaught\]\n$/);
    stray('return 1');
    assert.equal((await place.stored('start', 'job-1', '--agents', 'stray.mjs')).code, EXIT.ok);
  },
);
