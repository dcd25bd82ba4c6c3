// @ts-check
/** `npm run bench`: the time per lifecycle operation, side by side with plain JavaScript in the same run. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const CONTENDERS = ['plain', 'plain, no history', 'jobwright'];
const STORES = [
  { kind: 'async', title: 'store with async methods', due: 2.5 },
  { kind: 'sync', title: 'store with synchronous methods', due: 1.7 },
];
/** Each is a process of its own; their order changes from one to the next. */
const PROCESSES = 3;
const worker = fileURLToPath(new URL('lifecycle-worker.mjs', import.meta.url));

/** @param {number[]} values */
function summary(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ place) => /** @type {number} */ (sorted[place]);
  return { min: at(0), median: at(Math.floor(sorted.length / 2)), max: at(sorted.length - 1) };
}

/** @param {string} kind */
function measure(kind) {
  /** @type {Record<string, number[]>} */
  const times = Object.fromEntries(CONTENDERS.map((contender) => [contender, []]));
  for (let turn = 0; turn < PROCESSES; turn++) {
    const order = turn % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed();
    for (const contender of order) {
      const printed = execFileSync(process.execPath, [worker, contender, kind], { encoding: 'utf8' });
      times[contender]?.push(...JSON.parse(printed));
    }
  }
  return times;
}

const ns = (/** @type {number} */ value) => value.toFixed(0).padStart(7);
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`);
console.log(
  'Time per operation (create, start, pause, start, complete), in ns: median (min to max) of 21 rounds',
);
for (const { kind, title, due } of STORES) {
  const times = measure(kind);
  console.log(`\nIn memory, ${title}`);
  const results = CONTENDERS.map((contender) => ({ contender, ...summary(times[contender] ?? []) }));
  for (const { contender, min, median, max } of results) {
    console.log(`  ${contender.padEnd(18)} ${ns(median)} (${ns(min)} to ${ns(max)})`);
  }
  const ratio = /** @type {any} */ (results[2]).median / /** @type {any} */ (results[0]).median;
  console.log(
    `  jobwright takes ${ratio.toFixed(2)} times as long as plain JavaScript that keeps the same history; due: at most ${due.toFixed(1)}`,
  );
}
