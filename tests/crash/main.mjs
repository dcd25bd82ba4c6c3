// @ts-check
/** The crash test as a program: `npm run crash`. */
import { parseArgs } from 'node:util';
import { crashTest } from './driver.mjs';
import { KINDS } from './places.mjs';
import { describeRun } from './report.mjs';

const HELP = `Kills workers, and restarts the server of their store, until all their jobs have ended; then checks that nothing was lost
and nothing was done twice.

  npm run crash -- [options]

  --store NAME    ${Object.keys(KINDS).join(', ')} (default: one after the other)
  --jobs N        of 20 steps, on each store (default: 1000)
  --kills N       of workers, on all stores together (default: 5000)
  --restarts N    of a store's server, where it has one (default: 40)
  --workers N     side by side (default: 3)
  --seed N        draws the jobs and the moments of the kills (default: another each time)
  --log           shows what the workers logged last

Exit codes: 0 all is as it has to be; 1 it is not.
`;

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    jobs: { type: 'string', default: '1000' },
    kills: { type: 'string', default: '5000' },
    restarts: { type: 'string', default: '40' },
    workers: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    log: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/**
 * @param {'jobs' | 'kills' | 'restarts' | 'workers' | 'seed'} name
 * @param {number} least
 */
function whole(name, least) {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(
    `--${name}: expected a whole number of at least ${least}, found ${JSON.stringify(values[name])}`,
  );
  process.exit(1);
}

if (values.help) {
  console.log(HELP);
} else {
  // An end in order, so that what this process started ends with it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));
  const kinds = values.store === undefined ? Object.keys(KINDS) : [values.store];
  if (!kinds.every((kind) => Object.hasOwn(KINDS, kind))) {
    console.error(
      `--store: expected ${Object.keys(KINDS).join(' or ')}, found ${JSON.stringify(values.store)}`,
    );
    process.exit(1);
  }
  const given = {
    jobs: whole('jobs', 2),
    kills: Math.ceil(whole('kills', 1) / kinds.length),
    restarts: whole('restarts', 0),
    workers: whole('workers', 1),
    seed: whole('seed', 0),
  };
  for (const kind of kinds) {
    const run = await crashTest({ kind, ...given, report: console.log });
    console.log(describeRun(run));
    if (values.log) for (const line of run.logged) console.log(line.slice(0, 300));
    if (run.problems.length > 0) process.exitCode = 1;
  }
}
