// @ts-check
/** No edit of an export goes unnoticed; and one behind which the chain was repaired, none that changes a decision. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { importPackage } from '../package/installed.mjs';
import { anyEditOfEvents, anyEditOfLines, chained } from './edits.mjs';
import { anyRun } from './random-runs.mjs';

const { verifyRun } = await importPackage();

const RUNS = Number(process.env.JOBWRIGHT_RUNS ?? 30);
const EDITS = 40;

/** @type {{ seed: number, files: string[][] }[]} */
const runs = [];

before(async () => {
  for (let seed = 0; seed < RUNS; seed++) {
    const { o, id } = await anyRun(seed);
    const files = await Promise.all(
      [true, false].map(async (redact) => {
        const lines = [];
        for await (const line of o.exportJob(id, { redact })) lines.push(line);
        return lines;
      }),
    );
    await o.close();
    runs.push({ seed, files });
  }
});

after(() => runs.splice(0));

/** What the engine decides: that something begins, is not done, waits for a person, ends. */
const DECIDED = /^(step_started|item_started|step_skipped|approval_requested|job_completed|job_failed)$/;

/** @param {any} line */
function decisionIn({ event, evaluated }) {
  const { type, payload } = event;
  const { step, item, attempt, status, agent, round, approval, reason, dueAt, error } = payload;
  const decided = { step, item, attempt, status, agent, round, approval, reason, dueAt };
  return JSON.stringify({ type, ...decided, code: error?.code, evaluated });
}

/** @param {any[]} read a head, then events */
function decisions([_, ...lines]) {
  const decided = lines.filter(({ event }) => DECIDED.test(event.type));
  // Attempts end in an order of their own; when they are made again is decided.
  const retries = lines.flatMap(({ event: { payload, meta } }) => payload?.retryAt - meta.timestamp || []);
  return [...decided.map(decisionIn), ...retries.sort()];
}

/** Why the engine paused the job. That a person did can be said of any moment. @param {any[]} read */
const pauses = (read) =>
  read.flatMap(({ event }) => (event?.type === 'job_paused' ? (event.payload.reason ?? []) : []));

/** @param {any[]} read */
const tell = (read) =>
  read
    .slice(1)
    .map(({ event, evaluated }) =>
      JSON.stringify([event.seq, event.type, event.payload, event.meta.timestamp, evaluated]),
    )
    .join('\n');

test('any edit, missing line or cut tail is found', async () => {
  for (const { seed, files } of runs) {
    const random = createRandom(seed);
    for (const lines of files) {
      for (let nth = 0; nth < EDITS; nth++) {
        const edit = anyEditOfLines(random, lines);
        if (edit === null) continue;
        const result = await verifyRun(edit.lines);
        assert.equal(result.ok, false, `run ${seed}, edit ${nth}: ${edit.what}`);
      }
    }
  }
});

test('with the chain repaired, any edit that changes a decision is named', async () => {
  const outcomes = { named: 0, harmless: 0 };
  for (const { seed, files } of runs) {
    const random = createRandom(seed);
    for (const lines of files) {
      const read = lines.map((line) => JSON.parse(line));
      if (read.length < 2) continue;
      assert.deepStrictEqual(chained(read), lines);
      for (let nth = 0; nth < EDITS; nth++) {
        const edit = anyEditOfEvents(random, read);
        if (edit === null) continue;
        const result = await verifyRun(chained(edit.read));
        outcomes[result.ok ? 'harmless' : 'named'] += 1;
        if (!result.ok) {
          assert.ok(Number.isInteger(result.at) && result.at >= 0, `run ${seed}, edit ${nth}`);
          continue;
        }
        const what = `run ${seed}, edit ${nth}: ${edit.what}\n${tell(edit.read)}\n--- was\n${tell(read)}`;
        assert.deepStrictEqual(decisions(edit.read), decisions(read), what);
        assert.ok(pauses(edit.read).length <= pauses(read).length, what);
      }
    }
  }
  assert.ok(outcomes.named > 10 * RUNS, JSON.stringify(outcomes));
});
