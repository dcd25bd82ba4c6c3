// @ts-check
/** Readers of `events()`: what each costs, and what a slow one does to the others and to the memory. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createMemoryStore, createOrchestrator } from 'jobwright';
import { planOf } from './plan-of-steps.mjs';

/** Each step tells of its start and its end, and the job of its own end. */
const eventsOf = (/** @type {number} */ steps) => 2 * steps + 1;

/**
 * A job that is ready to run, and how many it has run.
 *
 * @param {number} steps
 */
async function prepare(steps) {
  const store = createMemoryStore();
  const orchestrator = createOrchestrator({ store, agentRegistry: { work: () => 1 } });
  const { plan, permissions } = planOf(steps);
  const id = await orchestrator.createJob({}, permissions, { plan });
  await orchestrator.startJob(id);
  const run = async () => {
    const outcome = await orchestrator.runJob(id);
    if (!outcome.success) throw new Error(outcome.error);
  };
  return { orchestrator, id, run };
}

/** @param {AsyncIterable<{ seq: number }>} events @param {number} count */
async function readAll(events, count) {
  let [seen, last] = [0, 0];
  for await (const { seq } of events) {
    if (last > 0 && seq !== last + 1) throw new Error(`event ${seq} came after ${last}`);
    [seen, last] = [seen + 1, seq];
  }
  if (seen !== count) throw new Error(`a reader saw ${seen} events instead of ${count}`);
}

/** @param {number} readers @param {number} steps @returns {Promise<number>} microseconds per event and reader */
async function withReaders(readers, steps) {
  const { orchestrator, id, run } = await prepare(steps);
  const all = Array.from({ length: readers }, () => readAll(orchestrator.events(id), eventsOf(steps)));
  const from = performance.now();
  await run();
  await Promise.all(all);
  const ms = performance.now() - from;
  await orchestrator.close();
  return (1_000 * ms) / (eventsOf(steps) * Math.max(1, readers));
}

/** The same run with a reader that reads one event, and the others when the run is over. @param {number} steps */
async function withSlowReader(steps) {
  const { orchestrator, id, run } = await prepare(steps);
  const events = orchestrator.events(id);
  const first = events[Symbol.asyncIterator]().next();
  const from = performance.now();
  await run();
  const ms = performance.now() - from;
  await first;
  // It has missed nothing.
  await readAll(events, eventsOf(steps) - 1);
  await orchestrator.close();
  return (1_000 * ms) / eventsOf(steps);
}

setFlagsFromString('--expose-gc');
/** @type {() => void} */
const collect = runInNewContext('gc');

/** What is held for a reader that never reads on. @param {number} steps @param {number} readers */
async function heldFor(steps, readers) {
  const { orchestrator, id, run } = await prepare(steps);
  const stalled = Array.from({ length: readers }, () => orchestrator.events(id)[Symbol.asyncIterator]());
  const first = stalled.map((events) => events.next());
  await run();
  await Promise.all(first);
  collect();
  collect();
  const before = process.memoryUsage().heapUsed;
  await Promise.all(stalled.map((events) => events.return?.()));
  stalled.length = 0;
  collect();
  collect();
  const held = (before - process.memoryUsage().heapUsed) / readers / 1_000;
  await orchestrator.close();
  return held;
}

/** @param {import('../harness/run.mjs').Task} task */
async function measure({ sizes: { few, some, many, slow, stalled }, rounds }) {
  const jobs = {
    'no reader': () => withReaders(0, few),
    '1 reader': () => withReaders(1, few),
    '100 readers': () => withReaders(100, some),
    '10,000 readers': () => withReaders(10_000, many),
    '1 slow reader': () => withSlowReader(few),
    'held for a stalled reader': () => heldFor(slow, stalled),
    'held for it, of 4 times the events': () => heldFor(4 * slow, stalled),
  };
  /** @type {Record<string, number[]>} */
  const figures = {};
  for (const [name, once] of Object.entries(jobs)) {
    const times = [];
    for (let n = -1; n < rounds; n++) times.push(await once());
    figures[name] = times.slice(1);
  }
  return figures;
}

const each = 'µs per event and reader';

/** @type {import('../harness/run.mjs').Workload[]} */
export const workloads = [
  {
    file: import.meta.url,
    name: 'events',
    title: 'a job in memory whose events are read by many, the run itself included',
    metrics: {
      'no reader': 'µs per event',
      '1 reader': each,
      '100 readers': each,
      '10,000 readers': each,
      '1 slow reader': 'µs per event',
      'held for a stalled reader': 'kB',
      'held for it, of 4 times the events': 'kB',
    },
    contenders: ['jobwright'],
    sizes: { few: 1_000, some: 100, many: 10, slow: 7_500, stalled: 2 },
    quick: { few: 5, some: 2, many: 1, slow: 100, stalled: 1 },
    due: [
      { metric: '1 slow reader', over: '1 reader', atMost: 1.3 },
      { metric: 'held for it, of 4 times the events', over: 'held for a stalled reader', atMost: 1.1 },
    ],
    measure,
  },
];
