// @ts-check
/** events(): what is stored, then what comes, until the job ends. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createOrchestrator } from '../differential/subject.mjs';
import { settle } from './support/clock.mjs';
import { created, LIMIT, setup, started, within } from './support/setup.mjs';

const PLAN = ['one', 'two'].map((id) => ({ id, agent: 'reader' }));
const agentRegistry = { reader: () => 'read' };

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const gc = runInNewContext('gc');

/** What is in use, in bytes, when what nobody holds is gone. */
async function heapUsed() {
  for (let n = 0; n < 3; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    gc();
  }
  return process.memoryUsage().heapUsed;
}

/** @param {AsyncIterable<any>} events @param {any[]} [into] */
async function collect(events, into = []) {
  for await (const event of events) into.push(event);
  return into;
}

test('without `after`: what comes, and it ends with the job', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const id = await started(w, PLAN);
  const reading = collect(w.events(id));
  await settle();
  await w.runJob(id);
  const types = (await within(reading, 'events')).map((event) => event.type);
  assert.deepStrictEqual(types, [
    'step_started',
    'step_completed',
    'step_started',
    'step_completed',
    'job_completed',
  ]);
});

test(
  'with `after`: what is stored after it first, then what comes, without a gap or a repeat',
  LIMIT,
  async () => {
    const w = setup({ agentRegistry });
    const id = await started(w, PLAN);
    await w.nextStep(id);
    const reading = collect(w.events(id, { after: 1 }));
    await settle();
    await w.nextStep(id);
    const events = await within(reading, 'events');
    const stored = w.store.jobs.get(id).history;
    assert.deepStrictEqual(events, stored.slice(1));
  },
);

test('with `after` on a job that has ended: what is stored, then the end', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const id = await started(w, PLAN);
  await w.runJob(id);
  const stored = w.store.jobs.get(id).history;
  assert.deepStrictEqual(await within(collect(w.events(id, { after: 0 })), 'events'), stored);
  assert.deepStrictEqual(await within(collect(w.events(id, { after: stored.length })), 'events'), []);
});

test(
  'with an `after` that the job has not come to: what comes, and it ends with the job',
  LIMIT,
  async () => {
    const w = setup({ agentRegistry });
    const id = await started(w, PLAN);
    const reading = collect(w.events(id, { after: 1_000 }));
    await settle();
    await w.runJob(id);
    const stored = w.store.jobs.get(id).history;
    assert.deepStrictEqual(await within(reading, 'events'), stored.slice(2));
  },
);

test('types chooses', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const id = await started(w, PLAN);
  await w.runJob(id);
  const events = await within(collect(w.events(id, { after: 0, types: ['step_completed'] })), 'events');
  assert.deepStrictEqual(
    events.map((event) => [event.type, event.payload.step]),
    [
      ['step_completed', 'one'],
      ['step_completed', 'two'],
    ],
  );
});

test('without an id: everything, until the signal aborts', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const abort = new AbortController();
  /** @type {any[]} */
  const seen = [];
  const reading = collect(w.events(undefined, { signal: abort.signal }), seen);
  await settle();
  const one = await started(w, PLAN);
  const two = await created(w, PLAN);
  await w.runJob(one);
  await w.failJob(two);
  await settle();
  abort.abort();
  await within(reading, 'events');
  const ends = seen
    .filter((event) => /^job_(completed|failed)$/.test(event.type))
    .map((event) => event.payload.jobId);
  assert.deepStrictEqual(ends, [one, two]);
});

test('a signal that has fired: no events, no hanging', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const id = await started(w, PLAN);
  assert.deepStrictEqual(await within(collect(w.events(id, { signal: AbortSignal.abort() })), 'events'), []);
});

test('leaving the loop early is fine, and another reader is not disturbed', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const id = await started(w, PLAN);
  const other = collect(w.events(id));
  for await (const event of w.events(id, { after: 0 })) {
    assert.equal(event.type, 'job_created');
    break;
  }
  await settle();
  await w.runJob(id);
  assert.equal((await within(other, 'events')).at(-1).type, 'job_completed');
});

/** @type {Record<string, (open: (options?: any) => any, whole: (options?: any) => any) => unknown>} */
const NOT_READ = {
  'given up before it was read': (_, whole) => whole().return(),
  'whose signal aborts before it was read': (_, whole) => {
    const controller = new AbortController();
    whole({ signal: controller.signal });
    controller.abort();
  },
  'whose signal had fired': (_, whole) => whole({ signal: AbortSignal.abort() }),
  'of a job that has ended, not read at all,': (open) => open(),
  'of a job that has ended, read in part,': (open) => open().next(),
};

for (const [how, follow] of Object.entries(NOT_READ)) {
  test(`a reader ${how} keeps no events`, LIMIT, async () => {
    const reader = () => Array.from({ length: 20_000 }, (_, i) => i + 0.5);
    const w = setup({ agentRegistry: { reader } });
    const id = await started(w, PLAN);
    const before = await heapUsed();
    for (let n = 0; n < 50; n++) {
      follow(
        (options) => w.events(id, options),
        (options) => w.events(undefined, options),
      );
    }
    await w.runJob(id);
    const more = (await heapUsed()) - before;
    assert.ok(more < 8_000_000, `${more} bytes more`);
    await w.close();
  });
}

test('a job that has ended meanwhile is read whole', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const id = await started(w, PLAN);
  const events = w.events(id);
  await w.runJob(id);
  const types = (await within(collect(events), 'events')).map((event) => event.type);
  assert.deepStrictEqual(types.slice(-2), ['step_completed', 'job_completed']);
  assert.equal(types.length, 5);
});

test('a slow reader misses nothing', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const id = await started(w, PLAN);
  /** @type {string[]} */
  const types = [];
  const reading = (async () => {
    for await (const event of w.events(id)) {
      types.push(event.type);
      await settle();
    }
  })();
  await settle();
  await w.runJob(id);
  await within(reading, 'events');
  assert.deepStrictEqual(types, [
    'step_started',
    'step_completed',
    'step_started',
    'step_completed',
    'job_completed',
  ]);
});

test('close ends every reader', LIMIT, async () => {
  const w = setup({ agentRegistry });
  const id = await started(w, PLAN);
  const readers = [collect(w.events(id)), collect(w.events())];
  await settle();
  await w.close();
  await within(Promise.all(readers), 'the readers');
});

test('the bundled bus tells its handlers of jobs', LIMIT, async () => {
  const { createEventBus } = (await import('../differential/subject.mjs')).jobwright;
  const eventBus = createEventBus();
  /** @type {any[]} */
  const seen = [];
  const off = eventBus.on('job_started', (/** @type {any} */ event) => seen.push(event.payload));
  const o = createOrchestrator({ eventBus });
  const id = await o.createJob();
  await o.startJob(id);
  off();
  await o.pauseJob(id);
  await o.startJob(id);
  assert.deepStrictEqual(seen, [{ jobId: id }]);
  await o.close();
});
