import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { crashTest } from './driver.mjs';
import { KINDS } from './places.mjs';

const LIMIT = { timeout: 240_000 };
const SEED = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);

/** The processes that this one has started and that live, but for those of other tests. */
function workersLeft() {
  return readdirSync('/proc').filter((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const parent = /^PPid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      return parent === String(process.pid) && command.includes('worker.mjs');
    } catch {
      return false;
    }
  });
}

for (const kind of Object.keys(KINDS)) {
  test(`jobs outlive their workers: ${kind}`, LIMIT, async (t) => {
    const run = await crashTest({
      kind,
      jobs: 6,
      kills: 24,
      restarts: 2,
      stopEvery: 5,
      stuckMs: 120_000,
      seed: SEED,
    });
    t.diagnostic(
      `${kind}, seed ${SEED}: ${run.kills} kills, ${run.duplicateCalls} duplicate calls, ${run.seconds} s`,
    );
    assert.deepStrictEqual(
      run.problems.slice(0, 20),
      [],
      `seed ${SEED}\n${run.logged.slice(-20).join('\n')}`,
    );
    assert.equal(run.duplicateCommits, 0);
    assert.ok(run.kills >= 24, `${run.kills} kills`);
    assert.equal(run.restarts, kind === 'sqlite' ? 0 : 2);
    assert.ok(run.stops > 0, 'no worker came back late');
    assert.ok(run.duplicateCalls > 0, 'no agent was killed at work');
    assert.deepStrictEqual(workersLeft(), []);
  });
}

test('a store that lets everybody write is found out', LIMIT, async () => {
  const run = await crashTest({
    kind: 'sqlite',
    jobs: 2,
    kills: 2,
    restarts: 0,
    stuckMs: 5_000,
    seed: 1,
    isCareless: true,
  });
  assert.ok(run.duplicateCommits > 0, 'no commit was made twice');
  assert.match(run.problems.join('\n'), /was committed \d+ times/);
});
