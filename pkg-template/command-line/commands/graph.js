// @ts-check
import { writeFileSync } from 'node:fs';
import { planToMermaid } from 'jobwright';
import { EXIT, Failure } from '../failure.js';
import { findJob, loadJob } from '../jobs.js';
import { loadPlan } from '../modules.js';
import { planToSvg } from '../svg.js';
import { plain, quoted } from '../text.js';

/** @type {import('../program.js').Command} */
export const graph = {
  name: 'graph',
  takes: '[plan]',
  about: 'Draws a plan, or with --job that of a job with the status of its steps, as Mermaid text or SVG.',
  example: 'graph plan.json --svg --out plan.svg',
  options: [
    ['--job <job>', 'the plan of this job, coloured by its progress'],
    ['--svg', 'an SVG picture; default: Mermaid text'],
    ['--out <file>', 'write it to a file'],
  ],
  async work(desk) {
    const { options, terminal } = desk;
    const { plan, job } = await subjectOf(desk);
    const kind = options.svg ? 'svg' : 'mermaid';
    const text = options.svg ? planToSvg(plan, job) : planToMermaid(plan, job);
    if (options.out !== undefined) {
      write(options.out, text);
      desk.answer({ [kind]: options.out }, () => [`Wrote ${plain(options.out)}.`]);
    } else if (terminal.forProgram) terminal.json({ [kind]: text });
    else terminal.raw(text);
    return EXIT.ok;
  },
};

/**
 * @param {import('../program.js').Desk} desk
 * @returns {Promise<{ plan: import('jobwright').Plan, job?: import('jobwright').Job }>}
 */
async function subjectOf(desk) {
  const { options, args } = desk;
  const [file] = args;
  if ((file === undefined) === (options.job === undefined)) {
    throw new Failure('usage', 'graph: expected a plan, or --job, and not both.');
  }
  if (file !== undefined) return { plan: await loadPlan(file) };
  const { opened } = await desk.open();
  const job = await loadJob(opened, await findJob(opened, options.job));
  const plan = job.run?.plan;
  if (plan === undefined) throw new Failure('no_plan', `Job ${quoted(job.id)} has no plan.`, EXIT.refused);
  return { plan, job };
}

/**
 * @param {string} file
 * @param {string} text
 */
export function write(file, text) {
  try {
    writeFileSync(file, text);
  } catch (error) {
    const why = plain(/** @type {Error} */ (error).message);
    throw new Failure('unwritable', `The file ${quoted(file)} can't be written: ${why}.`);
  }
}
