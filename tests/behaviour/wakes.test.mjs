// @ts-check
/** A parent always wakes: whatever becomes of events, what the store says counts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSqliteStore } from '../../pkg-template/sqlite/index.js';
import { createRandom } from '../differential/random.mjs';
import { jobwright } from '../differential/subject.mjs';
import { createClock, settle } from './support/clock.mjs';
import { createStore, FREE, LIMIT, setup } from './support/setup.mjs';

const { createMemoryStore } = jobwright;

/**
 * A bus on which events get lost, come twice, late, and in another order.
 *
 * @param {(below: number) => number} random
 * @param {any} clock
 */
function createChaos(random, clock) {
  /** @type {{ type: string, handler: (payload: any) => unknown }[]} */
  const handlers = [];
  const told = /** @type {[string, any][]} */ ([]);
  const deliver = (/** @type {string} */ type, /** @type {any} */ payload) => {
    for (const { type: other, handler } of handlers) if (other === type) handler(payload);
  };
  return {
    told,
    /** @param {string} type @param {any} payload */
    emit(type, payload) {
      told.push([type, payload]);
      for (let copies = random(4); copies > 0; copies--) {
        const delay = random(3) === 0 ? 0 : random(20_000);
        if (delay === 0) deliver(type, payload);
        else clock.sleep(delay).then(() => deliver(type, payload));
      }
    },
    /** @param {string} type @param {(payload: any) => unknown} handler */
    on(type, handler) {
      handlers.push({ type, handler });
    },
  };
}

const ENDS = /** @type {const} */ (['completeJob', 'completeJob', 'failJob', 'cancelJob']);

/** What children that ended so come to. @param {string[]} ends @param {number} most */
function expected(ends, most) {
  const count = (/** @type {string} */ end) => ends.filter((other) => other === end).length;
  const [completed, failed, cancelled] = [count('completeJob'), count('failJob'), count('cancelJob')];
  const status = cancelled === ends.length || failed > most ? 'failed' : 'completed';
  return { status, stats: { total: ends.length, pending: 0, running: 0, completed, failed, cancelled } };
}

/**
 * A parent whose children are made and ended at random, by another orchestrator than the one that follows it.
 *
 * @param {number} seed
 * @param {any} store
 * @param {boolean} shared can two orchestrators work on it?
 */
async function wakes(seed, store, shared) {
  const random = createRandom(seed).below;
  const clock = createClock();
  const bus = createChaos(random, clock);
  const deps = { store, clock, eventBus: bus };
  const worker = setup(deps);
  let follower = shared ? setup(deps) : worker;
  const most = random(3);
  const parent = await worker.createJob({}, FREE, { type: 'parent', config: { source_type: 'x' } });
  const follow = async () =>
    follower.startMonitoring(await follower.getJob(parent), { maxFailedChildren: most });
  await follow();
  // The first one ends last: a parent whose children have all ended is not kept waiting for more.
  const open = [await worker.createJob({}, FREE, { parentId: parent })];
  /** @type {string[]} */
  const ends = [];
  const end = async (/** @type {number} */ place) => {
    const [child] = /** @type {[string]} */ (open.splice(place, 1));
    const how = ENDS[random(4)] ?? 'completeJob';
    if (how === 'completeJob' || random(2) === 0) assert.ok((await worker.startJob(child)).success);
    assert.ok((await worker[how](child)).success);
    ends.push(how);
  };
  for (let left = 5 + random(25); left > 0; left--) {
    if (random(2) === 0) await clock.advance(random(4_000));
    const what = random(10);
    if (what < 5) open.push(await worker.createJob({}, FREE, { parentId: parent }));
    else if (what < 9 && open.length > 1) await end(1 + random(open.length - 1));
    else if (shared) {
      // The process that follows dies, and another takes over.
      await follower.close();
      follower = setup(deps);
      await follow();
    }
  }
  while (open.length > 0) await end(open.length - 1);
  await clock.advance(10_000);
  await settle();
  const { status, history } = await worker.getJob(parent);
  const { status: due, stats } = expected(ends, most);
  const about = `seed ${seed}: ${JSON.stringify(stats)}, at most ${most} may fail`;
  assert.equal(status, due, about);
  const last = history.filter((/** @type {any} */ { type }) => /^job_(completed|failed)$/.test(type));
  assert.equal(last.length, 1, about);
  const told = bus.told.filter(([type, payload]) => type === 'child_job_stats' && payload.jobId === parent);
  const { jobId, progressText, overallStatus, progress, ...counted } = told.at(-1)?.[1] ?? {};
  assert.deepStrictEqual(counted, stats, about);
  const { done, total } = progress;
  assert.deepStrictEqual([done, total, progress.fraction], [ends.length, ends.length, 1], about);
  await Promise.all([worker.close(), follower.close()]);
}

test('in one process, over a plain store', LIMIT, async () => {
  for (let seed = 1; seed <= 60; seed++) await wakes(seed, createStore(), false);
});

test('in two processes, over a store in memory', LIMIT, async () => {
  for (let seed = 1; seed <= 150; seed++) {
    await wakes(seed, createMemoryStore(), true);
  }
});

test('in two processes, over SQLite', LIMIT, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwright-'));
  try {
    for (let seed = 1; seed <= 25; seed++) {
      const store = await createSqliteStore({ path: join(folder, `${seed}.db`) });
      await wakes(seed, store, true);
      await store.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
