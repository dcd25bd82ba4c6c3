/**
 * What a commit changes of steps and of the context is not written where an event of it says so. Whatever is left out, a job
 * is read as the memory store has it, which leaves nothing out.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { createMemoryStore } from '../../pkg-template/parts/memory-store.js';
import { NotedEvent, Trace } from '../../pkg-template/parts/noted-event.js';
import { changeOf, commitAsEngine } from './jobs.mjs';
import { createSqliteStore, openDatabase } from './sqlite-driver.mjs';

const UUID = '6f1c2d3e-4a5b-4c6d-8e7f-0123456789ab';
const TRACE = new Trace(UUID, (id) => id.replaceAll('-', ''));
const folder = mkdtempSync(join(tmpdir(), 'jobwright-sqlite-'));
after(() => rmSync(folder, { recursive: true }));

/** Mostly what the engine commits; now and then something else than that. @param {any} usual @param {any[]} others */
const mostly = (usual, ...others) => fc.noBias(fc.constantFrom(...Array(12).fill(usual), ...others));

const output = fc.oneof(
  fc.constantFrom(null, 0, '', 'x\0\ud800', true),
  fc.constantFrom([], [1, { deep: {} }], {}, { a: { b: [] } }),
);

const step = fc.record({
  id: fc.constantFrom('a', 'b', '7', '__proto__', 'x[1]'),
  item: mostly(undefined, 0, 1),
  agent: mostly('agent', undefined, '"'),
  status: fc.constantFrom('running', 'done', 'failed'),
  age: mostly(0, 5, 0.1, 1e-9),
  attempts: mostly(1, 2),
  // How the state differs from what the event says.
  odd: mostly(
    undefined,
    'seq',
    'status',
    'attempts',
    'finishedAt',
    'later',
    'tiny',
    'startedAt',
    'more',
    'id',
    'gone',
  ),
  // What the event says beside.
  more: mostly({}, { cost: 1 }, { routed: { agent: 'agent' } }),
  said: mostly({}, { round: 1 }, { error: { code: 'agent_failed', message: 'no' } }),
  source: mostly('jobwright', 'agent'),
  gives: fc.boolean(),
  output,
  into: fc.constantFrom('a', 'b', '7', '__proto__', 'other'),
  // Whether the context has another value, or the same one made anew.
  value: mostly('same', 'other', 'copy', 'none'),
});

const commits = fc.array(
  fc.record({
    steps: fc.array(step, { maxLength: 3 }),
    before: mostly(undefined, ['z', 1]),
    asObjects: mostly(false, true),
    at: mostly(1_795_364_364_809, 0.3),
  }),
  { maxLength: 6 },
);

/** @param {any} made @param {number} seq @param {number} at @param {string} jobId */
function eventOf(made, seq, at, jobId) {
  const { id, item, agent, status, attempts, said, source } = made;
  const payload = { jobId, step: id, agent, attempt: attempts, status, ...said };
  if (agent === undefined) delete payload.agent;
  if (item !== undefined) payload.item = item;
  const event = new NotedEvent(seq, `step_${status}`, payload, TRACE, seq - 1, at, source);
  const more = made.gives ? { output: made.output, ...made.more } : made.more;
  if (Object.keys(more).length > 0) event.more = more;
  return event;
}

/** @param {any} made @param {number} seq @param {number} at @returns {any} */
function stateOf({ status, attempts, age, odd }, seq, at) {
  const state = { status, attempts, seq, startedAt: at - age };
  if (status !== 'running') state.finishedAt = at;
  if (odd === 'seq') state.seq += 1;
  if (odd === 'status') state.status = 'waiting';
  if (odd === 'attempts') state.attempts += 1;
  if (odd === 'finishedAt') state.finishedAt = state.finishedAt === undefined ? at : undefined;
  if (odd === 'later') state.finishedAt += 1;
  if (odd === 'tiny') state.startedAt = 1e-20;
  if (odd === 'startedAt') delete state.startedAt;
  if (odd === 'more') state.round = 1;
  return JSON.parse(JSON.stringify(state));
}

/** @param {any} made */
function givenBy({ gives, output, value }) {
  if (value === 'copy') return structuredClone(output);
  return value === 'same' && gives ? output : 'other';
}

/** @param {any} given @param {{ jobId: string, revision: number, last: number }} now */
function change({ steps, before, asObjects, at }, { jobId, revision, last }) {
  const events = steps.map((made, i) => eventOf(made, last + i + 1, at, jobId));
  const context = new Map(before === undefined ? [] : [before]);
  const states = new Map();
  for (const [i, made] of steps.entries()) {
    const { id, item, odd, value, into } = made;
    if (value !== 'none') context.set(into, givenBy(made));
    const stands = odd === 'id' || item === undefined ? id : `${id}[${item}]`;
    if (odd !== 'gone') states.set(stands, stateOf(made, last + i + 1, at));
  }
  const listed = (/** @type {Map<string, any>} */ map) =>
    asObjects && ![...map.keys()].includes('__proto__') ? Object.fromEntries(map) : [...map];
  const made = changeOf(jobId, revision, { context: listed(context), steps: listed(states), events });
  made.head.run.seq = last + events.length;
  made.head.run.stepsTaken = 1;
  return made;
}

/** @param {any} store @param {string} id */
const whole = (store, id) =>
  JSON.stringify([store.getJob(id), store.getEvents(id), store.getEvents(id, 3, 2)]);

/** @param {string} path */
async function rowsOf(path) {
  const database = await openDatabase(path);
  const rows = database.prepare('SELECT change FROM early_commits ORDER BY place').all();
  database.close();
  return rows.map(({ change }) => JSON.parse(change));
}

test('what is left out of a row is read from its events, and nothing else is', async () => {
  const counts = { untold: 0, told: 0, keys: 0 };
  let files = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(UUID, 'not a UUID'), commits, async (jobId, list) => {
      const path = join(folder, `${files++}.db`);
      const model = createMemoryStore();
      const store = await createSqliteStore({ path });
      try {
        let now = { jobId, revision: 0, last: 0 };
        for (const given of list) {
          for (const each of [model, store]) commitAsEngine(each, change(given, now));
          assert.equal(whole(store, jobId), whole(model, jobId));
          now = { jobId, revision: now.revision + 1, last: now.last + given.steps.length };
        }
        for (const row of await rowsOf(path)) {
          const lists = (row.events ?? []).filter((/** @type {unknown} */ event) => Array.isArray(event));
          counts.untold += Number('steps' in row || 'context' in row);
          counts.told += lists.filter((/** @type {any[]} */ event) => typeof event[5] === 'number').length;
          counts.keys += lists.filter((/** @type {any[]} */ event) => event.length === 7).length;
        }
        const ended = changeOf(jobId, now.revision);
        Object.assign(ended.head, { status: 'completed', timing: { created: 1, completed: 2 } });
        for (const each of [model, store]) each.commit(structuredClone(ended));
        assert.equal(
          store.prune({ endedBefore: 9, keepJob: true }),
          model.prune({ endedBefore: 9, keepJob: true }),
        );
        assert.equal(whole(store, jobId), whole(model, jobId));
      } finally {
        await store.close();
      }
    }),
    { numRuns: 150 },
  );
  for (const [what, count] of Object.entries(counts)) assert.ok(count > 50, `${what}: ${count}`);
});

test('what a step gave is written once, and the copy in the context is one of its own', async () => {
  const path = join(folder, 'once.db');
  const store = await createSqliteStore({ path });
  const large = { text: 'x'.repeat(100_000) };
  const usual = {
    id: 'a',
    agent: 'agent',
    status: 'done',
    age: 7,
    attempts: 1,
    said: {},
    more: {},
    source: 'jobwright',
  };
  const made = { ...usual, gives: true, output: large, into: 'a', value: 'same' };
  commitAsEngine(store, change({ steps: [made], at: 1_000 }, { jobId: UUID, revision: 0, last: 0 }));
  const [row] = await rowsOf(path);
  assert.deepEqual(row, {
    events: [[1, 'step_done', 1_000, null, ['a', 'agent', 1, 'done', large], 7, 'a']],
  });
  const job = store.getJob(UUID);
  assert.deepEqual(job.run.steps, {
    a: { status: 'done', attempts: 1, seq: 1, startedAt: 993, finishedAt: 1_000 },
  });
  job.context.a.text = '';
  assert.deepEqual(job.history[0].payload.output, large);
  await store.close();
});
