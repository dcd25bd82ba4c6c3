// @ts-check
/** What can be said of a plan without running it. */
import { simulatePlan, validatePlan } from 'jobwright';
import { EXIT, Failure } from '../failure.js';
import { loadPlan, needsOf, readPlan } from '../modules.js';
import { argument } from '../program.js';
import { count, plain, quoted, table } from '../text.js';

/** @typedef {import('../program.js').Command} Command */

/** @type {Command} */
export const validate = {
  name: 'validate',
  takes: '<plan>',
  about: 'Checks a plan and names everything that is wrong with it.',
  example: 'validate plan.json',
  withoutStore: true,
  async work(desk) {
    const file = argument(desk, 0);
    const errors = await problemsOf(file);
    desk.answer({ valid: errors.length === 0, errors }, () =>
      errors.length === 0
        ? [`${plain(file)}: no problems`]
        : errors.map(
            ({ path, message }) =>
              `${plain(file)}: ${path === '' ? '' : `${plain(path)}: `}${plain(message, 500)}`,
          ),
    );
    return errors.length === 0 ? EXIT.ok : EXIT.check;
  },
};

/**
 * @param {string} file
 * @returns {Promise<import('jobwright').PlanProblem[]>}
 */
async function problemsOf(file) {
  try {
    const checked = validatePlan(await readPlan(file));
    return checked.success ? [] : checked.errors;
  } catch (error) {
    if (error instanceof Failure && error.code === 'invalid_json')
      return [{ path: '', message: error.message }];
    throw error;
  }
}

/** @type {Command} */
export const simulate = {
  name: 'simulate',
  takes: '<plan>',
  about:
    'Says what a plan can take and ask for, without running it: steps, cost, approvals, what is refused.',
  example: 'simulate plan.json --budget 500 --allow-tools',
  options: [
    ['--budget <n>', 'what the job may spend; default: no limit'],
    ['--max-steps <n>', 'how many steps may run; default: as many as the plan has, at least 10'],
    ['--allow-tools', 'the job may call tools, as with "run --tools"'],
    ['--require-approval', 'a person approves every step'],
  ],
  withoutStore: true,
  async work(desk) {
    const { options } = desk;
    const plan = await loadPlan(argument(desk, 0));
    const permissions = {
      allowTools: options.allowTools === true,
      requireApproval: options.requireApproval === true,
      maxSteps: numberOf('--max-steps', options.maxSteps) ?? Math.max(10, needsOf(plan).steps),
    };
    const budget = numberOf('--budget', options.budget);
    const simulated = simulatePlan(plan, { permissions, ...(budget === undefined ? {} : { budget }) });
    desk.answer(simulated, () => lines(simulated));
    return simulated.refused.length === 0 ? EXIT.ok : EXIT.check;
  },
};

/**
 * @param {string} name
 * @param {string | undefined} given
 */
function numberOf(name, given) {
  if (given === undefined) return undefined;
  const number = given.trim() === '' ? Number.NaN : Number(given);
  if (Number.isFinite(number) && number >= 0) return number;
  throw new Failure('invalid_argument', `${name}: expected a number of at least 0; found ${quoted(given)}.`);
}

/** @param {import('jobwright').PlanSimulation} simulated */
function lines({ steps, cost, approvals, refused }) {
  const between = (/** @type {import('jobwright').Bounds} */ { min, max }) =>
    min === max ? `${min}` : `${min} to ${max}`;
  return [
    ...table([
      ['Steps', between(steps)],
      ['Cost', between(cost)],
      ['Approvals', approvals.length === 0 ? 'none' : approvals.map((id) => plain(id, 60)).join(', ')],
    ]),
    ...(refused.length === 0 ? [] : [`${count(refused.length, 'step')} would be refused or never run:`]),
    ...refused.map(({ step, code, message }) => `  ${plain(step, 60)}: ${plain(message)} [${plain(code)}]`),
  ];
}
