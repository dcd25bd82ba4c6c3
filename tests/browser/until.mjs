// @ts-check
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';

/** However slow the machine is, what a test waits for comes in this time. */
const PATIENCE_MS = 60_000;

/**
 * Waits for what a page finds out with promises; `waitForFunction` takes a promise itself for true.
 *
 * @param {import('playwright-core').Page} page
 * @param {(given: any) => Promise<boolean>} condition
 * @param {unknown} [given]
 */
export async function until(page, condition, given) {
  for (const end = Date.now() + PATIENCE_MS; !(await page.evaluate(condition, given)); ) {
    assert.ok(Date.now() < end, `It did not come about: ${condition}`);
    await sleep(10);
  }
}
