// @ts-check
/** Histories that nobody ran fold without an error, whatever they hold, and alike in one piece and in many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plans } from '../plans/generate.mjs';
import { importOfPage, plainState } from './history.mjs';

const { addCauses, edgeState, History, historyOf, readPlan, traceRows } =
  await importOfPage('history/index.ts');

const TYPES = [
  ...['job_created', 'job_started', 'job_paused', 'job_completed', 'job_failed', 'job_forked'],
  ...['permissions_changed', 'breakpoints_changed', 'slow_play_changed', 'signal_received'],
  ...['step_started', 'step_completed', 'step_failed', 'step_skipped', 'step_approved', 'step_rejected'],
  ...['step_recovered', 'step_suspended', 'round_completed', 'approval_requested', 'late_result_dropped'],
  ...['item_started', 'item_completed', 'item_failed', 'noted', '__proto__', ''],
];
const STEPS = ['a', 'b', '__proto__', 'constructor', 'toString', 'a[0]', '\u202e', ''];
const STATUSES = ['pending', 'waiting', 'running', 'done', 'failed', 'skipped', 'gone'];

const number = fc.oneof(
  fc.integer({ min: -2, max: 5 }),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1e300, 1.5, 2 ** 53),
);
const anything = fc.anything({ withNullPrototype: true, maxDepth: 2 });
/** Mostly what it should be. @param {fc.Arbitrary<any>} value */
const mostly = (value) => fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: anything });

const payload = fc.record(
  {
    step: mostly(fc.constantFrom(...STEPS)),
    status: mostly(fc.constantFrom(...STATUSES)),
    item: mostly(number),
    attempt: mostly(number),
    round: mostly(number),
    cost: mostly(number),
    approval: mostly(fc.constantFrom('x', 'y')),
    error: mostly(fc.record({ code: fc.string(), message: fc.string() })),
    output: anything,
    items: mostly(fc.array(anything, { maxLength: 4 })),
    context: anything,
    steps: mostly(fc.array(fc.constantFrom(...STEPS))),
    permissions: anything,
    retryAt: number,
    dueAt: number,
    name: mostly(fc.constantFrom('go', '__proto__')),
    from: anything,
    routed: anything,
    plan: anything,
    reason: mostly(fc.constantFrom('user', 'breakpoint')),
  },
  { requiredKeys: [] },
);
const span = fc.constantFrom(...'0123456789');
const event = mostly(
  fc.record(
    {
      seq: mostly(number),
      type: mostly(fc.constantFrom(...TYPES)),
      payload: mostly(payload),
      trace: mostly(fc.record({ spanId: span, parentId: span }, { requiredKeys: [] })),
      meta: mostly(fc.record({ timestamp: number, source: fc.constantFrom('jobwright', 'agent') })),
    },
    { requiredKeys: [] },
  ),
);
const histories = fc.array(event, { maxLength: 60 });
const anyPlan = fc.oneof(plans(), anything, fc.record({ steps: fc.array(anything) }));

test('no history and no plan throws, and nothing is done to the objects of JavaScript', () => {
  fc.assert(
    fc.property(histories, anyPlan, (events, plan) => {
      const history = new History('job', plan);
      history.append(events);
      assert.equal(history.length, events.length);
      for (const { cause, place, time } of history.facts) {
        assert.ok(cause < place);
        assert.ok(!Number.isNaN(new Date(time).getTime()));
      }
      for (const { begin, end } of history.spans) assert.ok(end >= begin);
      const { steps } = readPlan(plan);
      for (const { id, after } of steps) for (const before of after) edgeState(history.now, before, id);
      assert.equal(Object.getPrototypeOf({}).polluted, undefined);
    }),
    { numRuns: 400 },
  );
});

test('any moment of any history is what folding its beginning gives, also when it came in parts', () => {
  fc.assert(
    fc.property(histories, anyPlan, fc.nat(), fc.nat(), (events, plan, cut, moment) => {
      const whole = new History('job', plan);
      whole.append(events);
      const parts = new History('job', plan);
      parts.append(events.slice(0, cut % (events.length + 1)));
      parts.append(events.slice(cut % (events.length + 1)));
      assert.deepEqual(plainState(parts.now), plainState(whole.now));
      assert.deepEqual(parts.spans, whole.spans);
      const position = moment % (events.length + 1);
      const beginning = new History('job', plan);
      beginning.append(events.slice(0, position));
      // A plan that only a later event names was not known then; the page knows it from the beginning.
      fc.pre(beginning.plan === whole.plan || plan !== undefined);
      if (readPlan(plan).steps.length > 0) {
        assert.deepEqual(plainState(whole.at(position)), plainState(beginning.now));
      } else whole.at(position);
    }),
    { numRuns: 400 },
  );
});

test('a state that was given away does not change the history', () => {
  fc.assert(
    fc.property(histories, fc.nat(), (events, moment) => {
      const history = new History('job');
      history.append(events);
      const position = moment % (events.length + 1);
      const before = plainState(history.at(position));
      const given = history.at(position);
      for (const map of [given.steps, given.items, given.approvals, given.context]) map.clear();
      given.signals.length = 0;
      assert.deepEqual(plainState(history.at(position)), before);
    }),
    { numRuns: 200 },
  );
});

test('the tree of causes has every event once, behind its cause', () => {
  fc.assert(
    fc.property(histories, fc.nat(), (events, moment) => {
      const history = new History('job');
      history.append(events);
      const causes = new Map();
      addCauses(causes, history.facts, 0);
      const position = moment % (events.length + 1);
      const rows = traceRows(causes, history.facts, position, new Set());
      const places = rows.map((/** @type {any} */ { fact }) => fact.place);
      assert.deepEqual(
        places.toSorted((/** @type {number} */ a, /** @type {number} */ b) => a - b),
        [...Array(position).keys()],
      );
      for (const { fact } of rows) {
        if (fact.cause >= 0) assert.ok(places.indexOf(fact.cause) < places.indexOf(fact.place));
      }
    }),
    { numRuns: 200 },
  );
});

test('a job whose history was removed is shown as it is stored', () => {
  const steps = {
    a: { status: 'done', attempts: 2, startedAt: 5, finishedAt: 9 },
    'f[3]': { status: 'failed', attempts: 1 },
  };
  const history = historyOf({
    id: 'job',
    status: 'completed',
    context: { a: 1 },
    permissions: { maxSteps: 3 },
    history: [],
    timing: { created: 1, started: 2, completed: 10 },
    run: { schema: 1, revision: 3, seq: 12, plan: { steps: [{ id: 'a', agent: 'x' }] }, steps },
  });
  assert.equal(history.now.status, 'completed');
  assert.equal(history.now.steps.get('a').status, 'done');
  assert.equal(history.now.items.get('f[3]').item, 3);
  assert.deepEqual([...history.now.context], [['a', 1]]);
  assert.equal(history.at(0).steps.get('a').attempts, 2);
});
