// @ts-check
/**
 * Whatever happens to a store, and whenever: what was committed is there, nothing is done twice, and what is told is
 * true. `JOBWRIGHT_SEED=n` makes one of the runs again, `JOBWRIGHT_RUNS=n` so many.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './support/check.mjs';

const RUNS = Number(process.env.JOBWRIGHT_RUNS ?? 20_000);
const only = process.env.JOBWRIGHT_SEED;

test(`${only ?? RUNS} runs over faulty stores`, { timeout: 900_000 }, async (t) => {
  const sum = { operations: 0, faults: 0, deaths: 0, rejections: 0 };
  const seeds = only === undefined ? Array.from({ length: RUNS }, (_, seed) => seed) : [Number(only)];
  /** @type {[number, string][]} */
  const failures = [];
  for (const seed of seeds) {
    try {
      const counts = await check(seed);
      for (const key of /** @type {(keyof typeof sum)[]} */ (Object.keys(sum))) sum[key] += counts[key];
    } catch (error) {
      const text = String(/** @type {any} */ (error)?.stack).slice(0, 2_000);
      failures.push([seed, text]);
      if (failures.length === 20) break;
    }
  }
  const said = Object.entries(sum).map(([what, count]) => `${count} ${what}`);
  t.diagnostic(said.join(', '));
  assert.equal(
    failures.length,
    0,
    failures.map(([seed, text]) => `JOBWRIGHT_SEED=${seed}\n${text}`).join('\n\n'),
  );
});
