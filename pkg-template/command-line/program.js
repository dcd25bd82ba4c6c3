// @ts-check
/** The commands as one program: their arguments are read, their help is shown, and how they end becomes an exit code. */
import { readFileSync } from 'node:fs';
import { Command as Parser } from 'commander';
import { createOrchestrator } from 'jobwright';
import { commands } from './commands/index.js';
import { EXIT, Failure, readError } from './failure.js';
import { openStore } from './stores.js';
import { createTerminal } from './terminal.js';
import { plain } from './text.js';

/**
 * @typedef {import('./stores.js').Opened} Opened
 *
 * @typedef {object} Command
 * @property {string} name
 * @property {string} [takes] its arguments, as `<job> [payload]`
 * @property {string} about one sentence
 * @property {string} example what stands behind `jobwright`
 * @property {[flags: string, about: string][]} [options]
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

const EXIT_CODES = `
Exit codes: 0 done; 1 the job failed; 2 wrong arguments; 3 the job is paused and waits for somebody;
4 there is no such job, or it does not allow that; 5 a check failed; 6 the store failed; 130 interrupted.
`;

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
  /** @type {number} */
  let exit = EXIT.ok;
  const program = parser('jobwright', terminal)
    .description('Runs jobs whose steps are done by agents, and steers those that run.')
    .usage('<command> [options]')
    .version(version(), '--version', 'print the version')
    .helpCommand(false)
    .addHelpText('after', `${EXIT_CODES}\nEach command has an example: jobwright run --help`);
  for (const command of commands) {
    program.addCommand(
      asParser(
        command,
        terminal,
        async (desk) => {
          exit = await command.work({ ...desk, env });
        },
        env,
      ),
    );
  }
  try {
    if (words.length === 0) program.help({ error: true });
    await program.parseAsync(words, { from: 'user' });
    return exit;
  } catch (error) {
    return report(error, terminal);
  }
}

/**
 * @param {unknown} error
 * @param {import('./terminal.js').Terminal} terminal
 */
function report(error, terminal) {
  terminal.settle();
  const { code, exitCode, message } = /** @type {{ code?: string, exitCode?: number, message: string }} */ (
    error
  );
  if (code?.startsWith('commander.')) {
    if (exitCode === 0) return EXIT.ok;
    if (code !== 'commander.help')
      terminal.error('usage', message.replace(/^error: /, '').replaceAll('\n', ' '));
    return EXIT.usage;
  }
  const read = readError(error);
  terminal.error(read.code, read.message);
  return read.exit;
}

/**
 * @param {string} name
 * @param {import('./terminal.js').Terminal} terminal
 */
function parser(name, terminal) {
  return new Parser(name)
    .exitOverride()
    .showSuggestionAfterError()
    .helpOption('--help', 'show this')
    .configureOutput({
      writeOut: terminal.raw,
      // Help that nobody asked for; the error itself is reported with its code.
      writeErr: (text) => (text.startsWith('error: ') ? undefined : terminal.note(text.trimEnd())),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

/**
 * @param {Command} command
 * @param {import('./terminal.js').Terminal} terminal
 * @param {(desk: Omit<Desk, 'env'>) => Promise<void>} work
 * @param {NodeJS.ProcessEnv} env
 */
function asParser({ name, takes, about, example, options = [], withoutStore }, terminal, work, env) {
  const made = parser(name, terminal).description(about).allowExcessArguments(false);
  if (takes !== undefined) made.arguments(takes);
  const all = [...options, ...(withoutStore ? [] : [STORE]), JSON_OUT];
  for (const [flags, meaning] of all) made.option(flags, meaning);
  made.addHelpText('after', `\nExample:\n  $ jobwright ${example}`);
  return made.action(async () => {
    /** @type {Session[]} */
    const sessions = [];
    const given = made.opts();
    try {
      await work({
        args: made.args,
        options: given,
        terminal,
        answer: (answer, lines) => {
          if (terminal.forProgram) terminal.json(answer);
          else for (const line of lines()) terminal.line(line);
        },
        async open(deps) {
          const opened = await openStore(given.store, env, { mayMake: name === 'run' });
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
  });
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
