// @ts-check
/** Makes wasm modules small. It takes most of a build's time, so what comes of a module is kept until another is built. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root, run } from '../process.mjs';

/** What Node 20 has and wasm-bindgen uses; with `--all-features` the module does not load there. */
const features = [
  'reference-types',
  'bulk-memory',
  'multivalue',
  'mutable-globals',
  'sign-ext',
  'nontrapping-float-to-int',
].map((feature) => `--enable-${feature}`);

const cache = join(root, '.cache/optimized');
const program = join(root, 'node_modules/binaryen');

/**
 * @param {string} from
 * @param {string} to
 * @param {string[]} options
 */
export async function optimize(from, to, options) {
  const args = ['-Oz', ...options, ...features];
  const { version } = JSON.parse(readFileSync(join(program, 'package.json'), 'utf8'));
  const hash = createHash('sha256')
    .update(`${version} ${args.join(' ')}\0`)
    .update(readFileSync(from));
  const folder = join(cache, basename(to));
  const kept = join(folder, hash.digest('hex'));
  if (!existsSync(kept)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await run(process.execPath, [join(program, 'bin/wasm-opt'), ...args, from, '-o', `${kept}.new`]);
    renameSync(`${kept}.new`, kept);
  }
  copyFileSync(kept, to);
}
