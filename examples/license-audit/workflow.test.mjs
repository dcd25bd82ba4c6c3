// @ts-check
/** The agents, the tools and the approval, without the program around them. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createBudgetManager, createOrchestrator, validatePlan } from 'jobwright';
import { agents } from './agents.mjs';
import { readSubject, runAudit } from './audit.mjs';
import { makeProject } from './fixture.mjs';
import { hold } from './hold.mjs';
import { plan, READ_ATTEMPTS } from './plan.mjs';
import { createTools } from './tools.mjs';

/** @param {import('node:test').TestContext} t */
function makeFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'license-audit-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const never = new AbortController().signal;

/** @param {string} folder */
function toolsOf(folder) {
  const tools = createTools({
    project: folder,
    report: join(folder, 'report.md'),
    approver: async () => 'Ada',
  });
  return (/** @type {string} */ name, /** @type {unknown} */ args) =>
    Promise.resolve().then(() => tools[name].execute(args, /** @type {any} */ ({ signal: never })));
}

test('the plan is valid, and each of its agents and tools is there', () => {
  assert.deepEqual(validatePlan(plan), { success: true });
  const tools = createTools({ project: '.', report: 'x', approver: async () => 'Ada' });
  for (const step of plan.steps) {
    assert.ok(Object.hasOwn(agents, step.agent ?? ''), step.agent);
    for (const tool of step.tools ?? []) assert.ok(Object.hasOwn(tools, tool), tool);
  }
});

// ---------------------------------------------------------------- tools

test('lock files are found below the project, but not in what was installed or built', async (t) => {
  const folder = makeFolder(t);
  for (const path of ['', 'a/b', 'node_modules/x', 'a/target', '.hidden', 'b']) {
    mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, path, 'Cargo.lock'), '');
  }
  mkdirSync(join(folder, 'c/Cargo.lock'), { recursive: true });
  const found = await toolsOf(folder)('findFiles', { names: ['Cargo.lock'] });
  assert.deepEqual(found, ['Cargo.lock', 'a/b/Cargo.lock', 'b/Cargo.lock']);
});

test('nothing outside of the project is read, and nothing but cargo metadata is run', async (t) => {
  const call = toolsOf(makeFolder(t));
  for (const path of ['../x', '..', '/etc/hostname', 'a/../../x', 7, null]) {
    await assert.rejects(call('readFile', { path }), /is outside of the project$/);
    await assert.rejects(
      call('runCargo', { folder: path, args: ['metadata'] }),
      /is outside of the project$/,
    );
  }
  await assert.rejects(
    call('runCargo', { folder: '.', args: ['install', 'x'] }),
    /Only "cargo metadata" may be run/,
  );
});

test('the report replaces an older one and leaves nothing else behind', async (t) => {
  const folder = makeFolder(t);
  const call = toolsOf(folder);
  await call('writeReport', { text: 'old' });
  assert.equal(await call('writeReport', { text: 'new' }), join(folder, 'report.md'));
  assert.deepEqual(readdirSync(folder), ['report.md']);
  assert.equal(readFileSync(join(folder, 'report.md'), 'utf8'), 'new');
});

// ---------------------------------------------------------------- reading crates

/** @param {number} attempt @param {object[]} answers what Cargo answers, in turn */
async function readCrates(attempt, answers) {
  /** @type {any[]} */
  const calls = [];
  const crate = {
    ecosystem: 'cargo',
    name: 'a',
    version: '1.0.0',
    source: 'registry+x',
    lock: 'sub/Cargo.lock',
    id: 'a',
  };
  const context = {
    attempt,
    step: 'read-cargo',
    signal: never,
    emit: () => {},
    callTool: async (/** @type {string} */ name, /** @type {any} */ args) => {
      calls.push([name, args.folder, args.args.includes('--offline')]);
      return answers.shift();
    },
  };
  const input = { locks: ['package-lock.json', 'sub/Cargo.lock'], packages: [crate] };
  const result = await agents.crateReader(input, /** @type {any} */ (context));
  return { ...result, calls };
}

const metadata = (/** @type {object} */ more) => ({
  output: JSON.stringify({ packages: [{ name: 'a', version: '1.0.0', source: 'registry+x', ...more }] }),
});
const away = { problem: 'cargo metadata failed (no network)', final: false };

test('Cargo is asked without the network first, and with it where that is not enough', async () => {
  const offline = await readCrates(1, [metadata({ license: 'MIT' })]);
  assert.deepEqual(offline.calls, [['runCargo', 'sub', true]]);
  assert.deepEqual(offline.data, [{ licence: 'MIT', from: 'cargo metadata' }]);
  assert.equal(offline.cost, 1);
  const online = await readCrates(1, [away, metadata({ license: null, license_file: 'COPYING' })]);
  assert.deepEqual(online.calls, [
    ['runCargo', 'sub', true],
    ['runCargo', 'sub', false],
  ]);
  assert.deepEqual(online.data, [{ licence: 'SEE LICENSE IN COPYING', from: 'cargo metadata' }]);
});

test('Cargo is asked again while that may help; after that its crates count as unread', async () => {
  for (let attempt = 1; attempt < READ_ATTEMPTS; attempt += 1) {
    await assert.rejects(readCrates(attempt, [away, away]), /^Error: cargo metadata failed \(no network\)$/);
  }
  const unread = [{ licence: null, from: 'nowhere', problem: away.problem }];
  assert.deepEqual((await readCrates(READ_ATTEMPTS, [away, away])).data, unread);
  const final = await readCrates(1, [{ ...away, final: true }]);
  assert.deepEqual(final.data, unread);
  assert.equal(final.calls.length, 1);
  const other = await readCrates(1, [metadata({ name: 'b' })]);
  assert.deepEqual(other.data, [
    { licence: null, from: 'nowhere', problem: 'cargo metadata does not name it' },
  ]);
});

// ---------------------------------------------------------------- reading npm packages

/**
 * @param {{ stated?: string }} locked
 * @param {string | object | null} installed its package.json; null where there is none
 */
async function readModule(locked, installed) {
  const found = {
    ecosystem: 'npm',
    name: 'a',
    version: '1.0.0',
    lock: 'sub/package-lock.json',
    id: 'a',
    path: 'node_modules/a',
  };
  const context = {
    step: 'read-npm',
    signal: never,
    emit: () => {},
    callTool: async (/** @type {string} */ _name, /** @type {any} */ { path }) => {
      assert.equal(path, 'sub/node_modules/a/package.json');
      if (installed === null) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return typeof installed === 'string' ? installed : JSON.stringify(installed);
    },
  };
  const input = { packages: [{ ...found, ...locked }] };
  const { data } = /** @type {any} */ (await agents.moduleReader(input, /** @type {any} */ (context)));
  return [data[0].licence, data[0].from];
}

test('what is installed counts first, but only in the version that is locked', async () => {
  const locked = { stated: 'MIT' };
  assert.deepEqual(await readModule(locked, { version: '1.0.0', license: 'ISC' }), ['ISC', 'node_modules']);
  assert.deepEqual(await readModule(locked, { version: '2.0.0', license: 'ISC' }), [
    'MIT',
    'package-lock.json',
  ]);
  assert.deepEqual(await readModule(locked, { version: '1.0.0' }), ['MIT', 'package-lock.json']);
  assert.deepEqual(await readModule(locked, null), ['MIT', 'package-lock.json']);
  assert.deepEqual(await readModule(locked, '{'), ['MIT', 'package-lock.json']);
  assert.deepEqual(await readModule({}, { version: '1.0.0' }), [null, 'node_modules']);
  assert.deepEqual(await readModule({}, { version: '2.0.0', license: 'ISC' }), [null, 'nowhere']);
  assert.deepEqual(await readModule({}, null), [null, 'nowhere']);
});

// ---------------------------------------------------------------- approval

/**
 * A whole audit in this process, in memory.
 *
 * @param {import('node:test').TestContext} t
 * @param {(approval: any) => Promise<import('./audit.mjs').Answer>} ask
 */
async function auditInMemory(t, ask) {
  const { folder, report } = makeProject(t);
  const settings = {
    project: folder,
    policy: join(import.meta.dirname, 'policy.json'),
    report,
    store: '',
    budget: 1_000,
    slow: 0,
    yes: false,
  };
  const budget = createBudgetManager();
  const orchestrator = createOrchestrator({
    budgetManager: budget,
    agentRegistry: agents,
    tools: createTools({ ...settings, approver: async () => 'Ada' }),
  });
  t.after(() => orchestrator.close());
  const desk = { orchestrator, budget, settings, signal: never, begun: () => {}, ask, say: () => {} };
  return { ...(await runAudit(desk, await readSubject(settings))), folder };
}

test('the request for approval shows the packages, and who is asked for them', async (t) => {
  /** @type {any[]} */
  const asked = [];
  const { job } = await auditInMemory(t, async (approval) => {
    asked.push(approval);
    return { by: 'Ada', approved: true };
  });
  assert.equal(job.status, 'completed');
  assert.equal(asked.length, 1);
  const { step, tool, agent, args } = asked[0];
  assert.deepEqual([step, tool, agent], ['review', 'signOff', 'reviewer']);
  const weak = { package: 'weak 1.0.0', ecosystem: 'npm', licence: 'MPL-2.0', why: 'MPL-2.0 needs review' };
  assert.deepEqual(args, { packages: [weak] });
});

test('a person who says no ends the audit, and there is no report', async (t) => {
  const { job, refusal, folder } = await auditInMemory(t, async () => ({ by: 'Ada', approved: false }));
  assert.equal(refusal, null);
  assert.equal(job.status, 'failed');
  assert.equal(job.run?.failure?.code, 'rejected');
  assert.match(job.run?.failure?.message ?? '', /Ada said no/);
  assert.ok(!readdirSync(folder).includes('license-audit.md'));
});

test('nobody answers: the job stays', async (t) => {
  const { job, refusal } = await auditInMemory(t, async () => null);
  assert.equal(refusal?.code, 'approval_required');
  assert.equal(job.status, 'paused');
});

// ---------------------------------------------------------------- one at a time

test('a hold is refused while its owner lives, and taken from one that was killed', (t) => {
  const file = join(makeFolder(t), 'lock');
  const release = hold(file);
  writeFileSync(file, String(process.ppid));
  assert.throws(() => hold(file), new RegExp(`process ${process.ppid}`));
  for (const left of ['999999999', '', 'x', '0', '-1', String(process.pid)]) {
    writeFileSync(file, left);
    hold(file)();
  }
  release();
});
