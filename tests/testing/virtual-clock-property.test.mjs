// @ts-check
/** Random programs of sleeps on the virtual clock, beside a model that looks through a list for what is next. */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import { importPackage } from '../package/installed.mjs';

const { createVirtualClock } = await importPackage('jobwright/testing');

/**
 * A sleep; when it ends, sleeps that were begun are aborted, and after some rest others begin.
 *
 * @typedef {{ ms: number, tasks: number, aborts: number[], next: Sleep[] }} Sleep
 * @typedef {{ asked: number, due: number, what: Sleep, over: boolean }} Entry
 */

const { program } = fc.letrec((tie) => ({
  sleep: fc.record({
    ms: fc.oneof(fc.nat(12), fc.constantFrom(0, 1, 5, 2 ** 31, 2 ** 40)),
    tasks: fc.nat(3),
    aborts: fc.array(fc.nat(15), { maxLength: 2 }),
    next: fc.oneof({ maxDepth: 3 }, fc.constant([]), tie('program')),
  }),
  program: fc.array(/** @type {fc.Arbitrary<Sleep>} */ (tie('sleep')), { maxLength: 4 }),
}));
const advances = fc.array(fc.oneof(fc.nat(15), fc.constantFrom(0, 1, 2 ** 31, 2 ** 41)), {
  minLength: 1,
  maxLength: 6,
});

/** The next free number is the name of a sleep. Its name and the time are noted when it begins, ends or is aborted. */
class Model {
  now = 0;
  /** @type {any[]} */
  log = [];
  /** @type {Entry[]} */
  entries = [];

  /** @param {Sleep[]} sleeps */
  begin(sleeps) {
    for (const what of sleeps) {
      this.log.push(['begins', this.entries.length, this.now]);
      this.entries.push({ asked: this.entries.length, due: this.now + what.ms, what, over: false });
    }
  }

  /** @param {number} ms */
  advance(ms) {
    const until = this.now + ms;
    for (;;) {
      /** @type {Entry | undefined} */
      let next;
      for (const entry of this.entries) {
        if (entry.over || entry.due > until) continue;
        if (next === undefined || entry.due < next.due) next = entry;
      }
      if (next === undefined) break;
      this.now = next.due;
      this.end(next);
    }
    this.now = until;
  }

  /** @param {Entry} entry */
  end(entry) {
    entry.over = true;
    this.log.push(['ends', entry.asked, this.now]);
    for (const number of entry.what.aborts) {
      const other = this.entries[number];
      if (other === undefined || other.over) continue;
      other.over = true;
      this.log.push(['aborted', number, this.now]);
    }
    this.begin(entry.what.next);
  }

  waiting() {
    const due = this.entries.filter(({ over }) => !over).map((entry) => entry.due);
    return [due.length, due.length === 0 ? null : Math.min(...due)];
  }
}

/** The same, by the clock. */
class Subject {
  clock = createVirtualClock();
  /** @type {any[]} */
  log = [];
  /** @type {AbortController[]} */
  controllers = [];

  /** @param {Sleep[]} sleeps */
  begin(sleeps) {
    for (const what of sleeps) this.sleep(what, this.controllers.length);
  }

  /** @param {Sleep} what @param {number} number */
  async sleep(what, number) {
    const controller = new AbortController();
    this.controllers.push(controller);
    this.log.push(['begins', number, this.clock.now()]);
    try {
      await this.clock.sleep(what.ms, controller.signal);
    } catch (reason) {
      this.log.push(['aborted', reason, this.clock.now()]);
      return;
    }
    this.log.push(['ends', number, this.clock.now()]);
    for (const other of what.aborts) {
      this.controllers[other]?.abort(other);
      await null;
    }
    for (let n = 0; n < what.tasks; n++) await new Promise((resolve) => setImmediate(resolve));
    this.begin(what.next);
  }

  listeners() {
    return this.controllers.reduce((sum, { signal }) => sum + getEventListeners(signal, 'abort').length, 0);
  }
}

test('random programs of sleeps go as in the model, however time is cut', { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(program, advances, fc.boolean(), async (sleeps, parts, atOnce) => {
    const [model, subject] = [new Model(), new Subject()];
    model.begin(sleeps);
    subject.begin(sleeps);
    const pending = [];
    for (const ms of parts) {
      model.advance(ms);
      pending.push(subject.clock.advance(ms));
      if (!atOnce) await pending.at(-1);
    }
    await Promise.all(pending);
    assert.deepEqual(subject.log, model.log);
    assert.equal(subject.clock.now(), model.now);
    assert.deepEqual([subject.clock.pending(), subject.clock.nextDue()], model.waiting());
    assert.equal(subject.listeners(), subject.clock.pending());
  });
  await fc.assert(property, { numRuns: 500 });
});

test('what happens does not depend on how time is cut', { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(program, advances, async (sleeps, parts) => {
    const [whole, cut] = [new Subject(), new Subject()];
    whole.begin(sleeps);
    cut.begin(sleeps);
    await whole.clock.advance(parts.reduce((sum, ms) => sum + ms, 0));
    for (const ms of parts) await cut.clock.advance(ms);
    assert.deepEqual(cut.log, whole.log);
  });
  await fc.assert(property, { numRuns: 200 });
});
