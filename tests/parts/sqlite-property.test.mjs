/** The SQLite store answers as the memory store does, whatever it is asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMemoryStore } from '../../pkg-template/parts/memory-store.js';
import { changeOf, commitAsEngine, eventOf, jobOf } from './jobs.mjs';
import { createSqliteStore } from './sqlite-driver.mjs';

const IDS = ['j', 'nul\0', '"quoted'];
const id = fc.constantFrom(...IDS);
const key = fc.constantFrom('a', 'b', '7', '__proto__', 'nul\0', '\ud800', '"', '');
const value = fc.oneof(fc.integer(), fc.constantFrom(null, 'x\udfff', '\0', [1, { deep: true }], {}));
const ended = fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined });

/** @param {any} values */
const record = (values) => fc.array(fc.tuple(key, values), { maxLength: 4 }).map(objectOf);

/** @param {[string, any][]} entries */
function objectOf(entries) {
  const object = {};
  for (const [name, given] of entries)
    Object.defineProperty(object, name, {
      value: given,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  return object;
}

// How far each event's number is above the one before; 0 for an event without one, -1 for one that is stored already.
const gaps = fc.array(fc.constantFrom(1, 1, 1, 0, 3, -1), { maxLength: 5 });

const commands = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('commit'),
      id,
      own: fc.boolean(),
      late: fc.constantFrom(0, 0, 0, 0, 1),
      context: record(fc.oneof(value, fc.constant(undefined))),
      steps: record(fc.record({ status: fc.constantFrom('running', 'done'), attempts: fc.nat(3) })),
      gaps,
      ended,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('save'),
      id,
      run: fc.constantFrom(undefined, { schema: 1 }),
      context: record(value),
      gaps,
      ended,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('prune'),
      endedBefore: fc.integer({ min: 0, max: 10 }),
      keepJob: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete'), id }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('events'),
      id,
      after: fc.integer({ min: -1, max: 12 }),
      limit: fc.option(fc.nat(4), { nil: undefined }),
    }),
  },
);

/** A job that was saved whole, and a commit that changes nothing of its head but its numbers. */
const SAVED_BARE = [
  { kind: 'save', id: 'j', run: { schema: 1 }, context: { a: null }, gaps: [], ended: undefined },
  { kind: 'commit', id: 'j', own: true, late: 0, context: {}, steps: {}, gaps: [1], ended: undefined },
];

/** @param {number[]} given @param {number} last */
function eventsOf(given, last) {
  let seq = last;
  return given.map((gap) => {
    seq += gap;
    if (gap !== 0) return eventOf(Math.max(seq, 1), { after: last });
    const { seq: none, ...event } = eventOf(1, { after: last });
    seq += 1;
    return event;
  });
}

/** @param {number | undefined} at */
const endOf = (at) =>
  at === undefined ? {} : { status: 'completed', timing: { created: 1, completed: at } };

/** @param {any} store @param {any} command @param {{ revision: number, last: number }} now */
function run(store, command, { revision, last }) {
  const { kind, id, context, steps, ended } = command;
  if (kind === 'prune') return store.prune(command);
  if (kind === 'delete') return store.deleteJob(id);
  if (kind === 'events') return store.getEvents(id, command.after, command.limit);
  const events = eventsOf(command.gaps, last);
  const run = command.run === undefined ? {} : { run: command.run };
  if (kind === 'save') return store.saveJob(jobOf(id, { context, history: events, ...run, ...endOf(ended) }));
  const change = changeOf(id, revision - command.late, { context: { ...context }, steps, events });
  Object.assign(change.head, endOf(ended));
  // As the engine has it.
  change.head.run.seq = events.at(-1)?.seq ?? last;
  // The engine takes no key out, and keys that have gone are undefined in what it is not the engine that commits.
  const own = command.own && !Object.values(change.context).includes(undefined);
  return own ? commitAsEngine(store, change) : store.commit(change);
}

/** @param {() => any} work */
function outcome(work) {
  try {
    return { value: work() };
  } catch (error) {
    return { error: String(error) };
  }
}

/** @param {any} store */
const whole = (store) =>
  JSON.stringify(IDS.map((id) => [store.getJob(id), store.getHead(id), store.getEvents(id)]));

test('whatever is committed, saved, pruned and deleted, it answers as the memory store does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(commands, { maxLength: 25 }), async (list) => {
      const model = createMemoryStore();
      const store = await createSqliteStore({ path: ':memory:' });
      try {
        for (const command of list) {
          const head = command.id === undefined ? null : model.getHead(command.id);
          const last = command.id === undefined ? 0 : (model.getEvents(command.id).at(-1)?.seq ?? 0);
          const now = { revision: head?.run?.revision ?? 0, last };
          const expected = outcome(() => run(model, command, now));
          assert.deepEqual(
            outcome(() => run(store, command, now)),
            expected,
          );
          // As text, since the order of keys is to be the same too.
          assert.equal(whole(store), whole(model));
        }
      } finally {
        await store.close();
      }
    }),
    { numRuns: 200, examples: [[SAVED_BARE]] },
  );
});

test('the histories of many jobs, in many rows each, are read in pages and pruned', async () => {
  const store = await createSqliteStore({ path: ':memory:' });
  const events = Array.from({ length: 2_500 }, (_, i) => eventOf(2 * (i + 1)));
  const end = { status: 'completed', timing: { created: 1, completed: 5 } };
  const context = Object.fromEntries(Array.from({ length: 1_500 }, (_, i) => [`key ${i}`, i]));
  for (let n = 0; n < 45; n += 1)
    store.saveJob(jobOf(`job ${n}`, { context: { n }, history: [eventOf(1)], ...end }));
  store.saveJob(jobOf('large', { context, history: events }));
  for (let revision = 0; revision < 450; revision += 1)
    store.commit(changeOf('large', revision, { events: [eventOf(5_001 + revision)] }));
  const all = store.getEvents('large');
  assert.equal(all.length, 2_950);
  const paged = [];
  for (let page = [{ seq: 0 }]; page.length > 0; paged.push(...page))
    page = store.getEvents('large', page.at(-1).seq, 7);
  assert.deepEqual(paged, all);
  assert.deepEqual(store.getJob('large').history, all);
  assert.equal(store.prune({ endedBefore: 6, keepJob: true }), 45);
  assert.equal(store.prune({ endedBefore: 6, keepJob: true }), 0);
  store.saveJob(jobOf('job 0', { history: [eventOf(1)], ...end }));
  assert.equal(store.prune({ endedBefore: 6, keepJob: true }), 1);
  assert.deepEqual(store.getJob('job 44'), jobOf('job 44', { context: { n: 44 }, ...end }));
  store.commit(
    changeOf('large', 450, { events: [], ...{ head: { ...changeOf('large', 450).head, ...end } } }),
  );
  assert.equal(store.prune({ endedBefore: 6, keepJob: true }), 1);
  assert.deepEqual(Object.entries(store.getJob('large').context), Object.entries(context));
  assert.deepEqual(store.getEvents('large'), []);
  assert.throws(() => store.commit(changeOf('large', 451, { events: [eventOf(5_450)] })), {
    name: 'ConflictError',
  });
  await store.close();
});
