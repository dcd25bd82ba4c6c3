// @ts-check
/** How the package gets loaded: every way that a user's program or bundler has. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import vm from 'node:vm';
import { build } from 'esbuild';
import { entrySize, limits } from '../../scripts/setup/size.mjs';
import { openSite } from '../browser/store-page.mjs';
import { consumerDir, importPackage, pkgDir, wasmFile } from './installed.mjs';

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
  'simulatePlan',
  'validatePlan',
  'verifyRun',
];

/** Takes a job from created to completed, decides it again, and prints its state. */
const program = `
  const orchestrator = createOrchestrator({ agentRegistry: { greet: (name) => 'Hello ' + name } });
  const plan = { steps: [{ id: 'greeting', agent: 'greet' }] };
  orchestrator
    .createJob({}, { requireApproval: false }, { plan })
    .then(async (jobId) => {
      await orchestrator.startJob(jobId);
      return orchestrator.runJob(jobId, { input: 'world' });
    })
    .then(async ({ success, status, job }) => {
      const { ok } = await orchestrator.replayJob(job);
      console.log(success, status, job.context.greeting, ok);
    });
`;
const expected = 'true completed Hello world true\n';

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
 * @param {import('esbuild').Platform} [platform]
 */
async function bundle(format, contents, platform) {
  const { outputFiles, warnings } = await build({
    stdin: { contents, resolveDir: consumerDir },
    bundle: true,
    format,
    platform,
    target: 'es2020',
    write: false,
    logLevel: 'silent',
  });
  assert.deepEqual(warnings, []);
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

/** Says how many modules there are after the import, after the first call and after others. */
const countModules = `
  const { Module } = WebAssembly;
  let modules = 0;
  WebAssembly.Module = class extends Module {
    constructor(bytes) {
      super(bytes);
      modules += 1;
    }
  };
`;

for (const [call, first] of /** @type {const} */ ([
  ['createOrchestrator()', 'createOrchestrator'],
  ['validatePlan({ steps: [] })', 'validatePlan'],
  ['simulatePlan({ steps: [] })', 'simulatePlan'],
  ['createPerformanceMonitor().recordLatency(1)', 'createPerformanceMonitor'],
  ['await verifyRun([]).catch(() => {})', 'verifyRun'],
]))
  test(`an import loads no module; ${first} does, once`, async () => {
    const source = `${countModules}
      const { createMemoryStore, createOrchestrator, createPerformanceMonitor, planToMermaid,
        simulatePlan, validatePlan, verifyRun } = await import('jobwright');
      createMemoryStore();
      planToMermaid({ steps: [] });
      const before = modules;
      ${call};
      const after = modules;
      createOrchestrator();
      createPerformanceMonitor();
      console.log(before, after, modules);`;
    assert.deepEqual(await runInNode(source, 'mjs'), { stdout: '0 1 1\n', stderr: '' });
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

test('the other entries export the same names', () => {
  const exportsOf = (/** @type {string} */ file) =>
    readFileSync(join(pkgDir, file), 'utf8').match(/^export [^;]+;/gm);
  for (const file of ['index.node.js', 'index.workerd.js']) {
    assert.deepEqual(exportsOf(file), exportsOf('index.js'), file);
  }
});

for (const [platform, format, extension] of /** @type {const} */ ([
  ['browser', 'esm', 'mjs'],
  ['node', 'esm', 'mjs'],
  ['node', 'cjs', 'cjs'],
])) {
  test(`a bundle for ${platform}, ${format}, runs with nothing beside it`, async () => {
    const source = `import { createOrchestrator } from 'jobwright'; ${program}`;
    const code = await bundle(format, source, platform);
    assert.deepEqual(await runInNode(code, extension), { stdout: expected, stderr: '' });
  });
}

test('Node reads the module from its file, and unpacks the inlined one where there is none', async () => {
  const folder = mkdtempSync(join(consumerDir, 'copy-'));
  try {
    cpSync(pkgDir, folder, { recursive: true });
    const [wasm, inline] = [join(folder, relative(pkgDir, wasmFile)), join(folder, 'engine/wasm-inline.js')];
    const entry = JSON.stringify(join(folder, 'index.node.js'));
    const start = () => runInNode(`import { createOrchestrator } from ${entry}; ${program}`, 'mjs');
    const text = readFileSync(inline, 'utf8');
    const file = JSON.stringify(relative(folder, wasm));
    writeFileSync(inline, `export const file = ${file};\nexport const inlined = () => nothing;\n`);
    assert.deepEqual(await start(), { stdout: expected, stderr: '' });
    rmSync(wasm);
    await assert.rejects(start(), /nothing is not defined/);
    writeFileSync(inline, text);
    assert.deepEqual(await start(), { stdout: expected, stderr: '' });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a plain script bundle runs where there is no Node', async () => {
  const code = await bundle('iife', `import { createOrchestrator } from 'jobwright'; ${program}`);
  assert.equal(await runInContext(code), expected);
});

test('where a page may not compile WebAssembly, the first call says what to allow', async (t) => {
  const site = await openSite();
  t.after(site.close);
  const page = await site.browser.newPage();
  await page.route(`${site.origin}/`, async (route) => {
    const response = await route.fetch();
    const headers = { ...response.headers(), 'content-security-policy': "script-src 'self'" };
    await route.fulfill({ response, headers });
  });
  await page.goto(site.origin);
  await page.waitForFunction('globalThis.kit');
  for (const call of ['createOrchestrator()', 'validatePlan({ steps: [] })', 'verifyRun([])']) {
    const { error } = /** @type {any} */ (
      await page.evaluate(`ending(Promise.resolve().then(() => kit.${call}))`)
    );
    assert.deepEqual([error?.name, error?.code], ['JobwrightError', 'unsupported'], call);
    assert.match(error.message, /Content-Security-Policy .* script-src 'wasm-unsafe-eval'$/);
  }
});

test('where there is no WebAssembly at all, the first call says that, and nothing of pages', async () => {
  const { stdout, stderr } = await runInNode(
    `delete globalThis.WebAssembly;
    const { createOrchestrator } = await import('jobwright');
    try { createOrchestrator(); } catch ({ code, message }) { console.log(code, message); }`,
    'mjs',
  );
  assert.deepEqual([stdout, stderr], ["unsupported jobwright needs WebAssembly, which isn't there\n", '']);
});

test('a bundle of one part leaves the engine out', async () => {
  const code = await bundle('esm', `import { createEventBus } from 'jobwright'; createEventBus();`);
  assert.ok(!code.includes('WebAssembly'), `${code.length} characters hold the engine`);
});

test('nothing in the bundle looks for a file beside it', async () => {
  const code = await bundle('esm', `export * from 'jobwright';`);
  for (const word of ['import.meta', 'fetch(', 'await import']) assert.ok(!code.includes(word), word);
});

test('what reads histories is a file of its own, loaded when it is first asked for', async () => {
  const { outputFiles } = await build({
    stdin: { contents: `export * from 'jobwright';`, resolveDir: consumerDir },
    bundle: true,
    splitting: true,
    format: 'esm',
    outdir: consumerDir,
    write: false,
  });
  const holding = outputFiles.filter(({ text }) => text.includes('jobwright-run'));
  assert.equal(holding.length, 1);
  assert.ok(!holding[0]?.path.endsWith('stdin.js'), holding[0]?.path);
});

test('the entry with all it imports stays under its limit', async () => {
  const entry = await entrySize(pkgDir);
  assert.ok(entry <= limits.entry, `everything: ${entry} bytes gzipped, limit ${limits.entry}`);
});

test('the tarball holds a licence and no path of the machine that built it', async () => {
  assert.match(readFileSync(join(pkgDir, 'LICENSE'), 'utf8'), /MIT License/);
  const wasm = readFileSync(wasmFile, 'latin1');
  const path = /\/(home|root|Users)\/[\w./-]*/.exec(wasm);
  assert.equal(path?.[0], undefined);
});
