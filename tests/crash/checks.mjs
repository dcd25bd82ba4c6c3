// @ts-check
/** What has to be so when all jobs have ended. Each check gives sentences that say what is not. */
import { costOf } from './app/costs.mjs';
import { callsOf } from './jobs.mjs';

/**
 * @typedef {import('../../pkg-template/index.js').Job} Job
 * @typedef {import('../../pkg-template/index.js').Plan} Plan
 * @typedef {import('./ledger.mjs').Ledger} Ledger
 *
 * @typedef {object} Commit of what an agent answered
 * @property {string} key
 * @property {string} receipt
 * @property {number} cost
 *
 * @typedef {{ limit: number, spent: number, reserved: number } | null} Budget
 */

/** What a history has for each call, by the kind of step; a round's is in its own event, not in the step's. */
const ANSWERS = new Set(['step_completed', 'item_completed', 'round_completed']);

/**
 * @param {Job} job
 * @returns {Commit[]}
 */
export function commitsOf({ id, history, run }) {
  const steps = new Map((run?.plan?.steps ?? []).map((step) => [step.id, step]));
  return history.flatMap(({ type, payload }) => {
    const { step, item, round, output, cost = 0 } = /** @type {any} */ (payload);
    const { agent, forEach, repeat } = steps.get(step) ?? {};
    if (!ANSWERS.has(type) || !agent) return [];
    // The end of a step that was items or rounds holds no answer of its own.
    if (type === 'step_completed' && (forEach || repeat)) return [];
    const key = [id, step, item ?? round].filter((part) => part !== undefined).join(':');
    return { key, receipt: output?.receipt, cost };
  });
}

/**
 * @param {Job | null} job
 * @param {{ id: string, plan: Plan }} expected
 */
export function checkJob(job, { id, plan }) {
  if (job === null) return [`${id}: is not stored`];
  const { status, history, run } = job;
  if (status !== 'completed') {
    return [`${id}: is ${status}, not completed: ${JSON.stringify(run?.failure ?? run?.pause ?? null)}`];
  }
  const problems = [];
  const gap = history.findIndex(({ seq }, place) => seq !== place + 1);
  if (gap >= 0) problems.push(`${id}: event ${gap + 1} has number ${history[gap]?.seq}`);
  if (run?.seq !== history.length)
    problems.push(`${id}: ${history.length} events, and run.seq is ${run?.seq}`);
  for (const type of ['job_created', 'job_completed']) {
    const count = history.filter((event) => event.type === type).length;
    if (count !== 1) problems.push(`${id}: ${count} events ${type}`);
  }
  // Whoever comes back late, and finds that others have ended the job, notes that and nothing else.
  const end = history.findLastIndex(({ type }) => type !== 'late_result_dropped');
  if (history[end]?.type !== 'job_completed')
    problems.push(`${id}: goes on after its end: ${history[end]?.type}`);
  return [...problems, ...plan.steps.flatMap((step) => checkStep(job, step.id))];
}

/**
 * @param {Job} job
 * @param {string} step
 */
function checkStep({ id, history, run, context }, step) {
  const problems = [];
  const ends = history.filter(({ type, payload }) => {
    return type === 'step_completed' && /** @type {any} */ (payload).step === step;
  });
  if (ends.length !== 1) problems.push(`${id}:${step}: committed ${ends.length} times`);
  const { status } = run?.steps?.[step] ?? {};
  if (status !== 'done') problems.push(`${id}:${step}: is ${status}`);
  const output = /** @type {any} */ (ends.at(-1)?.payload)?.output;
  if (output !== undefined && JSON.stringify(context[step]) !== JSON.stringify(output)) {
    problems.push(`${id}:${step}: the context holds what was not committed`);
  }
  return problems;
}

/**
 * Each call was committed once, and at its cost.
 *
 * @param {Commit[]} commits
 * @param {{ id: string, plan: Plan }[]} jobs without children
 */
export function checkCommits(commits, jobs) {
  const expected = new Set(jobs.flatMap(({ id, plan }) => callsOf(id, plan).map(({ key }) => key)));
  const byKey = groupByKey(commits);
  const problems = [];
  let duplicates = 0;
  for (const key of expected) if (!byKey.has(key)) problems.push(`${key}: was never committed`);
  for (const [key, found] of byKey) {
    if (!expected.has(key)) problems.push(`${key}: was committed, and is no step`);
    if (found.length > 1) problems.push(`${key}: was committed ${found.length} times`);
    duplicates += found.length - 1;
    for (const { cost } of found) {
      if (cost !== costOf(key)) problems.push(`${key}: was committed at ${cost}, and costs ${costOf(key)}`);
    }
  }
  return { problems, duplicates };
}

/** @template {{ key: string }} T @param {T[]} list */
function groupByKey(list) {
  /** @type {Map<string, T[]>} */
  const groups = new Map();
  for (const each of list) groups.set(each.key, [...(groups.get(each.key) ?? []), each]);
  return groups;
}

/**
 * What was committed is what an agent did under that key, and agents did nothing else.
 *
 * @param {Ledger} ledger
 * @param {Commit[]} commits
 * @param {import('./jobs.mjs').Call[]} calls
 */
export function checkLedger({ entries, problems: found }, commits, calls) {
  const problems = [...found];
  const attempts = new Map(calls.map(({ key, attempts }) => [key, attempts]));
  const keys = new Map(entries.map(({ receipt, key }) => [receipt, key]));
  const seen = new Set(entries.map(({ key, attempt }) => `${key} ${attempt}`));
  for (const { receipt, key, attempt } of entries) {
    const most = attempts.get(key);
    if (most === undefined) problems.push(`${receipt}: the key ${key} belongs to no step`);
    else if (attempt > most) problems.push(`${receipt}: attempt ${attempt} at ${key}, which takes ${most}`);
  }
  for (const [key, most] of attempts) {
    for (let attempt = 1; attempt <= most; attempt++) {
      if (!seen.has(`${key} ${attempt}`)) problems.push(`${key}: attempt ${attempt} is not in the ledger`);
    }
  }
  for (const { key, receipt } of commits) {
    if (keys.get(receipt) !== key)
      problems.push(`${key}: was committed with the receipt ${receipt}, of ${keys.get(receipt)}`);
  }
  return { problems, duplicates: entries.length - seen.size };
}

/**
 * @param {string} scope
 * @param {Budget} budget
 * @param {{ spent: number, limit?: number }} expected
 */
export function checkBudget(scope, budget, { spent, limit }) {
  if (budget === null) return [`budget of ${scope}: there is none`];
  const problems = [];
  if (budget.spent !== spent) problems.push(`budget of ${scope}: ${budget.spent} spent, not ${spent}`);
  if (budget.reserved !== 0) problems.push(`budget of ${scope}: ${budget.reserved} still reserved`);
  if (budget.spent > budget.limit)
    problems.push(`budget of ${scope}: spent ${budget.spent} of ${budget.limit}`);
  if (limit !== undefined && budget.limit !== limit) {
    problems.push(`budget of ${scope}: the limit is ${budget.limit}, not ${limit}`);
  }
  return problems;
}
