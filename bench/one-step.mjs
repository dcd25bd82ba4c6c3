// @ts-check
/**
 * `node bench/one-step.mjs [memory|sqlite] [--page FILE]`: what one step of a run is made of; with a page, such as
 * bench/README.md, it is put there. It counts crossings and promises, which
 * is exact, and samples where the time goes, which is not: what V8 does for a function is counted as that function's.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, main, root } from '../scripts/process.mjs';
import { changePage, fill } from './harness/page.mjs';
import { planOf } from './workloads/plan-of-steps.mjs';

const STEPS = 10;
const JOBS = 1_000;
/** Jobs that are run before, so that the code is compiled. */
const WARM_UP = 1_500;
const kinds = ['memory', 'sqlite'];

/** @param {string} kind @param {string} folder */
async function open(kind, folder) {
  const { createMemoryStore } = await import('jobwright');
  const { createSqliteStore } = await import('jobwright/sqlite');
  const { jobwrightRunner } = await import('./contenders/jobwright/runner.mjs');
  const store =
    kind === 'memory' ? createMemoryStore() : await createSqliteStore({ path: join(folder, 'jobs.db') });
  const work = (/** @type {number | undefined} */ input) => (input ?? 0) + 1;
  return jobwrightRunner(store, { ...planOf(STEPS), work, emit: () => {} });
}

/** Wraps what crosses between the module and JavaScript, before there is a module. */
function countCrossings() {
  const counts = { toJavaScript: 0, toWasm: 0 };
  /** @param {any} functions @param {'toJavaScript' | 'toWasm'} way */
  const counted = (functions, way) =>
    Object.fromEntries(
      Object.entries(functions).map(([name, given]) => [
        name,
        typeof given !== 'function'
          ? given
          : (/** @type {any[]} */ ...args) => {
              counts[way] += 1;
              return given(...args);
            },
      ]),
    );
  /** @type {any} */
  const { WebAssembly } = globalThis;
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct: (Instance, [module, imports]) => {
      const wrapped = Object.entries(imports).map(([name, all]) => [name, counted(all, 'toJavaScript')]);
      const instance = new Instance(module, Object.fromEntries(wrapped));
      return { exports: counted(instance.exports, 'toWasm') };
    },
  });
  return counts;
}

/** @param {any} runner @param {number} jobs */
async function prepare(runner, jobs) {
  /** @type {any[]} */
  const ready = [];
  for (let n = 0; n < jobs; n++) ready.push(await runner.create());
  return async () => {
    for (const job of ready) await runner.run(job);
  };
}

/** Exact, and slow: it runs in a process of its own. @param {string} kind @param {string} folder */
async function count(kind, folder) {
  const crossings = countCrossings();
  const { createHook } = await import('node:async_hooks');
  const runner = await open(kind, folder);
  const jobs = 20;
  await (await prepare(runner, jobs))();
  const run = await prepare(runner, jobs);
  let promises = 0;
  const init = (/** @type {number} */ _, /** @type {string} */ type) => {
    if (type === 'PROMISE') promises += 1;
  };
  const hook = createHook({ init }).enable();
  const before = { ...crossings };
  await run();
  hook.disable();
  const perStep = (/** @type {number} */ total) => total / jobs / STEPS;
  console.log(
    JSON.stringify({
      toJavaScript: perStep(crossings.toJavaScript - before.toJavaScript),
      toWasm: perStep(crossings.toWasm - before.toWasm),
      promises: perStep(promises),
    }),
  );
}

/** The bundled file says before each module which it is. */
function modulesOfBundle() {
  const lines = readFileSync(join(root, 'pkg/main.js'), 'utf8').split('\n');
  let module = '';
  return lines.map((line) => {
    module = /^\/\/ ([\w/-]+\.js)$/.exec(line)?.[1] ?? module;
    return module;
  });
}

/**
 * @param {{ functionName: string, url: string, lineNumber: number }} frame
 * @param {string[]} modules
 */
function kindOf({ functionName, url, lineNumber }, modules) {
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (/^(js-to-wasm|wasm-to-js)/.test(functionName))
    return 'crossings: from one calling convention to the other';
  if (url.startsWith('wasm:')) return 'decision: the module';
  if (/^\((program|idle|root)\)$/.test(functionName) || url.startsWith('node:'))
    return 'V8 and Node: microtasks, timers, the rest';
  // Functions of SQLite's library are in no file.
  if (url === '' || url.includes('better-sqlite3')) return 'store';
  if (url.includes('/pkg/sqlite/')) return 'store';
  if (!url.includes('/pkg/')) return 'the agent, the bus, and who calls runJob';
  const module = url.endsWith('main.js') ? (modules[lineNumber] ?? '') : '';
  if (/^parts\/(memory|job-parts|ordered|store|plain)/.test(module)) return 'store';
  return "the engine's JavaScript";
}

/** @param {string} kind @param {string} folder */
async function sample(kind, folder) {
  const runner = await open(kind, folder);
  await (await prepare(runner, WARM_UP))();
  const plain = await prepare(runner, JOBS);
  const from = performance.now();
  await plain();
  const microseconds = (1_000 * (performance.now() - from)) / JOBS / STEPS;
  const run = await prepare(runner, JOBS);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 100 });
  await session.post('Profiler.start');
  await run();
  const { profile } = await session.post('Profiler.stop');
  await runner.close?.();
  const modules = modulesOfBundle();
  const kindById = new Map(profile.nodes.map(({ id, callFrame }) => [id, kindOf(callFrame, modules)]));
  /** @type {Map<string, number>} */
  const shares = new Map();
  const samples = profile.samples ?? [];
  for (const id of samples) {
    const name = kindById.get(id) ?? '';
    shares.set(name, (shares.get(name) ?? 0) + 1 / samples.length);
  }
  return { microseconds, shares: [...shares].sort(([, a], [, b]) => b - a) };
}

/**
 * @param {string} kind
 * @param {number} microseconds
 * @param {{ toJavaScript: number, toWasm: number, promises: number }} counted
 * @param {[string, number][]} shares
 */
function reportOf(kind, microseconds, { toJavaScript, toWasm, promises }, shares) {
  const [out, back, made] = [toJavaScript, toWasm, promises].map((number) => number.toFixed(1));
  const lines = shares.map(
    ([name, share]) => `| ${name} | ${(100 * share).toFixed(1)} % | ${(share * microseconds).toFixed(2)} |`,
  );
  return [
    `One step of a job of ${STEPS}, store: ${kind}, Node ${process.version}: ${microseconds.toFixed(2)} µs. It crosses ${out}`,
    `times to JavaScript and ${back} times to the module, and makes ${made} promises.`,
    '',
    '| where | share | µs |\n| --- | ---: | ---: |',
    ...lines,
  ].join('\n');
}

await main(async () => {
  const [kind = 'memory', mode, file] = process.argv.slice(2);
  if (!kinds.includes(kind)) throw new Failure(`Expected one of ${kinds.join(', ')}; found ${kind}`);
  const folder = mkdtempSync(join(root, '.cache/bench-'));
  try {
    if (mode === 'count') return await count(kind, folder);
    const self = fileURLToPath(import.meta.url);
    const counted = JSON.parse(
      execFileSync(process.execPath, [self, kind, 'count'], { encoding: 'utf8', timeout: 60_000 }),
    );
    const { microseconds, shares } = await sample(kind, folder);
    const text = reportOf(kind, microseconds, counted, shares);
    console.log(text);
    if (mode === '--page' && file) changePage(resolve(file), (page) => fill(page, `one step, ${kind}`, text));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
