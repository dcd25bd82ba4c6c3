// @ts-check
/** What stands in an export, what is hidden in it, and what can be read without a store. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { LIMIT, setup, started } from '../behaviour/support/setup.mjs';
import { jobwright } from '../differential/subject.mjs';
import { chained } from './edits.mjs';

const { verifyRun } = jobwright;
const SECRET = 'four-one-six';

/** @param {AsyncIterable<string>} lines @returns {Promise<string[]>} */
async function collect(lines) {
  const collected = [];
  for await (const line of lines) collected.push(line);
  return collected;
}

/** @param {string} text */
const hash = (text) => createHash('sha256').update(text).digest('hex');

const steps = [
  { id: 'score', agent: 'score', input: { told: SECRET } },
  { id: 'high', agent: 'note', when: { '>': [{ var: 'score.points' }, 5] } },
  { id: 'each', agent: 'note', forEach: { var: 'names' }, after: ['score'] },
  { id: 'ask', approve: { message: SECRET }, after: ['high', 'each'] },
  { id: 'heard', wait: { signal: 'go', timeoutMs: 1_000 } },
  { id: 'fails', agent: 'fail', onError: 'continue' },
];

/** A job with secrets wherever there can be some, that has ended. */
async function ended() {
  const w = setup({
    agentRegistry: {
      score: () => ({ points: 7, said: SECRET }),
      note: (/** @type {any} */ _, /** @type {any} */ { emit }) => {
        emit('noted', { by: SECRET });
        return SECRET;
      },
      fail: () => Promise.reject(new Error(SECRET)),
    },
  });
  const context = { names: [SECRET, 'b'], other: { deep: [SECRET] } };
  const id = await started(w, steps, { context });
  await w.runJob(id);
  await w.approveStep(id, { by: SECRET, note: SECRET });
  await w.signal(id, 'go', { pin: SECRET });
  assert.equal((await w.runJob(id)).status, 'completed');
  return { ...w, id };
}

test('a redacted export says what was decided, and nothing else', LIMIT, async () => {
  const w = await ended();
  const lines = await collect(w.exportJob(w.id));
  assert.equal(
    lines.find((line) => line.includes(SECRET)),
    undefined,
  );
  assert.equal((await verifyRun(lines)).ok, true);
  const events = lines.slice(1).map((line) => JSON.parse(line));
  const { history } = await w.getJob(w.id);
  for (const [place, { event }] of events.entries()) {
    const { id, seq, type, trace, meta, payload } = history[place];
    assert.deepStrictEqual(
      [event.id, event.seq, event.type, event.trace, event.meta],
      [id, seq, type, trace, meta],
    );
    for (const key of ['step', 'item', 'attempt', 'status', 'agent', 'cost']) {
      assert.deepStrictEqual(event.payload[key], type === 'noted' ? undefined : payload[key]);
    }
    if (payload.error !== undefined) assert.equal(event.payload.error.code, payload.error.code);
  }
  // What a rule reads stays: the points; and what it gave is told.
  const score = events.find(({ event }) => event.type === 'step_completed');
  assert.equal(score.event.payload.output.points, 7);
  assert.match(score.event.payload.output.said, /^sha256:[0-9a-f]{64}$/);
  assert.deepStrictEqual(
    events.flatMap(({ evaluated }) => evaluated ?? []),
    [{ when: true }, { forEach: 2 }],
  );
});

test(
  'lists that are written into a plan are hidden however deep, and verified all the same',
  LIMIT,
  async () => {
    const w = setup({ agentRegistry: { note: () => 1 } });
    const id = await started(w, [
      { id: 'each', agent: 'note', forEach: [SECRET, [SECRET, [SECRET]], { var: 'n' }] },
    ]);
    assert.equal((await w.runJob(id)).status, 'completed');
    const lines = await collect(w.exportJob(id));
    assert.equal(
      lines.find((line) => line.includes(SECRET)),
      undefined,
    );
    assert.equal((await verifyRun(lines)).ok, true);
  },
);

test('an export that is not redacted holds the history as it is', LIMIT, async () => {
  const w = await ended();
  const lines = await collect(w.exportJob(w.id, { redact: false }));
  const { history } = await w.getJob(w.id);
  assert.deepStrictEqual(
    lines.slice(1).map((line) => JSON.parse(line).event),
    history.map((/** @type {any} */ event) => JSON.parse(JSON.stringify(event))),
  );
  assert.equal((await verifyRun(lines)).ok, true);
});

test('each line holds the hash of the one before, and the head that of the last', LIMIT, async () => {
  const w = await ended();
  const [head, ...lines] = await collect(w.exportJob(w.id));
  const { last, ...top } = JSON.parse(/** @type {string} */ (head));
  assert.equal(top.lines, lines.length);
  let before = hash(JSON.stringify(top));
  for (const line of lines) {
    assert.equal(JSON.parse(line).before, before);
    before = hash(line);
  }
  assert.equal(last, before);
});

test('hashes can be compared where the salt is the same, and only there', LIMIT, async () => {
  const w = await ended();
  const [one, two, other] = await Promise.all([
    collect(w.exportJob(w.id, { salt: 'a' })),
    collect(w.exportJob(w.id, { salt: 'a' })),
    collect(w.exportJob(w.id)),
  ]);
  assert.deepStrictEqual(one, two);
  const said = (/** @type {string[]} */ lines) =>
    JSON.parse(/** @type {string} */ (lines[4])).event.payload.output.said;
  assert.equal(said(one), `sha256:${hash(`a\n${JSON.stringify(SECRET)}`)}`);
  assert.notEqual(said(one), said(other));
});

test('an export is read as a text, as lines, or as they come', LIMIT, async () => {
  const w = await ended();
  const lines = await collect(w.exportJob(w.id));
  const expected = await verifyRun(lines);
  assert.equal(expected.ok, true);
  const text = lines.map((line) => `${line}\r\n`).join('');
  const chunks = async function* () {
    yield* lines.map((line) => `${line}\n`);
  };
  for (const given of [text, `${text}\n\n`, lines.join('\n'), new Set(lines), chunks()]) {
    assert.deepStrictEqual(await verifyRun(given), expected);
  }
});

test('what is no export is said to be none', LIMIT, async () => {
  for (const text of ['', '\n', 'no JSON', '[]', 'null', '{"format":"other","version":1,"jobId":"a"}']) {
    const result = await verifyRun(text);
    assert.deepStrictEqual([result.ok, /** @type {any} */ (result).at], [false, 0], text);
  }
  const newer = await verifyRun('{"format":"jobwright-run","version":2,"jobId":"a","lines":0}');
  assert.equal(/** @type {any} */ (newer).actual.version, 2);
  for (const given of /** @type {any[]} */ ([undefined, null, 7, {}, [7], [undefined]])) {
    await assert.rejects(verifyRun(given), { code: 'invalid_argument' });
  }
});

test('bad options, and a job that is not there, are refused when the export is read', LIMIT, async () => {
  const w = await ended();
  const refusals = /** @type {[any, any, any][]} */ ([
    ['nobody', undefined, { code: 'not_found', message: /Job not found: "nobody"/ }],
    [w.id, { redact: 'no' }, { code: 'invalid_argument', message: /options\.redact .* found "no"/ }],
    [w.id, { salt: 7 }, { code: 'invalid_argument', message: /options\.salt .* found 7/ }],
    [w.id, 'all', { code: 'invalid_argument', message: /options/ }],
  ]);
  for (const [id, options, error] of refusals) {
    await assert.rejects(collect(w.exportJob(id, options)), error);
  }
});

test(
  'a job whose history is not what is decided is exported all the same, and found out',
  LIMIT,
  async () => {
    const w = await ended();
    const job = JSON.parse(JSON.stringify(await w.getJob(w.id)));
    job.history[3].payload.output.points = 2;
    w.store.jobs.set(w.id, job);
    const result = await verifyRun(await collect(w.exportJob(w.id)));
    assert.equal(result.ok, false);
    const lines = await collect(w.exportJob(w.id, { redact: false }));
    const whole = await verifyRun(lines);
    assert.equal(/** @type {any} */ (whole).expected.type, 'step_skipped');
  },
);

test('what the rules gave is compared too, whoever repaired the chain', LIMIT, async () => {
  const w = await ended();
  const read = (await collect(w.exportJob(w.id))).map((line) => JSON.parse(line));
  const place = read.findIndex(({ evaluated }) => evaluated?.when === true);
  read[place].evaluated.when = false;
  const result = await verifyRun(chained(read));
  assert.deepStrictEqual(result, {
    ok: false,
    at: place,
    expected: { evaluated: { when: true } },
    actual: { evaluated: { when: false } },
  });
});

test('an empty history', LIMIT, async () => {
  const w = setup();
  const id = await w.createJob();
  const lines = await collect(w.exportJob(id));
  assert.equal(lines.length, 1);
  assert.deepStrictEqual(await verifyRun(lines), { ok: true, decisions: 0 });
});
