// @ts-check
/** All jobs of a store that have not ended, as they change, whichever process runs them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT } from '../failure.js';
import { onInterrupt } from '../interrupts.js';
import { hasEnded, headsOf, standing } from '../jobs.js';
import { count, duration, plain, table } from '../text.js';

/**
 * @typedef {import('jobwright').JobHead} JobHead
 * @typedef {import('../program.js').Desk} Desk
 */

/** Milliseconds between two looks into the store. */
const PACE = 500;

/**
 * Until it is interrupted: there may always be another job.
 *
 * @param {Desk} desk
 * @returns {Promise<number>}
 */
export async function watchAll(desk) {
  const { terminal } = desk;
  const { store } = await desk.open();
  const { signal, ignore } = onInterrupt({ first: () => {}, second: () => {} });
  /** @type {Map<string, string>} what was said last of each job */
  const said = new Map();
  try {
    while (!signal.aborted) {
      const live = await lookInto(store);
      const gone = await Promise.all(
        [...said.keys()].filter((id) => !live.has(id)).map((id) => store.getHead(id)),
      );
      for (const job of [...live.values(), ...gone]) if (job !== null) tell(desk, said, job);
      terminal.rewrite(block(terminal, [...live.values()]));
      await sleep(PACE, undefined, { signal }).catch(() => {});
    }
  } finally {
    ignore();
  }
  terminal.settle();
  terminal.note('Not watching any more; the jobs are as they were.');
  return EXIT.interrupted;
}

/** @param {import('../stores.js').Store} store */
async function lookInto(store) {
  /** @type {Map<string, JobHead>} */
  const live = new Map();
  for await (const head of headsOf(store, { status: ['created', 'running', 'paused'] }))
    live.set(head.id, head);
  return live;
}

/**
 * @param {Desk} desk
 * @param {Map<string, string>} said
 * @param {JobHead} job
 */
function tell({ terminal }, said, job) {
  const now = standing(job);
  if (said.get(job.id) === now) return;
  said.set(job.id, now);
  if (hasEnded(job)) said.delete(job.id);
  if (terminal.forProgram) terminal.json({ job });
  else if (!terminal.rewrites || hasEnded(job)) terminal.line(`${plain(job.id)}  ${now}`);
}

/**
 * @param {import('../terminal.js').Terminal} terminal
 * @param {JobHead[]} live
 */
function block(terminal, live) {
  const room = Math.max(1, terminal.rows() - 4);
  const width = terminal.columns() - 1;
  const rows = live.slice(0, room).map((job) => {
    const { id, timing, run } = job;
    const age = duration(Date.now() - (timing.started ?? timing.created));
    return [plain(id, 60), standing(job), count(run?.stepsTaken ?? 0, 'step'), age];
  });
  const more = live.length > room ? [`and ${live.length - room} more`] : [];
  const lines = [`${count(live.length, 'job')} not ended`, ...table(rows), ...more];
  return lines.map((line) => line.slice(0, width));
}
