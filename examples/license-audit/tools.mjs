// @ts-check
/** What the agents of an audit may do to the machine: look for files, read them, ask Cargo, write the report. */
import { spawn } from 'node:child_process';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { Failure, reasonOf } from './failure.mjs';

/**
 * @typedef {import('jobwright').AgentContext} AgentContext
 *
 * @typedef {object} Surroundings
 * @property {string} project absolute
 * @property {string} report absolute
 * @property {(context: AgentContext) => Promise<string>} approver who approved the step that asks
 */

/** Folders that hold what was installed or built, not what is the project's own. */
const NOT_SEARCHED = new Set(['node_modules', 'target']);

/**
 * @param {Surroundings} surroundings
 * @returns {Record<string, import('jobwright').Tool>}
 */
export function createTools({ project, report, approver }) {
  return {
    findFiles: {
      description: 'The files of these names below the project, sorted',
      execute: ({ names }, { signal }) => findFiles(project, names, signal),
    },
    readFile: {
      description: 'The text of a file below the project',
      execute: ({ path }, { signal }) => readFile(join(project, inside(path)), { encoding: 'utf8', signal }),
    },
    runCargo: {
      description: 'What `cargo metadata` prints in a folder below the project',
      execute: ({ folder, args }, { signal }) => runCargo(join(project, inside(folder)), args, signal),
    },
    signOff: {
      description: "A person's word that these packages may be used",
      needsApproval: ({ packages }) => packages.length > 0,
      execute: async ({ packages }, context) =>
        packages.length === 0 ? null : { by: await approver(context), count: packages.length },
    },
    writeReport: {
      description: 'Writes the report, all of it or nothing',
      execute: ({ text }) => replaceFile(report, text),
    },
  };
}

/**
 * @param {string} project
 * @param {string[]} names
 * @param {AbortSignal} [signal]
 * @returns {Promise<string[]>} relative to the project, with slashes
 */
export async function findFiles(project, names, signal) {
  /** @type {string[]} */
  const found = [];
  const search = async (/** @type {string} */ folder) => {
    signal?.throwIfAborted();
    for (const entry of await entriesOf(join(project, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile() && names.includes(entry.name)) found.push(path);
      if (entry.isDirectory() && !entry.name.startsWith('.') && !NOT_SEARCHED.has(entry.name))
        await search(path);
    }
  };
  await search('');
  return found.sort();
}

/** @param {string} folder */
async function entriesOf(folder) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new Failure(`The directory ${folder} can't be searched: ${reasonOf(error)}.`);
  }
}

/**
 * @param {unknown} path
 * @returns {string}
 */
function inside(path) {
  const clean = typeof path === 'string' ? normalize(path) : '..';
  if (isAbsolute(clean) || clean === '..' || clean.startsWith(`..${sep}`)) {
    throw new Error(`${JSON.stringify(path)} is outside of the project`);
  }
  return clean;
}

/**
 * Cargo's own failure is an answer, so that the agent can decide what to do about it.
 *
 * @param {string} folder
 * @param {string[]} args
 * @param {AbortSignal} signal
 * @returns {Promise<{ output: string } | { problem: string, final: boolean }>} final: asking again, or with the network, can't help
 */
async function runCargo(folder, args, signal) {
  if (args[0] !== 'metadata')
    throw new Error(`Only "cargo metadata" may be run; found ${JSON.stringify(args)}`);
  const { code, output, errors } = await collect('cargo', args, folder, signal);
  if (code === 0) return { output };
  if (code === 'ENOENT') return { problem: 'cargo is not installed', final: true };
  // Somebody ended it; that says nothing about the crates.
  if (code === null) throw new Error('cargo metadata was stopped');
  return { problem: `cargo metadata failed (${firstError(errors)})`, final: !mayNeedNetwork(args, errors) };
}

/**
 * Runs a program in a process group of its own: a Ctrl-C at the terminal is not for it, because the step that runs it
 * is to finish.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {string} folder
 * @param {AbortSignal} signal
 * @returns {Promise<{ code: number | string | null, output: string, errors: string }>}
 */
function collect(program, args, folder, signal) {
  const env = { ...process.env, CARGO_TERM_COLOR: 'never' };
  const child = spawn(program, args, {
    cwd: folder,
    env,
    signal,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** @type {Buffer[]} */
  const output = [];
  /** @type {Buffer[]} */
  const errors = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => errors.push(chunk));
  const kill = () => child.kill();
  process.once('exit', kill);
  return new Promise((resolve, reject) => {
    const end = (/** @type {number | string | null} */ code) =>
      resolve({ code, output: Buffer.concat(output).toString(), errors: Buffer.concat(errors).toString() });
    child.on('error', (error) => {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code === 'ENOENT') end(code);
      else reject(error);
    });
    child.on('close', end);
  }).finally(() => process.off('exit', kill));
}

/**
 * @param {string[]} args
 * @param {string} errors
 */
function mayNeedNetwork(args, errors) {
  return !args.includes('--offline') || /--offline was specified|offline mode/.test(errors);
}

/** @param {string} errors */
function firstError(errors) {
  const line = /^error: (.+)$/m.exec(errors)?.[1] ?? errors.trim().split('\n')[0];
  return line === '' ? 'it does not say why' : line;
}

/**
 * @param {string} file
 * @param {string} text
 */
async function replaceFile(file, text) {
  const scratch = `${file}.${process.pid}.tmp`;
  await writeFile(scratch, text);
  await rename(scratch, file);
  return file;
}
