// @ts-check
/** A history of 20,000 events: every moment is at hand at once, and right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { importOfPage, plainState } from './history.mjs';

const { History } = await importOfPage('history/index.ts');

const STEPS = 500;
const EVENTS = 20_000;

/** Steps that are begun, fail and end, over and over, with items now and then. */
function longHistory() {
  const plan = { steps: Array.from({ length: STEPS }, (_, n) => ({ id: `s${n}`, agent: 'a', after: [] })) };
  const events = [];
  const add = (/** @type {string} */ type, /** @type {any} */ payload) => {
    const seq = events.length + 1;
    events.push({
      seq,
      type,
      payload,
      trace: { spanId: `${seq}` },
      meta: { timestamp: seq * 10, source: 'jobwright' },
    });
  };
  add('job_created', { context: { a: 1 } });
  add('job_started', {});
  for (let n = 0; events.length < EVENTS; n++) {
    const step = `s${(n * 7) % STEPS}`;
    const item = n % 5 === 0 ? { item: n % 30 } : {};
    const kind = n % 5 === 0 ? 'item' : 'step';
    add(`${kind}_started`, { step, ...item, attempt: 1 + (n % 3), status: 'running' });
    if (n % 11 === 0) {
      add('approval_requested', { step, approval: `${n}`, status: 'waiting' });
      add('step_approved', { step, approval: `${n}`, status: 'running' });
    }
    if (n % 4 === 0)
      add(`${kind}_failed`, { step, ...item, status: 'failed', error: { code: 'x', message: 'y' } });
    else add(`${kind}_completed`, { step, ...item, status: 'done', output: n, cost: n % 3 });
  }
  return { plan, events: events.slice(0, EVENTS) };
}

test('each moment is what the events before it come to', { timeout: 120_000 }, () => {
  const { plan, events } = longHistory();
  const history = new History('job', plan);
  history.append(events);
  const beginning = new History('job', plan);
  for (let position = 0; position < EVENTS; position += 617) {
    beginning.append(events.slice(beginning.length, position));
    assert.deepEqual(plainState(history.at(position)), plainState(beginning.now), `at ${position}`);
  }
  assert.deepEqual(plainState(history.at(EVENTS)), plainState(history.now));
});

test('a moment is found without folding all that came before it', { timeout: 120_000 }, () => {
  const { plan, events } = longHistory();
  const history = new History('job', plan);
  let began = performance.now();
  history.append(events);
  const whole = performance.now() - began;
  began = performance.now();
  for (let n = 1; n <= 50; n++) history.at(EVENTS - 2 * n);
  const each = (performance.now() - began) / 50;
  console.log(`# 20,000 events: ${whole.toFixed(0)} ms, a moment ${each.toFixed(2)} ms`);
  // Folding everything would take as long as the first time; this is in one process, so that both are as slow.
  assert.ok(each < whole / 12, `${each} ms against ${whole} ms`);
});
