// @ts-check
/** For the tests of the small examples: what holds of each of them, and their programs as somebody starts them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createMemoryStore, createOrchestrator, simulatePlan, validatePlan, verifyRun } from 'jobwright';

/** @typedef {import('jobwright').Job} Job */

/** @param {import('node:test').TestContext} t */
export function makeFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-example-'));
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

/**
 * @param {string} main
 * @param {string[]} args
 * @param {{ cwd: string, input?: string }} options
 */
export async function start(main, args, { cwd, input = '' }) {
  const env = { ...process.env, NO_COLOR: '1' };
  const child = spawn(process.execPath, [main, ...args], { cwd, env });
  child.stdin.on('error', () => {}).end(input);
  const [output, errors, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, signal, output, errors };
}

/**
 * The program says what it does, and refuses what it does not know in one line.
 *
 * @param {string} main
 * @param {import('node:test').TestContext} t
 */
export async function checkFront(main, t) {
  const cwd = makeFolder(t);
  const help = await start(main, ['--help'], { cwd });
  assert.match(help.output, /^[A-Z][\s\S]*\n {2}node examples\/[\w-]+\/main\.mjs /);
  assert.deepEqual([help.code, help.errors], [0, '']);
  const unknown = await start(main, ['--unheard-of'], { cwd });
  assert.equal(unknown.errors, "Unknown option '--unheard-of'; --help shows the options.\n");
  assert.deepEqual([unknown.code, unknown.output], [2, '']);
}

/**
 * The plan has no problems, the run kept within what the simulation said of it, and a replay comes to the same.
 *
 * @param {import('jobwright').Plan} plan
 * @param {Partial<import('jobwright').JobPermissions>} permissions
 * @param {Job} job as it ended
 */
export async function checkRun(plan, permissions, job) {
  assert.deepEqual(validatePlan(plan), { success: true });
  const { steps, approvals, refused } = simulatePlan(plan, { permissions });
  assert.deepEqual(refused, []);
  assert.ok((job.run?.stepsTaken ?? 0) <= steps.max);
  if (job.status === 'completed') assert.ok((job.run?.stepsTaken ?? 0) >= steps.min);
  const asked = job.history.filter(({ type }) => type === 'approval_requested').map(stepOf);
  assert.deepEqual(
    asked.filter((step) => !approvals.includes(step)),
    [],
  );
  await checkReplay(job);
}

/**
 * What was decided is decided again from the history alone, and from an export of it, also without its words.
 *
 * @param {Job} job
 */
export async function checkReplay(job) {
  const store = createMemoryStore();
  await store.saveJob(job);
  const orchestrator = createOrchestrator({ store });
  const results = [
    await orchestrator.replayJob(job),
    await verifyRun(orchestrator.exportJob(job.id)),
    await verifyRun(orchestrator.exportJob(job.id, { redact: false })),
  ];
  for (const result of results) assert.ok(result.ok && result.decisions > 0, JSON.stringify(result));
}

/** @param {import('jobwright').JobEvent} event */
export const stepOf = ({ payload }) => /** @type {{ step: string }} */ (payload).step;

/**
 * The steps that this happened to, in order.
 *
 * @param {Job} job
 * @param {string} type
 */
export const stepsOf = (job, type) => job.history.filter((event) => event.type === type).map(stepOf);
