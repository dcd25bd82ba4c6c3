// @ts-check
/** What views make of values: texts, differences, places of steps, bars of a timeline. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { plans } from '../plans/generate.mjs';
import { importOfPage } from './history.mjs';

const { visible } = await importOfPage('display.ts');
const shown = await importOfPage('job/shown.ts');
const { differences } = await importOfPage('job/differences.ts');
const { readPlan, History } = await importOfPage('history/index.ts');
const { inLayers, placesOf, HEIGHT, WIDTH } = await importOfPage('job/graph/layout.ts');
const { barsOf, rangeOf, timelineRows } = await importOfPage('job/timeline-rows.ts');

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a\u202eb', '\ud800', '\u2066'),
);

test('text that is shown has nothing that can not be seen, or turns the direction of the rest', () => {
  fc.assert(
    fc.property(text, (given) => {
      for (const seen of [visible(given), shown.inLine(given), shown.summary({ [given]: [given] })]) {
        assert.doesNotMatch(seen, /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?![\n\t])\p{Cc}/u);
      }
      assert.doesNotMatch(shown.inLine(given), /[\n\t]/);
    }),
  );
});

test('a value is summed up in a line of bounded length, also where it goes round in a circle', () => {
  fc.assert(
    fc.property(fc.anything(), fc.integer({ min: 1, max: 300 }), (value, most) => {
      assert.ok([...shown.summary(value, most)].length <= 10 * (most + 2));
    }),
  );
  const circle = /** @type {any} */ ({});
  circle.self = circle;
  assert.ok(shown.summary(circle, 100).length < 200);
  assert.ok(shown.summary({ big: 'x'.repeat(5_000_000) }, 100).length < 200);
});

test('a link to a job leads to that job', () => {
  fc.assert(
    fc.property(text, (id) => {
      const [, place, found] = shown.jobLink(id, 'log').split('/');
      assert.equal(place, 'jobs');
      assert.equal(decodeURIComponent(found), id.replace(/\p{Cs}/gu, '\ufffd'));
    }),
  );
});

test('times and durations of any kind are texts', () => {
  fc.assert(
    fc.property(fc.double(), (number) => {
      for (const made of [shown.clockText, shown.dateText, shown.durationText, shown.amountText]) {
        assert.equal(typeof made(number), 'string');
      }
    }),
  );
});

test('differences lead from one value to the other', () => {
  const small = fc.jsonValue({ maxDepth: 2 });
  fc.assert(
    fc.property(small, small, (before, after) => {
      const holder = { value: structuredClone(before) };
      const found = differences(before, after, true);
      fc.pre(found.length < 100);
      for (const { path, kind, after: value } of found) {
        const [last, ...up] = ['value', ...path].reverse();
        const target = up.reverse().reduce((object, key) => object[key], /** @type {any} */ (holder));
        if (kind === 'removed' && Array.isArray(target))
          target.length = Math.min(target.length, Number(last));
        else if (kind === 'removed') delete target[last];
        else
          Object.defineProperty(target, last, {
            value,
            writable: true,
            enumerable: true,
            configurable: true,
          });
      }
      assert.deepEqual(JSON.parse(JSON.stringify(holder.value)), JSON.parse(JSON.stringify(after)));
    }),
    { numRuns: 500 },
  );
  assert.deepEqual(differences({ a: 1 }, { a: 1 }, true), []);
});

test('steps are drawn beside each other, each below what it comes after', () => {
  fc.assert(
    fc.property(plans(), (plan) => {
      const { steps } = readPlan(plan);
      for (const layout of [inLayers, placesOf]) {
        const places = layout(steps);
        assert.equal(places.length, steps.length);
        for (const [n, { x, y }] of places.entries()) {
          assert.ok(Number.isFinite(x) && Number.isFinite(y));
          for (const other of places.slice(0, n)) {
            assert.ok(Math.abs(other.x - x) >= WIDTH || Math.abs(other.y - y) >= HEIGHT);
          }
          for (const before of steps[n].after) {
            const above = steps.findIndex((/** @type {any} */ { id }) => id === before);
            assert.ok(places[above].y + HEIGHT <= y);
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('what goes in a circle, and names of JavaScript, are drawn all the same', () => {
  const ids = ['__proto__', 'constructor', 'toString', 'a'];
  const { steps } = readPlan({ steps: ids.map((id, n) => ({ id, after: [ids[(n + 1) % 4]] })) });
  for (const { x, y } of [...inLayers(steps), ...placesOf(steps)])
    assert.ok(Number.isFinite(x) && Number.isFinite(y));
});

test('bars lie within the timeline, in order', () => {
  const event = fc.record({
    type: fc.constantFrom('step_started', 'step_completed', 'step_failed', 'job_paused', 'job_started'),
    payload: fc.record({
      step: fc.constantFrom('a', 'b'),
      status: fc.constantFrom('running', 'waiting', 'done', 'failed'),
    }),
    meta: fc.record({ timestamp: fc.integer({ min: 0, max: 10_000 }) }),
  });
  fc.assert(
    fc.property(fc.array(event, { maxLength: 40 }), fc.nat(), (events, moment) => {
      const history = new History('job');
      history.append(events);
      const position = moment % (events.length + 1);
      const state = history.at(position);
      const now = { history, position, state, live: false, time: state.time };
      const range = rangeOf(now);
      assert.ok(range.to > range.from);
      for (const { spans } of timelineRows(now, new Set())) {
        for (const { left, width } of barsOf(spans, position, range, 500)) {
          assert.ok(left >= 0 && left + width <= 502.001 && width >= 2, `${left} ${width}`);
        }
      }
    }),
  );
});
