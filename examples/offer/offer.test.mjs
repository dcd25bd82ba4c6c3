// @ts-check
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createVirtualClock } from 'jobwright/testing';
import { checkFront, checkRun, makeFolder, start, stepsOf } from '../checks.mjs';
import { openOffice, permissions } from './offer.mjs';
import { plan } from './plan.mjs';

const main = join(import.meta.dirname, 'main.mjs');
const DAY = 24 * 60 * 60 * 1_000;
const START = Date.UTC(2030, 0, 7, 9);

/**
 * Plays an offer: the office opens for some time, closes for some time, and so on; in between comes an answer.
 *
 * @param {import('node:test').TestContext} t
 * @param {(number | 'accepted' | 'declined')[]} days positive: open for so many; negative: closed
 */
async function played(t, days) {
  const folder = makeFolder(t);
  let clock = createVirtualClock(START);
  const open = () => openOffice({ folder, clock, customer: 'Ada' });
  let office = await open();
  await clock.advance(0);
  for (const part of days) {
    if (typeof part === 'string') {
      assert.deepEqual(await office.answer(part), { success: true });
      await clock.advance(0);
    } else if (part >= 0) {
      await clock.advance(part * DAY);
    } else {
      await office.close();
      assert.equal(clock.pending(), 0, 'nothing is left waiting');
      clock = createVirtualClock(clock.now() - part * DAY);
      office = await open();
      await clock.advance(0);
    }
  }
  const job = await office.offer();
  await office.close();
  await checkRun(plan, permissions, job);
  const { completed = START - DAY } = job.timing;
  return {
    job,
    days: (completed - START) / DAY,
    letter: job.context.close,
    reminded: stepsOf(job, 'step_started').includes('remind'),
    letters: readdirSync(join(folder, 'outbox')).length,
  };
}

test('an answer in the first week needs no reminder', async (t) => {
  const { job, letter, letters, days } = await played(t, [3, 'accepted']);
  assert.deepEqual([letter, letters, days], ['confirmation', 2, 3]);
  assert.equal(job.run?.steps?.remind?.status, 'skipped');
  assert.equal(job.run?.steps?.['second-week']?.status, 'skipped');
});

test('an answer in the second week comes after the reminder', async (t) => {
  const { letter, letters, days, reminded } = await played(t, [9, 'declined']);
  assert.deepEqual([letter, letters, days, reminded], ['thanks anyway', 3, 9, true]);
});

test('without an answer it lapses after two weeks, to the millisecond', async (t) => {
  const almost = await played(t, [14 - 1 / DAY]);
  assert.equal(almost.job.status, 'running');
  const { job, letter, letters, days } = await played(t, [14]);
  assert.deepEqual([letter, letters, days], ['lapsed', 3, 14]);
  assert.equal(job.run?.steps?.['first-week']?.error?.code, 'timeout');
});

test('a restart changes nothing, whenever it is', async (t) => {
  const straight = await played(t, [14]);
  for (const before of [0, 1, 6.5, 7, 7.5, 13]) {
    const { letter, letters, days } = await played(t, [before, -0.25, 13.75 - before]);
    assert.deepEqual(
      [letter, letters, days],
      [straight.letter, straight.letters, straight.days],
      `${before}`,
    );
    const answered = await played(t, [before, -0.25, 'accepted']);
    assert.deepEqual([answered.letter, answered.days], ['confirmation', before + 0.25], `${before}`);
  }
});

test('what fell due while it was closed happens when it opens', async (t) => {
  const { job, reminded } = await played(t, [1, -8]);
  assert.deepEqual([job.status, reminded], ['running', true]);
  const { letter, days } = await played(t, [1, -8, 7]);
  assert.deepEqual([letter, days], ['lapsed', 16], 'the second week begins with the reminder');
});

test('the program tells the two weeks', async (t) => {
  await checkFront(main, t);
  const cwd = makeFolder(t);
  const lapsed = await start(main, [], { cwd });
  const letters = [
    'Mon, 07 Jan  letter: offer',
    'Mon, 14 Jan  letter: reminder',
    'Mon, 21 Jan  letter: lapsed',
  ];
  assert.deepEqual([lapsed.output, lapsed.code, lapsed.errors], [`${letters.join('\n')}\n`, 1, '']);
  const accepted = await start(main, ['--accept', '3', '--away', '4'], { cwd });
  const ends = ['Sat, 12 Jan  answer: accepted', 'Sat, 12 Jan  letter: confirmation'];
  assert.deepEqual([accepted.output, accepted.code], [`${[letters[0], ...ends].join('\n')}\n`, 0]);
  const late = await start(main, ['--decline', '16'], { cwd });
  assert.equal(late.output, `${[...letters, 'Wed, 23 Jan  answer, too late: declined'].join('\n')}\n`);
});

test('the program refuses what it can not use', async (t) => {
  const cwd = makeFolder(t);
  const mistake = async (/** @type {string[]} */ ...args) => (await start(main, args, { cwd })).errors;
  assert.equal(
    await mistake('--accept', 'soon'),
    '--accept must be a whole number from 0 to 30; found "soon".\n',
  );
  assert.equal(await mistake('--away', '31'), '--away must be a whole number from 0 to 30; found "31".\n');
  assert.match(await mistake('--accept', '1', '--decline', '2'), /^Either --accept or --decline: /);
  assert.equal(await mistake('now'), 'Unexpected argument "now"; --help shows the options.\n');
});
