// @ts-check
import { openFiles } from '../dashboard/files.js';
import { Gate, isEverywhere, isLoopback } from '../dashboard/gate.js';
import { hiding, showing } from '../dashboard/hiding.js';
import { Hub } from '../dashboard/hub.js';
import { openInBrowser } from '../dashboard/opening.js';
import { Runner } from '../dashboard/runner.js';
import { serve } from '../dashboard/server.js';
import { Streams } from '../dashboard/streams.js';
import { EXIT, Failure, readError } from '../failure.js';
import { onInterrupt } from '../interrupts.js';
import { partsOf, quiet, runDeps } from '../running.js';
import { plain, quoted } from '../text.js';

/**
 * @typedef {import('../program.js').Desk} Desk
 * @typedef {import('../program.js').Session} Session
 */

const LOOPBACK = '127.0.0.1';

/** @type {import('../program.js').Command} */
export const dashboard = {
  name: 'dashboard',
  about:
    'Serves a page that shows the jobs of a store as they change, and steers them. With agents, runs them here when they are started or approved.',
  example: 'dashboard --store jobs.db --agents agents.mjs',
  options: [
    ['--agents <file>', 'a module whose exports are the agents'],
    ['--tools <file>', 'a module whose exports are the tools'],
    ['--slow <ms>', 'wait so many milliseconds before each step'],
    ['--host <address>', `what to listen on; default: ${LOOPBACK}, this machine only`],
    ['--port <n>', 'default: any that is free'],
    ['--allow-host <names>', 'names that a proxy is asked by, behind which this runs'],
    ['--read-only', 'show jobs, and change nothing'],
    ['--redact', 'show no values: no contexts, inputs, outputs, messages'],
    ['--no-open', 'do not open a browser'],
  ],
  async work(desk) {
    const { options, terminal } = desk;
    const where = { host: options.host ?? LOOPBACK, port: portOf(options.port) };
    const gate = new Gate(where.host, namesOf(options.allowHost));
    const parts = await partsOf(desk);
    const deps = runDeps(desk, parts);
    const session = await desk.open(deps);
    const failed = (/** @type {unknown} */ error) => terminal.note(plain(readError(error).message, 2_000));
    const hub = new Hub({ store: session.store, bus: deps.eventBus, failed });
    const runner = new Runner(session, parts, failed);
    const streams = new Streams();
    const home = homeOf(desk, session, { hub, runner, slowPlayMs: deps.slowPlayMs });
    const interrupt = onInterrupt({
      first: () => terminal.note('Ending: steps that are running may finish. Ctrl-C again stops at once.'),
      second: () => terminal.note('Stopped at once.'),
    });
    const console = quiet(desk);
    surviveAgents(failed);
    try {
      const server = await serve({ home, gate, streams, files: openFiles(), failed }, where);
      announce(desk, gate, where.host, home.name);
      await aborted(interrupt.signal);
      streams.end();
      server.close();
      await runner.close();
      server.closeAllConnections();
      return EXIT.interrupted;
    } finally {
      console.restore();
      interrupt.ignore();
      await hub.end();
    }
  },
};

/**
 * @param {Desk} desk
 * @param {Session} session
 * @param {{ hub: Hub, runner: Runner, slowPlayMs: number }} parts
 * @returns {import('../dashboard/server.js').Home}
 */
function homeOf({ options }, { opened, store, orchestrator }, { hub, runner, slowPlayMs }) {
  const steer = options.readOnly !== true;
  const redacted = options.redact === true;
  const access = { steer, create: steer, run: steer && runner.hasAgents, redacted };
  return {
    ...{ name: plain(opened.name), access, slowPlayMs, orchestrator, store, hub, runner },
    veil: redacted ? hiding : showing,
  };
}

/**
 * @param {Desk} desk
 * @param {Gate} gate
 * @param {string} host
 * @param {string} name of the store
 */
function announce({ options, terminal }, gate, host, name) {
  // Nobody can go to "everywhere".
  const at = isEverywhere(host) ? LOOPBACK : host;
  const url = gate.url(at);
  if (terminal.forProgram) terminal.json({ url });
  terminal.line(`The dashboard of ${plain(name)}, until Ctrl-C: ${terminal.paint(url, 'cyan')}`);
  if (!isLoopback(host)) {
    terminal.note(
      `Others can reach ${plain(host)}, and what is sent is not encrypted: whoever sees the address has the jobs. Serve it behind a proxy with TLS, or on ${LOOPBACK}.`,
    );
  }
  if (terminal.isInteractive && options.open !== false) openInBrowser(gate.url(at, gate.launchCode()));
}

/** @param {string | undefined} given */
function portOf(given) {
  if (given === undefined) return 0;
  if (/^\d{1,5}$/.test(given) && Number(given) < 65_536) return Number(given);
  throw new Failure('invalid_argument', `--port: expected a number below 65536, found ${quoted(given)}.`);
}

/** @param {string | undefined} given */
function namesOf(given) {
  const names = given?.split(',').map((name) => name.trim()) ?? [];
  const wrong = names.find((name) => !/^([\w.-]+|\[[\da-f:]+\])(:\d{1,5})?$/i.test(name));
  if (wrong === undefined) return names;
  throw new Failure(
    'invalid_argument',
    `--allow-host: expected names as jobs.example.com, with commas between; found ${quoted(wrong)}.`,
  );
}

/**
 * An agent may leave a promise behind that nobody listens to; the jobs of others go on.
 *
 * @param {(problem: unknown) => void} failed
 */
function surviveAgents(failed) {
  process.removeAllListeners('uncaughtException').on('uncaughtException', failed);
}

/** @param {AbortSignal} signal */
const aborted = (signal) =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', resolve);
  });
