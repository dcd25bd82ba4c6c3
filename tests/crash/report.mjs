// @ts-check

/** How many problems are shown. */
const SHOWN = 30;

/** @param {Awaited<ReturnType<typeof import('./driver.mjs').crashTest>>} run */
export function describeRun(run) {
  const lines = [
    `${run.kind}, seed ${run.seed}: ${run.jobs} jobs in ${run.seconds.toFixed(0)} s, ${(run.jobs / run.seconds).toFixed(2)} jobs a second`,
    `  workers: ${run.kills} killed, ${run.spawned} started, ${run.stops} stopped for longer than their leases`,
    `  ${run.leasesLost} leases lost, ${run.refused} commits refused`,
    `  server: ${run.restarts} restarts`,
    `  agents: ${run.agentCalls} calls, ${run.duplicateCalls} of them duplicates, ${run.torn} torn lines`,
    `  commits: ${run.commits} answers, ${run.duplicateCommits} duplicates`,
    `  ${run.replayed} replays, ${run.exported} exports verified`,
  ];
  const shown = run.problems.slice(0, SHOWN).map((problem) => `  PROBLEM ${problem}`);
  return [...lines, ...shown, `  ${run.problems.length} problems`].join('\n');
}
