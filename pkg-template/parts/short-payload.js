// @ts-check

/**
 * What most events of steps say, without the names: `[step, agent, attempt, status]` and, where it gave one, the output. They
 * would be half of the event.
 *
 * @typedef {{ step: string, item?: number, attempt: number, status: string, output?: any }} StepPayload of an event of a step
 */

const NAMES = ['jobId', 'step', 'agent', 'attempt', 'status'];

/**
 * @param {import('./noted-event.js').NotedEvent} event
 * @returns {any[] | null} null where it says anything else
 */
export function shortPayload({ payload, more }) {
  if (!hasOnly(payload, NAMES)) return null;
  const { step, agent, attempt, status } = payload;
  if (more === null) return [step, agent, attempt, status];
  return hasOnly(more, OUTPUT) ? [step, agent, attempt, status, more.output] : null;
}

const OUTPUT = ['output'];

/**
 * Has it these members, in this order, and no others?
 *
 * @param {any} object
 * @param {string[]} names
 */
function hasOnly(object, names) {
  let count = 0;
  for (const name in object) {
    if (name !== names[count] || object[name] === undefined) return false;
    count += 1;
  }
  return count === names.length;
}

/**
 * A payload as it was, but for the job's id.
 *
 * @param {any} written a short one or a whole one
 * @returns {any}
 */
export function wholePayload(written) {
  if (!Array.isArray(written)) return written;
  const [step, agent, attempt, status] = written;
  const payload = { step, agent, attempt, status };
  return written.length === 4 ? payload : { ...payload, output: written[4] };
}
