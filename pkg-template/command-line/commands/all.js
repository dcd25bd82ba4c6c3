// @ts-check
/** What is done to all jobs of a store at once. */
import { EXIT, Failure } from '../failure.js';
import { onInterrupt } from '../interrupts.js';
import { hasEnded, headsOf } from '../jobs.js';
import { count, plain } from '../text.js';

/** @typedef {import('../program.js').Command} Command */

/** @type {Command} */
export const pauseAll = {
  name: 'pause-all',
  about: 'Pauses every running job of the store, and lets none start until start-all.',
  example: 'pause-all --store jobs.db',
  async work(desk) {
    const { orchestrator } = await desk.open();
    const { paused, pending } = await orchestrator.pauseAll();
    const all = new Set([...paused, ...pending]);
    desk.answer({ paused, pending }, () => [
      `Paused ${count(all.size, 'job')}; no job starts until "jobwright start-all".`,
      ...[...all].map(
        (id) => `  ${plain(id)}${pending.includes(id) ? ', when the steps at work have ended' : ''}`,
      ),
    ]);
    return EXIT.ok;
  },
};

/** @type {Command} */
export const startAll = {
  name: 'start-all',
  about:
    'Starts what pause-all paused, and nothing else; running them is their programs\' part, or that of "start".',
  example: 'start-all --store jobs.db',
  async work(desk) {
    const { orchestrator } = await desk.open();
    const { started, refused } = await orchestrator.startAll();
    const reasons = Object.entries(refused);
    desk.answer({ started, refused }, () => [`Started ${count(started.length, 'job')}.`, ...ids(started)]);
    for (const [jobId, why] of reasons) desk.terminal.note(`Not started: ${plain(jobId)}: ${plain(why)}`);
    return reasons.length === 0 ? EXIT.ok : EXIT.refused;
  },
};

/** @type {Command} */
export const stopAll = {
  name: 'stop-all',
  about: 'Cancels every job of the store that has not ended, for good. Asks once, unless --yes is given.',
  example: "stop-all --store jobs.db --reason 'the price list was wrong' --yes",
  options: [
    ['--reason <text>', 'why; recorded'],
    ['--yes', 'do it without asking'],
  ],
  async work(desk) {
    const { options, terminal } = desk;
    const { orchestrator, store } = await desk.open();
    if (!options.yes) {
      // The question takes Ctrl-C away from the process.
      const { signal, ignore } = onInterrupt({ first() {}, second() {} });
      const meant = await isMeant(terminal, store, signal);
      ignore();
      if (!meant) {
        desk.answer({ stopped: [] }, () => ['Nothing was cancelled.']);
        return signal.aborted ? EXIT.interrupted : EXIT.refused;
      }
    }
    const { stopped } = await orchestrator.stopAll(options.reason);
    desk.answer({ stopped }, () => [`Cancelled ${count(stopped.length, 'job')}.`, ...ids(stopped)]);
    return EXIT.ok;
  },
};

/**
 * @param {import('../terminal.js').Terminal} terminal
 * @param {import('../stores.js').Store} store
 * @param {AbortSignal} signal
 */
async function isMeant(terminal, store, signal) {
  if (!terminal.isInteractive) {
    throw new Failure('usage', 'stop-all cancels every job for good: give --yes, or ask at a terminal.');
  }
  let live = 0;
  for await (const head of headsOf(store)) live += Number(!hasEnded(head));
  const question = `Cancel ${count(live, 'job')} for good? This can't be undone. [y/N] `;
  const answer = await terminal.ask(question, signal);
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}

/** @param {string[]} list */
const ids = (list) => list.map((id) => `  ${plain(id)}`);
