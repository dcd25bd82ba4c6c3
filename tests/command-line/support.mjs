// @ts-check
/** The command as a user has it: installed, and run from a folder of its own, in a pipe or at a terminal. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { consumerDir, importPackage } from '../package/installed.mjs';

/** What npx runs. */
export const program = join(consumerDir, 'node_modules/.bin/jobwright');

/** Exit codes, as docs/command-line.md has them. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  waiting: 3,
  refused: 4,
  check: 5,
  broken: 6,
  interrupted: 130,
};

/** No test takes half as long, on a machine that does other things too. */
export const LIMIT = { timeout: 120_000 };

/** What a terminal would take for something else than text. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is these that are looked for
export const RAW = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

const AGENTS = `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const greet = (name) => ({ success: true, data: \`Hello \${name}\`, cost: 2 });
export const fails = () => { throw new Error('no network'); };
export const talks = () => { console.log('an agent says so'); return 1; };
export const rests = () => sleep(1_000);
export const echo = (input) => input;
/** Says that it has begun, and waits until it may end. */
export const gated = async (_, { signal, attempt }) => {
  writeFileSync('reached', String(attempt));
  while (!existsSync('gate')) await sleep(10, undefined, { signal });
  return attempt;
};
export default { mail: (to, { callTool }) => callTool('send', { to }) };
`;
const TOOLS = `export const send = { needsApproval: true, execute: ({ to }) => \`sent to \${to}\` };`;

/** @typedef {ReturnType<typeof makePlace>} Place */
/** @typedef {{ code: number | null, signal: string | null, stdout: string, stderr: string }} Ended */

/**
 * A folder with agents, tools and plans, in which the command is run.
 *
 * @param {import('node:test').TestContext} t
 */
export function makePlace(t) {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-command-'));
  /** @type {Set<import('node:child_process').ChildProcess>} */
  const alive = new Set();
  t.after(async () => {
    const ends = [...alive].map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of alive) child.kill('SIGKILL');
    await Promise.all(ends);
    rmSync(folder, { recursive: true, force: true });
  });
  const put = (/** @type {string} */ name, /** @type {unknown} */ content) =>
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  put('agents.mjs', AGENTS);
  put('tools.mjs', TOOLS);

  /**
   * @param {string[]} args
   * @param {{ env?: Record<string, string | undefined>, input?: string }} [options]
   */
  function start(args, { env = {}, input = '' } = {}) {
    const child = spawn(program, args, {
      cwd: folder,
      env: {
        ...process.env,
        NO_COLOR: undefined,
        FORCE_COLOR: undefined,
        JOBWRIGHT_STORE: undefined,
        ...env,
      },
    });
    alive.add(child);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    /** @type {Promise<Ended>} */
    const end = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        alive.delete(child);
        resolve({ code, signal, stdout, stderr });
      });
    });
    return {
      child,
      end,
      stdout: () => stdout,
      shows: (/** @type {RegExp} */ words) => shown(() => stdout + stderr, words, end),
    };
  }

  return {
    folder,
    put,
    start,
    /** Runs a command to its end. @param {string[]} args @param {Parameters<typeof start>[1]} [options] */
    run: (args, options) => start(args, options).end,
    /** The same, in the store of this place. @param {...string} args */
    stored: (...args) => start([...args, '--store', 'jobs.db']).end,
    /** What a command answers with --json. @param {...string} args @returns {Promise<any>} */
    async answer(...args) {
      const { stdout, stderr } = await start([...args, '--store', 'jobs.db', '--json']).end;
      assert.equal(stderr, '');
      return JSON.parse(stdout);
    },
    /** Waits until the agent "gated" is at work. */
    async reached() {
      while (!existsSync(join(folder, 'reached'))) await sleep(10);
    },
    open: () => put('gate', ''),
    terminal: (/** @type {string[]} */ args, /** @type {Record<string, string | undefined>} */ env = {}) =>
      atTerminal(folder, alive, args, env),
    /** The store itself, to look into. @returns {Promise<any>} */
    async jobs() {
      const { createSqliteStore } = await importPackage('jobwright/sqlite');
      const store = await createSqliteStore({ path: join(folder, 'jobs.db') });
      try {
        const heads = await store.listJobs();
        return await Promise.all(heads.map((/** @type {any} */ { id }) => store.getJob(id)));
      } finally {
        await store.close();
      }
    },
  };
}

/**
 * @param {() => string} text
 * @param {RegExp} words
 * @param {Promise<unknown>} end
 */
async function shown(text, words, end) {
  let over = false;
  end.finally(() => {
    over = true;
  });
  while (!words.test(text())) {
    if (over) assert.match(text(), words);
    await sleep(10);
  }
}

/** @param {string} word */
const quote = (word) => `'${word.replaceAll("'", "'\\''")}'`;

/**
 * The same at a pseudo-terminal, which util-linux's `script` makes: it is part of every Debian.
 *
 * @param {string} folder
 * @param {Set<import('node:child_process').ChildProcess>} alive
 * @param {string[]} args
 * @param {Record<string, string | undefined>} env
 */
function atTerminal(folder, alive, args, env) {
  const command = `stty rows 30 cols 100; exec ${[program, ...args].map(quote).join(' ')}`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], {
    cwd: folder,
    env: {
      ...process.env,
      ...{ NO_COLOR: undefined, JOBWRIGHT_STORE: undefined, SHELL: '/bin/sh', TERM: 'xterm', ...env },
    },
  });
  alive.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
  }
  child.stdin.on('error', () => {});
  /** @type {Promise<{ code: number | null, text: string }>} */
  const end = new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`"script", of util-linux, is needed: ${error}`)));
    child.on('close', (code) => {
      alive.delete(child);
      resolve({ code, text });
    });
  });
  return {
    end,
    shows: (/** @type {RegExp} */ words) => shown(() => text, words, end),
    type: (/** @type {string} */ keys) => void child.stdin.write(keys),
    text: () => text,
  };
}

export const CTRL_C = '\x03';
export const CTRL_D = '\x04';

/** @param {...string} agents */
export const planOf = (...agents) => ({
  steps: agents.map((agent, index) => ({ id: `${agent}${index}`, agent })),
});

export const ASKING = {
  name: 'asking',
  steps: [
    { id: 'ok', approve: { message: 'sure?' } },
    { id: 'greeting', agent: 'greet' },
  ],
};

/**
 * Makes a job that waits for approval.
 *
 * @param {Place} place
 * @param {string} id
 * @param {object} [plan]
 */
export async function waiting(place, id, plan = ASKING) {
  place.put('plan.json', plan);
  return place.stored('run', 'plan.json', '--agents', 'agents.mjs', '--id', id);
}

/**
 * Makes a job whose agent is at work in another process.
 *
 * @param {Place} place
 * @param {string} id
 */
export async function atWork(place, id) {
  place.put('plan.json', planOf('gated', 'greet'));
  const run = place.start(['run', 'plan.json', '--agents', 'agents.mjs', '--store', 'jobs.db', '--id', id]);
  await place.reached();
  return run;
}
