// @ts-check
/**
 * Makes a fresh clone ready to run: npm packages, the wasm target, and the built package in pkg/.
 * Where all of it is up to date, it only compares hashes and says nothing. `--rebuild` builds in any case.
 *
 * It runs before there is a node_modules, so neither it nor what it imports at first uses a package.
 */
import { Failure, main, together } from './process.mjs';
import { assemble, compile, inputHash, isBuilt, linkPackage } from './setup/build.mjs';
import { withLock } from './setup/lock.mjs';
import { ensureNodeModules } from './setup/node-modules.mjs';
import { buildPage } from './setup/page.mjs';

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Failure(`Node 20.19 or newer is needed; this is ${process.versions.node}`);
  }
}

await main(async () => {
  requireNode();
  await withLock(async () => {
    const hash = inputHash();
    const build = process.argv.includes('--rebuild') || !isBuilt(hash);
    const installed = ensureNodeModules();
    // While cargo compiles: this part of the page imports nothing that is compiled.
    const page = build ? installed.then(() => buildPage('dashboard')) : installed;
    const [compiled] = await together([build ? compile() : null, page]);
    if (compiled) await assemble(compiled, hash);
    linkPackage();
  });
});
