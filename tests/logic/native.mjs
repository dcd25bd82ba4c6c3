// @ts-check
/** The Rust engine, as a program that evaluates a line at a time. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, run } from '../../scripts/process.mjs';
import { cargoArguments, targetDir } from '../../scripts/setup/rust.mjs';

/** @typedef {import('./generate.mjs').Json} Json */
/** @typedef {{ rule: Json, data: Json }} Case */
/** @typedef {{ value: Json } | { error: Json } | { compile: string } | { whole: Json, named: Json }} Outcome */

const program = join(targetDir, 'debug/examples/logic-lines');
const PER_PROCESS = 10_000;

/** Compiles it, where that has not been done. */
export async function buildNative() {
  await run('cargo', cargoArguments('build', ['--package', 'jobwright', '--example', 'logic-lines']));
}

/** @param {Case[]} cases @returns {Outcome[]} */
export function evaluateNatively(cases) {
  const outcomes = [];
  for (let from = 0; from < cases.length; from += PER_PROCESS) {
    const some = cases.slice(from, from + PER_PROCESS);
    const input = some.map(({ rule, data }) => `${JSON.stringify([rule, data])}\n`).join('');
    const { status, stdout, stderr, error } = spawnSync(program, {
      cwd: root,
      input,
      maxBuffer: 2 ** 30,
      encoding: 'utf8',
    });
    if (error) throw error;
    if (status !== 0) throw new Error(`logic-lines ended with exit code ${status}: ${stderr}`);
    for (const line of stdout.split('\n').slice(0, -1)) outcomes.push(JSON.parse(line));
  }
  if (outcomes.length !== cases.length) {
    throw new Error(`logic-lines answered ${outcomes.length} of ${cases.length} lines`);
  }
  return outcomes;
}
