// @ts-check
/** The built demo in a real browser, under the policy that it is served with, and what goes wrong on it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import sirv from 'sirv';
import { root } from '../../scripts/process.mjs';
import { launchChromium } from './launch.mjs';

/** @typedef {import('playwright-core').Page} Page */

const folder = join(root, '.cache/page/demo');
const screenshots = join(root, '.cache/screenshots');

const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** However slow the machine is, what a test waits for comes in this time. */
export const PATIENCE = { timeout: 60_000 };

/** A server of the built demo, a browser with a profile of its own, and what closes both. */
export async function openDemo() {
  assert.ok(existsSync(join(folder, 'index.html')), `The demo is not built: nothing is in ${folder}`);
  const files = sirv(folder, { dev: true });
  const server = createServer((request, response) => {
    response.setHeader('Content-Security-Policy', policy);
    files(request, response, () => {
      response.statusCode = 404;
      response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const chromium = await launchChromium();
  const url = `http://127.0.0.1:${port}/`;

  /** A page of the demo, and everything that went wrong on it: errors, warnings, refused loads, dialogs. */
  async function openPage(hash = '', size = { width: 1280, height: 800 }) {
    const page = await chromium.browser.newPage();
    const problems = /** @type {string[]} */ ([]);
    page.setDefaultTimeout(PATIENCE.timeout);
    await page.setViewportSize(size);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(String(error.stack ?? error)));
    page.on('requestfailed', (request) => {
      // What a reload cuts off is no fault of the page.
      if (request.failure()?.errorText !== 'net::ERR_ABORTED') problems.push(request.url());
    });
    page.on('dialog', (dialog) => {
      problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('response', (response) => {
      if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(url + hash);
    await page.getByRole('banner').waitFor();
    return { page, problems };
  }

  return {
    url,
    browser: chromium.browser,
    openPage,
    close: async () => {
      await chromium.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** @typedef {Awaited<ReturnType<typeof openDemo>>} Demo */

/**
 * For the README, and to be looked at.
 *
 * @param {Page} page
 * @param {string} name
 */
export async function shoot(page, name) {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
}

/**
 * Makes a job of a sample by the page's own form, and answers its id.
 *
 * @param {Page} page
 * @param {RegExp} sample
 * @param {{ button?: 'Create' | 'Create and run', plan?: unknown, context?: unknown, check?: boolean }} [options]
 *   `check: false`: the form is there, and filled in
 */
export async function createJob(
  page,
  sample,
  { button = 'Create and run', plan, context, check = true } = {},
) {
  if (check) {
    await page.getByRole('navigation').getByRole('link', { name: 'New' }).click();
    await page.getByRole('radio', { name: sample }).check();
  }
  if (plan !== undefined) await type(page, 'Plan, as JSON', JSON.stringify(plan));
  if (context !== undefined) await type(page, 'Context, as JSON', JSON.stringify(context));
  await page.getByRole('button', { name: button, exact: true }).click();
  await page.waitForURL(/#\/jobs\//);
  return decodeURIComponent(new URL(page.url()).hash.split('/')[2] ?? '');
}

/**
 * Puts another text into an editor.
 *
 * @param {Page} page
 * @param {string} label
 * @param {string} text
 */
export async function type(page, label, text) {
  await page.getByRole('textbox', { name: label }).click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.insertText(text);
}

/**
 * Waits until the job that is shown has a status.
 *
 * @param {Page} page
 * @param {string} status
 * @param {number} [timeout]
 */
export function waitForStatus(page, status, timeout = 60_000) {
  return page.locator(`.job-controls[data-status="${status}"]`).waitFor({ timeout });
}

/**
 * The job as it is stored.
 *
 * @param {Page} page
 * @param {string} id
 * @returns {Promise<any>}
 */
export function jobOf(page, id) {
  return page.evaluate((id) => /** @type {any} */ (globalThis).jobs.getJob(id), id);
}
