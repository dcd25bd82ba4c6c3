// @ts-check
import { JOB_STATUS } from 'jobwright';
import { EXIT, Failure } from '../failure.js';
import { findJob, headsOf, standing } from '../jobs.js';
import { moment, plain, quoted, table } from '../text.js';

/** @type {import('../program.js').Command} */
export const list = {
  name: 'list',
  about: 'Lists the jobs of a store, in the order in which they were created.',
  example: 'list --store jobs.db --status paused,failed',
  options: [
    ['--status <names>', 'only these: created, running, paused, completed, failed'],
    ['--parent <job>', 'only the children of this job'],
    ['--limit <n>', 'at most so many'],
    ['--after <job>', 'only those that were created after this one'],
  ],
  async work(desk) {
    const { options } = desk;
    const status = statusesOf(options.status);
    const limit = limitOf(options.limit);
    const { opened, store } = await desk.open();
    const parentId = options.parent === undefined ? undefined : await findJob(opened, options.parent);
    const cursor = options.after === undefined ? undefined : await findJob(opened, options.after);
    const given = Object.entries({ status, limit, parentId, cursor }).filter(
      ([, value]) => value !== undefined,
    );
    /** @type {import('jobwright').JobHead[]} */
    const jobs = [];
    for await (const head of headsOf(store, Object.fromEntries(given))) jobs.push(head);
    desk.answer({ jobs }, () => (jobs.length === 0 ? ['No jobs.'] : rows(jobs)));
    return EXIT.ok;
  },
};

/** @param {import('jobwright').JobHead[]} jobs */
function rows(jobs) {
  return table([
    ['JOB', 'STATUS', 'CREATED', 'STEPS', 'TYPE'],
    ...jobs.map((job) => [
      plain(job.id, 80),
      standing(job),
      moment(job.timing.created),
      plain(job.run?.stepsTaken ?? 0),
      plain(job.type ?? '', 30),
    ]),
  ]);
}

/** @param {string | undefined} given */
function statusesOf(given) {
  if (given === undefined) return undefined;
  const known = /** @type {string[]} */ (Object.values(JOB_STATUS));
  const names = given.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return /** @type {import('jobwright').JobStatus[]} */ (names);
  throw new Failure('invalid_argument', `--status: expected ${known.join(', ')}; found ${quoted(unknown)}.`);
}

/** @param {string | undefined} given */
function limitOf(given) {
  if (given === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(given)) return Number(given);
  throw new Failure('invalid_argument', `--limit: expected a whole number from 1; found ${quoted(given)}.`);
}
