// @ts-check
/** Pages of one site that share an IndexedDB, with the package as a user's bundler puts it there. */
import { createServer } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { consumerDir, modulesDir } from '../package/installed.mjs';
import { launchChromium } from './launch.mjs';

/** What a user writes, and what the tests ask of the page. */
const program = `
  import * as jobwright from 'jobwright';
  import { createIndexedDbStore } from 'jobwright/indexeddb';
  import { testJobStore } from 'jobwright/testing';
  globalThis.kit = { ...jobwright, createIndexedDbStore, testJobStore };
`;

/** The inside of the store, of which a next version is made. */
const inside = `
  export * from ${JSON.stringify(join(modulesDir, 'indexeddb/open.js'))};
  export * from ${JSON.stringify(join(modulesDir, 'indexeddb/schema.js'))};
`;

/** Small jobs and changes, in the page. */
const samples = `
  globalThis.jobOf = (id, more = {}) => {
    const permissions = { allowTools: false, requireApproval: true, maxSteps: 10 };
    return { id, status: 'created', context: {}, permissions, history: [], timing: { created: 1 }, ...more };
  };
  globalThis.eventOf = (seq, payload = {}) => {
    const spanId = String(seq).padStart(16, '0');
    const meta = { timestamp: seq, source: 'test' };
    return { id: spanId, seq, type: 'made', payload, trace: { traceId: spanId + spanId, spanId }, meta };
  };
  globalThis.changeOf = (jobId, expectedRevision, more = {}) => {
    const { context, history, ...rest } = globalThis.jobOf(jobId);
    const head = { ...rest, run: { schema: 1, revision: expectedRevision + 1, seq: 0 } };
    return { jobId, expectedRevision, head, context, events: history, ...more };
  };
  /** What a promise ends as, so that it can leave the page. */
  globalThis.ending = (promise) =>
    promise.then(
      (value) => ({ value }),
      ({ name, code, message, details }) => ({ error: { name, code, message, details } }),
    );
`;

/** @param {string} contents */
async function bundled(contents) {
  const options = /** @type {const} */ ({ bundle: true, format: 'esm', write: false, logLevel: 'silent' });
  const { outputFiles, warnings } = await build({ stdin: { contents, resolveDir: consumerDir }, ...options });
  if (warnings.length > 0) throw new Error(JSON.stringify(warnings));
  return outputFiles[0].text;
}

/**
 * A server of the page, a browser, and what closes both.
 *
 * @param {string} [source] what the page runs
 */
export async function openSite(source = program) {
  const [text, next] = await Promise.all([bundled(source), bundled(inside)]);
  const files = /** @type {Record<string, string>} */ ({
    '/program.js': `{${samples}}${text}`,
    '/inside.js': next,
  });
  const server = createServer((request, response) => {
    const script = files[request.url ?? ''];
    // A sandboxed frame is of another origin.
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Content-Type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(
      script ?? '<!doctype html><title>jobs</title><script type="module" src="/program.js"></script>',
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const origin = `http://127.0.0.1:${port}`;
  const chromium = await launchChromium();
  return {
    origin,
    browser: chromium.browser,
    openPage: async () => {
      const page = await chromium.browser.newPage();
      await visit(page, origin);
      return page;
    },
    close: async () => {
      await chromium.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * @param {import('playwright-core').Page} page
 * @param {string} origin
 */
async function visit(page, origin) {
  await page.goto(origin);
  await page.waitForFunction('globalThis.kit');
}
