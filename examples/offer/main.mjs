// @ts-check
/** The offer as a program. What it does is in plan.mjs and agents.mjs; this is its front, and two weeks pass at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVirtualClock } from 'jobwright/testing';
import { atMost, command, EXIT, Mistake, wholeNumber } from '../command.mjs';
import { openOffice } from './offer.mjs';

const DAY = 24 * 60 * 60 * 1_000;
const MONDAY = Date.UTC(2030, 0, 7, 9);
const DAYS = { least: 0, most: 30 };

const HELP = `Sends an offer and waits for the answer, a week and after a reminder another one. The days pass at
once, on a virtual clock, and each evening the office closes: what waits, waits on in its file.

  node examples/offer/main.mjs [options]

  --accept DAY    the customer accepts on this day
  --decline DAY   the customer declines on this day; without either there is no answer
  --away DAYS     for so many days after the first the office stays closed (default: 0)
  --help          show this

Exit codes: 0 accepted; 1 declined or lapsed; 2 it could not begin.
`;

const OPTIONS = /** @type {const} */ ({
  accept: { type: 'string' },
  decline: { type: 'string' },
  away: { type: 'string' },
});

/** @param {number} day @param {string} text */
const say = (day, text) => console.log(`${new Date(MONDAY + day * DAY).toUTCString().slice(0, 11)}  ${text}`);

/** @param {import('jobwright').Job} job what was sent, letter by letter */
const lettersOf = ({ history }) =>
  history.flatMap(({ type, payload }) => {
    const { output } = /** @type {{ output?: unknown }} */ (payload);
    return type === 'step_completed' && typeof output === 'string' ? [output] : [];
  });

/**
 * One day at the office, from nine to nine.
 *
 * @param {{ folder: string, day: number, sent: number, answer: 'accepted' | 'declined' | null }} today
 * @returns {Promise<{ hasEnded: boolean, letters: string[] }>} all letters until now
 */
async function work({ folder, day, sent, answer }) {
  const clock = createVirtualClock(MONDAY + day * DAY);
  const office = await openOffice({ folder, clock, customer: 'Ada' });
  const sendLetters = async () => {
    const letters = lettersOf(await office.offer());
    for (const letter of letters.slice(sent)) say(day, `letter: ${letter}`);
    sent = letters.length;
  };
  await clock.advance(0);
  await sendLetters();
  if (answer !== null) {
    const { success } = await office.answer(answer);
    say(day, success ? `answer: ${answer}` : `answer, too late: ${answer}`);
  }
  await clock.advance(DAY / 2);
  await sendLetters();
  const job = await office.offer();
  await office.close();
  return { hasEnded: job.status === 'completed', letters: lettersOf(job) };
}

await command(HELP, OPTIONS, async (values, rest) => {
  atMost(rest, 0);
  if (values.accept !== undefined && values.decline !== undefined)
    throw new Mistake('Either --accept or --decline: the customer answers once.');
  const accept = wholeNumber('--accept', values.accept, DAYS);
  const decline = wholeNumber('--decline', values.decline, DAYS);
  const away = wholeNumber('--away', values.away, DAYS) ?? 0;
  let onItsWay = accept !== undefined || decline !== undefined;
  const arrival = accept ?? decline ?? 0;

  const folder = mkdtempSync(join(tmpdir(), 'jobwright-offer-'));
  try {
    let done = { hasEnded: false, letters: /** @type {string[]} */ ([]) };
    for (let day = 0; !done.hasEnded || onItsWay; day += day === 0 ? away + 1 : 1) {
      // What comes while nobody is there lies in the letter box.
      const isHere = onItsWay && arrival <= day;
      if (isHere) onItsWay = false;
      const answer = isHere ? (accept === undefined ? 'declined' : 'accepted') : null;
      done = await work({ folder, day, sent: done.letters.length, answer });
    }
    return done.letters.at(-1) === 'confirmation' ? EXIT.ok : EXIT.otherwise;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
