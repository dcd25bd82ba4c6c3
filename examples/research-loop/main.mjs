// @ts-check
/** The research as a program. What it does is in plan.mjs and agents.mjs; this is its front. */
import { statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { createEventBus } from 'jobwright';
import { agrees, atMost, command, EXIT, Mistake } from '../command.mjs';
import { research } from './research.mjs';

const QUESTION =
  'Which pope introduced the Gregorian calendar, and when did Great Britain and Greece adopt it?';

const HELP = `Answers a question from a folder of Markdown files: drafts, criticises the draft, and again, until
the critic is content or three drafts were written. Then a person is asked, and the answer published.

  node examples/research-loop/main.mjs [QUESTION] [options]

  QUESTION        default: ${QUESTION.slice(0, 60)} ...
  --sources DIR   where to look (default: the sources beside this program)
  --answer FILE   where the answer goes (default: answer.md in the current directory)
  --yes           publish without asking
  --help          show this

Exit codes: 0 published; 1 not published; 2 it could not begin.
`;

/** @param {import('jobwright').JobEventBus} eventBus */
function show(eventBus) {
  const on = (/** @type {string} */ type, /** @type {(payload: any) => string} */ words) =>
    eventBus.on(type, ({ payload }) => console.log(words(payload)));
  on('drafted', ({ added }) => `draft     ${added === null ? 'nothing new was found' : quoted(added)}`);
  on('criticised', ({ good, missing }) =>
    good ? 'critique  good\n' : `critique  nothing yet about: ${missing.join(', ')}\n`,
  );
}

const quoted = (/** @type {import('./agents.mjs').Quote} */ { source, text }) => `${text} (${source})`;

/** @param {string} path */
const isFolder = (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

const OPTIONS = /** @type {const} */ ({
  sources: { type: 'string' },
  answer: { type: 'string' },
  yes: { type: 'boolean' },
});

await command(HELP, OPTIONS, async (values, rest) => {
  atMost(rest, 1);
  const [question = QUESTION] = rest;
  const sources = resolve(values.sources ?? join(import.meta.dirname, 'sources'));
  const answer = resolve(values.answer ?? 'answer.md');
  if (!/[\p{L}\p{N}]/u.test(question))
    throw new Mistake(`There is no question in ${JSON.stringify(question)}.`);
  if (!isFolder(sources)) throw new Mistake(`--sources must be a folder; found ${JSON.stringify(sources)}.`);
  if (isFolder(answer) || !isFolder(dirname(answer)))
    throw new Mistake(`--answer must be a file in a folder that is there; found ${JSON.stringify(answer)}.`);

  console.log(`${question}\n`);
  const eventBus = createEventBus();
  show(eventBus);
  const approve = async () => values.yes ?? agrees('Publish the answer?');
  const { status, run } = await research({ question, sources, answer, eventBus, approve });
  const file = relative('', answer);
  console.log(status === 'completed' ? `Published in ${file}` : `Not published: ${run?.failure?.message}`);
  return status === 'completed' ? EXIT.ok : EXIT.otherwise;
});
