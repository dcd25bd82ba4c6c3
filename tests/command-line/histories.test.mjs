// @ts-check
/** `export`, `verify`, `replay`, `fork` and `prune`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXIT, LIMIT, makePlace } from './support.mjs';

const PLAN = {
  steps: [
    { id: 'first', agent: 'greet', input: { var: 'name' } },
    { id: 'second', agent: 'echo', input: { var: 'name' } },
  ],
};

/** @param {import('node:test').TestContext} t */
async function withJob(t) {
  const place = makePlace(t);
  place.put('plan.json', PLAN);
  const context = ['--context', '{"name":"a secret"}'];
  const { code } = await place.stored(
    'run',
    'plan.json',
    '--agents',
    'agents.mjs',
    ...context,
    '--id',
    'job-1',
  );
  assert.equal(code, EXIT.ok);
  return place;
}

test('export writes what verify accepts; a changed file is named, and ends with 5', LIMIT, async (t) => {
  const place = await withJob(t);
  const written = await place.stored('export', 'job-1', '--out', 'run.jsonl');
  assert.deepEqual([written.code, written.stdout], [EXIT.ok, 'Wrote 8 lines to run.jsonl.\n']);
  const text = readFileSync(join(place.folder, 'run.jsonl'), 'utf8');
  assert.doesNotMatch(text, /a secret/);
  const whole = await place.stored('export', 'job-1', '--no-redact');
  assert.match(whole.stdout, /a secret/);

  const good = await place.run(['verify', 'run.jsonl']);
  assert.deepEqual(
    [good.code, good.stdout],
    [EXIT.ok, 'In order: 3 decisions are what would be decided again.\n'],
  );
  assert.equal((await place.run(['verify', '-'], { input: whole.stdout })).code, EXIT.ok);
  place.put('run.jsonl', text.replace('"step":"second"', '"step":"secone"'));
  const changed = await place.run(['verify', 'run.jsonl']);
  assert.equal(changed.code, EXIT.check);
  assert.match(changed.stdout, /^Not in order, at line \d+:\n {2}expected {2}.+\n {2}found {5}.+\n$/);
  place.put('run.jsonl', 'nothing of that kind');
  const other = await place.run(['verify', 'run.jsonl', '--json']);
  assert.equal(other.code, EXIT.check);
  assert.equal(JSON.parse(other.stdout).at, 0);
});

test('the same salt gives the same file', LIMIT, async (t) => {
  const place = await withJob(t);
  const salted = async (/** @type {string} */ salt) =>
    (await place.stored('export', 'job-1', '--salt', salt)).stdout;
  assert.equal(await salted('007'), await salted('007'));
  assert.notEqual(await salted('007'), await salted('7'), 'what looks like a number is a text');
});

test('replay decides again what was decided', LIMIT, async (t) => {
  const place = await withJob(t);
  assert.deepEqual(await place.answer('replay', 'job-1'), { ok: true, decisions: 3 });
  assert.equal((await place.stored('replay', 'none')).code, EXIT.refused);
});

test('fork makes a job that goes on behind a step, with another context', LIMIT, async (t) => {
  const place = await withJob(t);
  const args = ['fork', 'job-1', '--after', 'first', '--context', '{"name":"Grace"}'];
  const { jobId, forkedFrom, next } = await place.answer(...args);
  assert.equal(forkedFrom, 'job-1');
  assert.equal(next, `jobwright start ${jobId} --store jobs.db --agents FILE`);
  const { code, stdout } = await place.stored('start', jobId, '--agents', 'agents.mjs');
  assert.equal(code, EXIT.ok);
  assert.doesNotMatch(stdout, /first {2}running/);
  assert.match(stdout, /second: "Grace"\n/);
  for (const [wrong, exit] of /** @type {const} */ ([
    [['--after', 'none'], EXIT.refused],
    [[], EXIT.usage],
  ])) {
    assert.equal((await place.stored('fork', 'job-1', ...wrong)).code, exit);
  }
  const slip = ['--after', 'first', '--permissions', '{"maxStep":3}'];
  const refused = await place.stored('fork', 'job-1', ...slip);
  assert.equal(refused.code, EXIT.usage);
  assert.match(refused.stderr, /expected allowTools, requireApproval, maxSteps; found "maxStep"/);
});

test('prune removes what ended long enough ago, or its history', LIMIT, async (t) => {
  const place = await withJob(t);
  assert.equal((await place.answer('prune', '--older-than', '1h')).removed, 0);
  const emptied = await place.stored('prune', '--older-than', '0s', '--keep-jobs');
  assert.match(emptied.stdout, /^Removed 1 history of jobs that ended before \d{4}-.+Z\.\n$/);
  assert.deepEqual(
    (await place.jobs()).map(({ id, history }) => [id, history.length]),
    [['job-1', 0]],
  );
  assert.equal((await place.answer('prune', '--older-than', '0s')).removed, 1);
  assert.deepEqual(await place.jobs(), []);
  for (const wrong of [[], ['--older-than', '30'], ['--older-than', 'soon']]) {
    assert.equal((await place.stored('prune', ...wrong)).code, EXIT.usage);
  }
  const beyond = await place.stored('prune', '--older-than', '99999999999w');
  assert.equal(beyond.code, EXIT.usage);
  assert.match(beyond.stderr, /--older-than: .*found "99999999999w"\. \[usage\]/);
});
