// @ts-check
import { JobwrightError } from '../parts/errors.js';
import { describe, plainCopy } from '../parts/plain.js';
import { expressionText } from './expression.js';

/**
 * What mermaid may get to see of a text: everything else is written as a character code, so that no label is read as
 * mermaid's syntax, markdown, HTML, an icon, a link or a style.
 */
const UNSAFE = /(?<![^\W_])_|_(?![^\W_])|[^-\w\p{L}\p{M}\p{N} ,/?']/gu;

/**
 * Before these a space without width is put: where mermaid would see an icon, a formula, a new line or a list all the
 * same.
 */
const CAUGHT = /(?<=:)fa-|(?<=\$)\$|(?<=\\)n|^(?:[-*+#>]|\d+[.)])/g;

/** How much of a text is shown, in letters. */
const LONGEST = 60;

/**
 * The look of a step, by its status.
 *
 * @type {Record<string, string>}
 */
const STYLES = {
  pending: 'fill:#eee,stroke:#888,color:#222',
  waiting: 'fill:#fe9,stroke:#a70,color:#222',
  running: 'fill:#bdf,stroke:#06c,color:#222',
  done: 'fill:#bfb,stroke:#080,color:#222',
  failed: 'fill:#fbb,stroke:#c00,color:#222',
  skipped: 'fill:#fff,stroke:#888,color:#666,stroke-dasharray:4',
};

/**
 * @typedef {object} Drawing
 * @property {string[]} lines
 * @property {Record<string, string[]>} named what the steps of each status are called in it
 * @property {Record<string, any>} [states] of the job, by step id
 */

/**
 * Mermaid text of a plan, coloured by a job's progress when one is given.
 *
 * @param {unknown} plan
 * @param {unknown} [job]
 */
export function planToMermaid(plan, job) {
  const lines = ['flowchart TD'];
  /** @type {Drawing['named']} */
  const named = {};
  const states = job === undefined ? job : statesOf(job);
  drawPlan({ lines, named, states }, plainCopy(plan, 'plan'), 'plan', '');
  // At the end, since mermaid forgets the class of a subgraph that an arrow mentions later.
  for (const [status, names] of Object.entries(named)) {
    lines.push(`  classDef ${status} ${STYLES[status]}`, `  class ${names} ${status}`);
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Draws the steps of a plan, and the arrows between them.
 *
 * @param {Drawing} drawing
 * @param {any} plan
 * @param {string} path what to call the plan in errors
 * @param {string} prefix of the steps' names in the drawing; ids are never names, since mermaid has words of its own
 */
function drawPlan(drawing, plan, path, prefix) {
  const steps = plan?.steps;
  if (!Array.isArray(steps)) throw wrong(`${path}.steps`, 'a list of steps', steps);
  /** @type {Map<string, string>} */
  const names = new Map();
  for (const [index, step] of steps.entries()) {
    const at = `${path}.steps[${index}]`;
    const id = step?.id;
    if (typeof id !== 'string' || !id) throw wrong(`${at}.id`, 'a string that is not empty', id);
    if (names.has(id)) throw wrong(`${at}.id`, 'an id that no step before it has', id);
    const name = `${prefix}s${index}`;
    names.set(id, name);
    drawStep(drawing, step, at, name);
  }
  for (const index of steps.keys()) drawArrows(drawing, steps, index, names, `${path}.steps[${index}].after`);
}

/**
 * Draws the arrows that lead to a step.
 *
 * @param {Drawing} drawing
 * @param {any[]} steps
 * @param {number} index
 * @param {Map<string, string>} names in the drawing, by id
 * @param {string} at
 */
function drawArrows({ lines }, steps, index, names, at) {
  const { id, after = index > 0 ? [steps[index - 1].id] : [], when } = steps[index];
  if (!Array.isArray(after)) throw wrong(at, 'a list of step ids', after);
  for (const [place, before] of after.entries()) {
    const from = names.get(before);
    if (!from) throw wrong(`${at}[${place}]`, 'the id of a step of its plan', before);
    // A dashed arrow: what it leads to may be skipped.
    lines.push(`  ${from} ${when === undefined ? '-->' : '-.->'} ${names.get(id)}`);
  }
}

/**
 * @param {Drawing} drawing
 * @param {any} step
 * @param {string} at
 * @param {string} name
 */
function drawStep({ lines, named, states }, step, at, name) {
  const status = states && statusOf(states, step.id);
  if (status) {
    named[status] ??= [];
    named[status].push(name);
  }
  const label = [...labelOf(step), status].filter(Boolean).map(safe);
  const child = step.job?.plan;
  if (child?.steps?.length > 0) {
    // In one line, because mermaid leaves no room for more.
    lines.push(`  subgraph ${name}["${label.join(', ')}"]`, '  direction TB');
    // Its progress is the child job's, which is another job.
    drawPlan({ lines, named }, child, `${at}.job.plan`, `${name}_`);
    lines.push('  end');
  } else {
    const shape = step.job ? '[[ ]]' : step.wait ? '([ ])' : step.approve ? '{{ }}' : '[ ]';
    lines.push(`  ${name}${shape.replace(' ', () => `"${label.join('<br/>')}"`)}`);
  }
}

/**
 * What the step is, and what is special about it, a line each; some of them are nothing.
 *
 * @param {any} step
 */
function labelOf({ id, agent, job, wait, approve, ...step }) {
  const signals = [wait?.signal ?? []].flat();
  return [
    id,
    agent !== id && agent,
    job && `job ${job.plan?.name ?? ''}`,
    wait?.ms !== undefined && `wait ${timeText(wait.ms)}`,
    signals.length > 0 && `wait for ${signals.join(' or ')}`,
    wait?.timeoutMs !== undefined && `at most ${timeText(wait.timeoutMs)}`,
    approve && `approve ${approve.message ?? ''}`,
    'when' in step && `when ${expressionText(step.when)}`,
    'forEach' in step && `for each of ${expressionText(step.forEach)}`,
    step.repeat && `repeat until ${expressionText(step.repeat.until)}`,
    step.repeat && `at most ${step.repeat.max} times`,
    step.approval && 'needs approval',
    step.breakpoint && 'breakpoint',
    step.onError && `on error ${step.onError}`,
  ];
}

/**
 * A text of any kind as part of a label.
 *
 * @param {unknown} text
 */
function safe(text) {
  const line = String(text)
    .replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
  const letters = Array.from(line);
  const short = letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join('')}…` : line;
  const parted = short.replace(CAUGHT, '\u200b$&');
  return parted.replace(UNSAFE, (letter) => `#${letter.codePointAt(0)};`) || '#160;';
}

/** @param {number} ms */
function timeText(ms) {
  const units = Object.entries({ d: 86_400_000, h: 3_600_000, min: 60_000, s: 1_000 });
  const [unit, size] = units.find(([, each]) => ms >= each && ms % each === 0) ?? ['ms', 1];
  return `${ms / size} ${unit}`;
}

/**
 * @param {any} job
 * @returns {Record<string, any>}
 */
function statesOf(job) {
  if (typeof job !== 'object' || !job) throw wrong('job', 'a job', job);
  const states = job.run?.steps ?? {};
  if (typeof states !== 'object') throw wrong('job.run.steps', 'the states of steps by id', states);
  return states;
}

/**
 * @param {Record<string, any>} states
 * @param {string} id
 * @returns {string}
 */
function statusOf(states, id) {
  const status = Object.hasOwn(states, id) ? states[id]?.status : 'pending';
  if (Object.hasOwn(STYLES, status)) return status;
  throw wrong(
    `job.run.steps[${JSON.stringify(id)}].status`,
    `one of ${Object.keys(STYLES).join(', ')}`,
    status,
  );
}

/**
 * @param {string} path
 * @param {string} expected
 * @param {unknown} found
 */
function wrong(path, expected, found) {
  return new JobwrightError(`${path}: expected ${expected}; found ${describe(found)}`, {
    code: 'invalid_argument',
  });
}
