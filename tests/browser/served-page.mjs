// @ts-check
/** The whole page, served by `jobwright dashboard` as a user starts it, in a real Chromium, and what goes wrong on it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openDashboard, until } from '../command-line/dashboards.mjs';
import { makePlace } from '../command-line/support.mjs';
import { launchChromium } from './launch.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** However slow the machine is, what a test waits for comes in this time. */
export const PATIENCE = { timeout: 60_000 };

const AGENTS = `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export const echo = (input) => input;
/** Says that it has begun, and waits until it may end. */
export const gated = async (name, { signal }) => {
  writeFileSync('reached-' + name, '');
  while (!existsSync('gate-' + name)) await sleep(10, undefined, { signal });
  return name;
};
`;

/** @param {import('node:test').TestContext} t */
export function placeWithGates(t) {
  const place = makePlace(t);
  place.put('agents.mjs', AGENTS);
  return {
    ...place,
    /** Waits until the agent is at work. @param {string} name */
    reachedGate: (name) =>
      until(
        () => existsSync(join(place.folder, `reached-${name}`)),
        () => `no agent reached ${name}`,
      ),
    /** @param {string} name */
    openGate: (name) => place.put(`gate-${name}`, ''),
  };
}

/**
 * A store with one job in it, its dashboard with agents, and what makes jobs in it.
 *
 * @param {import('node:test').TestContext} t
 * @param {...string} args
 */
export async function openWithAgents(t, ...args) {
  const place = placeWithGates(t);
  place.put('empty.json', { steps: [{ id: 'only', agent: 'echo' }] });
  await place.stored('run', 'empty.json', '--agents', 'agents.mjs', '--id', 'first');
  const dashboard = await openDashboard(place, ['--agents', 'agents.mjs', ...args]);
  /** @param {string} id @param {any[]} steps @param {object} [more] */
  const create = async (id, steps, more = {}) => {
    const permissions = { requireApproval: false };
    const answer = await dashboard.act('createJob', {
      id,
      plan: { steps },
      context: {},
      permissions,
      ...more,
    });
    assert.equal(answer.json(), id, answer.text);
  };
  return { place, dashboard, create };
}

/** A browser for one test file. */
export async function openBrowser() {
  const { browser, close } = await launchChromium();

  /**
   * A page at an address, and everything that went wrong on it: errors, warnings, refused loads, dialogs.
   *
   * @param {import('node:test').TestContext} t
   * @param {string} url
   */
  async function openPage(t, url) {
    const page = await browser.newPage();
    t.after(() => page.close());
    page.setDefaultTimeout(PATIENCE.timeout);
    await page.setViewportSize({ width: 1280, height: 800 });
    const problems = /** @type {string[]} */ ([]);
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(String(error.stack ?? error)));
    page.on('dialog', (dialog) => {
      problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('response', (response) => {
      if (response.status() >= 400) problems.push(`${response.status()} ${response.url()}`);
    });
    await page.goto(url);
    await page.getByRole('banner').waitFor();
    return { page, problems };
  }

  return { openPage, close };
}

/** The address without what lets one in. @param {string} url @param {string} [hash] */
export const within = (url, hash = '') => url.replace(/\?.*/, '') + hash;

/** @param {Page} page @param {string} hash */
export const goTo = (page, hash) =>
  page.evaluate((to) => {
    location.hash = to;
  }, hash);

/** @param {Page} page @param {string} name */
export const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

/** @param {Page} page @param {string} status */
export const jobIs = (page, status) => page.locator(`.job-status[data-status="${status}"]`).waitFor();

/** @param {Page} page @param {string} step @param {string} status */
export const stepIs = (page, step, status) =>
  page.locator(`[data-step="${step}"] [data-status="${status}"]`).waitFor();
