// @ts-check
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { attempt, Failure, root, run } from '../process.mjs';

export const wasmTarget = 'wasm32-unknown-unknown';
export const targetDir = process.env.CARGO_TARGET_DIR ?? join(root, 'target');

/** On CI the committed Cargo.lock is what is built, or nothing. */
const locked = process.env.CI ? ['--locked'] : [];

/**
 * @param {string} command
 * @param {string[]} args
 */
export function cargoArguments(command, args) {
  return command === 'fmt' ? [command, ...args] : [command, ...locked, '--target-dir', targetDir, ...args];
}

/** Panic messages name source files; the package must not name folders of the machine that built it. */
const remap = [
  `--remap-path-prefix=${root}=jobwright`,
  `--remap-path-prefix=${process.env.CARGO_HOME ?? join(homedir(), '.cargo')}/registry/src=registry`,
];

/**
 * The standard library as it comes is compiled for speed and words every panic, which would be a fifth of the package.
 * Here it is compiled anew, for size, and a panic ends in a trap. Cargo calls that unstable; the toolchain is pinned.
 */
const smallStd = ['-Zbuild-std=std,panic_abort', '-Zbuild-std-features=optimize_for_size'];
const shortPanics = [
  '-Zunstable-options',
  '-Cpanic=immediate-abort',
  '-Zfmt-debug=none',
  '-Zlocation-detail=none',
];

/** How large a function may be that is put where it is called. LLVM's own limit at this level is 225: more size than speed. */
const lessInlining = ['-Cllvm-args=-inline-threshold=50'];

/** The crates that are compiled to wasm: the engine, what packs it, and what unpacks it. */
export const wasmPackages = [
  '--package',
  'jobwright',
  '--package',
  'jobwright-unpack',
  '--package',
  'jobwright-pack',
  '--lib',
];

/** Compiles what runs as wasm. */
export async function buildWasm() {
  const args = ['--release', '--target', wasmTarget, ...wasmPackages, ...smallStd];
  const flags = `target.${wasmTarget}.rustflags=${JSON.stringify([...remap, ...shortPanics, ...lessInlining])}`;
  await run('cargo', [...cargoArguments('build', args), '--config', flags], {
    env: { RUSTC_BOOTSTRAP: '1' },
  });
  const built = join(targetDir, wasmTarget, 'release');
  return {
    engine: join(built, 'jobwright.wasm'),
    unpack: join(built, 'jobwright_unpack.wasm'),
    pack: join(built, 'jobwright_pack.wasm'),
  };
}

/** Compiles the tool that writes the glue. */
export async function buildBindgen() {
  await run('cargo', cargoArguments('build', ['--package', 'jobwright-bindgen']));
  return join(targetDir, 'debug/jobwright-bindgen');
}

/** @param {string} toml */
function rustVersionOf(toml) {
  return /^rust-version = "([\d.]+)"/m.exec(toml)?.[1] ?? '0';
}

async function requireCargo() {
  const needed = rustVersionOf(readFileSync(join(root, 'Cargo.toml'), 'utf8'));
  const advice = `Rust ${needed} or newer is needed, with rustup (https://rustup.rs)`;
  const found = await attempt('cargo', ['--version']).catch(() => null);
  const version = /cargo (\d+)\.(\d+)/.exec(found?.output ?? '');
  if (found?.code !== 0 || !version) throw new Failure(`${advice}; cargo was not found`);
  const [major, minor] = needed.split('.').map(Number);
  if (Number(version[1]) < major || (Number(version[1]) === major && Number(version[2]) < minor)) {
    throw new Failure(`${advice}; this is ${found.output.trim()}. "rustup update stable" brings it`);
  }
}

async function requireRustup() {
  const found = await attempt('rustup', ['--version']).catch(() => null);
  if (found?.code !== 0)
    throw new Failure('rustup (https://rustup.rs) is needed to add the wasm target; it was not found');
}

async function ensureTarget() {
  const installed = await run('rustup', ['target', 'list', '--installed']);
  if (installed.split('\n').includes(wasmTarget)) return;
  console.log(`Adding the Rust target ${wasmTarget} ...`);
  await run('rustup', ['target', 'add', wasmTarget]);
}

/** Everything the build needs from Rust. */
export async function ensureRust() {
  await requireCargo();
  await requireRustup();
  await ensureTarget();
  await ensureComponents(['rust-src']);
}

/** What the checks need beside it; a minimal rustup profile has neither. */
export async function ensureRustComponents() {
  await ensureRust();
  await ensureComponents(['clippy', 'rustfmt']);
}

/** @param {string[]} names */
async function ensureComponents(names) {
  const installed = await run('rustup', ['component', 'list', '--installed']);
  const missing = names.filter(
    (name) => !installed.split('\n').some((line) => line === name || line.startsWith(`${name}-`)),
  );
  if (missing.length === 0) return;
  console.log(`Adding the Rust components ${missing.join(' and ')} ...`);
  await run('rustup', ['component', 'add', ...missing]);
}
