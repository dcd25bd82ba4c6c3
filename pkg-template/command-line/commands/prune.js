// @ts-check
import { EXIT, Failure } from '../failure.js';
import { count, moment, quoted } from '../text.js';

/** @type {Record<string, number>} */
const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** @type {import('../program.js').Command} */
export const prune = {
  name: 'prune',
  about:
    'Removes jobs that ended long ago, or with --keep-jobs only their histories. Jobs that have not ended stay.',
  example: 'prune --older-than 30d --store jobs.db',
  options: [
    ['--older-than <age>', 'how long ago they ended, as 12h, 30d, 8w; required'],
    ['--keep-jobs', 'remove histories only: contexts, steps and plans stay'],
  ],
  async work(desk) {
    const { options } = desk;
    const endedBefore = Date.now() - ageOf(options.olderThan);
    if (moment(endedBefore) === '') {
      const given = quoted(options.olderThan);
      throw new Failure('usage', `--older-than: expected an age of less than 270,000 years; found ${given}.`);
    }
    const { store } = await desk.open();
    const keepJob = options.keepJobs === true;
    const removed = await store.prune({ endedBefore, keepJob });
    const what = keepJob ? count(removed, 'history', 'histories') : count(removed, 'job');
    desk.answer({ removed, endedBefore, keepJobs: keepJob }, () => [
      `Removed ${what}${keepJob ? ' of jobs' : ''} that ended before ${moment(endedBefore)}.`,
    ]);
    return EXIT.ok;
  },
};

/** @param {string | undefined} given */
function ageOf(given) {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(given ?? '') ?? [];
  if (number !== undefined) return Number(number) * (UNITS[unit] ?? 0);
  const found = given === undefined ? 'nothing' : quoted(given);
  throw new Failure(
    'usage',
    `--older-than: expected a number with s, m, h, d or w behind it, as 30d; found ${found}.`,
  );
}
