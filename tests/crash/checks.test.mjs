/** Each check of the crash test, seen failing on what is wrong in one place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRandom } from '../differential/random.mjs';
import { createOrchestrator, jobwright } from '../differential/subject.mjs';
import { createAgents } from './app/agents.mjs';
import { checkBudget, checkCommits, checkJob, checkLedger, commitsOf } from './checks.mjs';
import { budgetOf, callsOf, countedSteps, creating, drawJob, ROOT, STEPS, spentBy, treeOf } from './jobs.mjs';
import { readLedger } from './ledger.mjs';

/** A job that has some of everything, and none to ask. */
const drawn = (() => {
  const random = createRandom(4);
  for (let number = 1; ; number++) {
    const job = { ...drawJob(number, random), hasBudget: true };
    const { steps } = job.plan;
    const kinds = ['forEach', 'repeat', 'retry', 'job'].every((kind) => steps.some((step) => kind in step));
    const asks = [...steps, ...steps.flatMap((step) => step.job?.plan.steps ?? [])].some(
      (step) => step.approve || step.approval,
    );
    if (kinds && !asks) return job;
  }
})();

/** Runs it without a crash. */
const ran = await (async () => {
  const budgets = jobwright.createBudgetManager();
  const lines = [];
  const ledger = {
    enter: async (key, attempt) => `w#${lines.push(JSON.stringify([lines.length + 1, key, attempt]))}`,
  };
  const agentRegistry = createAgents(ledger, () => {});
  const orchestrator = createOrchestrator({ budgetManager: budgets, agentRegistry });
  await orchestrator.createJob(
    {},
    { requireApproval: false, maxSteps: 1_000 },
    { id: ROOT, budget: budgetOf(drawn) },
  );
  await orchestrator.createJob(...creating(drawn));
  await orchestrator.startJob(drawn.id);
  await orchestrator.runJob(drawn.id);
  const trees = treeOf(drawn);
  const jobs = await Promise.all(trees.map(({ id }) => orchestrator.getJob(id)));
  const pages = { worker: 'w', text: `${lines.join('\n')}\n`, calls: lines.length };
  return { trees, jobs, pages, budget: await budgets.getBudget(ROOT), calls: callsOf(drawn.id, drawn.plan) };
})();

/** @param {(job: any) => void} change */
function spoiled(change) {
  const job = structuredClone(ran.jobs[0]);
  change(job);
  return checkJob(job, ran.trees[0]);
}

const commits = () => ran.jobs.flatMap(commitsOf);
const isCompletion = ({ type }) => type === 'step_completed';

/** @param {string[]} problems @param {RegExp} expected */
function found(problems, expected) {
  assert.equal(problems.length > 0, true, `nothing was found; expected ${expected}`);
  assert.match(problems.join('\n'), expected);
}

test('a plan has 20 steps, and a run without a crash has nothing wrong', () => {
  assert.equal(drawn.plan.steps.length, STEPS);
  for (const [place, job] of ran.jobs.entries()) assert.deepStrictEqual(checkJob(job, ran.trees[place]), []);
  assert.deepStrictEqual(checkCommits(commits(), [drawn]), { problems: [], duplicates: 0 });
  const ledger = readLedger([ran.pages], new Set());
  assert.deepStrictEqual(checkLedger(ledger, commits(), ran.calls), { problems: [], duplicates: 0 });
  assert.deepStrictEqual(
    checkBudget(ROOT, ran.budget, { spent: spentBy(drawn), limit: budgetOf(drawn) }),
    [],
  );
  assert.equal(ran.jobs[0].run.stepsTaken, countedSteps(drawn.plan));
});

test('what is wrong with a job', () => {
  found(checkJob(null, ran.trees[0]), /not stored/);
  found(
    spoiled((job) => Object.assign(job, { status: 'running' })),
    /is running, not completed/,
  );
  found(
    spoiled(({ history }) => history.splice(5, 1)),
    /event 6 has number 7/,
  );
  found(
    spoiled(({ history }) => history.pop()),
    /run\.seq is|0 events job_completed/,
  );
  found(
    spoiled((job) => job.history.push({ ...job.history[1], seq: job.history.length + 1 })),
    /goes on after its end/,
  );
  found(
    spoiled((job) => {
      const again = job.history.find(isCompletion);
      job.history.splice(-1, 0, again);
      for (const [place, event] of job.history.entries()) job.history[place] = { ...event, seq: place + 1 };
      job.run.seq += 1;
    }),
    /committed 2 times/,
  );
  found(
    spoiled((job) => {
      const place = job.history.findIndex(isCompletion);
      job.history[place] = { ...job.history[place], type: 'progress' };
    }),
    /committed 0 times/,
  );
  found(
    spoiled(({ run }) => Object.assign(run.steps.s3, { status: 'running' })),
    /s3: is running/,
  );
  const { step } = ran.jobs[0].history.find(isCompletion).payload;
  found(
    spoiled(({ context }) => Object.assign(context, { [step]: 'other' })),
    /holds what was not committed/,
  );
});

test('what is wrong with the commits', () => {
  const [first, ...rest] = commits();
  found(checkCommits(rest, [drawn]).problems, /was never committed/);
  const twice = checkCommits([first, first, ...rest], [drawn]);
  found(twice.problems, /was committed 2 times/);
  assert.equal(twice.duplicates, 1);
  found(checkCommits([{ ...first, key: 'job-1:none' }, first, ...rest], [drawn]).problems, /is no step/);
  found(checkCommits([{ ...first, cost: first.cost + 1 }, ...rest], [drawn]).problems, /committed at/);
});

/** @param {(lines: string[]) => void} change @param {{ isKilled?: boolean, calls?: number, torn?: string }} [more] */
function ledgerWith(change, { isKilled = false, calls = ran.pages.calls, torn = '' } = {}) {
  const lines = ran.pages.text.trimEnd().split('\n');
  change(lines);
  const text = `${lines.join('\n')}\n${torn}`;
  const ledger = readLedger([{ worker: 'w', text, calls }], new Set(isKilled ? ['w'] : []));
  return { torn: ledger.torn, ...checkLedger(ledger, commits(), ran.calls) };
}

test('what is wrong with the ledger', () => {
  const { calls } = ran.pages;
  const next = (/** @type {string} */ key, attempt = 1) => JSON.stringify([calls + 1, key, attempt]);
  const [one] = ran.calls;
  found(ledgerWith((lines) => lines.splice(2, 1)).problems, /line 3 is "\[4,/);
  found(
    ledgerWith((lines) => lines.pop(), { isKilled: true }).problems,
    /is not in the ledger|with the receipt/,
  );
  found(ledgerWith((lines) => lines.pop()).problems, /\d+ lines, \d+ calls/);
  found(ledgerWith(() => {}, { calls: calls - 1 }).problems, /\d+ lines, \d+ calls/);
  found(
    ledgerWith((lines) => lines.push(next('job-1:none')), { calls: calls + 1 }).problems,
    /belongs to no step/,
  );
  found(ledgerWith((lines) => lines.push(next('')), { calls: calls + 1 }).problems, /line \d+ is/);
  found(ledgerWith((lines) => lines.push(next(one.key, 9)), { calls: calls + 1 }).problems, /attempt 9 at/);
  found(ledgerWith(() => {}, { torn: '[99' }).problems, /is torn, and the worker was not killed/);
  found(
    ledgerWith((lines) => {
      lines[0] = lines[0].replace(one.key, 'job-1:none');
    }).problems,
    /with the receipt/,
  );
});

test('what is right with the ledger of a killed worker', () => {
  const { calls } = ran.pages;
  const again = ledgerWith((lines) => lines.push(JSON.stringify([calls + 1, ran.calls[0].key, 1])), {
    calls: calls + 1,
  });
  assert.deepStrictEqual(again, { torn: 0, problems: [], duplicates: 1 });
  const killed = { isKilled: true, calls: calls + 1 };
  assert.deepStrictEqual(
    ledgerWith(() => {}, { ...killed, torn: '[99' }),
    { torn: 1, problems: [], duplicates: 0 },
  );
  assert.deepStrictEqual(
    ledgerWith(() => {}, killed),
    { torn: 0, problems: [], duplicates: 0 },
  );
});

test('what is wrong with a budget', () => {
  const expected = { spent: spentBy(drawn), limit: budgetOf(drawn) };
  const check = (change) => checkBudget(ROOT, { ...ran.budget, ...change }, expected);
  found(checkBudget(ROOT, null, expected), /there is none/);
  found(check({ spent: expected.spent + 1 }), /spent, not/);
  found(check({ spent: expected.spent - 1 }), /spent, not/);
  found(check({ reserved: 1 }), /1 still reserved/);
  found(check({ limit: expected.spent - 1 }), /spent \d+ of \d+/);
  found(check({ limit: expected.limit + 1 }), /the limit is/);
});
