// @ts-check
/** The commands as one program: their arguments are read, their help is shown, and how they end becomes an exit code. */
import { readFileSync } from 'node:fs';
import { createOrchestrator } from 'jobwright';
import { commands } from './commands/index.js';
import { EXIT, Failure, readError } from './failure.js';
import { helpOf, helpOfAll } from './help.js';
import { openStore } from './stores.js';
import { createTerminal } from './terminal.js';
import { plain } from './text.js';
import { readWords } from './words.js';

/**
 * @typedef {import('./stores.js').Opened} Opened
 *
 * @typedef {object} Command
 * @property {string} name
 * @property {string} [takes] its arguments, as `<job> [payload]`
 * @property {string} about one sentence
 * @property {string} example what stands behind `jobwright`
 * @property {(readonly [flags: string, about: string])[]} [options]
 * @property {boolean} [withoutStore] it reads none
 * @property {(desk: Desk) => Promise<number>} work gives the exit code
 *
 * @typedef {object} Desk what a command works with
 * @property {(string | undefined)[]} args
 * @property {Record<string, any>} options
 * @property {import('./terminal.js').Terminal} terminal
 * @property {NodeJS.ProcessEnv} env
 * @property {(answer: unknown, lines: () => string[]) => void} answer prints the one, or the other for people
 * @property {(deps?: import('jobwright').OrchestratorDeps) => Promise<Session>} open the store, and an orchestrator on it
 *
 * @typedef {{ opened: Opened, store: Opened['store'], orchestrator: import('jobwright').Orchestrator }} Session
 */

const STORE = /** @type {const} */ ([
  '--store <url>',
  'jobs.db, sqlite:FILE, postgres://...; default: $JOBWRIGHT_STORE',
]);
const JSON_OUT = /** @type {const} */ (['--json', 'print JSON, for programs']);

/** With the options that most have, or all. */
const all = commands.map((command) => ({
  ...command,
  options: [...(command.options ?? []), ...(command.withoutStore ? [] : [STORE]), JSON_OUT],
}));

/** @param {NodeJS.Process} process */
export async function main(process) {
  const { argv, env, stdin, stdout, stderr } = process;
  const terminal = createTerminal(
    /** @type {any} */ ({ stdin, stdout, stderr, env }),
    wantsJson(argv.slice(2)),
  );
  // Nobody reads on, as in `jobwright list | head`: commands that run jobs pause them, and others have nothing left to do.
  stdout.once('error', nobodyReads);
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  // That a part of Node is experimental is nothing that whoever runs jobs could change.
  process.removeAllListeners('warning').on('warning', ({ name, message }) => {
    if (name !== 'ExperimentalWarning') terminal.note(plain(`${name}: ${message}`, 2_000));
  });
  // An agent may leave a promise behind that nobody listens to. The job is as after a crash, and can be started.
  process.on('uncaughtException', (error) => {
    terminal.settle();
    terminal.error('uncaught', `Something failed that nobody waited for: ${String(error?.message ?? error)}`);
    process.exit(EXIT.broken);
  });
  // A job may wait for a signal, or for another process, with no timer set: that is no reason to end.
  setInterval(() => {}, 2 ** 30);
  const ended = await endOf(argv.slice(2), terminal, env);
  terminal.settle();
  await terminal.flushed();
  // Not left to the event loop: what an agent left open would keep the process alive.
  process.exit(ended);
}

function nobodyReads() {
  if (process.listenerCount('SIGPIPE') > 0) process.emit('SIGPIPE');
  else process.exit(EXIT.ok);
}

/** @param {string[]} words */
function wantsJson(words) {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).includes('--json');
}

/**
 * @param {string[]} words
 * @param {import('./terminal.js').Terminal} terminal
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>}
 */
async function endOf(words, terminal, env) {
  try {
    const { wanted, command, args, options } = readWords(words, all);
    if (wanted === 'version') terminal.raw(`${version()}\n`);
    else if (wanted === 'work' && command !== undefined)
      return await work(command, { args, options, terminal, env });
    else if (words.length > 0)
      terminal.raw(command ? helpOf(command, terminal.columns()) : helpOfAll(commands, terminal.columns()));
    else {
      // Help that nobody asked for.
      terminal.note(helpOfAll(commands, terminal.columns()).trimEnd());
      return EXIT.usage;
    }
    return EXIT.ok;
  } catch (error) {
    terminal.settle();
    const { code, message, exit } = readError(error);
    terminal.error(code, message);
    return exit;
  }
}

/**
 * @param {Command} command
 * @param {Pick<Desk, 'args' | 'options' | 'terminal' | 'env'>} asked
 */
async function work({ name, work }, asked) {
  const { options, terminal, env } = asked;
  /** @type {Session[]} */
  const sessions = [];
  try {
    return await work({
      ...asked,
      answer: (answer, lines) => {
        if (terminal.forProgram) terminal.json(answer);
        else for (const line of lines()) terminal.line(line);
      },
      async open(deps) {
        const opened = await openStore(options.store, env, { mayMake: name === 'run' });
        const orchestrator = createOrchestrator({
          store: opened.store,
          logger: loggerFor(terminal),
          ...deps,
        });
        sessions.push({ opened, store: opened.store, orchestrator });
        return { opened, store: opened.store, orchestrator };
      },
    });
  } finally {
    for (const { orchestrator, opened } of sessions) {
      await orchestrator.close();
      await opened.close();
    }
  }
}

/** @param {import('./terminal.js').Terminal} terminal */
function loggerFor(terminal) {
  const say = (/** @type {unknown[]} */ ...words) => terminal.note(plain(words.map(String).join(' '), 2_000));
  return { warn: say, error: say };
}

/** @returns {string} */
function version() {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}

/**
 * @param {Desk} desk
 * @param {number} place
 * @returns {string} an argument that the parser has required
 */
export function argument({ args }, place) {
  const given = args[place];
  if (given === undefined) throw new Failure('usage', 'An argument is missing.');
  return given;
}
