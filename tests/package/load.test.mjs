// @ts-check
/** How the package gets loaded: every way that a user's program or bundler has. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import vm from 'node:vm';
import { build } from 'esbuild';
import { limits, measure } from '../../scripts/setup/size.mjs';
import { consumerDir, importPackage, pkgDir } from './installed.mjs';

const run = promisify(execFile);
const publicNames = [
  'ConflictError',
  'JOB_STATUS',
  'JobwrightError',
  'NonRetryableError',
  'createAgentRegistry',
  'createBudgetManager',
  'createEventBus',
  'createMemoryStore',
  'createOrchestrator',
  'createPerformanceMonitor',
  'planToMermaid',
  'validatePlan',
];

/** Takes a job from created to completed, and prints its state. */
const program = `
  const orchestrator = createOrchestrator({ agentRegistry: { greet: (name) => 'Hello ' + name } });
  const plan = { steps: [{ id: 'greeting', agent: 'greet' }] };
  orchestrator
    .createJob({}, { requireApproval: false }, { plan })
    .then(async (jobId) => {
      await orchestrator.startJob(jobId);
      return orchestrator.runJob(jobId, { input: 'world' });
    })
    .then((outcome) => console.log(outcome.success, outcome.status, outcome.job.context.greeting));
`;
const expected = 'true completed Hello world\n';

/**
 * @param {string} source
 * @param {'mjs' | 'cjs'} extension
 */
async function runInNode(source, extension) {
  const file = join(consumerDir, `program-${randomUUID()}.${extension}`);
  writeFileSync(file, source);
  try {
    return await run(process.execPath, ['--trace-warnings', file]);
  } finally {
    rmSync(file);
  }
}

/**
 * @param {import('esbuild').Format} format
 * @param {string} contents
 */
async function bundle(format, contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: consumerDir },
    bundle: true,
    format,
    target: 'es2020',
    write: false,
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/**
 * Runs a bundle in a context that has only what a browser has too.
 *
 * @param {string} code
 * @returns {Promise<string>} what it logged
 */
function runInContext(code) {
  return new Promise((resolve) => {
    const log = (/** @type {unknown[]} */ ...words) => resolve(`${words.join(' ')}\n`);
    const globals = {
      WebAssembly,
      TextEncoder,
      TextDecoder,
      AbortController,
      AbortSignal,
      crypto,
      performance,
    };
    vm.runInNewContext(code, {
      ...globals,
      atob,
      setTimeout,
      clearTimeout,
      queueMicrotask,
      console: { log },
    });
  });
}

test('import gives an orchestrator at once, without a warning', async () => {
  const result = await runInNode(`import { createOrchestrator } from 'jobwright'; ${program}`, 'mjs');
  assert.deepEqual(result, { stdout: expected, stderr: '' });
});

test('require gives an orchestrator at once, without a warning', async () => {
  const result = await runInNode(`const { createOrchestrator } = require('jobwright'); ${program}`, 'cjs');
  assert.deepEqual(result, { stdout: expected, stderr: '' });
});

test('import and require give the same functions', async () => {
  const required = createRequire(join(consumerDir, 'package.json'))('jobwright');
  const imported = await importPackage('jobwright');
  assert.equal(required.createOrchestrator, imported.createOrchestrator);
});

test('the entry exports its public names and no others', async () => {
  assert.deepEqual(Object.keys(await importPackage('jobwright')).sort(), publicNames);
});

test('the workerd entry exports the same names', () => {
  const [entry, workerd] = ['index.js', 'index.workerd.js'].map((file) => {
    const source = readFileSync(join(pkgDir, file), 'utf8');
    return source.split('\n').filter((line) => line.startsWith('export'));
  });
  assert.deepEqual(workerd, entry);
});

test('an ES module bundle runs', async () => {
  const code = await bundle('esm', `import { createOrchestrator } from 'jobwright'; ${program}`);
  assert.deepEqual(await runInNode(code, 'mjs'), { stdout: expected, stderr: '' });
});

test('a plain script bundle runs where there is no Node', async () => {
  const code = await bundle('iife', `import { createOrchestrator } from 'jobwright'; ${program}`);
  assert.equal(await runInContext(code), expected);
});

test('a bundle of one part leaves the engine out', async () => {
  const code = await bundle('esm', `import { createEventBus } from 'jobwright'; createEventBus();`);
  assert.ok(!code.includes('WebAssembly'), `${code.length} characters hold the engine`);
});

test('nothing in the bundle looks for a file beside it', async () => {
  const code = await bundle('esm', `export * from 'jobwright';`);
  for (const word of ['import.meta', 'fetch(', 'await import']) assert.ok(!code.includes(word), word);
});

test('the module with its glue, and the entry with all it imports, stay under their limits', async () => {
  const { engine, entry } = await measure(pkgDir);
  assert.ok(engine <= limits.engine, `module and glue: ${engine} bytes gzipped, limit ${limits.engine}`);
  assert.ok(entry <= limits.entry, `everything: ${entry} bytes gzipped, limit ${limits.entry}`);
});

test('the tarball holds a licence and no path of the machine that built it', async () => {
  assert.match(readFileSync(join(pkgDir, 'LICENSE'), 'utf8'), /MIT License/);
  const wasm = readFileSync(join(pkgDir, 'engine/jobwright_wasm.wasm'), 'latin1');
  const path = /\/(home|root|Users)\/[\w./-]*/.exec(wasm);
  assert.equal(path?.[0], undefined);
});
