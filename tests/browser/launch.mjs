// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.mjs';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--no-first-run',
  '--disable-component-update',
  '--disable-sync',
];

/** A headless Chromium with a new profile, and what closes it and removes the profile. */
export async function launchChromium() {
  const profile = mkdtempSync(join(tmpdir(), 'jobwright-chromium-'));
  // Its processes may still write there for a moment.
  const remove = () => rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  try {
    const executablePath = await findChromium();
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: flags,
    });
    return { browser, close: () => browser.close().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
}
