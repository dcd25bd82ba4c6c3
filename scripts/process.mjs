// @ts-check
/** Starting other programs, and failing with a sentence instead of a stack. */
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the person at the terminal can do something about: shown as a sentence, without a stack. */
export class Failure extends Error {}

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd] default: the repository
 * @property {Record<string, string | undefined>} [env] added to this process's own
 */

/**
 * Runs a program to its end and keeps what it printed.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export function attempt(command, args, { cwd = root, env = {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT';
      reject(missing ? new Failure(`${command} is not installed, or not on the PATH`) : error);
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Runs a program that has to succeed, and gives what it printed.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RunOptions} [options]
 */
export async function run(command, args, options) {
  const { code, output } = await attempt(command, args, options);
  if (code !== 0) {
    throw new Failure(`${output}\n${[command, ...args].join(' ')} ended with exit code ${code}`);
  }
  return output;
}

/** How to start npm: through this very Node where npm started us, so that no shell is needed. */
const npmProgram = process.env.npm_execpath?.endsWith('.js')
  ? [process.execPath, process.env.npm_execpath]
  : ['npm'];

/**
 * @param {string[]} args
 * @param {RunOptions} [options]
 */
export function npm(args, options) {
  const [command, ...before] = npmProgram;
  return run(command, [...before, ...args, '--no-audit', '--no-fund', '--loglevel=error'], options);
}

/**
 * Like `Promise.all`, but waits for all, so that nothing is left running when one fails.
 *
 * @template {readonly unknown[] | []} T
 * @param {T} work
 * @returns {Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }>}
 */
export async function together(work) {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/**
 * Runs a script's body; what fails is said in a sentence, and the exit code is 1.
 *
 * @param {() => Promise<void>} body
 */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error);
    process.exitCode = 1;
  }
}
