// @ts-check
/** Whatever happened to a job, its history is decided again, exported, verified, forked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importPackage } from '../package/installed.mjs';
import { anyRun, SECRET } from './random-runs.mjs';

const { verifyRun } = await importPackage();

const RUNS = Number(process.env.JOBWRIGHT_RUNS ?? 250);
const only = process.env.JOBWRIGHT_SEED;
const seeds = only === undefined ? Array.from({ length: RUNS }, (_, seed) => seed) : [Number(only)];

/** @param {AsyncIterable<string>} lines */
async function collect(lines) {
  const collected = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

/** @param {any} result @param {any} job */
function assertReplayed(result, job) {
  const told = job.history.map((/** @type {any} */ { seq, type, payload, meta }) =>
    JSON.stringify({ seq, type, payload, at: meta.timestamp }),
  );
  assert.ok(result.ok, `${told.join('\n')}\n${JSON.stringify(result, null, 1)}`);
}

test('a history is decided again, exported and verified', async (t) => {
  for (const seed of seeds) {
    const { o, id, job } = await anyRun(seed);
    try {
      assertReplayed(await o.replayJob(id), job);
      assertReplayed(await o.replayJob(job), job);
      for (const redact of [true, false]) {
        const lines = await collect(o.exportJob(id, { redact }));
        // What an agent says that was given up may be recorded meanwhile.
        assert.ok(lines.length > job.history.length);
        assertReplayed(await verifyRun(lines), {
          history: lines.slice(1).map((line) => JSON.parse(line).event),
        });
        if (redact)
          assert.equal(
            lines.find((line) => line.includes(SECRET)),
            undefined,
          );
      }
      const [child] = Object.values(job.run?.steps ?? {}).flatMap(({ childId }) => childId ?? []);
      const family = child === undefined ? null : await o.getJob(child);
      if (family !== null) assertReplayed(await o.replayJob(family), family);
    } catch (error) {
      t.diagnostic(`JOBWRIGHT_SEED=${seed}`);
      throw error;
    } finally {
      await o.close();
    }
  }
});
