// @ts-check
/** What is done to one job, whoever runs it: it hears of it through the store. */
import { EXIT, granted } from '../failure.js';
import { findJob } from '../jobs.js';
import { readValue } from '../modules.js';
import { argument } from '../program.js';
import { count, plain, quoted } from '../text.js';

/** @typedef {import('../program.js').Command} Command */

/** @type {Command} */
export const pause = {
  name: 'pause',
  takes: '<job>',
  about: 'Pauses a running job, whichever process runs it: steps at work finish, and no further one begins.',
  example: 'pause 3f2a --store jobs.db',
  async work(desk) {
    const { opened, orchestrator } = await desk.open();
    const jobId = await findJob(opened, argument(desk, 0));
    granted(await orchestrator.pauseJob(jobId), `Job ${quoted(jobId)} was not paused`);
    desk.answer({ jobId, status: 'paused' }, () => [`Paused ${plain(jobId)}.`]);
    return EXIT.ok;
  },
};

/** @type {Command} */
export const cancel = {
  name: 'cancel',
  takes: '<job>',
  about: 'Ends a job and all its children for good.',
  example: "cancel 3f2a --store jobs.db --reason 'not needed any more'",
  options: [['--reason <text>', 'why; recorded']],
  async work(desk) {
    const { opened, orchestrator } = await desk.open();
    const jobId = await findJob(opened, argument(desk, 0));
    const outcome = await orchestrator.cancelJob(jobId, desk.options.reason);
    const { results } = granted(outcome, `Job ${quoted(jobId)} was not cancelled`);
    const cancelled = Object.values(results).filter((result) => result === 'cancelled').length;
    const others = cancelled > 1 ? ` and ${count(cancelled - 1, 'job')} below it` : '';
    desk.answer({ jobId, results }, () => [`Cancelled ${plain(jobId)}${others}.`]);
    return EXIT.ok;
  },
};

/** @type {Command} */
export const signal = {
  name: 'signal',
  takes: '<job> <name> [payload]',
  about: 'Sends a signal to a job, with JSON (or @FILE) as its payload. It is kept until a step takes it.',
  example: 'signal 3f2a paid \'{"amount":80}\' --store jobs.db',
  async work(desk) {
    const [, name = '', given] = desk.args;
    const payload = given === undefined ? undefined : await readValue(given, 'the payload');
    const { opened, orchestrator } = await desk.open();
    const jobId = await findJob(opened, argument(desk, 0));
    granted(await orchestrator.signal(jobId, name, payload), `Job ${quoted(jobId)} was sent no signal`);
    desk.answer({ jobId, signal: name }, () => [`Sent ${quoted(name)} to ${plain(jobId)}.`]);
    return EXIT.ok;
  },
};
