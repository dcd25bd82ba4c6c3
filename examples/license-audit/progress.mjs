// @ts-check
/** Shows the events of a job as they come. */
import { plan } from './plan.mjs';
import { duration } from './terminal.mjs';

const WIDTH = Math.max(...plan.steps.map(({ id }) => id.length));

/**
 * @param {import('./terminal.mjs').Terminal} terminal
 * @param {() => number} [now]
 */
export function createProgress(terminal, now = Date.now) {
  /** @type {Map<string, { since: number, note: string }>} */
  const running = new Map();

  /** @param {string} step @param {string} text */
  const label = (step, text) => {
    const place = plan.steps.findIndex(({ id }) => id === step) + 1;
    return `${place}/${plan.steps.length} ${step.padEnd(WIDTH)}  ${text}`.trimEnd();
  };
  const started = (/** @type {string} */ step) => running.get(step) ?? { since: now(), note: '' };

  /** @type {Record<string, (payload: any) => void>} */
  const shown = {
    step_started({ step, attempt }) {
      running.set(step, { since: now(), note: '' });
      terminal.passing(`  ${label(step, attempt > 1 ? `running, attempt ${attempt}` : 'running')}`);
    },
    audit_note({ step, text }) {
      running.set(step, { ...started(step), note: text });
    },
    audit_progress({ step, done, total }) {
      terminal.passing(`  ${label(step, `${done} of ${total}`)}`);
    },
    step_completed({ step }) {
      const { since, note } = started(step);
      const time = terminal.paint(`(${duration(now() - since)})`, 'dim');
      terminal.line(`${terminal.paint('✔', 'green')} ${label(step, note)} ${time}`);
    },
    step_failed({ step, error, retryAt }) {
      const again =
        retryAt === undefined ? '' : `, trying again in ${duration(Math.max(0, retryAt - now()))}`;
      const mark = retryAt === undefined ? terminal.paint('✘', 'red') : terminal.paint('!', 'yellow');
      terminal.line(`${mark} ${label(step, `${error?.message ?? 'failed'}${again}`)}`);
    },
    approval_requested({ step }) {
      terminal.line(`${terminal.paint('?', 'yellow')} ${label(step, 'needs a person')}`);
    },
    step_recovered({ step }) {
      terminal.line(`  ${label(step, 'was cut off and runs again')}`);
    },
  };

  /** @param {{ type: string, payload: unknown }} event */
  return ({ type, payload }) => {
    if (Object.hasOwn(shown, type)) shown[type](payload);
  };
}
