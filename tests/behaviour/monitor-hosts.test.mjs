// @ts-check
/** Monitoring over buses and stores that are strange, deaf, silent or down. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { jobwright } from '../differential/subject.mjs';
import { settle } from './support/clock.mjs';
import { childrenOf, complete, monitored, statusOf } from './support/families.mjs';
import { createBus, LIMIT, setup } from './support/setup.mjs';

const { createMemoryStore } = jobwright;

test(
  'what other programs say of children is read in either spelling, and junk is ignored with one line',
  LIMIT,
  async () => {
    /** @type {any[][]} */
    const warnings = [];
    const store = createMemoryStore();
    const emitter = new EventEmitter();
    const bus = Object.assign(createBus(), { on: emitter.on.bind(emitter) });
    const w = setup({
      store,
      eventBus: bus,
      logger: { warn: (/** @type {any[]} */ ...a) => warnings.push(a) },
    });
    // Of another process: its bus is not this one.
    const other = setup({ store, clock: w.clock });
    const parent = await monitored(w);
    const children = await childrenOf(w, parent, 4);
    const trap = {
      get jobId() {
        throw new Error('no');
      },
    };
    for (const junk of [undefined, null, 7, 'x', {}, [], { jobId: 7 }, trap])
      emitter.emit('job_status_change', junk);
    for (const [place, id] of children.entries()) {
      await complete(other, id);
      const told = [
        { jobId: id, parentId: parent, status: 'completed' },
        { job_id: id, parent_id: parent, status: 'completed' },
        { payload: { job_id: id, parent_id: parent } },
        { jobId: id },
      ][place];
      emitter.emit('job_status_change', told);
      // Well before the next poll.
      await w.clock.advance(100);
      assert.equal(bus.of('child_job_stats').at(-1).completed, place + 1);
    }
    assert.equal(await statusOf(w, parent), 'completed');
    assert.equal(warnings.length, 1, JSON.stringify(warnings));
    assert.match(warnings[0]?.[0], /job_status_change/);
    await Promise.all([w.close(), other.close()]);
  },
);

test('the bus is asked once, and left when the orchestrator is closed', LIMIT, async () => {
  let on = 0;
  /** @type {any} */
  let heard = null;
  const bus = Object.assign(createBus(), {
    /** @param {string} type @param {any} handler */
    on(type, handler) {
      assert.equal(type, 'job_status_change');
      on += 1;
      heard = handler;
      return () => {
        heard = null;
      };
    },
  });
  const w = setup({ eventBus: bus });
  assert.deepStrictEqual([on, typeof heard], [1, 'function']);
  assert.equal(w.subscribeToChildStatusChanges(), undefined);
  assert.equal(on, 1);
  await w.close();
  assert.equal(heard, null);
  w.subscribeToChildStatusChanges();
  assert.equal(on, 1);
  const emitter = new EventEmitter();
  const over = setup({ eventBus: emitter });
  assert.equal(emitter.listenerCount('job_status_change'), 1);
  await over.close();
  assert.equal(emitter.listenerCount('job_status_change'), 0);
});

test('a bus that can not be listened to disturbs nobody', LIMIT, async () => {
  /** @type {any[][]} */
  const errors = [];
  const bus = Object.assign(createBus(), {
    on() {
      throw new Error('deaf');
    },
  });
  const w = setup({ eventBus: bus, logger: { error: (/** @type {any[]} */ ...a) => errors.push(a) } });
  assert.match(errors[0]?.[0], /eventBus.on failed/);
  const parent = await monitored(w);
  const [child] = await childrenOf(w, parent, 1);
  await complete(w, child);
  await settle();
  assert.equal(await statusOf(w, parent), 'completed');
  await w.close();
});

test('a store that fails for a while is asked again; the log says why', LIMIT, async () => {
  /** @type {any[][]} */
  const errors = [];
  const store = createMemoryStore();
  let broken = false;
  const flaky = new Proxy(store, {
    get: (target, name) => (broken ? () => Promise.reject(new Error('down')) : Reflect.get(target, name)),
  });
  const w = setup({ store: flaky, logger: { error: (/** @type {any[]} */ ...a) => errors.push(a) } });
  const parent = await monitored(w);
  const [child] = await childrenOf(w, parent, 1);
  await w.startJob(child);
  broken = true;
  await w.clock.advance(20_000);
  assert.ok(errors.length >= 3 && errors.length <= 5, `${errors.length} lines`);
  assert.match(errors[0]?.[0], /Monitoring job .* failed; it is tried again/);
  assert.match(String(errors[0]?.[1]), /down/);
  broken = false;
  await w.completeJob(child);
  await w.clock.advance(5_000);
  assert.equal(await statusOf(w, parent), 'completed');
  await w.close();
});

test('children of which the store gives junk keep their parent waiting, not broken', LIMIT, async () => {
  const store = createMemoryStore();
  const strange = new Proxy(store, {
    get: (target, name) =>
      name === 'listJobs'
        ? (/** @type {any} */ filter) => [
            ...target.listJobs(filter),
            { id: 'odd', parentId: filter.parentId, status: 'lost', config: 7, run: 'x' },
            { id: 'stranger', parentId: 'other', status: 'running' },
          ]
        : Reflect.get(target, name),
  });
  const w = setup({ store: strange });
  const parent = await monitored(w, { timeoutMs: 10_000 });
  const [child] = await childrenOf(w, parent, 1);
  await complete(w, child);
  await w.clock.advance(9_999);
  assert.equal((await w.childStats(parent)).total, 2);
  assert.equal(await statusOf(w, parent), 'running');
  await w.clock.advance(1);
  assert.equal(await statusOf(w, parent), 'failed');
  await w.close();
});

test('a child that is deleted is no longer waited for; one that had ended still counts', LIMIT, async () => {
  const store = createMemoryStore();
  const w = setup({ store });
  const parent = await monitored(w);
  const [one, two, three] = await childrenOf(w, parent, 3);
  await complete(w, one);
  await settle();
  store.deleteJob(one);
  store.deleteJob(two);
  await w.clock.advance(5_000);
  assert.equal(
    w.bus.of('child_job_stats').at(-1).progressText,
    '1 pending, 0 running, 1 completed, 0 failed',
  );
  await complete(w, three);
  await settle();
  assert.equal(await statusOf(w, parent), 'completed');
  await w.close();
});

test('a store that never says how the children are does not keep their parent for ever', LIMIT, async () => {
  const errors = /** @type {any[][]} */ ([]);
  const logger = { error: (/** @type {any[]} */ ...words) => errors.push(words) };
  const store = { ...createMemoryStore(), listJobs: () => Promise.reject(new Error('no lists')) };
  const w = setup({ store, logger });
  const parent = await monitored(w, { timeoutMs: 60_000 });
  await childrenOf(w, parent, 1);
  await w.clock.advance(59_000);
  assert.deepStrictEqual([await statusOf(w, parent), errors.length], ['running', 12]);
  await w.clock.advance(10_000);
  const { failure } = (await w.getJob(parent)).run;
  assert.equal(failure.message, 'Timed out waiting for child jobs to complete');
  await w.close();
});
