// @ts-check
/** The page's fold over histories, as Node can import it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { root } from '../../scripts/process.mjs';

/**
 * Compiles a module of the page and imports it.
 *
 * @param {string} module in www/src
 * @returns {Promise<any>}
 */
export async function importOfPage(module) {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'page-test-'));
  try {
    const outfile = join(folder, 'module.mjs');
    const entryPoints = [join(root, 'www/src', module)];
    await build({
      entryPoints,
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      logLevel: 'silent',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {any} state of a fold, as something that can be compared */
export function plainState(state) {
  const entries = (/** @type {Map<string, unknown>} */ map) => [...map];
  const { steps, items, approvals, context, ...rest } = state;
  return {
    ...rest,
    steps: entries(steps),
    items: entries(items),
    approvals: entries(approvals),
    context: entries(context),
  };
}
