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
    desk.answer({ jobs }, () => (jobs.length === 0 ? ['No jobs.'] : rows(jobs, desk.terminal)));
    return EXIT.ok;
  },
};

/**
 * At a terminal, an id that is too long for its column has a line of its own: it stays whole, to be copied. In a pipe each
 * job is one line.
 *
 * @param {import('jobwright').JobHead[]} jobs
 * @param {import('../terminal.js').Terminal} terminal
 */
function rows(jobs, terminal) {
  const isNarrow = terminal.rewrites;
  const ids = ['JOB', ...jobs.map(({ id }) => plain(id, isNarrow ? undefined : 80))];
  const rest = table([
    ['STATUS', 'CREATED', 'STEPS', 'TYPE'],
    ...jobs.map((job) => [
      standing(job),
      moment(job.timing.created),
      plain(job.run?.stepsTaken ?? 0),
      plain(job.type ?? '', 30),
    ]),
  ]);
  const room = isNarrow ? terminal.columns() - 2 - widest(rest) : Infinity;
  const width = Math.max(3, widest(ids.filter(({ length }) => length <= room)));
  return ids.flatMap((id, row) => {
    const line = (/** @type {string} */ first) => `${first.padEnd(width)}  ${rest[row]}`;
    return id.length > width ? [id, line('')] : [line(id)];
  });
}

/** @param {string[]} texts */
const widest = (texts) => texts.reduce((most, { length }) => Math.max(most, length), 0);

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
