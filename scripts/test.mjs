// @ts-check
/**
 * Every check of the repository: `npm test`; `npm run lint` for those that only read the sources.
 *
 * Two lanes run side by side, one for cargo and one for Node, because cargo's commands wait for each other anyway.
 * A check that fails stops nothing; what it printed is shown, and the exit code says so at the end.
 */
import { join } from 'node:path';
import { styleText } from 'node:util';
import { findChromium } from './chromium.mjs';
import { attempt, main, root } from './process.mjs';
import { filesUnder } from './setup/hash.mjs';
import { cargoArguments, ensureRustComponents, wasmPackages, wasmTarget } from './setup/rust.mjs';

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {() => Promise<{ code: number, output: string }>} run
 */

/**
 * @param {string} name
 * @param {string} subcommand
 * @param {string[]} [args]
 * @returns {Check}
 */
function cargo(name, subcommand, args = []) {
  return {
    name,
    run: () => attempt('cargo', cargoArguments(subcommand, args), { env: { CARGO_TERM_COLOR: 'never' } }),
  };
}

/**
 * A program from an installed package, started without a shell.
 *
 * @param {string} name
 * @param {string} file under node_modules
 * @param {...string} args
 * @returns {Check}
 */
function tool(name, file, ...args) {
  return { name, run: () => attempt(process.execPath, [join(root, 'node_modules', file), ...args]) };
}

/**
 * Node's own runner over all test files under these folders.
 *
 * @param {string} name
 * @param {string[]} folders
 * @returns {Check}
 */
function nodeTests(name, folders) {
  const files = folders
    .flatMap((folder) => filesUnder(root, folder))
    .filter((file) => file.endsWith('.test.mjs'));
  return { name, run: () => attempt(process.execPath, ['--test', '--test-reporter=spec', ...files]) };
}

/** @type {Check} the page has tools of its own */
const svelteCheck = {
  name: 'types in www',
  run: () => {
    const file = join(root, 'www/node_modules/svelte-check/bin/svelte-check');
    const args = ['--output', 'human', '--no-color', '--fail-on-warnings'];
    return attempt(process.execPath, [file, ...args], { cwd: join(root, 'www') });
  },
};

const rustLint = [
  cargo('cargo fmt', 'fmt', ['--all', '--check']),
  cargo('clippy', 'clippy', ['--workspace', '--all-targets', '--', '--deny', 'warnings']),
  cargo('clippy for wasm', 'clippy', [...wasmPackages, '--target', wasmTarget, '--', '--deny', 'warnings']),
];
const nodeLint = [
  tool('biome', '@biomejs/biome/bin/biome', 'ci', '--colors=off'),
  ...['.', 'tests', 'tsconfig.browser.json'].map((project) =>
    tool(`types in ${project}`, 'typescript/bin/tsc', '--project', project),
  ),
  svelteCheck,
];
/** The tools' own tests would compile what nothing else needs. */
const crates = ['', '-allocator', '-json', '-logic'].flatMap((part) => ['--package', `jobwright${part}`]);
const rustTests = [cargo('cargo test', 'test', crates)];
const packageChecks = [
  tool('publint', 'publint/src/cli.js', 'pkg', '--strict'),
  tool('attw', '@arethetypeswrong/cli/dist/index.js', '--pack', 'pkg', '--profile', 'esm-only'),
];
/** These come apart: nothing waits for Chromium to be installed, and one that needs cargo is in cargo's lane. */
const apart = { browser: 'tests/browser', logic: 'tests/logic' };
const testFolders = () => [
  ...filesUnder(root, 'tests').filter((file) => {
    return (
      file.endsWith('.test.mjs') && !Object.values(apart).some((folder) => file.startsWith(`${folder}/`))
    );
  }),
  'examples',
];

/** @type {Check} */
const chromium = {
  name: 'Chromium is installed',
  run: async () => {
    try {
      return { code: 0, output: await findChromium() };
    } catch (error) {
      return { code: 1, output: String(error) };
    }
  },
};

const count = { passed: 0, failed: 0 };

/**
 * Adds what the test runners say of themselves; a check that is no runner counts as one.
 *
 * @param {{ code: number, output: string }} result
 * @returns {string} what was counted, for the line of this check
 */
function tally({ code, output }) {
  const cargoLines = [...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)];
  const nodeLines = [...output.matchAll(/^ℹ pass (\d+)[\s\S]*?^ℹ fail (\d+)\n^ℹ cancelled (\d+)/gm)];
  const lines = [...cargoLines, ...nodeLines];
  const sum = (/** @type {number} */ group) =>
    lines.reduce((total, line) => total + Number(line[group] ?? 0), 0);
  const passed = lines.length > 0 ? sum(1) : Number(code === 0);
  // A runner may also fail without a failed test, when a file does not load or the code does not compile.
  const failed = Math.max(sum(2) + sum(3), Number(code !== 0));
  count.passed += passed;
  count.failed += failed;
  return lines.length > 0 ? `, ${passed} passed, ${failed} failed` : '';
}

/** @param {Check[]} checks */
async function lane(checks) {
  for (const { name, run } of checks) {
    const start = Date.now();
    const result = await run().catch((error) => ({ code: 1, output: String(error) }));
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    const mark = result.code === 0 ? styleText('green', 'ok    ') : styleText('red', 'FAILED');
    console.log(`${mark} ${name} (${seconds} s${tally(result)})`);
    if (result.code !== 0) console.log(`${result.output.trimEnd()}\n`);
  }
}

await main(async () => {
  const lintOnly = process.argv[2] === 'lint';
  await ensureRustComponents();
  if (lintOnly) {
    await Promise.all([lane(rustLint), lane(nodeLint)]);
  } else {
    await Promise.all([
      lane([...rustLint, ...rustTests, nodeTests('JSON Logic beside json-logic-engine', [apart.logic])]),
      lane([
        ...nodeLint,
        ...packageChecks,
        nodeTests('Node tests', testFolders()),
        chromium,
        nodeTests('browser tests', [apart.browser]),
      ]),
    ]);
  }
  console.log(`\n${count.passed} passed, ${count.failed} failed`);
  if (count.failed > 0) process.exitCode = 1;
});
