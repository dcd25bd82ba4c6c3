// @ts-check
/** Reads what is left when all jobs have ended, and has it checked. */
import { join } from 'node:path';
import { importPackage } from '../package/installed.mjs';
import { checkBudget, checkCommits, checkJob, checkLedger, commitsOf } from './checks.mjs';
import { budgetOf, callsOf, ROOT, spentBy, treeOf } from './jobs.mjs';
import { readLedger, readPages } from './ledger.mjs';

/** Every so-manieth job is exported, and its file verified. */
const EXPORTED = 5;

/** @param {import('./driver.mjs').World} world */
export async function inspect(world) {
  const { orchestrator, jobs, folder, fleet } = world;
  // What was committed as ended and not settled before a crash.
  const { resumed } = await orchestrator.recover();
  const problems = resumed.map((/** @type {string} */ id) => `${id}: is still running`);
  for (const ended of [await orchestrator.startJob(ROOT), await orchestrator.completeJob(ROOT)]) {
    if (!ended.success) problems.push(`${ROOT}: ${ended.error}`);
  }
  const trees = jobs.flatMap(treeOf);
  const commits = [];
  const stored = [];
  for (const expected of trees) {
    const job = await orchestrator.getJob(expected.id);
    problems.push(...checkJob(job, expected));
    if (job === null) continue;
    commits.push(...commitsOf(job));
    stored.push(job.id);
  }
  problems.push(...(await checkList(world, trees)));
  const committed = checkCommits(commits, jobs);
  const ledger = readLedger(readPages(join(folder, 'ledger')), fleet.killed);
  const calls = checkLedger(
    ledger,
    commits,
    jobs.flatMap(({ id, plan }) => callsOf(id, plan)),
  );
  problems.push(...committed.problems, ...calls.problems, ...(await checkBudgets(world)));
  const replays = await checkReplays(world, stored);
  problems.push(...replays.problems);
  return {
    problems,
    commits: commits.length,
    duplicateCommits: committed.duplicates,
    agentCalls: ledger.entries.length,
    duplicateCalls: calls.duplicates,
    torn: ledger.torn,
    replayed: replays.replayed,
    exported: replays.exported,
  };
}

/**
 * @param {import('./driver.mjs').World} world
 * @param {{ id: string }[]} expected
 */
async function checkList({ orchestrator }, expected) {
  const wanted = new Set([ROOT, ...expected.map(({ id }) => id)]);
  /** @type {{ id: string }[]} */
  const heads = await orchestrator.listJobs();
  const surplus = heads
    .filter(({ id }) => !wanted.delete(id))
    .map(({ id }) => `${id}: is stored twice, or was never made`);
  return [...surplus, ...[...wanted].map((id) => `${id}: is not listed`)];
}

/** @param {import('./driver.mjs').World} world */
async function checkBudgets({ budgets, jobs }) {
  const spent = jobs.reduce((sum, job) => sum + spentBy(job), 0);
  const limit = jobs.reduce((sum, job) => sum + budgetOf(job), 0);
  const problems = checkBudget(ROOT, await budgets.getBudget(ROOT), { spent, limit });
  for (const job of jobs.filter(({ hasBudget }) => hasBudget)) {
    problems.push(...checkBudget(job.id, await budgets.getBudget(job.id), { spent: spentBy(job) }));
  }
  return problems;
}

/**
 * @param {import('./driver.mjs').World} world
 * @param {string[]} ids
 */
async function checkReplays({ orchestrator }, ids) {
  const { verifyRun } = await importPackage();
  const problems = [];
  let exported = 0;
  for (const [number, id] of ids.entries()) {
    const results = { replayed: await orchestrator.replayJob(id), exported: { ok: true } };
    if (number % EXPORTED === 0) {
      results.exported = await verifyRun(orchestrator.exportJob(id));
      exported += 1;
    }
    for (const [how, result] of Object.entries(results)) {
      if (!result.ok)
        problems.push(`${id}: ${how}, it is not what is decided: ${JSON.stringify(result).slice(0, 600)}`);
    }
  }
  return { problems, replayed: ids.length, exported };
}
