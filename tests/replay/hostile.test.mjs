// @ts-check
/** Histories and files that nobody's run ever wrote: they are found out in words, and soon. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { test } from 'node:test';
import { LIMIT, setup, started } from '../behaviour/support/setup.mjs';
import { jobwright } from '../differential/subject.mjs';

const { createMemoryStore, verifyRun } = jobwright;

const steps = [
  { id: 'a', agent: 'work' },
  { id: 'b', agent: 'work', when: { var: 'a.n' } },
];

/** A job that has ended, and the lines of its export. */
async function ended() {
  const w = setup({ agentRegistry: { work: () => ({ n: 1 }) } });
  const id = await started(w, steps);
  assert.equal((await w.runJob(id)).status, 'completed');
  const job = JSON.parse(JSON.stringify(await w.getJob(id)));
  const lines = [];
  for await (const line of w.exportJob(id, { redact: false })) lines.push(line);
  return { ...w, id, job, lines };
}

/** @type {any[]} */
const SHAPES = [null, 7, 'text', true, [], [null], {}, { toString: 1, length: -1 }];

/** Every place in a value. @param {any} value @param {string[]} way @returns {string[][]} */
function placesIn(value, way = []) {
  if (value === null || typeof value !== 'object') return [way];
  return [way, ...Object.keys(value).flatMap((key) => placesIn(value[key], [...way, key]))];
}

/** @param {any} whole @param {string[]} way @param {any} shape */
function replaced(whole, way, shape) {
  const copy = structuredClone(whole);
  const parent = way.slice(0, -1).reduce((inner, key) => inner[key], copy);
  parent[/** @type {string} */ (way.at(-1))] = shape;
  return copy;
}

test(
  'a job in which anything at all is of another shape is replayed or refused in words',
  LIMIT,
  async () => {
    const { job, replayJob } = await ended();
    job.run.pause = { reason: 'user' };
    job.history[3].payload.error = { code: 'unknown_agent', message: 'no' };
    for (const way of placesIn(job)) {
      if (way.length === 0) continue;
      for (const shape of SHAPES) {
        const where = `${way.join('.')} is ${JSON.stringify(shape)}`;
        try {
          assert.equal(typeof (await replayJob(replaced(job, way, shape))).ok, 'boolean', where);
        } catch (error) {
          assert.equal(/** @type {any} */ (error).code, 'invalid_argument', `${where}: ${error}`);
        }
      }
    }
  },
);

/** @param {string} text */
const hash = (text) => createHash('sha256').update(text).digest('hex');

/** Lines whose chain fits, with a piece of text in place of another. @param {string[]} lines @param {string} piece @param {string} other */
function rechained([first, ...lines], piece, other) {
  const { last, ...head } = JSON.parse(/** @type {string} */ (first));
  let before = hash(JSON.stringify(head));
  const texts = lines.map((line) => {
    const text = line.replace(/"before":"\w*"/, `"before":"${before}"`).replace(piece, other);
    before = hash(text);
    return text;
  });
  return [JSON.stringify({ ...head, last: before }), ...texts];
}

test('lines that are nested without end are no lines of an export', LIMIT, async () => {
  const { lines } = await ended();
  const deep = '['.repeat(30_000) + ']'.repeat(30_000);
  for (const piece of ['"a.n"', '"agent":"work"', '{"n":1}']) {
    const other = piece.startsWith('"agent":') ? `"agent":${deep}` : deep;
    const result = await verifyRun(rechained(lines, piece, other));
    assert.equal(result.ok, false, piece);
    assert.equal(/** @type {any} */ (result).expected, 'a line of JSON', piece);
  }
});

test('the head is held to its letters too', LIMIT, async () => {
  const { lines } = await ended();
  const [head, ...rest] = /** @type {[string, ...string[]]} */ (lines);
  for (const [piece, other] of /** @type {[string, string][]} */ ([
    ['"version":1', '"version":1.0'],
    ['"version":1', '"version": 1'],
    ['jobwright-run', 'jobwright\\u002drun'],
    ['{"format"', '{"jobId":"another","format"'],
  ])) {
    assert.ok(head.includes(piece));
    const result = await verifyRun([head.replace(piece, other), ...rest]);
    assert.deepStrictEqual([result.ok, /** @type {any} */ (result).at], [false, 0], other);
  }
});

test('agents that say much are replayed in a time that grows with what they said', async () => {
  const time = async (/** @type {number} */ count) => {
    const w = setup({
      store: createMemoryStore(),
      agentRegistry: { work: (/** @type {any} */ _, /** @type {any} */ { emit }) => emit('said', 1) ?? 1 },
    });
    const many = Array.from({ length: count }, (_, n) => ({ id: `s${n}`, agent: 'work' }));
    const id = await started(w, many, {
      permissions: { requireApproval: false, allowTools: true, maxSteps: count },
    });
    await w.runJob(id);
    const job = await w.getJob(id);
    const since = performance.now();
    assert.equal((await w.replayJob(job)).ok, true);
    return performance.now() - since;
  };
  await time(200);
  const ratio = (await time(6_400)) / (await time(400));
  assert.ok(ratio < 48, `16 times the events took ${ratio.toFixed(1)} times as long`);
});
