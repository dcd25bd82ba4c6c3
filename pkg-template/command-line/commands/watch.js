// @ts-check
import { createBoard } from '../board.js';
import { EXIT } from '../failure.js';
import { onInterrupt } from '../interrupts.js';
import { approveCommand, findJob, hasEnded, loadJob, requestsOf, standing } from '../jobs.js';
import { argument } from '../program.js';
import { createProgress } from '../progress.js';
import { plain } from '../text.js';
import { watchAll } from './watch-all.js';

/** @type {import('../program.js').Command} */
export const watch = {
  name: 'watch',
  takes: '[job]',
  about:
    'Follows a job until it ends, whichever process runs it: bars at a terminal, elsewhere a line for each event. Without a job, all that have not ended.',
  example: 'watch 3f2a --store jobs.db',
  async work(desk) {
    if (desk.args[0] === undefined) return watchAll(desk);
    const { terminal } = desk;
    const session = await desk.open();
    const { opened } = session;
    const jobId = await findJob(opened, argument(desk, 0));
    const interrupt = onInterrupt({ first: () => {}, second: () => {} });
    const board = terminal.rewrites ? await createBoard(terminal, session, jobId) : null;
    try {
      await follow(desk, session, jobId, board, interrupt.signal);
    } finally {
      board?.end();
      interrupt.ignore();
    }
    const job = await loadJob(opened, jobId);
    const { status, run: { failure } = {} } = job;
    desk.answer({ result: { jobId, status, failure } }, () => [`Job ${plain(jobId)} ${standing(job)}`]);
    if (status === 'failed') {
      terminal.error(failure?.code ?? 'failed', `The job failed: ${failure?.message ?? ''}`);
      return EXIT.failed;
    }
    if (hasEnded(job)) return EXIT.ok;
    terminal.note('Not watching any more; the job is as it was.');
    return EXIT.interrupted;
  },
};

/**
 * @param {import('../program.js').Desk} desk
 * @param {import('../program.js').Session} session
 * @param {string} jobId
 * @param {Awaited<ReturnType<typeof createBoard>> | null} board
 * @param {AbortSignal} signal
 */
async function follow({ terminal }, { orchestrator, opened, store }, jobId, board, signal) {
  const show = createProgress(terminal, jobId);
  // The board has read what happened before, and goes on from there.
  for await (const event of orchestrator.events(jobId, { after: board?.seq ?? 0, signal })) {
    if (terminal.forProgram) terminal.json({ event });
    else if (board !== null) board.tell(event);
    else {
      const line = show(event);
      if (line !== null) terminal.line(line);
    }
    if (event.type !== 'job_paused' || terminal.forProgram) continue;
    const next = approveCommand(await requestsOf(store, jobId), opened.flag);
    if (next !== undefined) terminal.note(`It waits for approval: ${next}`);
  }
}
