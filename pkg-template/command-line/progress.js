// @ts-check
/** What happens to a job, a line for each event that people want to know of. */
import { duration, inline, plain } from './text.js';

/**
 * @typedef {{ type: string, payload: any, meta?: { timestamp: number } }} Told an event of the bus or of a history
 * @typedef {import('./terminal.js').Terminal} Terminal
 */

/**
 * The name of a step, behind the jobs that it is in: `pack:label`, `files[3]`.
 *
 * @param {string} root the job that is followed
 * @param {{ jobId?: string, step?: string, item?: number }} payload
 */
export function stepName(root, { jobId = root, step = '', item }) {
  const below = jobId.startsWith(`${root}:`) ? `${jobId.slice(root.length + 1)}:` : '';
  return plain(`${below}${step}${item === undefined ? '' : `[${item}]`}`, 60);
}

/**
 * @param {Terminal} terminal
 * @param {string} root the job that is followed
 * @returns {(event: Told) => string | null} null where there is nothing to say
 */
export function createProgress(terminal, root) {
  /** @type {Map<string, number>} when steps began, by name */
  const since = new Map();
  const at = (/** @type {Told} */ { meta }) => meta?.timestamp ?? Date.now();

  /** @param {string} mark @param {import('./terminal.js').Colour} colour @param {string} name @param {string} [more] */
  const line = (mark, colour, name, more = '') =>
    `${terminal.paint(mark, colour)} ${name}${more === '' ? '' : `  ${more}`}`;

  /** @param {Told} event @param {string} name */
  function time(event, name) {
    const began = since.get(name);
    return began === undefined ? '' : terminal.paint(`(${duration(at(event) - began)})`, 'dim');
  }

  /** @type {Record<string, (event: Told, name: string) => string | null>} */
  const lines = {
    step_started(event, name) {
      const { agent, attempt = 0 } = event.payload;
      since.set(name, at(event));
      const words = [
        'running',
        agent === undefined ? '' : plain(agent, 60),
        attempt > 1 ? `attempt ${attempt}` : '',
      ];
      return line('▸', 'cyan', name, words.filter(Boolean).join(', '));
    },
    step_completed: (event, name) => line('✔', 'green', name, ['done', time(event, name)].join(' ').trim()),
    step_failed(event, name) {
      const { error, retryAt } = event.payload;
      const message = plain(error?.message ?? 'failed');
      if (retryAt === undefined) return line('✘', 'red', name, `failed: ${message}`);
      return line('!', 'yellow', name, `${message}; trying again in ${duration(retryAt - at(event))}`);
    },
    step_skipped: (_, name) => line('-', 'dim', name, 'skipped'),
    step_recovered: (_, name) => line('▸', 'cyan', name, 'was cut off, and runs again'),
    step_approved: ({ payload: { by, note } }, name) =>
      line('✔', 'green', name, `approved${person(by)}${note === undefined ? '' : `: ${plain(note)}`}`),
    step_rejected: ({ payload: { by, reason } }, name) =>
      line('✘', 'red', name, `rejected${person(by)}${reason === undefined ? '' : `: ${plain(reason)}`}`),
    approval_requested: ({ payload: { tool, args } }, name) =>
      line(
        '?',
        'yellow',
        name,
        tool === undefined ? 'needs approval' : `asks to call ${plain(tool)} ${inline(args, 100)}`,
      ),
    round_completed: ({ payload: { round } }, name) => line('✔', 'green', name, `round ${round} done`),
    signal_received: ({ payload: { name } }) => line('▸', 'cyan', `signal ${plain(name, 60)}`, 'received'),
    job_paused: ({ payload: { jobId, reason } }) =>
      jobId === root ? line('!', 'yellow', 'paused', reason === undefined ? '' : plain(reason)) : null,
  };
  lines.item_failed = /** @type {any} */ (lines.step_failed);

  return (event) => {
    const payload = typeof event.payload === 'object' && event.payload !== null ? event.payload : {};
    const show = Object.hasOwn(lines, event.type) ? lines[event.type] : undefined;
    if (show === undefined || !isOf(root, payload.jobId)) return null;
    return show({ ...event, payload }, stepName(root, payload));
  };
}

/** @param {unknown} by */
const person = (by) => (by === undefined || by === 'unknown' ? '' : ` by ${plain(by, 60)}`);

/**
 * @param {string} root
 * @param {unknown} jobId
 */
export const isOf = (root, jobId) =>
  jobId === undefined || jobId === root || (typeof jobId === 'string' && jobId.startsWith(`${root}:`));
