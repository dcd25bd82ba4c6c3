// @ts-check
/** What is loaded when a history is first decided again: most programs never do. */
export { exportJob } from './export-job.js';
export { forkJob } from './fork-job.js';
export { replayJob } from './replay-job.js';
export { storedJob } from './stored.js';
export { verifyRun } from './verify-run.js';
