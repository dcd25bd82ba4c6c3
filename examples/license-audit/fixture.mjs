// @ts-check
/** For the tests: a small project with both kinds of lock file, and the real program started on it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createSqliteStore } from 'jobwright/sqlite';

const main = join(import.meta.dirname, 'main.mjs');
const REGISTRY = 'registry+https://github.com/rust-lang/crates.io-index';
const CHECKSUM = '0'.repeat(64);

/**
 * @typedef {object} Project
 * @property {string} folder the project, and the current directory of the programs started on it
 * @property {string} report
 * @property {string} store
 * @property {string} gate Cargo waits until this file is there, where the program is started as `gated`
 * @property {string} reached is there once Cargo waits
 */

/** How many npm packages a project has beside those with something to say. */
const ORDINARY = 120;

/**
 * Two crates, vendored so that Cargo needs no network, and some npm packages, most of which are not installed.
 *
 * @param {import('node:test').TestContext} t
 * @param {{ npm?: Record<string, string> }} [options] npm packages and their licences, beside many under MIT
 * @returns {Project}
 */
export function makeProject(t, { npm = { plain: 'ISC', weak: 'MPL-2.0' } } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'license-audit-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const write = (/** @type {string} */ path, /** @type {string | object} */ content) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === 'string' ? content : JSON.stringify(content));
  };
  writeCargo(write);
  writeNpm(write, npm);
  return {
    folder,
    report: join(folder, 'license-audit.md'),
    store: join(folder, '.cache/license-audit.db'),
    gate: join(folder, 'gate'),
    reached: join(folder, 'gate.reached'),
  };
}

/** @param {(path: string, content: string | object) => void} write */
function writeCargo(write) {
  const crates = { ancient: 'MIT/Apache-2.0', modern: 'Apache-2.0 WITH LLVM-exception' };
  // An optional dependency is locked, too.
  const dependencies = Object.keys(crates).map(
    (name) => `${name} = { version = "1.0.0", optional = ${name === 'modern'} }`,
  );
  write(
    'Cargo.toml',
    `[package]\nname = "ours"\nversion = "0.1.0"\nedition = "2021"\n\n[dependencies]\n${dependencies.join('\n')}\n`,
  );
  write('src/lib.rs', '');
  write(
    '.cargo/config.toml',
    '[source.crates-io]\nreplace-with = "here"\n\n[source.here]\ndirectory = "vendor"\n',
  );
  const locked = Object.entries(crates).map(([name, license]) => {
    write(
      `vendor/${name}/Cargo.toml`,
      `[package]\nname = "${name}"\nversion = "1.0.0"\nlicense = "${license}"\n`,
    );
    write(`vendor/${name}/src/lib.rs`, '');
    write(`vendor/${name}/.cargo-checksum.json`, { files: {}, package: CHECKSUM });
    return `[[package]]\nname = "${name}"\nversion = "1.0.0"\nsource = "${REGISTRY}"\nchecksum = "${CHECKSUM}"\n`;
  });
  const own = `[[package]]\nname = "ours"\nversion = "0.1.0"\ndependencies = [\n "ancient",\n "modern",\n]\n`;
  write('Cargo.lock', `version = 3\n\n${[...locked, own].join('\n')}`);
}

/**
 * @param {(path: string, content: string | object) => void} write
 * @param {Record<string, string>} special
 */
function writeNpm(write, special) {
  /** @type {Record<string, object>} */
  const packages = { '': { name: 'ours', version: '1.0.0' } };
  for (let number = 0; number < ORDINARY; number += 1) {
    packages[`node_modules/ordinary-${number}`] = { version: '1.0.0', license: 'MIT' };
  }
  for (const [name, license] of Object.entries(special)) {
    packages[`node_modules/${name}`] = { version: '1.0.0' };
    write(`node_modules/${name}/package.json`, { name, version: '1.0.0', license });
  }
  write('package-lock.json', { name: 'ours', lockfileVersion: 3, packages });
}

/**
 * The program, while it runs and after.
 *
 * @typedef {object} Run
 * @property {import('node:child_process').ChildProcess} child
 * @property {(signal: NodeJS.Signals) => void} send to it and all that it started in its group
 * @property {(text: string) => Promise<void>} shows waits until it has printed this
 * @property {Promise<{ code: number | null, output: string, errors: string }>} end
 */

/**
 * @param {Project | { folder: string, gate?: string }} project
 * @param {string[]} [args]
 * @param {{ gated?: boolean, env?: Record<string, string> }} [options]
 * @returns {Run}
 */
export function start(project, args = [], { gated = false, env = {} } = {}) {
  const { folder, gate = '' } = project;
  const path = gated ? `${gatedCargo(folder)}${delimiter}${process.env.PATH}` : process.env.PATH;
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { ...process.env, PATH: path, GATE: gate, CARGO_PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, which is what a terminal sends a Ctrl-C to.
    detached: true,
  });
  const printed = { output: '', errors: '' };
  child.stdout.on('data', (chunk) => (printed.output += chunk));
  child.stderr.on('data', (chunk) => (printed.errors += chunk));
  const end = once(child, 'close').then(([code]) => ({ code, ...printed }));
  const send = (/** @type {NodeJS.Signals} */ signal) => process.kill(-Number(child.pid), signal);
  return { child, send, shows: (text) => shows(child, printed, text), end };
}

/** @param {Project} project @param {string[]} [args] */
export function audit(project, args = []) {
  return start(project, ['--project', project.folder, ...args]).end;
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {{ output: string, errors: string }} printed
 * @param {string} text
 */
async function shows(child, printed, text) {
  while (!printed.output.includes(text)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(
        `It ended and did not print ${JSON.stringify(text)}:\n${printed.output}${printed.errors}`,
      );
    }
    await Promise.race([
      once(/** @type {import('node:stream').Readable} */ (child.stdout), 'data'),
      once(child, 'close'),
    ]);
  }
}

/**
 * A `cargo` that waits at the gate, so that a test meets the program in the middle of a step, however fast the machine.
 * It stops waiting when the project is removed.
 *
 * @param {string} folder
 */
function gatedCargo(folder) {
  const bin = join(folder, '.bin');
  mkdirSync(bin, { recursive: true });
  const script =
    '#!/bin/sh\n: > "$GATE.reached"\nwhile [ ! -e "$GATE" ] && [ -e "$0" ]; do sleep 0.05; done\nPATH="$CARGO_PATH" exec cargo "$@"\n';
  writeFileSync(join(bin, 'cargo'), script, { mode: 0o755 });
  return bin;
}

/** @param {Project} project */
export async function storedJobs({ store: path }) {
  const store = await createSqliteStore({ path });
  try {
    const jobs = [];
    for (const { id } of await store.listJobs())
      jobs.push(/** @type {import('jobwright').Job} */ (await store.getJob(id)));
    return jobs;
  } finally {
    await store.close();
  }
}

/**
 * How often this happened to each step.
 *
 * @param {import('jobwright').Job} job
 * @param {string} type
 */
export function countByStep(job, type) {
  /** @type {Record<string, number>} */
  const counts = {};
  for (const event of job.history) {
    if (event.type !== type) continue;
    const { step } = /** @type {{ step: string }} */ (event.payload);
    counts[step] = (counts[step] ?? 0) + 1;
  }
  return counts;
}
