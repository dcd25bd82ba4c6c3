// @ts-check
/** Builds the test's page, serves it under the policy that the page has everywhere, and opens it in Chromium. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sirv from 'sirv';
import { root } from '../../../scripts/process.mjs';
import { pkgDir } from '../../package/installed.mjs';
import { launchChromium } from '../launch.mjs';

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
].join('; ');

/** Packages of the page's own project; they are ES modules alone, which only an import resolves. */
const fromPage = (/** @type {string} */ file) =>
  import(pathToFileURL(join(root, 'www/node_modules', file)).href);

/** What the test's page imports of the page's project is found there. */
const pageProject = {
  name: 'page-project',
  enforce: /** @type {const} */ ('pre'),
  /** @this {any} @param {string} source @param {string | undefined} importer @param {any} options */
  resolveId(source, importer, options) {
    if (source === 'jobwright') return join(pkgDir, 'index.js');
    if (!/^svelte(\/|$)/.test(source) || importer?.includes('/www/')) return null;
    return this.resolve(source, join(root, 'www/src/any.ts'), { ...options, skipSelf: true });
  },
};

/** @param {string} outDir */
async function buildPage(outDir) {
  const [{ build }, { svelte }] = await Promise.all([
    fromPage('vite/dist/node/index.js'),
    fromPage('@sveltejs/vite-plugin-svelte/src/index.js'),
  ]);
  await build({
    root: fileURLToPath(new URL('.', import.meta.url)),
    configFile: false,
    base: './',
    logLevel: 'error',
    plugins: [pageProject, svelte({ configFile: false })],
    build: { target: 'es2023', outDir, emptyOutDir: true, modulePreload: { polyfill: false } },
  });
}

/** Where the page is served, under its policy. @returns {Promise<{ url: string, close(): Promise<void> }>} */
async function serve(/** @type {string} */ folder) {
  const files = sirv(folder, { dev: true });
  const server = createServer((request, response) => {
    response.setHeader('content-security-policy', POLICY);
    files(request, response, () => {
      response.statusCode = 404;
      response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** The test's page, built and served, and a browser. */
export async function openJobViews() {
  const cache = join(root, '.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'job-views-'));
  await buildPage(folder);
  const server = await serve(folder);
  const chromium = await launchChromium();
  return {
    /**
     * A new page, and everything that went wrong on it: errors, console messages, refused loads, dialogs.
     *
     * @param {{ width?: number, height?: number, dark?: boolean }} [look]
     */
    async newPage({ width = 1_280, height = 900, dark = false } = {}) {
      const page = await chromium.browser.newPage();
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light', reducedMotion: 'reduce' });
      const problems = /** @type {string[]} */ ([]);
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) problems.push(message.text());
      });
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('requestfailed', (request) => problems.push(request.url()));
      page.on('dialog', (dialog) => {
        problems.push(`dialog ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.goto(server.url);
      await page.locator('html[data-ready]').waitFor({ timeout: 60_000 });
      return { page, problems };
    },
    async close() {
      await chromium.close();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
