// @ts-check
/** `--redact`: nothing that people and agents gave leaves the server. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { importPackage, modulesDir } from '../package/installed.mjs';
import { jobOf, openDashboard, openStore } from './dashboards.mjs';
import { LIMIT, makePlace } from './support.mjs';

const { createOrchestrator } = await importPackage();
const { hiding, mark } = await import(
  pathToFileURL(join(modulesDir, 'command-line/dashboard/hiding.js')).href
);

const SECRET = /s3cret|31337/;

/** A value of any shape, with secrets in it: as texts, numbers and keys. */
const secrets = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.nat(99).map((n) => `a s3cret ${n}`),
    fc.constant(31337),
    fc.constant('s3cret\n<img src=x onerror=s3cret()>'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.nat(9).map((n) => `s3cret key ${n}`),
      tie('value'),
      { maxKeys: 3 },
    ),
  ),
})).value;

/** Jobs that do everything that a history can tell, with a secret wherever one may stand. */
const plans = fc.record({ a: secrets, b: secrets, c: secrets }).map(({ a, b, c }) => ({
  name: 'report',
  steps: [
    { id: 'collect', agent: 'gives', input: { preserve: a }, retry: { maxAttempts: 2, backoffMs: 1 } },
    { id: 'skipped', agent: 'gives', when: { '==': [{ var: 'word' }, 's3cret rule'] } },
    { id: 'files', agent: 'gives', forEach: ['s3cret item', { preserve: b }] },
    { id: 'rounds', agent: 'gives', repeat: { until: { '!=': [{ var: 'word' }, 's3cret until'] }, max: 2 } },
    { id: 'fails', agent: 'fails', onError: 'continue' },
    { id: 'paid', wait: { signal: 'paid' } },
    { id: 'tool', agent: 'calls', input: { preserve: c }, tools: ['send'] },
    {
      id: 'pack',
      job: { plan: { steps: [{ id: 'in', agent: 'gives' }] }, context: { preserve: { word: 's3cret' } } },
    },
    { id: 'ok', approve: { message: 'a s3cret question' } },
  ],
}));

/** @param {any} given */
const agentsOf = (given) => ({
  gives: (/** @type {unknown} */ _, /** @type {any} */ { emit }) => {
    emit('noted', { of: given, jobId: 's3cret', step: 's3cret' });
    emit('said', 'a s3cret text');
    return { success: true, data: { 's3cret key': given }, cost: 7 };
  },
  fails: () => {
    throw new Error('a s3cret reason');
  },
  calls: (/** @type {unknown} */ input, /** @type {any} */ { callTool }) =>
    callTool('send', { to: input, also: 's3cret' }),
});
const tools = { send: { needsApproval: true, execute: () => 's3cret' } };

/**
 * @param {any} store
 * @param {string} id
 * @param {any} plan
 * @param {any} given
 */
async function runThrough(store, id, plan, given) {
  const orchestrator = createOrchestrator({ store, agentRegistry: agentsOf(given), tools });
  const { createJob, startJob, runJob, approveStep, signal, cancelJob, getJob } = orchestrator;
  const permissions = { requireApproval: false, allowTools: true, maxSteps: 40 };
  await createJob({ word: 's3cret', more: given }, permissions, { id, plan, config: { why: given } });
  await startJob(id);
  await signal(id, 'paid', given);
  assert.equal((await runJob(id)).code, 'approval_required');
  // Left waiting, with a tool's arguments, for some; for others, over.
  if (id.endsWith('1')) return;
  await approveStep(id, { by: 's3cret person', note: 'a s3cret note' });
  await runJob(id);
  await signal(id, 'later', given);
  if (id.endsWith('2')) await cancelJob(id, 'a s3cret reason');
  const types = new Set((await getJob(id)).history.map((/** @type {any} */ { type }) => type));
  for (const type of [
    'step_failed',
    'item_completed',
    'round_completed',
    'step_approved',
    'signal_received',
    'noted',
  ])
    assert.ok(types.has(type), type);
}

test('no answer of the server holds a secret of any job, and what may be shown stays', LIMIT, async (t) => {
  const place = makePlace(t);
  const store = await openStore(t, place);
  place.put(
    'secret.mjs',
    "export const gives = () => 's3cret'; export const fails = () => { throw new Error('s3cret'); }; export const calls = gives;",
  );
  const dashboard = await openDashboard(place, ['--redact', '--agents', 'secret.mjs']);
  assert.equal((await dashboard.get('hello')).access.redacted, true);
  const { path, ask, act } = dashboard;
  let n = 0;
  await fc.assert(
    fc.asyncProperty(plans, secrets, async (plan, given) => {
      n += 1;
      const ids = [1, 2, 3].map((kind) => `job ${n} ${kind}`);
      for (const id of ids) await runThrough(store, id, plan, given);
      const said = [await ask(`${path}api/jobs`), await ask(`${path}api/health`)];
      for (const id of [...ids, `${ids[1]}:pack`]) {
        const named = `?id=${encodeURIComponent(id)}`;
        for (const name of ['job', 'head', 'replay', 'export', 'budget'])
          said.push(await ask(`${path}api/${name}${named}`));
        const stream = await dashboard.listen(`events${named}`);
        const last = (await store.getHead(id)).run.seq;
        await stream.until((told) => told.some((one) => one.id === last || one.event === 'end'));
        stream.close();
        assert.doesNotMatch(stream.raw(), SECRET);
        const job = JSON.parse((await ask(`${path}api/job${named}`)).text);
        assert.equal(job.id, id);
        assert.deepEqual(
          job.history.map((/** @type {any} */ { seq }) => seq),
          [...job.history.keys()].map((at) => at + 1),
        );
      }
      const id = ids[0];
      const job = JSON.parse((await ask(`${path}api/job?id=${encodeURIComponent(ids[2] ?? '')}`)).text);
      assert.deepEqual(Object.keys(job.context).slice(0, 2), ['word', 'more']);
      assert.equal(job.context.word, '[hidden: text, 6 characters]');
      assert.deepEqual(
        job.run.plan.steps.map((/** @type {any} */ step) => step.agent ?? step.id).slice(0, 3),
        ['gives', 'gives', 'gives'],
      );
      assert.equal(
        job.history.find((/** @type {any} */ { type }) => type === 'step_completed').payload.cost,
        7,
      );
      said.push(
        await act('approveStep', { jobId: id }),
        await act('stepJob', { jobId: id }),
        await act('startJob', { jobId: id }),
      );
      said.push(
        await act('forkJob', { jobId: id, afterStep: 'nothing' }),
        await act('createJob', { id, plan }),
      );
      said.push(await act('cancelJob', { jobId: id }), await act('startAll'));
      for (const { text } of said) assert.doesNotMatch(text, SECRET);
    }),
    { numRuns: 6, interruptAfterTimeLimit: 60_000 },
  );
});

test('what is not known of a job is not shown, however odd it is', () => {
  fc.assert(
    fc.property(secrets, (given) => {
      const odd = [
        jobOf('a', { context: given, config: given, run: given, history: given, extra: given }),
        jobOf('b', {
          run: { schema: 1, plan: given, steps: given, approvals: given, signals: given, failure: given },
        }),
        jobOf('c', {
          run: {
            plan: { steps: [given, { id: 'x', job: { plan: given, context: given } }] },
            steps: { x: given },
          },
        }),
        jobOf('d', {
          history: [given, { type: 'step_completed', payload: given }, null],
        }),
      ];
      for (const job of odd) {
        // Names are shown, of what is not known too.
        const shown = JSON.stringify(hiding.job(/** @type {any} */ (job))).replaceAll(
          /"s3cret key \d":/g,
          '',
        );
        assert.doesNotMatch(shown, SECRET);
      }
      assert.doesNotMatch(JSON.stringify(mark(given)), SECRET);
    }),
  );
});

test('refusals and errors keep their sentence where it is ours', () => {
  const refusal = (/** @type {string} */ code) => ({ success: false, error: 'a s3cret', code });
  assert.equal(hiding.outcome(refusal('not_running')).error, 'a s3cret');
  assert.deepEqual(hiding.outcome(refusal('agent_failed')), {
    ...refusal('agent_failed'),
    error: '[hidden: text, 8 characters]',
  });
  assert.equal(hiding.error({ code: 'internal', message: 's3cret' }).message, '[hidden: text, 6 characters]');
  assert.deepEqual(hiding.reasons({ a: 's3cret' }), { a: '[hidden: text, 6 characters]' });
  assert.equal(hiding.job(null), null);
});
