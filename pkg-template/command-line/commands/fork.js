// @ts-check
import { EXIT, Failure } from '../failure.js';
import { findJob, nextCommand } from '../jobs.js';
import { readObject } from '../modules.js';
import { argument } from '../program.js';
import { plain, quoted } from '../text.js';

const PERMISSIONS = ['allowTools', 'requireApproval', 'maxSteps'];

/** @type {import('../program.js').Command} */
export const fork = {
  name: 'fork',
  takes: '<job>',
  about: 'Makes a new job that shares the past of another, up to the end of a step.',
  example: 'fork 3f2a --after draft --context \'{"tone":"formal"}\' --store jobs.db',
  options: [
    ['--after <step>', 'the last step that is shared; required'],
    ['--context <json>', 'members that the context gets: a JSON object, or @FILE'],
    ['--permissions <json>', 'allowTools, requireApproval, maxSteps as they change: a JSON object, or @FILE'],
  ],
  async work(desk) {
    const { options } = desk;
    if (options.after === undefined)
      throw new Failure('usage', 'fork: --after names the last step that is shared.');
    /** @type {Record<string, unknown>} */
    const changes = {};
    for (const name of ['context', 'permissions'])
      if (options[name] !== undefined) changes[name] = await readObject(options[name], `--${name}`);
    const unknown = Object.keys(changes.permissions ?? {}).find((name) => !PERMISSIONS.includes(name));
    if (unknown !== undefined) {
      const known = PERMISSIONS.join(', ');
      throw new Failure('usage', `--permissions: expected ${known}; found ${quoted(unknown)}.`);
    }
    const { opened, orchestrator } = await desk.open();
    const jobId = await findJob(opened, argument(desk, 0));
    const forkId = await orchestrator.forkJob(jobId, { afterStep: options.after, ...changes });
    const next = nextCommand('start', forkId, `${opened.flag} --agents FILE`);
    desk.answer({ jobId: forkId, forkedFrom: jobId, next }, () => [
      `Job ${plain(forkId)}`,
      `It goes on with: ${next}`,
    ]);
    return EXIT.ok;
  },
};
