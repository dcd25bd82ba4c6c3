// @ts-check
/** The entry for workerd, by the example of docs/stores/durable-objects.md: where bytes may not be compiled. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import vm from 'node:vm';
import Database from 'better-sqlite3';
import { build } from 'esbuild';
import { root } from '../../scripts/process.mjs';
import { consumerDir, wasmFile } from './installed.mjs';

const page = readFileSync(join(root, 'docs/stores/durable-objects.md'), 'utf8');
const [, example = ''] = /^<!-- example: worker -->\n```js\n([\s\S]*?)^```$/m.exec(page) ?? [];

/** What workerd gives instead of files: the module, compiled, and the class of its objects. */
const given = {
  name: 'given',
  /** @param {import('esbuild').PluginBuild} bundler */
  setup(bundler) {
    bundler.onLoad({ filter: /\.wasm$/ }, () => ({ contents: 'export default compiled' }));
    bundler.onResolve({ filter: /^cloudflare:/ }, ({ path }) => ({ path, namespace: 'given' }));
    bundler.onLoad({ filter: /^cloudflare:/, namespace: 'given' }, () => ({
      contents: 'export class DurableObject { constructor(ctx) { this.ctx = ctx; } }',
    }));
  },
};

/** @param {string} condition */
async function load(condition) {
  const { outputFiles } = await build({
    stdin: { contents: example, resolveDir: consumerDir },
    bundle: true,
    format: 'iife',
    globalName: 'worker',
    conditions: [condition],
    plugins: [given],
    write: false,
  });
  const globals = { TextEncoder, TextDecoder, AbortController, AbortSignal, crypto, performance, atob };
  const compiled = new WebAssembly.Module(readFileSync(wasmFile));
  const Module = new Proxy(WebAssembly.Module, {
    construct() {
      throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder');
    },
  });
  const { Instance, Memory, Table, Global, RuntimeError, CompileError, LinkError } = WebAssembly;
  const assembly = { Module, Instance, Memory, Table, Global, RuntimeError, CompileError, LinkError };
  const timers = { setTimeout, clearTimeout, queueMicrotask };
  const context = vm.createContext({ ...globals, ...timers, console, compiled, WebAssembly: assembly });
  vm.runInContext(outputFiles[0]?.text ?? '', context);
  return vm.runInContext('worker.Jobs', context);
}

/** What an object has of a database and of an alarm; its constructor's work is over when `ready` is. */
function createState() {
  const database = new Database(':memory:');
  const state = {
    ready: Promise.resolve(),
    alarms: 0,
    blockConcurrencyWhile(/** @type {() => Promise<any>} */ work) {
      state.ready = work();
    },
    storage: {
      setAlarm: () => {
        state.alarms += 1;
      },
      sql: {
        exec(/** @type {string} */ query, /** @type {unknown[]} */ ...values) {
          const statement = database.prepare(query);
          const named = Object.fromEntries(values.map((value, index) => [index + 1, value]));
          const parameters = values.length === 0 ? [] : [named];
          return statement.reader ? statement.all(...parameters) : [statement.run(...parameters)];
        },
      },
    },
  };
  return state;
}

/** @param {any} object */
const isIdle = async ({ running }) => {
  while (running.size > 0) await new Promise((resolve) => setTimeout(resolve, 1));
};

test('a job in a Durable Object goes on in the next one on the same database', async () => {
  const Jobs = await load('workerd');
  const state = createState();
  const first = new Jobs(state);
  await state.ready;
  const id = await first.create('bees');
  await isIdle(first);
  assert.equal((await first.orchestrator.getJob(id)).status, 'paused');
  assert.equal((await first.approve(id, 'Ada')).success, true);
  assert.equal(state.alarms, 2);
  await first.orchestrator.close();

  const second = new Jobs(state);
  await state.ready;
  await second.alarm();
  await isIdle(second);
  const { status, context } = await second.orchestrator.getJob(id);
  assert.equal(status, 'completed');
  assert.equal(context.draft, 'About bees');
  assert.equal(context.note, 'About the embargo');
  const listed = await second.orchestrator.listJobs({ status: 'completed', limit: 1 });
  assert.deepEqual(
    [...listed].map((head) => head.id),
    [id],
  );
  assert.deepEqual([...(await second.orchestrator.listJobs({ cursor: id }))], []);
  await second.orchestrator.close();
});

test('a bundle without the condition says which it needs', async () => {
  const Jobs = await load('browser');
  assert.throws(() => new Jobs(createState()), {
    name: 'JobwrightError',
    code: 'unsupported',
    message: /A bundle for workerd needs the export condition "workerd"/,
  });
});
