// @ts-check
/** What the audit was asked to do. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Failure } from './failure.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const repository = dirname(dirname(here));

/** The longest that a timer can wait. */
const LONGEST_WAIT = 2 ** 31 - 1;

export const EXIT = { ok: 0, denied: 1, usage: 2, waiting: 3, failed: 4, interrupted: 130 };

export const HELP = `Audits the licences of a project's crates and npm packages, as a job of jobwright.

  npm start -- [options]

  --project DIR   what to audit (default: this repository)
  --policy FILE   which licences are allowed, need a review, or are denied
                  (default: policy.json beside this program)
  --report FILE   where the report goes (default: license-audit.md in the current directory)
  --store FILE    where jobs are kept (default: .cache/license-audit.db in the current directory)
  --budget N      how many tool calls the audit may make (default: 100000)
  --slow MS       wait before each step, to watch it or to stop it
  --yes           approve what needs a review, without asking
  --help          show this

Stopped in the middle, by Ctrl-C or otherwise, and started again with the same project, policy and
report, it goes on with the step that was running. The first Ctrl-C lets that step finish, a second
one doesn't wait.

Exit codes: 0 nothing is denied and what needed a review was approved; 1 a package is denied (the
report is written); 2 the audit could not begin; 3 it waits for approval or for a larger budget, and
goes on when started again; 4 it failed, or a person refused approval; 130 it was stopped.
`;

const OPTIONS = /** @type {const} */ ({
  project: { type: 'string' },
  policy: { type: 'string' },
  report: { type: 'string' },
  store: { type: 'string' },
  budget: { type: 'string' },
  slow: { type: 'string' },
  yes: { type: 'boolean' },
  help: { type: 'boolean' },
});

/**
 * @typedef {object} Settings
 * @property {string} project
 * @property {string} policy
 * @property {string} report
 * @property {string} store
 * @property {number} budget
 * @property {number} slow
 * @property {boolean} yes
 */

/**
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Settings | 'help'}
 */
export function readOptions(args, cwd) {
  const given = parse(args);
  if (given.help) return 'help';
  const settings = {
    project: resolve(cwd, given.project ?? repository),
    policy: resolve(cwd, given.policy ?? join(here, 'policy.json')),
    report: resolve(cwd, given.report ?? 'license-audit.md'),
    store: resolve(cwd, given.store ?? '.cache/license-audit.db'),
    budget: wholeNumber('--budget', given.budget, 100_000, Number.MAX_SAFE_INTEGER),
    slow: wholeNumber('--slow', given.slow, 0, LONGEST_WAIT),
    yes: given.yes ?? false,
  };
  if (kindOf(settings.project) !== 'directory')
    throw new Failure(`The project ${settings.project} is not a directory.`);
  if (kindOf(settings.report) === 'directory')
    throw new Failure(`The report ${settings.report} is a directory.`);
  if (kindOf(dirname(settings.report)) !== 'directory') {
    throw new Failure(`The report can't be written: ${dirname(settings.report)} is not a directory.`);
  }
  return settings;
}

/** @param {string[]} args */
function parse(args) {
  try {
    return parseArgs({ args, options: OPTIONS }).values;
  } catch (error) {
    // The first sentence says what is wrong; the others advise on things this program hasn't.
    const [what] = /** @type {Error} */ (error).message.split(/\.?\n|\. /);
    const words = what?.replace('argument is ambiguous', "needs a value that does not begin with '-'");
    throw new Failure(`${words}; --help shows the options.`);
  }
}

/**
 * @param {string} name
 * @param {string | undefined} given
 * @param {number} otherwise
 * @param {number} most
 */
function wholeNumber(name, given, otherwise, most) {
  if (given === undefined) return otherwise;
  const number = /^\d+$/.test(given) ? Number(given) : Number.NaN;
  if (!(number <= most))
    throw new Failure(`${name} must be a whole number from 0 to ${most}; found ${JSON.stringify(given)}.`);
  return number;
}

/** @param {string} path */
function kindOf(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() ? 'directory' : found === undefined ? 'nothing' : 'file';
}
