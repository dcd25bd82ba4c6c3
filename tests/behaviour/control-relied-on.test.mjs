// @ts-check
/** A store that refuses commits which rely on an old control record is not asked for it before each step. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { importPackage } from '../package/installed.mjs';
import { assertRefused, FREE, LIMIT, latch } from './support/setup.mjs';

const { createOrchestrator } = await importPackage();
const { createSqliteStore } = await importPackage('jobwright/sqlite');
const plan = { steps: ['one', 'two', 'three'].map((id) => ({ id, agent: 'work' })) };

/** Two orchestrators on stores of their own over one file. @param {any} t @param {any} [work] */
async function two(t, work = (/** @type {any} */ _, /** @type {any} */ { step }) => step) {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-control-'));
  const homes = [];
  for (let n = 0; n < 2; n++) {
    const store = await createSqliteStore({ path: join(folder, 'jobs.db') });
    const orchestrator = createOrchestrator({ store, agentRegistry: { work }, logger: {} });
    homes.push({ ...orchestrator, store });
  }
  t.after(async () => {
    for (const { close, store } of homes) {
      await close();
      await store.close();
    }
    rmSync(folder, { recursive: true });
  });
  return homes;
}

/** @param {any} o */
async function started(o) {
  const id = await o.createJob({}, FREE, { plan });
  assert.equal((await o.startJob(id)).success, true);
  return id;
}

test(
  'a pause of all that was not heard of keeps the next step from beginning, and jobs from starting',
  LIMIT,
  async (t) => {
    const [reached, gate] = [latch(), latch()];
    const [first, second] = /** @type {any} */ (
      await two(t, async (/** @type {any} */ _, /** @type {any} */ { step }) => {
        if (step === 'one') {
          reached.open();
          await gate.promise;
        }
        return step;
      })
    );
    const [id, waits] = [await started(first), await first.createJob({}, FREE, { plan })];
    const run = first.runJob(id);
    await reached.promise;
    second.store.setControl({ paused: true });
    gate.open();
    assertRefused(await run, 'globally_paused');
    const { status, run: state, context } = await second.getJob(id);
    assert.deepEqual([status, state.pause?.reason, context], ['paused', 'global', { one: 'one' }]);
    assertRefused(await first.startJob(waits), 'globally_paused');
    second.store.setControl({ paused: false });
    assert.equal((await first.startJob(waits)).success, true);
    assert.equal((await first.runJob(waits)).success, true);
    second.store.setControl({ paused: true });
    const late = await first.createJob({}, FREE, { plan });
    assertRefused(await first.startJob(late), 'globally_paused');
  },
);

test(
  'the lease ends with the commit that ends the job; who had it does not lose it before',
  LIMIT,
  async (t) => {
    const [{ store, ...o }, second] = /** @type {any} */ (await two(t));
    const id = await started(o);
    const token = store.acquireLease(id, 'A', 60_000);
    const { context, history, ...head } = await o.getJob(id);
    const ended = { ...head, status: 'completed', timing: { ...head.timing, completed: 9 } };
    const change = (/** @type {number} */ revision) => ({
      jobId: id,
      expectedRevision: revision,
      fencingToken: token,
      head: { ...ended, run: { ...head.run, plan: undefined, steps: undefined, revision: revision + 1 } },
      events: [],
    });
    assert.equal(second.store.acquireLease(id, 'B', 60_000), null);
    store.commit(change(head.run.revision));
    assert.equal(store.renewLease(id, token, 60_000), true);
    // What became of the budget is committed afterwards.
    store.commit(change(head.run.revision + 1));
    const other = second.store.acquireLease(id, 'B', 60_000);
    assert.ok(other > token);
    assert.throws(() => store.commit(change(head.run.revision + 2)), { name: 'ConflictError' });
    store.releaseLease(id, token);
    assert.equal(store.renewLease(id, token, 60_000), false);
    assert.equal(second.store.renewLease(id, other, 60_000), true);
  },
);
