// @ts-check
/** Stopped in the middle, by whatever means, and started again. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { audit, countByStep, makeProject, start, storedJobs } from './fixture.mjs';
import { plan } from './plan.mjs';

const LIMIT = { timeout: 120_000 };
const ONCE = Object.fromEntries(plan.steps.map(({ id }) => [id, 1]));

/** Starts the program and meets it while Cargo is running. @param {import('./fixture.mjs').Project} project */
async function inTheMiddle(project) {
  const run = start(project, ['--project', project.folder, '--yes'], { gated: true });
  await run.shows('read-cargo  running');
  while (!existsSync(project.reached)) await setTimeout(10);
  return run;
}

/** @param {import('./fixture.mjs').Project} project */
async function onlyJob(project) {
  const jobs = await storedJobs(project);
  assert.equal(jobs.length, 1);
  return jobs[0];
}

/** @param {import('jobwright').Job} job @param {string} step */
const started = (job, step) =>
  /** @type {any[]} */ (job.history)
    .filter(({ type, payload }) => type === 'step_started' && payload.step === step)
    .map(({ payload }) => payload.attempt);

test('kill -9: the next start goes on with the step that was running', LIMIT, async (t) => {
  const project = makeProject(t);
  const run = await inTheMiddle(project);
  run.send('SIGKILL');
  await run.end;
  const killed = await onlyJob(project);
  assert.equal(killed.status, 'running');
  assert.equal(killed.run?.steps?.['read-cargo'].status, 'running');

  writeFileSync(project.gate, '');
  const { code, output } = await audit(project, ['--yes']);
  assert.equal(code, 0);
  assert.match(output, /going on with step read-cargo\n/);
  const job = await onlyJob(project);
  assert.equal(job.id, killed.id);
  assert.deepEqual(job.history.slice(0, killed.history.length), killed.history);
  assert.deepEqual(countByStep(job, 'step_completed'), ONCE);
  assert.deepEqual(countByStep(job, 'step_recovered'), { 'read-cargo': 1 });
  assert.deepEqual(started(job, 'read-cargo'), [1, 1], 'the same attempt again');
  assert.deepEqual(started(job, 'list'), [1]);
});

test(
  'kill -9 again and again, anywhere: no step is committed twice, and the report is the same',
  LIMIT,
  async (t) => {
    const project = makeProject(t);
    await audit(project, ['--yes', '--store', `${project.folder}/undisturbed.db`]);
    const undisturbed = readFileSync(project.report, 'utf8');
    rmSync(project.report);
    // A start after the end is a new audit, and a kill may come between the end of the job and that of its program.
    const isOver = async () =>
      existsSync(project.store) && (await storedJobs(project)).some(({ status }) => status === 'completed');
    let kills = 0;
    // The first ones come before there is a job, the last ones after a step or two.
    for (let delay = 100; delay <= 1_600 && !(await isOver()); delay += 150) {
      const run = start(project, ['--project', project.folder, '--yes', '--slow', '100']);
      const ended = await Promise.race([run.end, setTimeout(delay)]);
      if (ended !== undefined) break;
      run.send('SIGKILL');
      await run.end;
      kills += 1;
    }
    if (!(await isOver())) assert.equal((await audit(project, ['--yes'])).code, 0);
    assert.ok(kills >= 2);
    const job = await onlyJob(project);
    assert.equal(job.status, 'completed');
    assert.deepEqual(countByStep(job, 'step_completed'), ONCE);
    assert.equal(readFileSync(project.report, 'utf8'), undisturbed);
  },
);

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  test(`${signal}: the running step finishes, and the next start goes on after it`, LIMIT, async (t) => {
    const project = makeProject(t);
    const run = await inTheMiddle(project);
    run.send(signal);
    await run.shows('Stopping');
    writeFileSync(project.gate, '');
    const { code, errors } = await run.end;
    assert.equal(code, 130);
    assert.match(
      errors,
      /^license-audit: Stopped: start again with the same options to go on; job [^\n]+\n$/,
    );
    const stopped = await onlyJob(project);
    assert.equal(stopped.status, 'paused');
    assert.equal(stopped.run?.steps?.['read-cargo'].status, 'done');

    const again = await audit(project, ['--yes']);
    assert.equal(again.code, 0);
    assert.match(again.output, /going on with step read-npm\n/);
    const job = await onlyJob(project);
    assert.equal(job.id, stopped.id);
    assert.deepEqual(countByStep(job, 'step_completed'), ONCE);
    assert.deepEqual(started(job, 'read-cargo'), [1]);
  });
}

test('a second SIGINT stops at once, and the next start runs the step again', LIMIT, async (t) => {
  const project = makeProject(t);
  const run = await inTheMiddle(project);
  run.send('SIGINT');
  await run.shows('Stopping');
  run.send('SIGINT');
  await setTimeout(500);
  assert.equal(run.child.exitCode, null, 'a signal that comes twice at once counts once');
  run.send('SIGINT');
  assert.equal((await run.end).code, 130);

  writeFileSync(project.gate, '');
  const { code, output } = await audit(project, ['--yes']);
  assert.equal(code, 0);
  assert.match(output, /going on with step read-cargo\n/);
  const job = await onlyJob(project);
  assert.deepEqual(countByStep(job, 'step_completed'), ONCE);
});

test('two at the same time: the second says so and changes nothing', LIMIT, async (t) => {
  const project = makeProject(t);
  const first = await inTheMiddle(project);
  const second = await audit(project, ['--yes']);
  assert.equal(second.code, 2);
  assert.match(second.errors, /^license-audit: Another audit is running here \(process \d+\)[^\n]+\n$/);
  writeFileSync(project.gate, '');
  assert.equal((await first.end).code, 0);
  assert.deepEqual(countByStep(await onlyJob(project), 'step_started'), { ...ONCE, review: 2 });
});
