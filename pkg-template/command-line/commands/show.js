// @ts-check
import { EXIT } from '../failure.js';
import { approveCommand, costOf, findJob, hasEnded, loadJob, requestsOf, standing } from '../jobs.js';
import { argument } from '../program.js';
import { contextLines } from '../running.js';
import { duration, inline, moment, plain, table } from '../text.js';

/** @typedef {import('jobwright').Job} Job */

/** @type {import('../program.js').Command} */
export const show = {
  name: 'show',
  takes: '<job>',
  about: 'Shows a job: its steps, what waits for approval, its context.',
  example: 'show 3f2a --store jobs.db --history',
  options: [['--history', 'each event, too']],
  async work(desk) {
    const { opened, store, orchestrator } = await desk.open();
    const jobId = await findJob(opened, argument(desk, 0));
    // The orchestrator also says how far the items of a list are.
    const job = (await orchestrator.getJob(jobId)) ?? (await loadJob(opened, jobId));
    const waiting = await requestsOf(store, job.id);
    desk.answer({ job }, () => [
      ...headLines(job),
      ...waiting.map(({ request }) => `Waits       ${waitingFor(request)}`),
      ...(waiting.length > 0 ? [`Answer      ${approveCommand(waiting, opened.flag)}`] : []),
      ...stepLines(job),
      ...(Object.keys(job.context).length > 0 ? ['', 'Context', ...contextLines(job)] : []),
      ...(desk.options.history ? ['', 'History', ...historyLines(job)] : []),
    ]);
    return EXIT.ok;
  },
};

/** @param {Job} job */
function headLines(job) {
  const { id, timing, run, type, parentId } = job;
  const { name, version } = run?.plan ?? {};
  const lines = [
    ['Job', plain(id)],
    ['Status', standing(job)],
    [
      'Plan',
      [name, version]
        .filter((word) => word !== undefined)
        .map((word) => plain(word, 80))
        .join(', version '),
    ],
    ['Type', plain(type ?? '')],
    ['Parent', plain(parentId ?? '')],
    ['Created', moment(timing.created)],
    ['Started', timing.started === undefined ? '' : moment(timing.started)],
    ['Ended', timing.completed === undefined ? '' : moment(timing.completed)],
    ['Cost', String(costOf(job) || '')],
    ['Fork of', run?.forkedFrom === undefined ? '' : plain(run.forkedFrom.jobId)],
    [
      'Failure',
      run?.failure === undefined
        ? ''
        : `${run.failure.step === undefined ? '' : `${plain(run.failure.step)}: `}${plain(run.failure.message)}`,
    ],
  ];
  return lines
    .filter(([, value]) => value !== '')
    .map(([word = '', value]) => `${word.padEnd(10)}  ${value}`);
}

/** @param {import('jobwright').ApprovalRequest} request */
const waitingFor = ({ step, tool, args }) =>
  tool === undefined ? plain(step) : `${plain(step)} calls ${plain(tool)} ${inline(args, 100)}`;

/** @param {Job} job */
function stepLines({ status: job, run }) {
  const states = run?.steps ?? {};
  const named = run?.plan?.steps.map(({ id }) => id) ?? [];
  const ids = [...named, ...Object.keys(states).filter((id) => !named.includes(id) && !/\[\d+\]$/.test(id))];
  if (ids.length === 0) return [];
  const rows = ids.map((id) => {
    const {
      status = 'pending',
      attempts = 0,
      startedAt,
      finishedAt,
      error,
      fanOut,
      items,
    } = states[id] ?? {};
    const time = startedAt !== undefined && finishedAt !== undefined ? duration(finishedAt - startedAt) : '';
    const done = Object.values(items ?? {}).filter((item) => item === 'done').length;
    const note =
      error !== undefined
        ? plain(error.message)
        : fanOut !== undefined
          ? `${done}/${fanOut.count} items`
          : '';
    // What has not begun when its job ends never will.
    const isOver = hasEnded({ status: job }) && (status === 'pending' || status === 'waiting');
    return [
      `  ${plain(id, 60)}`,
      isOver ? 'not run' : status,
      attempts > 1 ? `${attempts} attempts` : '',
      time,
      note,
    ];
  });
  return ['', 'Steps', ...table(rows)];
}

/** @param {Job} job */
const historyLines = ({ history }) =>
  history.map(({ seq, type, payload, meta }) => {
    const { jobId: _, ...rest } = /** @type {Record<string, unknown>} */ (payload ?? {});
    return `  ${String(seq).padStart(4)}  ${moment(meta.timestamp)}  ${plain(type, 60)}  ${inline(rest, 200)}`;
  });
