// @ts-check
/** One contender at one workload, in a process of its own. */

/** @typedef {import('./run.mjs').Workload} Workload */

const task = JSON.parse(process.argv[2] ?? '');
const { workloads } = await import(task.file);
const workload = /** @type {Workload} */ (
  workloads.find((/** @type {Workload} */ { name }) => name === task.workload)
);
// Timers of libraries may keep no process alive.
setInterval(() => {}, 1_000);
const { contender, rounds, sizes, url } = task;
const figures = await workload.measure({ contender, rounds, sizes, url });
// What a contender leaves open keeps no process alive. Started by hand, as for a profile, it prints its figures.
if (process.send) process.send(figures, () => process.exit());
else process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
